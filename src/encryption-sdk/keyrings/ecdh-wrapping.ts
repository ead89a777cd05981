/**
 * How both ECDH keyrings wrap a data key: a wrapping key and a commitment from the shared secret of sender and recipient,
 * bound to both public keys and to the encryption context. Messages of one keyring decrypt with the other.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { authenticatedContexts, encodeContext } from '../context.ts'
import { InvalidConfiguration } from '../errors.ts'
import type { UnwrappingRequest } from '../materials/materials.ts'
import { type EncryptedDataKey, NONCE_BYTES, TAG_BYTES } from '../message/header.ts'
import { compressPoint, publicKeyOfPoint } from '../message/signature.ts'
import { counterKdf } from './counter-kdf.ts'

export type EcdhCurve = 'ECC_NIST_P256' | 'ECC_NIST_P384' | 'ECC_NIST_P521'

/** Names: of Node, of JWK, in the derivation. */
const CURVES = {
  ECC_NIST_P256: { node: 'prime256v1', jwk: 'P-256', label: 'p256', pointBytes: 33 },
  ECC_NIST_P384: { node: 'secp384r1', jwk: 'P-384', label: 'p384', pointBytes: 49 },
  ECC_NIST_P521: { node: 'secp521r1', jwk: 'P-521', label: 'p521', pointBytes: 67 },
} as const

export const ECDH_PROVIDERS: readonly string[] = ['raw-ecdh', 'aws-kms-ecdh']

const VERSION = 1
const SALT_BYTES = 32
const COMMITMENT_BYTES = 32
const WRAPPING_KEY_BYTES = 32
const ZERO_NONCE = Buffer.alloc(NONCE_BYTES)

/** Compressed points. */
export interface EcdhParties {
  readonly sender: Buffer
  readonly recipient: Buffer
}

export const nodeCurve = (curve: EcdhCurve): string => CURVES[curve].node

/** Throws `InvalidConfiguration` for a key of another curve. */
export function pointOf(curve: EcdhCurve, key: KeyObject): Buffer {
  if (!Object.hasOwn(CURVES, curve))
    throw new InvalidConfiguration(`curve is one of ${Object.keys(CURVES).join(', ')}.`)
  if (key.asymmetricKeyDetails?.namedCurve !== CURVES[curve].node)
    throw new InvalidConfiguration(`The key is not on the curve ${curve}.`)
  return compressPoint(key.type === 'private' ? createPublicKey(key as never) : key)
}

export const keyOfPoint = (curve: EcdhCurve, point: Buffer): KeyObject =>
  publicKeyOfPoint(point, CURVES[curve].node, CURVES[curve].jwk)

export function writeParties({ sender, recipient }: EcdhParties): Buffer {
  const sized = (point: Buffer) => [Buffer.from([0, 0, 0, point.length]), point]
  return Buffer.concat([Buffer.from([VERSION]), ...sized(recipient), ...sized(sender)])
}

/** undefined for what is no provider info of an ECDH keyring of this curve. */
export function readParties(curve: EcdhCurve, info: Buffer): EcdhParties | undefined {
  const { pointBytes } = CURVES[curve]
  if (info.length !== 1 + 2 * (4 + pointBytes) || info[0] !== VERSION) return undefined
  const second = 1 + 4 + pointBytes
  if (info.readUInt32BE(1) !== pointBytes || info.readUInt32BE(second) !== pointBytes) return undefined
  return { recipient: info.subarray(5, second), sender: info.subarray(second + 4) }
}

/** The encrypted data keys that an ECDH keyring of this curve can read, with their parties. */
export const ecdhKeys = (
  curve: EcdhCurve,
  keys: readonly EncryptedDataKey[],
  fits: (parties: EcdhParties) => boolean,
) =>
  keys.filter(({ providerId, rawInfo }) => {
    const parties = ECDH_PROVIDERS.includes(providerId) ? readParties(curve, rawInfo) : undefined
    return parties !== undefined && fits(parties)
  })

/** salt ‖ commitment ‖ ciphertext ‖ tag. Wipes the shared secret. */
export function ecdhWrap(
  curve: EcdhCurve,
  parties: EcdhParties,
  sharedSecret: Buffer,
  dataKey: Buffer,
  encryptionContext: Readonly<Record<string, string>>,
): Buffer {
  const info = fixedInfo(curve, parties, encodeContext(encryptionContext))
  const salt = randomBytes(SALT_BYTES)
  const derived = derive(sharedSecret, info, salt)
  sharedSecret.fill(0)
  const cipher = createCipheriv('aes-256-gcm', derived.subarray(COMMITMENT_BYTES), ZERO_NONCE, {
    authTagLength: TAG_BYTES,
  })
  cipher.setAAD(info)
  const ciphertext = Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()])
  const wrapped = Buffer.concat([salt, derived.subarray(0, COMMITMENT_BYTES), ciphertext])
  derived.fill(0)
  return wrapped
}

/** Throws when the data key was wrapped for other parties or another context. Wipes the shared secret. */
export function ecdhUnwrap(
  curve: EcdhCurve,
  parties: EcdhParties,
  sharedSecret: Buffer,
  wrapped: Buffer,
  request: UnwrappingRequest,
): Buffer {
  const salt = wrapped.subarray(0, SALT_BYTES)
  const commitment = wrapped.subarray(SALT_BYTES, SALT_BYTES + COMMITMENT_BYTES)
  const ciphertext = wrapped.subarray(SALT_BYTES + COMMITMENT_BYTES)
  try {
    if (ciphertext.length <= TAG_BYTES) throw new Error('The encrypted data key is too short.')
    for (const context of authenticatedContexts(request.encryptionContext)) {
      const info = fixedInfo(curve, parties, context)
      const derived = derive(sharedSecret, info, salt)
      if (timingSafeEqual(derived.subarray(0, COMMITMENT_BYTES), commitment))
        return open(derived.subarray(COMMITMENT_BYTES), info, ciphertext)
    }
    throw new Error('The encrypted data key was changed, or made for other keys or another encryption context.')
  } finally {
    sharedSecret.fill(0)
  }
}

function open(key: Buffer, info: Buffer, ciphertext: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, ZERO_NONCE, { authTagLength: TAG_BYTES })
  decipher.setAAD(info)
  decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES))
  const dataKey = decipher.update(ciphertext.subarray(0, -TAG_BYTES))
  decipher.final()
  return dataKey
}

const derive = (secret: Buffer, info: Buffer, salt: Buffer) =>
  counterKdf('sha384', secret, info, salt, COMMITMENT_BYTES + WRAPPING_KEY_BYTES)

function fixedInfo(curve: EcdhCurve, { sender, recipient }: EcdhParties, context: Buffer): Buffer {
  const separator = Buffer.from([0])
  const fields = [
    Buffer.from('ecdh-key-derivation'),
    Buffer.from(CURVES[curve].label),
    Buffer.from('HMAC_SHA384'),
    Buffer.concat([sender, recipient]),
    Buffer.from([VERSION]),
    context,
  ]
  return Buffer.concat(fields.flatMap((field, n) => (n === 0 ? [field] : [separator, field])))
}
