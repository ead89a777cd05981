/**
 * What an enrolled plane may serve: everything, or the resources that its operator named at the enrollment. A plane with a scope gets
 * neither the configuration nor the secrets of anything else, except what is public, and what it reports of anything else is dropped.
 *
 * @example
 * isInScope(['111122223333'], 'arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/a/0') // true
 */
import { VaultError } from '../../vault/vault.ts'

/** Accounts, and ARNs of single resources. */
export type PlaneScope = readonly string[]

const ENTRIES_MAX = 50
const ENTRY = /^(?:\d{12}|arn:[\w-]+:[\w-]+:[\w-]*:\d{12}:[\w/.-]{1,200})$/

/** undefined: everything. Throws a `VaultError` for a value that is no scope. */
export function parseScope(value: unknown): PlaneScope | undefined {
  if (value === undefined) return undefined
  const isScope =
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= ENTRIES_MAX &&
    value.every((entry) => typeof entry === 'string' && ENTRY.test(entry))
  if (!isScope) throw new VaultError(`a scope consists of up to ${ENTRIES_MAX} accounts (12 digits) and ARNs.`)
  return [...new Set(value as string[])].sort()
}

/** Two scopes with one name are equal. */
export const scopeName = (scope: PlaneScope | undefined): string => scope?.join(' ') ?? '*'

const accountOf = (entry: string): string => entry.split(':')[4] ?? entry

export const isInScope = (scope: PlaneScope | undefined, arn: string): boolean =>
  scope === undefined || scope.some((entry) => entry === arn || entry === accountOf(arn))

/** Whether something of this account is in the scope. */
export const touchesAccount = (scope: PlaneScope | undefined, account: string): boolean =>
  scope === undefined || scope.some((entry) => accountOf(entry) === account)
