/** What exists in an organisation: itself, its root, units, accounts and policies; all of it kept under its id. */
import { randomInt } from 'node:crypto'
import type * as Organizations from '@aws-sdk/client-organizations'
import { printArn } from '../../kernel/arn.ts'
import type { Row } from '../../kernel/resource.ts'
import { service } from '../../kernel/service.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { PolicyType } from './policy-types.ts'

export const organizations = service<typeof Organizations>('organizations')

export const date = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000)

export interface OrganizationRow extends Row {
  readonly id: string
  /** The management account. */
  readonly management: string
  readonly rootId: string
  readonly features: 'ALL' | 'CONSOLIDATED_BILLING'
  readonly enabledTypes: readonly PolicyType[]
  /** Service principals trusted, and since when (epoch milliseconds). */
  readonly trusted: Readonly<Record<string, number>>
  /** The delegation policy, verbatim. */
  readonly delegation?: {
    readonly id: string
    readonly content: string
    readonly tags: Readonly<Record<string, string>>
  }
  /**
   * Every change to the tree writes it, and so conflicts with every other: no two of them run beside each other.
   */
  readonly version: number
}

export interface UnitRow extends Row {
  readonly id: string
  readonly name: string
  readonly parent: string
}

export interface MemberRow extends Row {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly parent: string
  readonly joined: 'CREATED' | 'INVITED'
  readonly joinedAt: number
  readonly state: 'ACTIVE' | 'SUSPENDED'
  /** Epoch milliseconds; accounts closed in the first release do not tell. */
  readonly closedAt?: number
  /** Services it administers for the organisation, and since when. */
  readonly administers: Readonly<Record<string, number>>
}

export interface PolicyRow extends Row {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly type: PolicyType
  readonly content: string
  /** When it was last written; policies of the first release do not tell. */
  readonly updatedAt?: number
}

/** What is attached to a root, unit or account: policy ids by type, in the order they came. */
export interface AttachmentsRow {
  readonly target: string
  readonly policies: Readonly<Partial<Record<PolicyType, readonly string[]>>>
}

const at =
  (kind: string) =>
  (org: string, id: string): Key =>
    key('organizations', kind, org, id)

export const organizationKey = (id: string): Key => key('organizations', 'organization', id)
/** Which organisation an account is in. */
export const membershipKey = (account: string): Key => key('organizations', 'membership', account)
/** E-mail addresses are unique over the installation. */
export const emailKey = (email: string): Key => key('organizations', 'email', email.toLowerCase())
export const unitKey = at('unit')
export const memberKey = at('member')
export const policyKey = at('policy')
export const attachmentsKey = at('attached')
export const creationKey = at('creation')
export const handshakeKey = at('handshake')
/** The e-mail address of an account's root user, once it has left the organisation that made it. */
export const addressKey = (account: string): Key => key('organizations', 'address', account)
export const all = (kind: 'unit' | 'member' | 'policy' | 'attached' | 'creation' | 'handshake', org: string): Key =>
  under('organizations', kind, org)

const arn = (management: string, resource: string): string =>
  printArn({ partition: 'aws', service: 'organizations', region: '', account: management, resource })

type Org = Pick<OrganizationRow, 'id' | 'management'>

export const arns = {
  organization: ({ id, management }: Org) => arn(management, `organization/${id}`),
  root: ({ id, management }: Org, root: string) => arn(management, `root/${id}/${root}`),
  unit: ({ id, management }: Org, unit: string) => arn(management, `ou/${id}/${unit}`),
  account: ({ id, management }: Org, account: string) => arn(management, `account/${id}/${account}`),
  policy: ({ id, management }: Org, { type, id: policy }: Pick<PolicyRow, 'type' | 'id'>) =>
    arn(management, `policy/${id}/${type.toLowerCase()}/${policy}`),
  awsPolicy: (type: PolicyType, policy: string) => arn('aws', `policy/${type.toLowerCase()}/${policy}`),
  handshake: ({ id, management }: Org, { action, id: handshake }: { readonly action: string; readonly id: string }) =>
    arn(management, `handshake/${id}/${action.toLowerCase()}/${handshake}`),
  delegation: ({ id, management }: Org, policy: string) => arn(management, `resourcepolicy/${id}/${policy}`),
}

const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789'

function random(length: number): string {
  return Array.from({ length }, () => LOWER[randomInt(LOWER.length)]).join('')
}

/** In the forms of the model's patterns. */
export const newIds = {
  organization: () => `o-${random(10)}`,
  root: () => `r-${random(4)}`,
  unit: (root: string) => `ou-${root.slice(2)}-${random(8)}`,
  policy: () => `p-${random(8)}`,
  handshake: () => `h-${random(10)}`,
  creation: () => `car-${random(32)}`,
  delegation: () => `rp-${random(8)}`,
  /** Twelve digits, the first no zero. */
  account: () =>
    String(randomInt(1, 10)) +
    String(randomInt(100_000)).padStart(5, '0') +
    String(randomInt(1_000_000)).padStart(6, '0'),
}

type HandshakeReason = Organizations.HandshakeConstraintViolationExceptionReason
type ConstraintReason = Organizations.ConstraintViolationExceptionReason
type InputReason = Organizations.InvalidInputExceptionReason

export function violates(reason: ConstraintReason, message: string) {
  return organizations.fail('ConstraintViolationException', message, { Reason: reason })
}

export function invalidInput(reason: InputReason, message: string) {
  return organizations.fail('InvalidInputException', message, { Reason: reason })
}

export function refusesHandshake(reason: HandshakeReason, message: string) {
  return organizations.fail('HandshakeConstraintViolationException', message, { Reason: reason })
}
