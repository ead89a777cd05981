/** Algorithms of signatures on certificates, in the names of AWS Private CA: their identifiers and how they are verified. */
import { constants, createPublicKey, verify } from 'node:crypto'
import { objectId, sequence } from './der.ts'
import { elements, only, readBits } from './der-read.ts'

interface Algorithm {
  /** RFC 4055, RFC 5758, RFC 9881. */
  readonly oid: string
  /** RSA identifiers carry NULL. */
  readonly hasNull?: true
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
  readonly mlDsa?: 'ml_dsa44' | 'ml_dsa65' | 'ml_dsa87'
}

// biome-ignore format: a table is read in columns
export const signatureAlgorithms = {
  SHA256WITHRSA:   { oid: '1.2.840.113549.1.1.11', hasNull: true, hash: 'sha256' },
  SHA384WITHRSA:   { oid: '1.2.840.113549.1.1.12', hasNull: true, hash: 'sha384' },
  SHA512WITHRSA:   { oid: '1.2.840.113549.1.1.13', hasNull: true, hash: 'sha512' },
  SHA256WITHECDSA: { oid: '1.2.840.10045.4.3.2', hash: 'sha256' },
  SHA384WITHECDSA: { oid: '1.2.840.10045.4.3.3', hash: 'sha384' },
  SHA512WITHECDSA: { oid: '1.2.840.10045.4.3.4', hash: 'sha512' },
  ML_DSA_44:       { oid: '2.16.840.1.101.3.4.3.17', mlDsa: 'ml_dsa44' },
  ML_DSA_65:       { oid: '2.16.840.1.101.3.4.3.18', mlDsa: 'ml_dsa65' },
  ML_DSA_87:       { oid: '2.16.840.1.101.3.4.3.19', mlDsa: 'ml_dsa87' },
} as const satisfies Readonly<Record<string, Algorithm>>

export type SignatureAlgorithm = keyof typeof signatureAlgorithms

const algorithmOf = (name: SignatureAlgorithm): Algorithm => signatureAlgorithms[name]

const NULL = Buffer.from([0x05, 0x00])

/** `AlgorithmIdentifier`, DER. */
export function algorithmIdentifier(name: SignatureAlgorithm): Buffer {
  const { oid, hasNull } = algorithmOf(name)
  return sequence(objectId(oid), ...(hasNull ? [NULL] : []))
}

export const signatureAlgorithmOf = (oid: string): SignatureAlgorithm | undefined =>
  (Object.keys(signatureAlgorithms) as SignatureAlgorithm[]).find((name) => signatureAlgorithms[name].oid === oid)

/** `publicKey` is DER SPKI. False also for a key of another kind. */
export async function verifySignature(
  name: SignatureAlgorithm,
  publicKey: Buffer,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const { hash, hasNull, mlDsa } = algorithmOf(name)
  try {
    if (mlDsa) {
      const [, bits] = elements(only(publicKey, 0x30).content)
      // Large, and seldom needed.
      const engines = await import('@noble/post-quantum/ml-dsa.js')
      return engines[mlDsa].verify(signature, message, readBits(bits!))
    }
    const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
    if (key.asymmetricKeyType !== (hasNull ? 'rsa' : 'ec')) return false
    return verify(hash!, message, { key, padding: hasNull ? constants.RSA_PKCS1_PADDING : undefined }, signature)
  } catch {
    return false
  }
}
