/** An organisation as operations work on it: its rows, read and written in one unit of work, and who may ask. */
import type { Call } from '../../kernel/call.ts'
import type { Reader } from '../../kernel/ports.ts'
import type { Acted, Found, Target } from '../../kernel/resource.ts'
import { Context, compilePolicy, decide, type Request, readPolicy } from '../../policy/index.ts'
import type { Fault } from '../../wire/fault.ts'
import {
  type AttachmentsRow,
  all,
  arns,
  attachmentsKey,
  type MemberRow,
  memberKey,
  membershipKey,
  type OrganizationRow,
  organizationKey,
  organizations,
  type PolicyRow,
  policyKey,
  type UnitRow,
  unitKey,
} from './resources.ts'

export interface Membership {
  readonly org: string
}

export async function organizationOf(reader: Reader, account: string): Promise<OrganizationRow | undefined> {
  const membership = await reader.get<Membership>(membershipKey(account))
  return membership && reader.get<OrganizationRow>(organizationKey(membership.org))
}

export class Organization {
  readonly row: OrganizationRow
  readonly #call: Call

  constructor(call: Call, row: OrganizationRow) {
    this.#call = call
    this.row = row
  }

  /** To be called by whatever changes the tree: see {@link OrganizationRow.version}. */
  change(changes: Partial<OrganizationRow> = {}): OrganizationRow {
    const changed = { ...this.row, ...changes, version: this.row.version + 1 }
    this.#call.unit.put(organizationKey(this.row.id), changed)
    return changed
  }

  /** As `change`, for what takes a member away. */
  replace(row: OrganizationRow): void {
    this.#call.unit.put(organizationKey(row.id), { ...row, version: this.row.version + 1 })
  }

  unit(id: string): Promise<UnitRow | undefined> {
    return this.#call.unit.get<UnitRow>(unitKey(this.row.id, id))
  }
  async units(): Promise<readonly UnitRow[]> {
    const entries = await this.#call.unit.range<UnitRow>(all('unit', this.row.id))
    return entries.map(({ document }) => document)
  }
  saveUnit(row: UnitRow): UnitRow {
    this.#call.unit.put(unitKey(this.row.id, row.id), row)
    return row
  }

  member(id: string): Promise<MemberRow | undefined> {
    return this.#call.unit.get<MemberRow>(memberKey(this.row.id, id))
  }
  async members(): Promise<readonly MemberRow[]> {
    const entries = await this.#call.unit.range<MemberRow>(all('member', this.row.id))
    return entries.map(({ document }) => document)
  }
  saveMember(row: MemberRow): MemberRow {
    this.#call.unit.put(memberKey(this.row.id, row.id), row)
    this.#call.unit.put(membershipKey(row.id), { org: this.row.id } satisfies Membership)
    return row
  }

  policy(id: string): Promise<PolicyRow | undefined> {
    return this.#call.unit.get<PolicyRow>(policyKey(this.row.id, id))
  }
  async policies(): Promise<readonly PolicyRow[]> {
    const entries = await this.#call.unit.range<PolicyRow>(all('policy', this.row.id))
    return entries.map(({ document }) => document)
  }
  savePolicy(row: PolicyRow): PolicyRow {
    this.#call.unit.put(policyKey(this.row.id, row.id), row)
    return row
  }

