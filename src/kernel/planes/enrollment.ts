/**
 * Which planes may get snapshots and send records: an operator creates a code, a plane spends it once for a token. The token
 * is valid until the operator revokes the plane.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { type Vault, VaultError } from '../../vault/vault.ts'
import type { Reader } from '../state/reader.ts'
import type { PlaneScope } from './plane-scope.ts'
import { recipientKey } from './sealed-secrets.ts'

export const CODE_LIFETIME_MS = 60 * 60_000
/** Codes that wait to be spent. */
const CODES_MAX = 100
const CODE = /^mpc1\.([a-z][a-z0-9-]{0,30})\.([\w-]{43})\.([\w-]{43})$/
const NODE = /^[A-Za-z0-9][\w.-]{0,62}$/

interface CodeRow {
  readonly plane: string
  readonly scope?: PlaneScope
  readonly expiresAt: number
}

/** A plane that has been enrolled. */
export interface PlaneRow {
  /** Of this enrollment: a plane that is enrolled again under its name has another. */
  readonly id: string
  readonly plane: string
  /** The name of its machine or process. */
  readonly node: string
  readonly enrolledAt: number
  /** Absent: everything. */
  readonly scope?: PlaneScope
  /** Of the last batch of records. */
  readonly sequence?: number
  readonly seenAt?: number
  /** Of its last report. */
  readonly status?: PlaneStatus
}

/** What a plane says of itself with its records. */
export interface PlaneStatus {
  readonly health: 'open' | 'closed'
  /** Of the snapshot that it works from. */
  readonly snapshot: number
  /** Records and observations that were dropped: there were too many of them. */
  readonly dropped: number
}

/** What a token proves. */
export interface PlaneClaims {
  readonly id: string
  readonly plane: string
  readonly node: string
  /** Of the enrollment: it is not part of the token. */
  readonly scope?: PlaneScope
}

const CODES = under('planes', 'code')
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')
const codeKey = (secret: string): Key => key('planes', 'code', hashOf(secret))
const planesNamed = (plane: string): Key => under('planes', 'enrolled', plane)
export const planeKey = (plane: string, node: string): Key => key('planes', 'enrolled', plane, node)

/** The installation's public key as codes carry it: a plane accepts no other. */
export const fingerprintOf = (publicKey: Uint8Array): string =>
  createHash('sha256').update(publicKey).digest('base64url')

/** Throws a `VaultError` when too many codes wait. */
export async function createCode(
  unit: Unit,
  vault: Pick<Vault, 'installationPublicKey'>,
  plane: string,
  now: number,
  scope?: PlaneScope,
): Promise<string> {
  const waiting = await unit.range<CodeRow>(CODES, { limit: 2 * CODES_MAX })
  const expired = waiting.filter(({ document }) => document.expiresAt <= now)
  for (const { key: at } of expired) unit.delete(at)
  if (waiting.length - expired.length >= CODES_MAX)
    throw new VaultError(`${CODES_MAX} enrollment codes wait to be used. They expire within an hour.`)
  const secret = randomBytes(32).toString('base64url')
  unit.put(codeKey(secret), { plane, expiresAt: now + CODE_LIFETIME_MS, ...(scope && { scope }) } satisfies CodeRow)
  return `mpc1.${plane}.${secret}.${fingerprintOf(vault.installationPublicKey())}`
}

export interface ParsedCode {
  readonly plane: string
  readonly secret: string
  readonly fingerprint: string
}

/** undefined for a text that is not an enrollment code. */
export function parseCode(text: string): ParsedCode | undefined {
  const [, plane, secret, fingerprint] = CODE.exec(text.trim()) ?? []
  return plane && secret && fingerprint ? { plane, secret, fingerprint } : undefined
}

/** Spends a code and returns the plane's token; undefined for a code that is unknown, spent or expired. */
export async function spendCode(
  unit: Unit,
  vault: Pick<Vault, 'issue'>,
  {
    plane,
    secret,
    node,
    sealingKey,
  }: {
    readonly plane: string
    readonly secret: string
    readonly node: string
    /** The plane's public key for secrets in its snapshots: DER SPKI, base64. */
    readonly sealingKey?: string | undefined
  },
  now: number,
): Promise<string | undefined> {
  if (!NODE.test(node)) return undefined
  const at = codeKey(secret)
  const row = await unit.get<CodeRow>(at)
  if (!row || row.plane !== plane || row.expiresAt <= now) return undefined
  unit.delete(at)
  const scope = row.scope && { scope: row.scope }
  const enrolled: PlaneRow = { id: randomUUID(), plane, node, enrolledAt: now, ...scope }
  // Enrolled again, a plane loses the token it had.
  unit.put(planeKey(plane, node), enrolled)
  if (sealingKey === undefined) unit.delete(recipientKey(plane, node))
  else unit.put(recipientKey(plane, node), { node, publicKey: sealingKey, ...scope })
  const claims: PlaneClaims = { id: enrolled.id, plane, node }
  return vault.issue('plane-token', 'plane', Buffer.from(JSON.stringify(claims)))
}

/** What a token proves, if its plane is still enrolled. */
export async function redeemToken(
  token: string | undefined,
  { vault, reader }: { readonly vault: Pick<Vault, 'redeem'>; readonly reader: Pick<Reader, 'get'> },
): Promise<PlaneClaims | undefined> {
  const text = token === undefined ? undefined : vault.redeem('plane-token', 'plane', token)
  if (!text) return undefined
  const claims = JSON.parse(text.toString('utf8')) as PlaneClaims
  const row = await reader.get<PlaneRow>(planeKey(claims.plane, claims.node))
  return row?.id === claims.id ? { ...claims, ...(row.scope && { scope: row.scope }) } : undefined
}

export async function enrolledPlanes(reader: Pick<Reader, 'range'>, plane?: string): Promise<readonly PlaneRow[]> {
  const rows = await reader.range<PlaneRow>(plane === undefined ? under('planes', 'enrolled') : planesNamed(plane))
  return rows.map(({ document }) => document)
}

/** False when no such plane is enrolled. */
export async function revokePlane(unit: Unit, plane: string, node: string): Promise<boolean> {
  const at = planeKey(plane, node)
  if (!(await unit.get(at))) return false
  unit.delete(at)
  unit.delete(recipientKey(plane, node))
  return true
}
