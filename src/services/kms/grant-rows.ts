/** Grants as rows, with the indexes they are found by: by key, by grantee, by retiring principal, by name. */
import { createHash } from 'node:crypto'
import type { Unit } from '../../store/store.ts'
import { at, type GrantRow, type KeyRow } from './rows.ts'

interface Count {
  readonly count: number
}

export async function countGrants(unit: Unit, row: KeyRow): Promise<number> {
  return (await unit.get<Count>(at.grantCount(row)))?.count ?? 0
}

export async function countGrant(unit: Unit, row: KeyRow, by: 1 | -1): Promise<void> {
  const count = (await countGrants(unit, row)) + by
  unit.put(at.grantCount(row), { count } satisfies Count)
}

export function saveGrant(unit: Unit, row: KeyRow, grant: GrantRow): void {
  unit.put(at.grant(row, grant.id), grant)
  unit.put(at.granteeGrant(row, grant.grantee.by, grant.id), grant)
  if (grant.retirer) unit.put(at.retirable(row.region, grant.retirer.as, grant.id), grant)
}

export function removeGrant(unit: Unit, row: KeyRow, grant: GrantRow): void {
  unit.delete(at.grant(row, grant.id))
  unit.delete(at.granteeGrant(row, grant.grantee.by, grant.id))
  if (grant.retirer) unit.delete(at.retirable(row.region, grant.retirer.as, grant.id))
  if (grant.name !== undefined) unit.delete(at.namedGrant(row, grant.name, sameness(grant)))
}

type Wanted = Pick<GrantRow, 'grantee' | 'retirer' | 'operations' | 'constraints' | 'issuer'>

/** The same for grants that give the same: operations and pairs have no order, and some clients shuffle them. */
export function sameness({ grantee, retirer, operations, constraints, issuer }: Wanted): string {
  const { EncryptionContextEquals: exact, EncryptionContextSubset: subset, SourceArn } = constraints ?? {}
  const pairs = (context: Readonly<Record<string, string>> | undefined) =>
    context &&
    Object.keys(context)
      .sort()
      .map((name) => [name, context[name]])
  const parts = [grantee, retirer, [...operations].sort(), pairs(exact), pairs(subset), SourceArn, issuer]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
