/**
 * Sealers: the ways to open the root key, any one of which is enough. Each comes down to 32 secret bytes, its seed,
 * from a file, a passphrase, shares, a token or another KMS. The seed is an X25519 private key, and the root key is
 * wrapped to its public half: so the root key can be rotated under every sealer without entering a secret, and an old
 * root key reveals nothing of the next one.
 */
import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { decodeStrictly, decrypt, derive, encrypt, KEY_BYTES, lengths } from './aead.ts'
import { TrustError } from './vault.ts'

export interface FileSettings {
  readonly kind: 'file'
  /** Path of the key file; relative to the data directory when it is in it. */
  readonly path: string
}
export interface PassphraseSettings {
  readonly kind: 'passphrase'
  readonly salt: string
  readonly N: number
  readonly r: number
  readonly p: number
}
export interface ShamirSettings {
  readonly kind: 'shamir'
  readonly shares: number
  readonly threshold: number
  /** 8 hex digits, carried by every share. */
  readonly set: string
  /** One digest a share: identifies a wrong one. A share has 256 random bits, so its digest reveals nothing of it. */
  readonly commitments: readonly string[]
}
export interface Pkcs11Settings {
  readonly kind: 'pkcs11'
  /** The library that speaks to the token. */
  readonly module: string
  readonly token: string
  /** The CKA_ID of its RSA key pair, hexadecimal. */
  readonly keyId: string
  /** A key under RSA-OAEP, and the seed under that key. */
  readonly wrappedKey: string
  readonly wrappedSeed: string
}
export interface KmsSettings {
  readonly kind: 'kms'
  readonly keyId: string
  readonly region: string
  readonly endpoint: string
  /** The seed as the KMS encrypted it, base64. */
  readonly wrappedSeed: string
}
export type SealerSettings = FileSettings | PassphraseSettings | ShamirSettings | Pkcs11Settings | KmsSettings
export type SealerKind = SealerSettings['kind']

export interface SealerRecord {
  readonly id: string
  readonly createdAt: number
  /** When it last opened the root key, epoch milliseconds. */
  readonly testedAt?: number
  readonly settings: SealerSettings
  /** X25519, raw, base64url. */
  readonly publicKey: string
  /** The root key, to that public key. */
  readonly wrapped: string
  /** This sealer takes that one's place once it has been tested. */
  readonly replaces?: string
}

/** A sealer before it holds a root key. The code that adds it wipes the seed. */
export interface NewSealer {
  readonly id: string
  readonly settings: SealerSettings
  readonly seed: Buffer
}

/** What {@link ephemeralVault} and older installations open with. */
export interface Unsealed {
  /** 32 bytes. `openVault` wipes them once its own keys are derived. */
  readonly rootKey: Buffer
  /** Sets this installation apart from every other, also from one restored beside it. */
  readonly installId: string
  /** Read access to the disk is enough to unlock this vault, so a server must listen on loopback only. */
  readonly loopbackOnly: boolean
}

/** Where a wrapped root key belongs; authenticated. */
export interface WrapPlace {
  readonly installId: string
  readonly sealerId: string
  readonly rootVersion: number
}

// RFC 8410: the bytes before the raw bytes of an X25519 key in DER.
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex')
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex')

/** The public half of a sealer's seed, base64url. */
export function publicHalf(installId: string, sealerId: string, seed: Uint8Array): string {
  return rawPublic(createPublicKey(privateHalf(installId, sealerId, seed))).toString('base64url')
}

/** ephemeral public key ‖ AES-256-GCM under what X25519 agreed on. */
export function wrapRootKey(place: WrapPlace, publicKey: string, rootKey: Uint8Array): string {
  const recipient = publicFrom(Buffer.from(publicKey, 'base64url'))
  const own = generateKeyPairSync('x25519')
  const point = rawPublic(own.publicKey)
  const kek = agreed(own.privateKey, recipient, point, rawPublic(recipient))
  try {
    return Buffer.concat([point, encrypt(kek, rootKey, placeBytes(place))]).toString('base64url')
  } finally {
    kek.fill(0)
  }
}

/** undefined when the seed is not this sealer's, or the record was changed or moved. */
export function unwrapRootKey(place: WrapPlace, record: SealerRecord, seed: Uint8Array): Buffer | undefined {
  const bytes = decodeStrictly(record.wrapped)
  if (!bytes || bytes.length <= KEY_BYTES) return undefined
  const own = privateHalf(place.installId, place.sealerId, seed)
  const point = bytes.subarray(0, KEY_BYTES)
  const kek = agreed(own, publicFrom(point), point, rawPublic(createPublicKey(own)))
  try {
    return decrypt(kek, bytes.subarray(KEY_BYTES), placeBytes(place))
  } finally {
    kek.fill(0)
  }
}

/** The root key by one sealer's seed, which is wiped. */
export function openRootKey(
  installation: { readonly installId: string; readonly rootVersion: number },
  record: SealerRecord,
  seed: Buffer,
): Buffer {
  try {
    const { installId, rootVersion } = installation
    const rootKey = unwrapRootKey({ installId, rootVersion, sealerId: record.id }, record, seed)
    if (!rootKey) throw new TrustError('MERLON_SEALER_UNAVAILABLE', `the secret does not unlock ${named(record)}.`)
    return rootKey
  } finally {
    seed.fill(0)
  }
}

export const named = ({ id, settings }: Pick<SealerRecord, 'id' | 'settings'>): string =>
  `sealer ${id} (${settings.kind})`

function privateHalf(installId: string, sealerId: string, seed: Uint8Array): KeyObject {
  const raw = derive(seed, lengths(installId, sealerId), 'merlon/v1/sealer-key')
  const der = Buffer.concat([PRIVATE_PREFIX, raw])
  try {
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } finally {
    raw.fill(0)
    der.fill(0)
  }
}

const publicFrom = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, raw]), format: 'der', type: 'spki' })
const rawPublic = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_PREFIX.length)

function agreed(privateKey: KeyObject, publicKey: KeyObject, ephemeral: Uint8Array, recipient: Uint8Array): Buffer {
  const secret = diffieHellman({ privateKey, publicKey })
  try {
    return derive(secret, lengths(ephemeral, recipient), 'merlon/v1/sealer-wrap')
  } finally {
    secret.fill(0)
  }
}

const placeBytes = ({ installId, sealerId, rootVersion }: WrapPlace): Buffer =>
  lengths('merlon/v1/sealer', installId, sealerId, String(rootVersion))
