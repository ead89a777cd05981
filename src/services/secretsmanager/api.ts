/** The declarations of the service, and its two most common faults. */
import type * as SecretsManager from '@aws-sdk/client-secrets-manager'
import { defineService } from '../../kernel/service/define-service.ts'
import type { Fault } from '../../wire/fault.ts'

export const secretsmanager = defineService<typeof SecretsManager>('secretsmanager')

export const invalidParameter = (message: string): Fault => secretsmanager.fail('InvalidParameterException', message)
export const invalidRequest = (message: string): Fault => secretsmanager.fail('InvalidRequestException', message)
