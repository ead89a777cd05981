/** What permission sets become in accounts: reserved roles, made and removed by jobs. */
import { newIdentityCenterIds } from '../../kernel/identity-center.ts'
import { type ReservedRole, ReservedRoleError, reservedRoles } from '../../kernel/ports/reserved-roles.ts'
import type { JobContext } from '../../kernel/service/service.ts'
import type { Unit } from '../../store/store.ts'
import { durationSeconds } from './durations.ts'
import type { InstanceRow, PermissionSetRow } from './resources.ts'
import { type ProvisionedRow, provisionedKey, provisionedOfKey } from './rows.ts'

/** With the Region where it is not us-east-1, as AWS. */
const pathIn = ({ region }: InstanceRow): string =>
  region === 'us-east-1' ? '/aws-reserved/sso.amazonaws.com/' : `/aws-reserved/sso.amazonaws.com/${region}/`

/** AWS: roles of permission sets take sessions of twelve hours; the permission set says how long the portal's are. */
const ROLE_SESSION_SECONDS = 12 * 3600

const roleOf = (instance: InstanceRow, row: PermissionSetRow, account: string, name: string): ReservedRole => ({
  account,
  name,
  path: pathIn(instance),
  description: row.description,
  maxSessionSeconds: ROLE_SESSION_SECONDS,
  inlinePolicy: row.inlinePolicy,
  awsPolicies: row.awsPolicies,
  customerPolicies: row.customerPolicies,
  boundary: row.boundary,
  provider: { name: instance.providerName, metadata: instance.metadata },
})

/** Creates or changes the role of a permission set in an account. Throws `ReservedRoleError`. */
export async function provision(
  unit: Unit,
  { now, quotas, use }: Pick<JobContext, 'now' | 'quotas' | 'use'>,
  instance: InstanceRow,
  row: PermissionSetRow,
  accountId: string,
): Promise<void> {
  const at = provisionedKey(instance.id, accountId, row.id)
  const before = await unit.get<ProvisionedRow>(at)
  const roleName = before?.roleName ?? `AWSReservedSSO_${row.name}_${newIdentityCenterIds.roleSuffix()}`
  await use(reservedRoles).put({ unit, now, quotas }, roleOf(instance, row, accountId, roleName))
  const after: ProvisionedRow = { accountId, permissionSetId: row.id, roleName, revision: row.revision }
  unit.put(at, after)
  unit.put(provisionedOfKey(instance.id, row.id, accountId), after)
}

export async function deprovision(
  unit: Unit,
  { quotas, use }: Pick<JobContext, 'quotas' | 'use'>,
  instance: InstanceRow,
  permissionSetId: string,
  accountId: string,
): Promise<void> {
  const at = provisionedKey(instance.id, accountId, permissionSetId)
  const before = await unit.get<ProvisionedRow>(at)
  if (!before) return
  await use(reservedRoles).remove({ unit, quotas }, accountId, before.roleName)
  unit.delete(at)
  unit.delete(provisionedOfKey(instance.id, permissionSetId, accountId))
}

/** The seconds of a session that the portal opens. */
export const sessionSeconds = (row: PermissionSetRow): number => durationSeconds(row.sessionDuration)

export { ReservedRoleError }
