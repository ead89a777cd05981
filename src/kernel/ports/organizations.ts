/**
 * The organizations port: the organization that an account belongs to, and the control policies that bind it; provided by
 * Organizations.
 *
 * @example
 * const member = await call.use(organizations).membership(call.unit, call.account)
 * const isManagement = member?.management === call.account
 */
import type { PolicySet } from '../../policy/index.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

/** What an organization says of one of its accounts. */
export interface OrganizationContext {
  readonly organization: string
  /** `o-…/r-…/ou-…/`, as `aws:PrincipalOrgPaths` shows it. */
  readonly path: string
  /** Root, units, account; undefined where none bind: the type is off, or it is the management account. */
  readonly scps: readonly PolicySet[] | undefined
  readonly rcps: readonly PolicySet[] | undefined
}

/** The organization of an account, as other services see it. */
export interface Membership {
  readonly id: string
  readonly management: string
  readonly allFeatures: boolean
  /** Service principals with trusted access. */
  readonly trusted: readonly string[]
  /** Services this account administers for the organization. */
  readonly administers: readonly string[]
}

/** An account of an organization. */
export interface OrganizationAccount {
  readonly account: string
  readonly email: string
  /** Epoch milliseconds. */
  readonly joinedAt: number
}

/** Provided by Organizations. */
export interface OrganizationPort {
  /** undefined for an account in no organization. */
  standing(account: string): Promise<OrganizationContext | undefined>
  membership(reader: Reader, account: string): Promise<Membership | undefined>
  /** The active accounts of the organization, the management account among them. */
  accountsOf(reader: Reader, organization: string): Promise<readonly OrganizationAccount[]>
}

export const organizations = port<OrganizationPort>('organizations')
