/** Who has what where: assignments as rows of principals and columns of accounts, and as rows of a table of values. */
import type { Assignment, Group, Membership, PermissionSet, Person } from './center.ts'

export interface Assigned {
  readonly set: string
  readonly setArn: string
  /** The group through which a person has it; absent for an assignment of the principal itself. */
  readonly via?: string
}

export interface MatrixRow {
  readonly id: string
  readonly kind: Assignment['kind']
  readonly name: string
  /** By account. */
  readonly cells: ReadonlyMap<string, readonly Assigned[]>
}

export interface Matrix {
  /** Accounts in which something is assigned. */
  readonly accounts: readonly string[]
  readonly rows: readonly MatrixRow[]
}

export interface MatrixSource {
  readonly assignments: readonly Assignment[]
  readonly sets: readonly PermissionSet[]
  readonly people: readonly Person[]
  readonly groups: readonly Group[]
  /** Of the groups that have assignments. */
  readonly memberships: readonly Membership[]
}

/** `perPerson`: groups are replaced by their members. */
export function matrixOf(source: MatrixSource, perPerson: boolean): Matrix {
  const { assignments, sets, people, groups, memberships } = source
  const setNames = new Map(sets.map(({ PermissionSetArn, Name }) => [PermissionSetArn, Name]))
  const groupNames = new Map(groups.map(({ GroupId, DisplayName }) => [GroupId, DisplayName]))
  const personNames = new Map(people.map(({ UserId, UserName }) => [UserId, UserName]))
  const rows = new Map<
    string,
    { -readonly [K in keyof MatrixRow]: MatrixRow[K] } & { cells: Map<string, Assigned[]> }
  >()
  const add = (kind: Assignment['kind'], id: string, account: string, assigned: Assigned) => {
    const names = kind === 'USER' ? personNames : groupNames
    const row = rows.get(id) ?? { id, kind, name: names.get(id) ?? id, cells: new Map() }
    rows.set(id, row)
    row.cells.set(account, [...(row.cells.get(account) ?? []), assigned])
  }
  for (const { account, set: setArn, kind, principal } of assignments) {
    const assigned = { set: setNames.get(setArn) ?? setArn, setArn }
    if (kind === 'USER' || !perPerson) add(kind, principal, account, assigned)
    else
      for (const { GroupId, MemberId } of memberships)
        if (GroupId === principal && MemberId?.UserId)
          add('USER', MemberId.UserId, account, { ...assigned, via: groupNames.get(principal) ?? principal })
  }
  return {
    accounts: [...new Set(assignments.map(({ account }) => account))].sort(),
    rows: [...rows.values()].sort((a, b) => a.kind.localeCompare(b.kind) || a.name.localeCompare(b.name)),
  }
}

/** A line an assignment, as auditors want it. */
export function matrixCsv({ rows }: Matrix, accountNames: ReadonlyMap<string, string>): readonly (readonly string[])[] {
  return [
    ['principalType', 'principal', 'principalId', 'accountId', 'accountName', 'permissionSet', 'viaGroup'],
    ...rows.flatMap(({ kind, name, id, cells }) =>
      [...cells].flatMap(([account, assigned]) =>
        assigned.map(({ set, via }) => [kind, name, id, account, accountNames.get(account) ?? '', set, via ?? '']),
      ),
    ),
  ]
}
