/**
 * The grants port: what devices and command lines request from a person in the browser, provided by the token service
 * of IAM Identity Center and used by its portal.
 *
 * @example
 * const asked = await use(ssoGrants).device(unit, 'BCDF-GHJK', now)
 * if (asked) await use(ssoGrants).approveDevice(unit, 'BCDF-GHJK', session, now)
 */
import type { Unit } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import type { PortalSession } from '../portal-sessions.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

/** A device that waits for a person's consent. */
export interface DeviceRequest {
  readonly clientName: string
  readonly scopes: readonly string[]
  readonly storeId: string
  /** Where the request came from. */
  readonly remoteAddress: string
  /** Epoch milliseconds. */
  readonly startedAt: number
}

export interface OAuthClient {
  readonly id: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly redirectUris: readonly string[]
  /** The portal that the client was registered for. */
  readonly storeId: string | undefined
}

export interface CodeRequest {
  readonly client: OAuthClient
  readonly redirectUri: string
  readonly challenge: string
  readonly scopes: readonly string[]
  readonly session: PortalSession
}

export interface SsoGrantsPort {
  /** undefined for a code that is wrong, answered or expired. */
  device(reader: Reader, userCode: string, now: number): Promise<DeviceRequest | undefined>
  /** Whether the device still waited. */
  approveDevice(unit: Unit, userCode: string, session: PortalSession, now: number): Promise<boolean>
  denyDevice(unit: Unit, userCode: string, now: number): Promise<boolean>
  /** undefined for a client that was not registered here, or whose registration has expired. */
  client(vault: Pick<Vault, 'redeem'>, clientId: string, now: number): OAuthClient | undefined
  /** Whether an address was registered: exactly, or as a loopback address with another port (RFC 8252, section 7.3). */
  isRegistered(client: OAuthClient, redirectUri: string): boolean
  /** An authorization code, valid for a minute and once. */
  issueCode(unit: Unit, request: CodeRequest, now: number): string
}

export const ssoGrants = port<SsoGrantsPort>('sso-grants')
