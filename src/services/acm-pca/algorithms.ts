/** Algorithms of authorities: which keys the vault makes for them, and how it signs. */
import type { Sign } from '../../engines/x509/certificate-builder.ts'
import type { SignatureAlgorithm } from '../../engines/x509/signature-algorithms.ts'
import type { StoredMaterial } from '../../vault/material/materials.ts'
import type { SigningAlgorithm, Spec } from '../../vault/material/specs.ts'
import type { Vault } from '../../vault/vault.ts'
import { type Configuration, pca } from './resources.ts'

type Family = 'rsa' | 'ec' | 'ml-dsa'

// biome-ignore format: a table is read in columns
const KEYS: Readonly<Record<string, { readonly spec: Spec; readonly family: Family }>> = {
  RSA_2048:      { spec: 'RSA_2048', family: 'rsa' },
  RSA_3072:      { spec: 'RSA_3072', family: 'rsa' },
  RSA_4096:      { spec: 'RSA_4096', family: 'rsa' },
  EC_prime256v1: { spec: 'ECC_NIST_P256', family: 'ec' },
  EC_secp384r1:  { spec: 'ECC_NIST_P384', family: 'ec' },
  EC_secp521r1:  { spec: 'ECC_NIST_P521', family: 'ec' },
  ML_DSA_44:     { spec: 'ML_DSA_44', family: 'ml-dsa' },
  ML_DSA_65:     { spec: 'ML_DSA_65', family: 'ml-dsa' },
  ML_DSA_87:     { spec: 'ML_DSA_87', family: 'ml-dsa' },
}

// biome-ignore format: a table is read in columns
const SIGNINGS: Readonly<Record<SignatureAlgorithm, { readonly family: Family; readonly signing: SigningAlgorithm }>> = {
  SHA256WITHRSA:   { family: 'rsa', signing: 'RSASSA_PKCS1_V1_5_SHA_256' },
  SHA384WITHRSA:   { family: 'rsa', signing: 'RSASSA_PKCS1_V1_5_SHA_384' },
  SHA512WITHRSA:   { family: 'rsa', signing: 'RSASSA_PKCS1_V1_5_SHA_512' },
  SHA256WITHECDSA: { family: 'ec', signing: 'ECDSA_SHA_256' },
  SHA384WITHECDSA: { family: 'ec', signing: 'ECDSA_SHA_384' },
  SHA512WITHECDSA: { family: 'ec', signing: 'ECDSA_SHA_512' },
  ML_DSA_44:       { family: 'ml-dsa', signing: 'ML_DSA_SHAKE_256' },
  ML_DSA_65:       { family: 'ml-dsa', signing: 'ML_DSA_SHAKE_256' },
  ML_DSA_87:       { family: 'ml-dsa', signing: 'ML_DSA_SHAKE_256' },
}

const invalid = (message: string) => pca.fail('InvalidArgsException', message)

/** Throws for keys that are not made here, and for a signing algorithm of another kind of key. */
export function specOf({
  KeyAlgorithm,
  SigningAlgorithm,
}: Pick<Configuration, 'KeyAlgorithm' | 'SigningAlgorithm'>): Spec {
  const key = KEYS[KeyAlgorithm]
  if (!key) throw invalid(`The key algorithm ${KeyAlgorithm} is not supported in this Region.`)
  assertFits(KeyAlgorithm, SigningAlgorithm)
  return key.spec
}

export function assertFits(
  keyAlgorithm: string,
  signingAlgorithm: string,
): asserts signingAlgorithm is SignatureAlgorithm {
  const signing = SIGNINGS[signingAlgorithm as SignatureAlgorithm]
  const isSame = signing?.family !== 'ml-dsa' || keyAlgorithm === signingAlgorithm
  if (signing?.family !== KEYS[keyAlgorithm]?.family || !isSame)
    throw invalid(`The signing algorithm ${signingAlgorithm} does not fit the key algorithm ${keyAlgorithm}.`)
}

export const signWith =
  ({ materials }: Pick<Vault, 'materials'>, held: StoredMaterial, algorithm: SignatureAlgorithm): Sign =>
  (message) =>
    materials.use(held, { do: 'sign', algorithm: SIGNINGS[algorithm].signing, type: 'RAW', message })
