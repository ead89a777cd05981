/** The resource types of an organization: the organization, its root, units, accounts, policies and handshakes. */
import { randomInt } from 'node:crypto'
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Scope } from '../../kernel/gate/call.ts'
import { ArnForm, type Patterns, type Variables } from '../../kernel/resource/arn-form.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import type { TagRules } from '../../kernel/resource/tag-rules.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { Fault } from '../../wire/fault.ts'
import type { HandshakeRow } from './handshakes.ts'
import type { PolicyType } from './policy-types.ts'

export const organizations = defineService<typeof Organizations>('organizations')

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
  /** Every change to the tree writes it. Concurrent changes conflict and are retried one after the other. */
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
  /** Epoch milliseconds; absent for accounts closed by the first release. */
  readonly closedAt?: number
  /** Services that the account administers for the organization, and since when (epoch milliseconds). */
  readonly administers: Readonly<Record<string, number>>
}

export interface PolicyRow extends Row {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly type: PolicyType
  readonly content: string
  /** When it was last written; absent for policies of the first release. */
  readonly updatedAt?: number
}

/** What is attached to a root, unit or account: policy ids by type, in the order they came. */
export interface AttachmentsRow {
  readonly target: string
  readonly policies: Readonly<Partial<Record<PolicyType, readonly string[]>>>
}

export const tagRules: TagRules = {
  action: 'organizations:TagResource',
  member: 'Tags',
  problems: {
    duplicate: () => invalidInput('DUPLICATE_TAG_KEY', 'Tag keys must be unique, whatever their case.'),
    reserved: () => invalidInput('INVALID_SYSTEM_TAGS_PARAMETER', 'Tag keys must not begin with aws:.'),
    'too-many': () =>
      violates('MAX_TAG_LIMIT_EXCEEDED', 'You have exceeded the number of tags allowed on this resource.'),
  },
}

export const accountNotFound = () =>
  organizations.fail('AccountNotFoundException', "You specified an account that doesn't exist.")
export const policyNotFound = () =>
  organizations.fail('PolicyNotFoundException', "We can't find a policy with the PolicyId that you specified.")
export const handshakeNotFound = () =>
  organizations.fail('HandshakeNotFoundException', "We can't find a handshake with the HandshakeId that you specified.")
/** A row of an organization. The management account owns it: every ARN names that account. */
export type PartId = { readonly org: string; readonly management: string; readonly id: string }

interface PartSpec<T extends string, R extends Row> {
  readonly kind: string
  readonly type: string
  readonly arn: T
  readonly patterns?: Patterns<T>
  readonly toArn: (id: PartId, row: R | undefined) => Variables<T>
  readonly notFound: () => Fault
  readonly tags?: TagRules
}

/** Rows are stored by the organization's ID. Operations find them through `within`, which knows the organization. */
const part = <const T extends string, R extends Row>({ toArn, notFound, ...spec }: PartSpec<T, R>) =>
  organizations.resource<T, R, PartId>({
    ...spec,
    storedPer: 'installation',
    identity: { names: ['org', 'id'], toArn },
    owner: (_row, { management }) => management,
    faults: {
      notFound,
      invalidReference: () => invalidInput('INVALID_PATTERN', 'You provided a value that does not match the pattern.'),
    },
  })

/** What follows the prefix that the ARN form contains; empty, so that no ARN is printed, where the prefix is missing. */
const after = (prefix: string, id: string): string => (id.startsWith(prefix) ? id.slice(prefix.length) : '')
const orgVariable = (org: string) => ({ OrganizationId: after('o-', org) })

export const organizationType = organizations.resource({
  kind: 'organization',
  type: 'AWS::Organizations::Organization',
  arn: 'arn:${Partition}:organizations::${Account}:organization/o-${OrganizationId}',
  storedPer: 'installation',
  identity: { names: ['id'], toArn: ({ id }: { readonly id: string }) => orgVariable(id) },
  idOf: ({ id }: OrganizationRow) => ({ id }),
  owner: ({ management }) => management,
  faults: {
    notFound: () => notInUse(),
    invalidReference: () => invalidInput('INVALID_PATTERN', 'You provided a value that does not match the pattern.'),
  },
})

export const unitType = part({
  kind: 'unit',
  type: 'AWS::Organizations::OrganizationalUnit',
  arn: 'arn:${Partition}:organizations::${Account}:ou/o-${OrganizationId}/ou-${OrganizationalUnitId}',
  toArn: ({ org, id }, _row: UnitRow | undefined) => ({
    ...orgVariable(org),
    OrganizationalUnitId: after('ou-', id),
  }),
  notFound: () =>
    organizations.fail(
      'OrganizationalUnitNotFoundException',
      "You specified an organizational unit that doesn't exist.",
    ),
  tags: tagRules,
})

export const memberType = part({
  kind: 'member',
  type: 'AWS::Organizations::Account',
  arn: 'arn:${Partition}:organizations::${Account}:account/o-${OrganizationId}/${AccountId}',
  toArn: ({ org, id }, _row: MemberRow | undefined) => ({ ...orgVariable(org), AccountId: id }),
  notFound: accountNotFound,
  tags: tagRules,
})

