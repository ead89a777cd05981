/** An organisation as operations work on it: its rows, read and written in one unit of work. */
import type { Call } from '../../kernel/call.ts'
import type { Reader } from '../../kernel/ports.ts'
import type { Tags } from '../../kernel/resource.ts'
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
  #row: OrganizationRow
  readonly #call: Call

  constructor(call: Call, row: OrganizationRow) {
    this.#call = call
    this.#row = row
  }

  get row(): OrganizationRow {
    return this.#row
  }

  /** To be called by whatever changes the tree: see {@link OrganizationRow.version}. */
  change(changes: Partial<OrganizationRow> = {}): OrganizationRow {
    return this.replace({ ...this.#row, ...changes })
  }

  /** As `change`, for what takes a member away. */
  replace(row: OrganizationRow): OrganizationRow {
    this.#row = { ...row, version: this.#row.version + 1 }
    this.#call.unit.put(organizationKey(row.id), this.#row)
    return this.#row
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
    const { row } = this
    if (id === row.rootId) {
      return { id, type: 'ROOT', name: 'Root', arn: arns.root(row, id), tags: row.tags ?? {}, parent: undefined }
    }
    const unit = id.startsWith('ou-') ? await this.unit(id) : undefined
    if (unit) return { ...unit, type: 'ORGANIZATIONAL_UNIT', arn: arns.unit(row, id), tags: unit.tags ?? {} }
    const { name, tags = {}, parent } = (await this.member(id)) ?? {}
    return name === undefined ? undefined : { id, type: 'ACCOUNT', name, arn: arns.account(row, id), tags, parent }
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
