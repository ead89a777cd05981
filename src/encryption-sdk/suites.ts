/** The algorithm suites, one row each, and which of them a commitment policy allows. */
import { CommitmentPolicyViolation, InvalidConfiguration } from './errors.ts'

/** The names and ids of the AWS Encryption SDK. */
export const AlgorithmSuiteIdentifier = {
  ALG_AES128_GCM_IV12_TAG16: 0x0014,
  ALG_AES192_GCM_IV12_TAG16: 0x0046,
  ALG_AES256_GCM_IV12_TAG16: 0x0078,
  ALG_AES128_GCM_IV12_TAG16_HKDF_SHA256: 0x0114,
  ALG_AES192_GCM_IV12_TAG16_HKDF_SHA256: 0x0146,
  ALG_AES256_GCM_IV12_TAG16_HKDF_SHA256: 0x0178,
  ALG_AES128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256: 0x0214,
  ALG_AES192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384: 0x0346,
  ALG_AES256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384: 0x0378,
  ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY: 0x0478,
  ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384: 0x0578,
} as const

export type SuiteName = keyof typeof AlgorithmSuiteIdentifier
export type SuiteId = (typeof AlgorithmSuiteIdentifier)[SuiteName]

/** `FORBID_…` writes messages without commitment, for readers that are older than it. */
export const CommitmentPolicy = {
  FORBID_ENCRYPT_ALLOW_DECRYPT: 'FORBID_ENCRYPT_ALLOW_DECRYPT',
  REQUIRE_ENCRYPT_ALLOW_DECRYPT: 'REQUIRE_ENCRYPT_ALLOW_DECRYPT',
  REQUIRE_ENCRYPT_REQUIRE_DECRYPT: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
} as const
export type CommitmentPolicy = keyof typeof CommitmentPolicy

export interface Suite {
  readonly id: SuiteId
  readonly name: SuiteName
  readonly cipher: 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm'
  /** Of the data key, and of the key that is derived from it. */
  readonly keyBytes: 16 | 24 | 32
  /** Absent: the data key itself encrypts. */
  readonly kdf?: 'sha256' | 'sha384' | 'sha512'
  readonly signature?: SignatureAlgorithm
  /** Of the message format: version 2 has a key commitment. */
  readonly version: 1 | 2
}

export interface SignatureAlgorithm {
  /** As Node and as JWK name the curve. */
  readonly curve: 'prime256v1' | 'secp384r1'
  readonly jwkCurve: 'P-256' | 'P-384'
  readonly hash: 'sha256' | 'sha384'
}

const P256: SignatureAlgorithm = { curve: 'prime256v1', jwkCurve: 'P-256', hash: 'sha256' }
const P384: SignatureAlgorithm = { curve: 'secp384r1', jwkCurve: 'P-384', hash: 'sha384' }

const CIPHERS = { 16: 'aes-128-gcm', 24: 'aes-192-gcm', 32: 'aes-256-gcm' } as const

/** By name: key bytes, hash of the KDF, signature. */
const ROWS: Readonly<Record<SuiteName, readonly [16 | 24 | 32, Suite['kdf']?, SignatureAlgorithm?]>> = {
  ALG_AES128_GCM_IV12_TAG16: [16],
  ALG_AES192_GCM_IV12_TAG16: [24],
  ALG_AES256_GCM_IV12_TAG16: [32],
  ALG_AES128_GCM_IV12_TAG16_HKDF_SHA256: [16, 'sha256'],
  ALG_AES192_GCM_IV12_TAG16_HKDF_SHA256: [24, 'sha256'],
  ALG_AES256_GCM_IV12_TAG16_HKDF_SHA256: [32, 'sha256'],
  ALG_AES128_GCM_IV12_TAG16_HKDF_SHA256_ECDSA_P256: [16, 'sha256', P256],
  ALG_AES192_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384: [24, 'sha384', P384],
  ALG_AES256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384: [32, 'sha384', P384],
  ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY: [32, 'sha512'],
  ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384: [32, 'sha512', P384],
}

const SUITES: ReadonlyMap<number, Suite> = new Map(
  (Object.keys(ROWS) as SuiteName[]).map((name) => {
    const id = AlgorithmSuiteIdentifier[name]
    const [keyBytes, kdf, signature] = ROWS[name]
    const version = kdf === 'sha512' ? 2 : 1
    return [
      id,
      { id, name, cipher: CIPHERS[keyBytes], keyBytes, version, ...(kdf && { kdf }), ...(signature && { signature }) },
    ]
  }),
)

export const suites: readonly Suite[] = [...SUITES.values()]

export const findSuite = (id: number): Suite | undefined => SUITES.get(id)

/** Whether the message carries a commitment to its data key. */
export const commits = (suite: Suite): boolean => suite.version === 2

/** `0578`. */
export const suiteHex = (id: number): string => id.toString(16).padStart(4, '0')

/** Throws `CommitmentPolicyViolation`, and `InvalidConfiguration` for an id that does not exist. */
export function suiteToEncrypt(policy: CommitmentPolicy, id: number | undefined): Suite {
  const forbid = policy === 'FORBID_ENCRYPT_ALLOW_DECRYPT'
  const preferred = forbid
    ? AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA384_ECDSA_P384
    : AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384
  const suite = findSuite(id ?? preferred)
  if (!suite) throw new InvalidConfiguration(`There is no algorithm suite 0x${suiteHex(id!)}.`)
  if (commits(suite) === forbid)
    throw new CommitmentPolicyViolation(`The commitment policy ${policy} does not allow encryption with ${suite.name}.`)
  return suite
}

/** Throws `CommitmentPolicyViolation`. */
export function assertDecryptable(policy: CommitmentPolicy, suite: Suite): void {
  if (policy === 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' && !commits(suite))
    throw new CommitmentPolicyViolation(
      `The commitment policy ${policy} does not allow decryption with ${suite.name}. Messages without key commitment are read with REQUIRE_ENCRYPT_ALLOW_DECRYPT.`,
    )
}