/** The type of a policy is part of its ARN and is known with the row only. */
export const policyType = part({
  kind: 'policy',
  type: 'AWS::Organizations::Policy',
  arn: 'arn:${Partition}:organizations::${Account}:policy/o-${OrganizationId}/${PolicyType}/p-${PolicyId}',
  toArn: ({ org, id }, row: PolicyRow | undefined) => ({
    ...orgVariable(org),
    PolicyType: row?.type.toLowerCase() ?? '*',
    PolicyId: after('p-', id),
  }),
  notFound: policyNotFound,
  tags: tagRules,
})

export const handshakeType = part({
  kind: 'handshake',
  type: 'AWS::Organizations::Handshake',
  arn: 'arn:${Partition}:organizations::${Account}:handshake/o-${OrganizationId}/${HandshakeType}/h-${HandshakeId}',
  toArn: ({ org, id }, row: HandshakeRow | undefined) => ({
    ...orgVariable(org),
    HandshakeType: row?.action.toLowerCase() ?? '*',
    HandshakeId: after('h-', id),
  }),
  notFound: handshakeNotFound,
})

/** Parts of the organization's own row, and policies of AWS: ARNs without rows. */
const rootForm = new ArnForm('arn:${Partition}:organizations::${Account}:root/o-${OrganizationId}/r-${RootId}')
const delegationForm = new ArnForm(
  'arn:${Partition}:organizations::${Account}:resourcepolicy/o-${OrganizationId}/rp-${ResourcePolicyId}',
)
const awsPolicyForm = new ArnForm('arn:${Partition}:organizations::aws:policy/${PolicyType}/p-${PolicyId}')

type Org = Pick<OrganizationRow, 'id' | 'management'>

export const scopeOf = ({ management }: Pick<Org, 'management'>): Scope => ({
  partition: 'aws',
  region: '',
  account: management,
})
export const partId = ({ id: org, management }: Org, id: string): PartId => ({ org, management, id })

export const arns = {
  organization: (org: Org) => organizationType.arn(scopeOf(org), { id: org.id }),
  root: (org: Org, root: string) => rootForm.print(scopeOf(org), { ...orgVariable(org.id), RootId: after('r-', root) }),
  unit: (org: Org, unit: string) => unitType.arn(scopeOf(org), partId(org, unit)),
  account: (org: Org, account: string) => memberType.arn(scopeOf(org), partId(org, account)),
  /** For an account that is yet to be created, or is invited by its e-mail address. */
  anyAccount: (org: Org) => memberType.form.printPattern(scopeOf(org), orgVariable(org.id)),
  policy: (org: Org, { type, id }: Pick<PolicyRow, 'type' | 'id'>) =>
    policyType.form.print(scopeOf(org), {
      ...orgVariable(org.id),
      PolicyType: type.toLowerCase(),
      PolicyId: after('p-', id),
    }),
  awsPolicy: (type: PolicyType, policy: string) =>
    awsPolicyForm.print(scopeOf({ management: 'aws' }), {
      PolicyType: type.toLowerCase(),
      PolicyId: after('p-', policy),
    }),
  handshake: (row: HandshakeRow) => handshakeType.arn(scopeOf(row), row, row),
  delegation: (org: Org, policy: string) =>
    delegationForm.print(scopeOf(org), { ...orgVariable(org.id), ResourcePolicyId: after('rp-', policy) }),
}

const FORMS: readonly { readonly form: Pick<ArnForm<string>, 'parse'>; readonly type: string }[] = [
  ...[organizationType, unitType, memberType, policyType, handshakeType].map(({ form, spec: { type } }) => ({
    form,
    type,
  })),
  { form: rootForm, type: 'AWS::Organizations::Root' },
  { form: delegationForm, type: 'AWS::Organizations::ResourcePolicy' },
  { form: awsPolicyForm, type: policyType.spec.type },
]

/** The type of one of the ARNs above, for the audit log. */
export const typeOfArn = (arn: string): string => FORMS.find(({ form }) => form.parse(arn))?.type ?? ''

const at =
  (kind: string) =>
  (org: string, id: string): Key =>
    key('organizations', kind, org, id)

/** The organization that an account belongs to. */
export const membershipKey = (account: string): Key => key('organizations', 'membership', account)
/** E-mail addresses are unique over the installation. */
export const emailKey = (email: string): Key => key('organizations', 'email', email.toLowerCase())
export const attachmentsKey = at('attached')
export const creationKey = at('creation')
/** The e-mail address of an account's root user, once the account has left the organization that created it. */
export const addressKey = (account: string): Key => key('organizations', 'address', account)
/** All rows of a kind that belong to the organization. */
export const all = (kind: 'unit' | 'member' | 'policy' | 'attached' | 'creation' | 'handshake', org: string): Key =>
  under('organizations', kind, org)

export const notInUse = () =>
  organizations.fail('AWSOrganizationsNotInUseException', 'Your account is not a member of an organization.')

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
  /** Twelve digits; the first is not zero. */
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
