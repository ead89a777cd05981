/** What exists in IAM: users, groups, roles, managed policies, instance profiles, and what hangs on them. */
import type * as IAM from '@aws-sdk/client-iam'
import type { Call } from '../../kernel/call.ts'
import type { Row } from '../../kernel/resource.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import { service } from '../../kernel/service.ts'
import { type Key, key } from '../../store/store.ts'

export const iam = service<typeof IAM>('iam')
/** For types that are defined by their ARN form; the others move there. */
export const iamWords = defineService<typeof IAM>('iam')

/** IAM's names are unique whatever their case. */
const fold = (name: string) => name.toLowerCase()

/** An AWS date-time member from what rows keep. */
export const date = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000)

interface Named extends Row {
  readonly name: string
  readonly path: string
  /** The unique id: `AIDA…`, `AGPA…`, `AROA…`, `AIPA…`. */
  readonly id: string
  readonly createdAt: number
}

/** What carries policies: users, groups and roles alike. */
export interface Holder extends Named {
  /** ARNs of attached managed policies, in the order they were attached. */
  readonly attached: readonly string[]
  /** Inline policies, verbatim, by name. */
  readonly inline: Readonly<Record<string, string>>
  /** The managed policy that bounds it; groups have none. */
  readonly boundary?: string
}

export interface UserRow extends Holder {
  /** Names of the user's groups. */
  readonly groups: readonly string[]
  readonly passwordUsedAt?: number
}

export type GroupRow = Holder

export interface RoleRow extends Holder {
  /** The trust policy, as it was written. */
  readonly trust: string
  /** The unique ids of the users and roles it named when it was saved, by ARN (see `trust.ts`). */
  readonly trusted: Readonly<Record<string, string>>
  readonly description?: string
  readonly maxSessionSeconds: number
  /** The service that owns a service-linked role. */
  readonly linkedService?: string
}

export interface InstanceProfileRow extends Named {
  readonly role?: string
}

const entity = <R extends Named>(kind: string, type: string, word: string, tagAction?: string) =>
  iam.resource<R>({
    kind,
    type,
    global: true,
    fold,
    id: (row) => row.name,
    path: (id, row) => `${kind}${row?.path ?? '/'}${row?.name ?? id}`,
    missing: (id) => iam.fail('NoSuchEntityException', `The ${word} with name ${id} cannot be found.`),
    ...(tagAction !== undefined && { tagAction }),
  })

export const user = entity<UserRow>('user', 'AWS::IAM::User', 'user', 'iam:TagUser')
/** Where a user's name is found by its id, whatever it is called today. */
export const userIdKey = (account: string, id: string): Key => key('iam', 'user-id', account, id)

export const group = entity<GroupRow>('group', 'AWS::IAM::Group', 'group')
export const role = entity<RoleRow>('role', 'AWS::IAM::Role', 'role', 'iam:TagRole')
export const instanceProfile = iam.resource<InstanceProfileRow>({
  kind: 'instance-profile',
  type: 'AWS::IAM::InstanceProfile',
  global: true,
  fold,
  id: (row) => row.name,
  path: (id, row) => `instance-profile${row?.path ?? '/'}${row?.name ?? id}`,
  missing: (id) => iam.fail('NoSuchEntityException', `Instance Profile ${id} cannot be found.`),
  tagAction: 'iam:TagInstanceProfile',
})

export function alreadyExists(kind: string, name: string) {
  return iam.fail('EntityAlreadyExistsException', `${kind} with name ${name} already exists.`)
}

export function conflict(message: string) {
  return iam.fail('DeleteConflictException', message)
}

/** AWS: `LimitExceeded` 409, naming the quota and its value. Few quotas have another `name` there than in the summary. */
export function withinQuota(call: Call, quota: string, countAfter: number, name: string = quota): void {
  const max = call.quotas[`iam/${quota}`]
  if (max !== undefined && countAfter > max) {
    throw iam.fail('LimitExceededException', `Cannot exceed quota for ${name}: ${max}`)
  }
}

/** Lists are asked on the path they list: `…:user/people/`. */
export const below =
  (kind: string) =>
  (input: { readonly PathPrefix?: string | undefined }): string =>
    `${kind}${input.PathPrefix ?? '/'}`
