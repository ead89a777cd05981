/** GuardDuty's faults: five codes, and messages that clients match. */
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import { defineService } from '../../kernel/service/define-service.ts'
import type { Fault } from '../../wire/fault.ts'

export const guardduty = defineService<typeof GuardDuty>('guardduty')

/** GuardDuty's errors carry the kind of mistake beside the code: `{ "__type": "InvalidInputException" }`. */
export const badRequest = (message: string, type = 'InvalidInputException'): Fault =>
  guardduty.fail('BadRequestException', message, { Type: type })

/** Terraform takes a detector with this message for deleted. */
export const notOwned = (): Fault =>
  badRequest('The request is rejected because the input detectorId is not owned by the current account.')

/** The same for lists, filters and destinations. */
export const noSuchResource = (): Fault => badRequest('The request is rejected since no such resource found.')

export const invalidParameter = (name: string): Fault =>
  badRequest(`The request is rejected because the parameter ${name} has an invalid value.`)

export const badToken = (): Fault => invalidParameter('nextToken')
