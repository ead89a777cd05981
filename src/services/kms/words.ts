/** The declarations of KMS, and what every file of it uses. */
import type * as KMS from '@aws-sdk/client-kms'
import { defineService } from '../../kernel/service/define-service.ts'
import { Fault } from '../../wire/fault.ts'

export const kms = defineService<typeof KMS>('kms')

export const date = (ms: number): Date => new Date(ms)

export const DAY_MS = 86_400_000

/** AWS's code for input that the model admits and KMS does not. */
export const invalid = (message: string) => new Fault('ValidationError', message)
