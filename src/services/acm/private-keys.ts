/** Private keys of certificates: made here, sealed at once, and opened only to be exported or used by a listener. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyAlgorithm } from '@aws-sdk/client-acm'
import type { Sealed } from '../../vault/sealed-value.ts'
import type { Vault } from '../../vault/vault.ts'
import { type CertificateRow, privateKeyPlace } from './resources.ts'

const makePair = promisify(generateKeyPair)

/** What ACM makes itself; imports have others, too. */
const MADE: Readonly<Partial<Record<KeyAlgorithm, { readonly type: 'rsa' | 'ec'; readonly options: object }>>> = {
  RSA_2048: { type: 'rsa', options: { modulusLength: 2048 } },
  RSA_3072: { type: 'rsa', options: { modulusLength: 3072 } },
  RSA_4096: { type: 'rsa', options: { modulusLength: 4096 } },
  EC_prime256v1: { type: 'ec', options: { namedCurve: 'prime256v1' } },
  EC_secp384r1: { type: 'ec', options: { namedCurve: 'secp384r1' } },
  EC_secp521r1: { type: 'ec', options: { namedCurve: 'secp521r1' } },
}

export const canBeMade = (algorithm: KeyAlgorithm): boolean => MADE[algorithm] !== undefined

export interface KeyPair {
  readonly privateKey: KeyObject
  /** DER SPKI. */
  readonly publicKey: Buffer
}

export async function makeKeyPair(algorithm: KeyAlgorithm): Promise<KeyPair> {
  const { type, options } = MADE[algorithm]!
  const pair = (await makePair(type as 'rsa', options as { modulusLength: number })) as unknown as {
    readonly privateKey: KeyObject
    readonly publicKey: KeyObject
  }
  return {
    privateKey: pair.privateKey,
    publicKey: pair.publicKey.export({ type: 'spki', format: 'der' }),
  }
}

/** undefined for keys that ACM does not know. */
export function algorithmOf(key: KeyObject): KeyAlgorithm | undefined {
  const { asymmetricKeyType, asymmetricKeyDetails } = key
  if (asymmetricKeyType === 'rsa') return RSA[asymmetricKeyDetails?.modulusLength ?? 0]
  return asymmetricKeyType === 'ec' ? EC[asymmetricKeyDetails?.namedCurve ?? ''] : undefined
}
const RSA: Readonly<Record<number, KeyAlgorithm>> = {
  1024: 'RSA_1024',
  2048: 'RSA_2048',
  3072: 'RSA_3072',
  4096: 'RSA_4096',
}
const EC: Readonly<Record<string, KeyAlgorithm>> = {
  prime256v1: 'EC_prime256v1',
  secp384r1: 'EC_secp384r1',
  secp521r1: 'EC_secp521r1',
}

export function sealKey(
  vault: Pick<Vault, 'seal'>,
  row: Pick<CertificateRow, 'id' | 'account'>,
  serial: string,
  key: KeyObject,
) {
  const bytes = key.export({ type: 'pkcs8', format: 'der' })
  try {
    return vault.seal(privateKeyPlace(row, serial), bytes)
  } finally {
    bytes.fill(0)
  }
}

/** undefined while the certificate is not issued, and where the key is elsewhere. */
export function openKey(
  vault: Pick<Vault, 'open'>,
  row: Pick<CertificateRow, 'id' | 'account' | 'material'>,
): KeyObject | undefined {
  const { material } = row
  return material?.privateKey && openSealedKey(vault, row, material.serial, material.privateKey)
}

/** A key that `sealKey` sealed. */
export function openSealedKey(
  vault: Pick<Vault, 'open'>,
  row: Pick<CertificateRow, 'id' | 'account'>,
  serial: string,
  sealed: Sealed,
): KeyObject {
  const bytes = vault.open(privateKeyPlace(row, serial), sealed)
  try {
    return createPrivateKey({ key: bytes, type: 'pkcs8', format: 'der' })
  } finally {
    bytes.fill(0)
  }
}

export const spkiOf = (key: KeyObject): Buffer => createPublicKey(key).export({ type: 'spki', format: 'der' })
