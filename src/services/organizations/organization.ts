/** An organization as operations work on it: its rows, read and written in one unit of work. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Key } from '../../store/store.ts'
import {
  type AttachmentsRow,
  all,
  arns,
  attachmentsKey,
  type MemberRow,
  membershipKey,
  memberType,
  type OrganizationRow,
  organizationType,
  type PolicyRow,
  partId,
  policyType,
  type UnitRow,
  unitType,
} from './resources.ts'

/** Keys of an organization's rows contain neither account nor Region. */
const NOWHERE = { account: '', region: '' }

interface Membership {
  readonly org: string
}

export async function organizationOf(reader: Reader, account: string): Promise<OrganizationRow | undefined> {
  const membership = await reader.get<Membership>(membershipKey(account))
  return membership && organizationById(reader, membership.org)
}

export const organizationById = (reader: Reader, id: string): Promise<OrganizationRow | undefined> =>
  organizationType.get(reader, NOWHERE, { id })

export const memberOf = (reader: Reader, row: OrganizationRow, account: string): Promise<MemberRow | undefined> =>
  memberType.get(reader, NOWHERE, partId(row, account))

export const membersOf = async (reader: Reader, organization: string): Promise<readonly MemberRow[]> =>
  (await reader.range<MemberRow>(all('member', organization))).map(({ document }) => document)

export class Organization {
  #row: OrganizationRow
  readonly #call: Call

  constructor(call: Call, row: OrganizationRow) {
    this.#call = call
    this.#row = row
  }

  get row(): OrganizationRow {
    return this.#row
  }

  /** Every operation that changes the tree calls this: see {@link OrganizationRow.version}. */
  change(changes: Partial<OrganizationRow> = {}): OrganizationRow {
    return this.replace({ ...this.#row, ...changes })
  }

  /** Like `change`; removes the members that `row` lacks. */
  replace(row: OrganizationRow): OrganizationRow {
    this.#row = { ...row, version: this.#row.version + 1 }
    this.#call.unit.put(organizationType.key(this.#call, row), this.#row)
    return this.#row
  }

  unit(id: string): Promise<UnitRow | undefined> {
    return this.#call.unit.get<UnitRow>(this.#key(unitType, id))
  }
  units(): Promise<readonly UnitRow[]> {
    return this.#all<UnitRow>('unit')
  }
  saveUnit(row: UnitRow): UnitRow {
    this.#call.unit.put(this.#key(unitType, row.id), row)
    return row
  }
  removeUnit({ id }: UnitRow): void {
    this.#call.unit.delete(this.#key(unitType, id))
  }

  member(id: string): Promise<MemberRow | undefined> {
    return this.#call.unit.get<MemberRow>(this.#key(memberType, id))
  }
  members(): Promise<readonly MemberRow[]> {
    return membersOf(this.#call.unit, this.#row.id)
  }
  saveMember(row: MemberRow): MemberRow {
    this.#call.unit.put(this.#key(memberType, row.id), row)
    this.#call.unit.put(membershipKey(row.id), { org: this.row.id } satisfies Membership)
    return row
  }
  removeMember({ id }: MemberRow): void {
    this.#call.unit.delete(this.#key(memberType, id))
    this.#call.unit.delete(membershipKey(id))
  }

  policy(id: string): Promise<PolicyRow | undefined> {
    return this.#call.unit.get<PolicyRow>(this.#key(policyType, id))
  }
  policies(): Promise<readonly PolicyRow[]> {
    return this.#all<PolicyRow>('policy')
  }
  savePolicy(row: PolicyRow): PolicyRow {
    this.#call.unit.put(this.#key(policyType, row.id), row)
    return row
  }
  removePolicy({ id }: PolicyRow): void {
    this.#call.unit.delete(this.#key(policyType, id))
  }

  async attachments(target: string): Promise<AttachmentsRow> {
    return (await this.#call.unit.get<AttachmentsRow>(attachmentsKey(this.row.id, target))) ?? { target, policies: {} }
  }
  allAttachments(): Promise<readonly AttachmentsRow[]> {
    return this.#all<AttachmentsRow>('attached')
  }
  saveAttachments(row: AttachmentsRow): void {
    this.#call.unit.put(attachmentsKey(this.row.id, row.target), row)
  }

  /** Root, unit or account, as lists of targets and children show it. */
  async node(id: string): Promise<Node | undefined> {
    const { row } = this
    if (id === row.rootId) {
      return { id, type: 'ROOT', name: 'Root', arn: arns.root(row, id), tags: row.tags ?? {}, parent: undefined }
    }
    const unit = id.startsWith('ou-') ? await this.unit(id) : undefined
    if (unit) return { ...unit, type: 'ORGANIZATIONAL_UNIT', arn: arns.unit(row, id), tags: unit.tags ?? {} }
    const { name, tags = {}, parent } = (await this.member(id)) ?? {}
    return name === undefined ? undefined : { id, type: 'ACCOUNT', name, arn: arns.account(row, id), tags, parent }
  }

  #key(type: Pick<typeof unitType | typeof memberType | typeof policyType, 'key'>, id: string): Key {
    return type.key(this.#call, partId(this.#row, id))
  }

  async #all<R extends object>(kind: 'unit' | 'policy' | 'attached'): Promise<readonly R[]> {
    return (await this.#call.unit.range<R>(all(kind, this.#row.id))).map(({ document }) => document)
  }
}

export interface Node {
  readonly id: string
  readonly type: 'ROOT' | 'ORGANIZATIONAL_UNIT' | 'ACCOUNT'
  readonly name: string
  readonly arn: string
  readonly tags: Tags
  readonly parent: string | undefined
}
