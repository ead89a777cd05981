/** IAM's declarations, and the faults and quotas that its operations have in common. */
import type * as IAM from '@aws-sdk/client-iam'
import type { Call } from '../../kernel/gate/call.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import { Fault } from '../../wire/fault.ts'

export const iam = defineService<typeof IAM>('iam')

/** An AWS date-time member from what rows keep. */
export const date = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000)

export function noSuchEntity(word: string, name: string) {
  return iam.fail('NoSuchEntityException', `The ${word} with name ${name} cannot be found.`)
}

export const invalidName = (member: string) =>
  new Fault(
    'ValidationError',
    `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
  )

export function alreadyExists(kind: string, name: string) {
  return iam.fail('EntityAlreadyExistsException', `${kind} with name ${name} already exists.`)
}

export function conflict(message: string) {
  return iam.fail('DeleteConflictException', message)
}

/** AWS: `LimitExceeded` 409, naming the quota and its value. Few quotas have another `name` there than in the summary. */
export function withinQuota(call: Pick<Call, 'quotas'>, quota: string, countAfter: number, name: string = quota): void {
  const max = call.quotas[`iam/${quota}`]
  if (max !== undefined && countAfter > max) {
    throw iam.fail('LimitExceededException', `Cannot exceed quota for ${name}: ${max}`)
  }
}
