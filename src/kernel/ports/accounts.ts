/**
 * The accounts port: accounts as tenants, for the services that create and close them; provided by IAM.
 *
 * @example
 * await call.use(accounts).close(call.unit, '111122223333', call.now)
 */
import type { Unit } from '../../store/store.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface NewTenant {
  readonly id: string
  readonly name: string
  readonly now: number
  /** A role with every right, for the account it trusts. */
  readonly administrator: { readonly role: string; readonly trusts: string }
}

/** Accounts as tenants; provided by IAM and the vault's keys. */
export interface AccountsPort {
  /** In the unit of the caller. The root user gets no key. */
  create(unit: Unit, tenant: NewTenant): Promise<void>
  /** For good: none of its credentials passes from the commit on. What it holds is kept. */
  close(unit: Unit, account: string, now: number): Promise<void>
  describe(reader: Reader, account: string): Promise<{ readonly name: string; readonly alias?: string }>
}

export const accounts = port<AccountsPort>('accounts')
