/** The service as its files speak of it, and its two common refusals. */
import type * as SecretsManager from '@aws-sdk/client-secrets-manager'
import { service } from '../../kernel/service.ts'
import type { Fault } from '../../wire/fault.ts'

export const secretsmanager = service<typeof SecretsManager>('secretsmanager')

export const invalidParameter = (message: string): Fault => secretsmanager.fail('InvalidParameterException', message)
export const invalidRequest = (message: string): Fault => secretsmanager.fail('InvalidRequestException', message)
