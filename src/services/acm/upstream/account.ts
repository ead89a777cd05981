/** The account at another authority: one key for the installation and each directory, in the vault. */
import { createHash, createPublicKey } from 'node:crypto'
import { key, type Unit } from '../../../store/store.ts'
import type { MaterialContext, StoredMaterial } from '../../../vault/material/materials.ts'
import type { Vault } from '../../../vault/vault.ts'
import { type Jwk, publicJwk } from '../acme-jws.ts'

/** Whose vault key seals it: no account's. */
const INSTALLATION = 'installation'
const SPEC = 'ECC_NIST_P256'
const COORDINATE_BYTES = 32

export interface UpstreamAccountRow {
  readonly held: StoredMaterial
  readonly jwk: Jwk
  readonly createdAt: number
}

const accountKey = (directory: string) =>
  key('acm', 'upstream-account', createHash('sha256').update(directory).digest('hex').slice(0, 32))

export const readUpstreamAccount = (
  reader: Pick<Unit, 'get'>,
  directory: string,
): Promise<UpstreamAccountRow | undefined> => reader.get<UpstreamAccountRow>(accountKey(directory))

/** Makes the key when there is none; the account is created with it at the next request. */
export async function ensureUpstreamAccount(unit: Unit, vault: Vault, directory: string, now: number): Promise<void> {
  const at = accountKey(directory)
  if (await unit.get(at)) return
  await vault.prepare(INSTALLATION)
  const home: MaterialContext = {
    table: 'acm/upstream-account',
    key: at,
    column: 'key',
    account: INSTALLATION,
    name: `acm/upstream/${directory}`,
  }
  const { id, sealed, publicKey } = await vault.materials.generate(home, SPEC)
  const jwk = publicJwk(
    createPublicKey({ key: publicKey!, format: 'der', type: 'spki' }).export({ format: 'jwk' }) as Jwk,
  )
  unit.put(at, { held: { home, spec: SPEC, id, sealed }, jwk, createdAt: now } satisfies UpstreamAccountRow)
}

/** A signature as JWS has it for ES256: both numbers, 32 bytes each (RFC 7518 §3.4). */
export async function signAsAccount(
  vault: Pick<Vault, 'materials'>,
  { held }: UpstreamAccountRow,
  message: Buffer,
): Promise<Buffer> {
  const der = await vault.materials.use(held, { do: 'sign', algorithm: 'ECDSA_SHA_256', type: 'RAW', message })
  return rawSignature(der)
}

/** SEQUENCE { INTEGER r, INTEGER s }, below 128 bytes on this curve. */
function rawSignature(der: Buffer): Buffer {
  const raw = Buffer.alloc(2 * COORDINATE_BYTES)
  let at = 2
  for (let end = COORDINATE_BYTES; end <= raw.length; end += COORDINATE_BYTES) {
    const length = der[at + 1]!
    const number = der.subarray(at + 2, at + 2 + length)
    const digits = number.subarray(Math.max(0, number.length - COORDINATE_BYTES))
    digits.copy(raw, end - digits.length)
    at += 2 + length
  }
  return raw
}
