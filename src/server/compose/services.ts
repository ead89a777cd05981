/** The services this server answers for. */
import type { Service } from '../../kernel/service/service.ts'
import { coreServices } from './core-services.ts'
import { laterServices } from './later-services.ts'

export const services: readonly Service[] = [...coreServices, ...laterServices]
