/** Rows of assignments and of what they have made in accounts, with the indexes that lists and the portal read. */
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key, under } from '../../store/store.ts'

export type PrincipalType = 'USER' | 'GROUP'

export interface AssignmentRow {
  readonly accountId: string
  readonly permissionSetId: string
  readonly principalType: PrincipalType
  readonly principalId: string
  readonly createdAt: number
}

/** A permission set in an account: the role that it has there. */
export interface ProvisionedRow {
  readonly accountId: string
  readonly permissionSetId: string
  readonly roleName: string
  /** Of the permission set, when the role was last made the same. */
  readonly revision: number
}

export const assignmentKey = (instanceId: string, row: AssignmentRow): Key =>
  key('sso', 'assignment', instanceId, row.accountId, row.permissionSetId, row.principalType, row.principalId)
export const assignmentOfKey = (instanceId: string, row: AssignmentRow): Key =>
  key('sso', 'assignment-of', instanceId, row.principalType, row.principalId, row.accountId, row.permissionSetId)

export const assignmentsIn = (instanceId: string, accountId: string, permissionSetId: string): Key =>
  under('sso', 'assignment', instanceId, accountId, permissionSetId)
export const assignmentsOf = (instanceId: string, type: PrincipalType, principalId: string): Key =>
  under('sso', 'assignment-of', instanceId, type, principalId)

export const provisionedKey = (instanceId: string, accountId: string, permissionSetId: string): Key =>
  key('sso', 'provisioned', instanceId, accountId, permissionSetId)
export const provisionedOfKey = (instanceId: string, permissionSetId: string, accountId: string): Key =>
  key('sso', 'provisioned-of', instanceId, permissionSetId, accountId)
export const provisionedIn = (instanceId: string, accountId: string): Key =>
  under('sso', 'provisioned', instanceId, accountId)
export const provisionedOf = (instanceId: string, permissionSetId: string): Key =>
  under('sso', 'provisioned-of', instanceId, permissionSetId)

/** Whether an instance has a row of a type whose keys begin with the instance. */
export async function anyRow(reader: Pick<Reader, 'range'>, prefix: Key, instanceId: string): Promise<boolean> {
  return (await reader.range(belowInstance(prefix, instanceId), { limit: 1 })).length > 0
}

/** The rows of one instance, of a resource type that is stored per installation. */
export const belowInstance = (prefix: Key, instanceId: string): Key => prefix + under(instanceId)
