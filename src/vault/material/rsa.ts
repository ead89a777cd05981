/** RSA signatures over a digest that the caller made: Node would hash it again, so the encoding is ours. RFC 8017 §9. */
import { constants, createHash, type KeyObject, privateEncrypt, publicDecrypt, randomBytes } from 'node:crypto'
import { type Hash, hashBytes } from './specs.ts'

type Padding = 'pkcs1' | 'pss'

/** DigestInfo up to the digest. RFC 8017 §9.2, note 1. */
const DIGEST_INFO: Readonly<Partial<Record<Hash, string>>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
}

export function signDigest(key: KeyObject, padding: Padding, hash: Hash, digest: Uint8Array): Buffer {
  if (padding === 'pkcs1')
    return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(hash, digest))
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encodePss(hash, digest, bitsOf(key)))
}

export function verifyDigest(
  key: KeyObject,
  padding: Padding,
  hash: Hash,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (signature.length !== Math.ceil(bitsOf(key) / 8)) return false
  try {
    // The whole block is rebuilt and compared: nothing of a padding is parsed.
    const block = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature)
    return padding === 'pss'
      ? isPss(hash, digest, block, bitsOf(key))
      : block.equals(pkcs1Block(hash, digest, block.length))
  } catch {
    return false
  }
}

function bitsOf(key: KeyObject): number {
  return key.asymmetricKeyDetails!.modulusLength!
}

function digestInfo(hash: Hash, digest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(DIGEST_INFO[hash]!, 'hex'), digest])
}

function pkcs1Block(hash: Hash, digest: Uint8Array, length: number): Buffer {
  const info = digestInfo(hash, digest)
  const filling = Buffer.alloc(length - info.length - 3, 0xff)
  return Buffer.concat([Buffer.of(0, 1), filling, Buffer.of(0), info])
}

/** EMSA-PSS-ENCODE with a salt as long as the digest. RFC 8017 §9.1.1; our moduli are whole bytes, so one bit is spare. */
function encodePss(hash: Hash, digest: Uint8Array, bits: number): Buffer {
  const salt = randomBytes(hashBytes[hash])
  const h = pssHash(hash, digest, salt)
  const length = bits / 8
  const block = Buffer.concat([Buffer.alloc(length - salt.length - h.length - 2), Buffer.of(1), salt])
  const masked = xor(block, mgf1(hash, h, block.length))
  masked[0]! &= 0x7f
  return Buffer.concat([masked, h, Buffer.of(0xbc)])
}

/** RFC 8017 §9.1.2. */
function isPss(hash: Hash, digest: Uint8Array, encoded: Buffer, bits: number): boolean {
  const size = hashBytes[hash]
  const length = bits / 8
  if (encoded.length !== length || encoded.at(-1) !== 0xbc || encoded[0]! > 0x7f) return false
  const masked = encoded.subarray(0, length - size - 1)
  const h = encoded.subarray(length - size - 1, length - 1)
  const block = xor(masked, mgf1(hash, h, masked.length))
  block[0]! &= 0x7f
  const saltAt = block.length - size
  const zeros = block.subarray(0, saltAt - 1)
  if (zeros.some((byte) => byte !== 0) || block[saltAt - 1] !== 1) return false
  return pssHash(hash, digest, block.subarray(saltAt)).equals(h)
}

function pssHash(hash: Hash, digest: Uint8Array, salt: Uint8Array): Buffer {
  return createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest()
}

function mgf1(hash: Hash, seed: Uint8Array, length: number): Buffer {
  const parts: Buffer[] = []
  for (let counter = 0; counter * hashBytes[hash] < length; counter++) {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(counter)
    parts.push(createHash(hash).update(seed).update(bytes).digest())
  }
  return Buffer.concat(parts).subarray(0, length)
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, at) => byte ^ b[at]!))
}
