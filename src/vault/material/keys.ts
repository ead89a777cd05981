/** Keys by kind: how each is made, opened and recognized. The bytes of a key appear in this file and nowhere else. */
import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPair,
  type KeyObject,
  randomFillSync,
} from 'node:crypto'
import { promisify } from 'node:util'
import { wipeable } from '../aead.ts'
import { decodeSeed, encodeSeed, encodeSpki } from './der.ts'
import type { Pool } from './pool.ts'
import { type Kind, kindOf, type Spec } from './specs.ts'

const makePair = promisify(generateKeyPair)

/** Ready for use; none of it can be printed. */
export type Opened =
  | { readonly kind: 'secret'; readonly key: KeyObject }
  | { readonly kind: 'pair'; readonly privateKey: KeyObject; readonly publicKey: KeyObject }
  | { readonly kind: 'seed'; readonly seed: Buffer; readonly publicKey: Buffer }

/** RSA's public exponent; AWS makes and imports no other. */
const EXPONENT = 65537n

/** As it is sealed: the bare bytes of a secret or seed, PKCS #8 of a pair. The caller wipes it. */
export async function makeBytes(spec: Spec): Promise<Buffer> {
  const kind = kindOf(spec)
  switch (kind.kind) {
    case 'symmetric':
    case 'hmac':
      return randomFillSync(wipeable(kind.bytes))
    case 'ml-dsa':
    case 'ml-kem':
      return randomFillSync(wipeable(kind.seedBytes))
    case 'rsa':
      return pkcs8(await makePair('rsa', { modulusLength: kind.bits }))
    case 'ec':
      return pkcs8(await makePair('ec', { namedCurve: kind.curve }))
    case 'ed25519':
      return pkcs8(await makePair('ed25519', {}))
  }
}

export async function openBytes(spec: Spec, bytes: Buffer, pool: Pool): Promise<Opened> {
  const kind = kindOf(spec)
  switch (kind.kind) {
    case 'symmetric':
    case 'hmac':
      return { kind: 'secret', key: createSecretKey(bytes) }
    case 'ml-dsa':
    case 'ml-kem': {
      const seed = Buffer.from(bytes)
      return { kind: 'seed', seed, publicKey: Buffer.from(await seedPublicKey(kind, seed, pool)) }
    }
    default: {
      const privateKey = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
      return { kind: 'pair', privateKey, publicKey: createPublicKey(privateKey) }
    }
  }
}

/** What a data key pair gives out, and what an import brings: PKCS #8 of any asymmetric key. */
export function toPkcs8(spec: Spec, bytes: Buffer): Buffer {
  const kind = kindOf(spec)
  return kind.kind === 'ml-dsa' || kind.kind === 'ml-kem' ? encodeSeed(kind.oid, bytes) : Buffer.from(bytes)
}

/** undefined unless the bytes are a whole key of this spec. */
export function recognise(spec: Spec, bytes: Buffer): Buffer | undefined {
  const kind = kindOf(spec)
  switch (kind.kind) {
    case 'symmetric':
    case 'hmac':
      return bytes.length === kind.bytes ? Buffer.from(bytes) : undefined
    case 'ml-dsa':
    case 'ml-kem':
      return decodeSeed(kind.oid, kind.seedBytes, bytes)
    default:
      return recognisePair(kind, bytes)
  }
}

/** DER SPKI; undefined for secrets. */
export function publicKeyOf(spec: Spec, opened: Opened): Buffer | undefined {
  const kind = kindOf(spec)
  if (opened.kind === 'pair') return opened.publicKey.export({ format: 'der', type: 'spki' })
  if (opened.kind === 'seed' && 'oid' in kind) return encodeSpki(kind.oid, opened.publicKey)
  return undefined
}

function recognisePair(kind: Extract<Kind, { kind: 'rsa' | 'ec' | 'ed25519' }>, bytes: Buffer): Buffer | undefined {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })
  } catch {
    return undefined
  }
  const { modulusLength, publicExponent, namedCurve } = key.asymmetricKeyDetails ?? {}
  const fits = {
    rsa: () => kind.kind === 'rsa' && modulusLength === kind.bits && publicExponent === EXPONENT,
    ec: () => kind.kind === 'ec' && namedCurve === kind.curve,
    ed25519: () => true,
  }[kind.kind]
  // Exported anew: what is sealed is the one form we know.
  return key.asymmetricKeyType === kind.kind && fits() ? key.export({ format: 'der', type: 'pkcs8' }) : undefined
}

function seedPublicKey(kind: Extract<Kind, { kind: 'ml-dsa' | 'ml-kem' }>, seed: Uint8Array, pool: Pool) {
  return kind.kind === 'ml-dsa'
    ? pool.run({ job: 'mlDsaPublicKey', level: kind.level, seed })
    : pool.run({ job: 'mlKemPublicKey', level: kind.level, seed })
}

function pkcs8({ privateKey }: { readonly privateKey: KeyObject }): Buffer {
  return privateKey.export({ format: 'der', type: 'pkcs8' })
}
