/** Which accounts an administrator account has as members in a Region, and which administrator an account has. */
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'

/** `Disabled`: the administrator stopped monitoring. `Removed`: disassociated by the administrator; `Resigned`: by itself. */
export type Relationship = 'Created' | 'Invited' | 'Enabled' | 'Disabled' | 'Removed' | 'Resigned'

export interface MemberRow {
  readonly account: string
  readonly administrator: string
  readonly region: string
  readonly email: string
  readonly relationship: Relationship
  readonly updatedAt: number
  readonly invitedAt?: number
  readonly invitationId?: string
  /** Of the administrator's organization: no invitation is needed. */
  readonly isOfOrganization?: true
}

/** What a member's account knows of its administrator, and of one that invites it. */
export interface AdministratorRow {
  readonly administrator: string
  readonly region: string
  readonly invitationId: string
  readonly invitedAt: number
}

interface Place {
  readonly account: string
  readonly region: string
}

export const memberKey = (administrator: Place, account: string): Key =>
  key('guardduty', 'member', administrator.account, administrator.region, account)
export const membersOf = ({ account, region }: Place): Key => under('guardduty', 'member', account, region)
export const administratorKey = ({ account, region }: Place): Key => key('guardduty', 'administrator', account, region)
export const invitationKey = ({ account, region }: Place, administrator: string): Key =>
  key('guardduty', 'invitation', account, region, administrator)
export const invitationsOf = ({ account, region }: Place): Key => under('guardduty', 'invitation', account, region)

export async function administratorOf(
  reader: Pick<Reader, 'get'>,
  place: Place,
): Promise<AdministratorRow | undefined> {
  return reader.get<AdministratorRow>(administratorKey(place))
}

export async function allMembers(reader: Pick<Reader, 'range'>, place: Place): Promise<readonly MemberRow[]> {
  return (await reader.range<MemberRow>(membersOf(place))).map(({ document }) => document)
}

/** Those whose relationship is in effect; the findings of both kinds are the administrator's to see. */
export const isAssociated = ({ relationship }: MemberRow): boolean =>
  relationship === 'Enabled' || relationship === 'Disabled'

export async function hasMembers(reader: Pick<Reader, 'range'>, place: Place): Promise<boolean> {
  return (await allMembers(reader, place)).some(isAssociated)
}

/** Where the findings are that a caller sees: its own, and those of its members. */
export async function visiblePlaces(reader: Pick<Reader, 'range'>, place: Place): Promise<readonly Place[]> {
  const members = (await allMembers(reader, place)).filter(isAssociated)
  return [place, ...members.map(({ account }) => ({ account, region: place.region }))]
}

/** Whose filters, lists and destinations hold in an account: its administrator's, or its own. */
export async function governing(reader: Pick<Reader, 'get'>, { account, region }: Place): Promise<Place> {
  const administrator = await administratorOf(reader, { account, region })
  return { account: administrator?.administrator ?? account, region }
}

/** Writes the relationship, and what the member knows of it. */
export function putMember(unit: Pick<Unit, 'put' | 'delete'>, row: MemberRow, before: MemberRow | undefined): void {
  unit.put(memberKey({ account: row.administrator, region: row.region }, row.account), row)
  updateMemberView(unit, row, before)
}

export function removeMember(unit: Pick<Unit, 'put' | 'delete'>, row: MemberRow): void {
  updateMemberView(unit, undefined, row)
  unit.delete(memberKey({ account: row.administrator, region: row.region }, row.account))
}

/** Another administrator's rows of the same account are left alone. */
function updateMemberView(
  unit: Pick<Unit, 'put' | 'delete'>,
  row: MemberRow | undefined,
  before: MemberRow | undefined,
): void {
  const { account, region, administrator } = (row ?? before)!
  const member = { account, region }
  const known = row && {
    administrator,
    region,
    invitationId: row.invitationId ?? '',
    invitedAt: row.invitedAt ?? row.updatedAt,
  }
  if (known && row && isAssociated(row)) unit.put(administratorKey(member), known satisfies AdministratorRow)
  else if (before && isAssociated(before)) unit.delete(administratorKey(member))
  if (known && row?.relationship === 'Invited')
    unit.put(invitationKey(member, administrator), known satisfies AdministratorRow)
  else if (before?.relationship === 'Invited') unit.delete(invitationKey(member, administrator))
}