  async attachments(target: string): Promise<AttachmentsRow> {
    return (await this.#call.unit.get<AttachmentsRow>(attachmentsKey(this.row.id, target))) ?? { target, policies: {} }
  }
  async allAttachments(): Promise<readonly AttachmentsRow[]> {
    const entries = await this.#call.unit.range<AttachmentsRow>(all('attached', this.row.id))
    return entries.map(({ document }) => document)
  }
  saveAttachments(row: AttachmentsRow): void {
    this.#call.unit.put(attachmentsKey(this.row.id, row.target), row)
  }

  /** Root, unit or account, as lists of targets and children show it. */
  async node(id: string): Promise<Node | undefined> {
    if (id === this.row.rootId)
      return { id, type: 'ROOT', name: 'Root', arn: arns.root(this.row, id), parent: undefined }
    if (id.startsWith('ou-')) {
      const unit = await this.unit(id)
      return (
        unit && { id, type: 'ORGANIZATIONAL_UNIT', name: unit.name, arn: arns.unit(this.row, id), parent: unit.parent }
      )
    }
    const member = await this.member(id)
    return member && { id, type: 'ACCOUNT', name: member.name, arn: arns.account(this.row, id), parent: member.parent }
  }
}

export interface Node {
  readonly id: string
  readonly type: 'ROOT' | 'ORGANIZATIONAL_UNIT' | 'ACCOUNT'
  readonly name: string
  readonly arn: string
  readonly parent: string | undefined
}

export const notInUse = () =>
  organizations.fail('AWSOrganizationsNotInUseException', 'Your account is not a member of an organization.')
const notYours = () =>
  organizations.fail('AccessDeniedException', "You don't have permissions to access this resource.")

/** Who of an organisation an operation is open to, besides its management account. */
export type Audience = 'management' | 'administrators' | 'members'

export interface Within<R> {
  readonly organization: Organization
  readonly row: R
}

/** What an operation acts on inside the caller's organisation, found once the caller may know of it. */
export type Finder<I, R> = (
  organization: Organization,
  input: I,
  call: Call,
) => Promise<{ readonly arn?: string; readonly row: R | undefined; readonly missing?: () => Fault }>

const typeOf: Readonly<Record<string, string>> = {
  account: 'AWS::Organizations::Account',
  ou: 'AWS::Organizations::OrganizationalUnit',
  policy: 'AWS::Organizations::Policy',
  root: 'AWS::Organizations::Root',
  organization: 'AWS::Organizations::Organization',
}

/**
 * The target of every operation that needs an organisation. Members may do no more than AWS lets them, whatever their
 * own policies say; that they are told only after those policies have been asked.
 */
export function within<I, R>(audience: Audience, find: Finder<I, R>): Target<I, Within<R>> {
  return {
    find: async (call, input): Promise<Found<Within<R>>> => {
      const row = await organizationOf(call.unit, call.account)
      if (!row) return { acted: undefined, row: undefined, missing: notInUse }
      const organization = new Organization(call, row)
      const { arn, row: found, missing } = await find(organization, input, call)
      const kind = arn?.split(':')[5]?.split('/')[0] ?? ''
      // The caller's own side decides: what the organisation opens to members is decided below.
      const acted: Acted | undefined =
        arn === undefined ? undefined : { arn, type: typeOf[kind] ?? '', account: call.account }
      if (!(await mayAsk(call, organization, audience, arn))) return { acted, row: undefined, missing: notYours }
      if (found === undefined && missing) return { acted, row: undefined, missing }
      return { acted, row: { organization, row: found as R } }
    },
  }
}

/** The organisation itself. */
export const itself = <I>(audience: Audience = 'management'): Target<I, Within<undefined>> =>
  within(audience, async ({ row }) => ({ arn: arns.organization(row), row: undefined }))

async function mayAsk(
  call: Call,
  organization: Organization,
  audience: Audience,
  arn: string | undefined,
): Promise<boolean> {
  const { management, delegation } = organization.row
  if (call.account === management || audience === 'members') return true
  const member = await organization.member(call.account)
  if (audience === 'administrators' && Object.keys(member?.administers ?? {}).length > 0) return true
  return delegation !== undefined && delegated(call, delegation.content, arn ?? '*', management)
}

/** Whether the delegation policy opens this to the caller; its own policies are asked at the gate. */
function delegated(call: Call, content: string, resource: string, management: string): boolean {
  const compiled = compilePolicy(readPolicy(content, 'resource'), { id: 'delegation', kind: 'resource' })
  const request: Request = {
    principal: call.caller.principal,
    action: `organizations:${call.operation}`,
    resource,
    resourceAccount: management,
    context: new Context(),
  }
  return decide(request, { identity: [everything], resource: compiled, resourceMode: 'required' }).allowed
}

const everything = compilePolicy(
  readPolicy('{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}', 'identity'),
  { id: 'everything', kind: 'identity' },
)
