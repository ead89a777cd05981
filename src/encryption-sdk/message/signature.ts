/** The signature of a message: an ECDSA key pair for each, whose public half is in the encryption context. */
import { createPublicKey, ECDH, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { SignatureInvalid } from '../errors.ts'
import type { SignatureAlgorithm } from '../suites.ts'

export interface SigningKey {
  readonly privateKey: KeyObject
  /** Compressed point in base64, as the encryption context has it. */
  readonly publicKey: string
}

export function newSigningKey({ curve }: SignatureAlgorithm): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve })
  return { privateKey, publicKey: compressPoint(publicKey).toString('base64') }
}

/** Throws `SignatureInvalid` for what is no point of the curve. */
export function verificationKey({ curve, jwkCurve }: SignatureAlgorithm, publicKey: string | undefined): KeyObject {
  if (publicKey === undefined)
    throw new SignatureInvalid('The message is signed, and its encryption context has no public key.')
  try {
    return publicKeyOfPoint(Buffer.from(publicKey, 'base64'), curve, jwkCurve)
  } catch {
    throw new SignatureInvalid('The public key in the encryption context is no point of its curve.')
  }
}

/** SEC 1, section 2.3.3: 2 or 3 for the parity of y, then x. */
export function compressPoint(key: KeyObject): Buffer {
  const { x, y } = key.export({ format: 'jwk' })
  const lastByte = Buffer.from(y!, 'base64url').at(-1)!
  return Buffer.concat([Buffer.from([2 + (lastByte & 1)]), Buffer.from(x!, 'base64url')])
}

/** Throws what Node does for bytes that are no point of the curve. */
export function publicKeyOfPoint(point: Buffer, curve: string, crv: string): KeyObject {
  const whole = ECDH.convertKey(point, curve, undefined, undefined, 'uncompressed') as Buffer
  const size = (whole.length - 1) / 2
  const coordinate = (at: number) => whole.subarray(at, at + size).toString('base64url')
  return createPublicKey({ format: 'jwk', key: { kty: 'EC', crv, x: coordinate(1), y: coordinate(1 + size) } })
}
