/**
 * The reserved roles port: roles that IAM Identity Center keeps in accounts, with the SAML provider that they trust;
 * provided by IAM. The IAM API cannot change them, and control policies bind them like any other role.
 *
 * @example
 * const arn = await use(reservedRoles).put(unit, { account, name: 'AWSReservedSSO_Admin_0123456789abcdef', … })
 */
import type { Unit } from '../../store/store.ts'
import type { Quotas } from '../service/quota.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface PolicyReference {
  readonly name: string
  /** Begins and ends with a slash. */
  readonly path: string
}

export interface ReservedRole {
  readonly account: string
  readonly name: string
  /** `/aws-reserved/sso.amazonaws.com/` */
  readonly path: string
  readonly description: string | undefined
  readonly maxSessionSeconds: number
  /** JSON text. */
  readonly inlinePolicy: string | undefined
  /** ARNs of AWS's managed policies. */
  readonly awsPolicies: readonly string[]
  /** Policies of the account, which must exist. */
  readonly customerPolicies: readonly PolicyReference[]
  readonly boundary: string | PolicyReference | undefined
  /** The SAML provider that the role trusts, created where the account has none of this name. */
  readonly provider: { readonly name: string; readonly metadata: string }
}

/** A policy that does not exist in the account, or a quota that is used up. The message says which one. */
export class ReservedRoleError extends Error {
  override readonly name = 'ReservedRoleError'
}

export interface ReservedRolesPort {
  /** Creates the role, or makes an existing one the same as described. Returns its ARN. Throws `ReservedRoleError`. */
  put(call: { readonly unit: Unit; readonly now: number; readonly quotas: Quotas }, role: ReservedRole): Promise<string>
  /** Does nothing where the role does not exist. */
  remove(call: { readonly unit: Unit; readonly quotas: Quotas }, account: string, name: string): Promise<void>
  /** The unique ID of the role, which sessions carry. */
  idOf(reader: Reader, account: string, name: string): Promise<string | undefined>
}

export const reservedRoles = port<ReservedRolesPort>('reserved-roles')
