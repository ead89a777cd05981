/** The faults of CloudWatch Logs, in its own words. */
import type * as Logs from '@aws-sdk/client-cloudwatch-logs'
import { defineService } from '../../kernel/service/define-service.ts'
import { Fault } from '../../wire/fault.ts'

export const logs = defineService<typeof Logs>('logs')

export const invalid = (message: string): Fault => logs.fail('InvalidParameterException', message)

export const groupMissing = (): Fault =>
  logs.fail('ResourceNotFoundException', 'The specified log group does not exist.')

export const streamMissing = (): Fault =>
  logs.fail('ResourceNotFoundException', 'The specified log stream does not exist.')

export const badToken = (): Fault => invalid('The specified nextToken is invalid.')

/** What is not built is refused by name. */
export const notImplemented = (what: string): Fault =>
  new Fault('NotImplemented', `Merlon does not implement ${what}.`, { status: 400 })
