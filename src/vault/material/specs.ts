/** Every kind of key the vault makes: one row each, everything about it in the row. */

/** Digests, in Node's names. */
export type Hash = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'

export type Kind =
  | { readonly kind: 'symmetric'; readonly bytes: 32 }
  | { readonly kind: 'hmac'; readonly bytes: number; readonly hash: Hash }
  | { readonly kind: 'rsa'; readonly bits: number }
  /** `curve` in OpenSSL's name, `jwk` in RFC 7518's and 8812's. */
  | { readonly kind: 'ec'; readonly curve: string; readonly jwk: string; readonly hash: Hash }
  | { readonly kind: 'ed25519' }
  /** Post-quantum keys are kept as the seeds they grow from. FIPS 204, FIPS 203. */
  | { readonly kind: 'ml-dsa'; readonly level: 44 | 65 | 87; readonly oid: string; readonly seedBytes: 32 }
  | { readonly kind: 'ml-kem'; readonly level: 512 | 768 | 1024; readonly oid: string; readonly seedBytes: 64 }

// biome-ignore format: a table is read in columns
export const specs = {
  SYMMETRIC_DEFAULT:       { kind: 'symmetric', bytes: 32 },
  HMAC_224:                { kind: 'hmac', bytes: 28, hash: 'sha224' },
  HMAC_256:                { kind: 'hmac', bytes: 32, hash: 'sha256' },
  HMAC_384:                { kind: 'hmac', bytes: 48, hash: 'sha384' },
  HMAC_512:                { kind: 'hmac', bytes: 64, hash: 'sha512' },
  RSA_2048:                { kind: 'rsa', bits: 2048 },
  RSA_3072:                { kind: 'rsa', bits: 3072 },
  RSA_4096:                { kind: 'rsa', bits: 4096 },
  ECC_NIST_P256:           { kind: 'ec', curve: 'prime256v1', jwk: 'P-256', hash: 'sha256' },
  ECC_NIST_P384:           { kind: 'ec', curve: 'secp384r1', jwk: 'P-384', hash: 'sha384' },
  ECC_NIST_P521:           { kind: 'ec', curve: 'secp521r1', jwk: 'P-521', hash: 'sha512' },
  ECC_SECG_P256K1:         { kind: 'ec', curve: 'secp256k1', jwk: 'secp256k1', hash: 'sha256' },
  ECC_NIST_EDWARDS25519:   { kind: 'ed25519' },
  // OIDs: NIST Computer Security Objects Register; RFC 9881 and 9935 for their encodings.
  ML_DSA_44:               { kind: 'ml-dsa', level: 44, oid: '2.16.840.1.101.3.4.3.17', seedBytes: 32 },
  ML_DSA_65:               { kind: 'ml-dsa', level: 65, oid: '2.16.840.1.101.3.4.3.18', seedBytes: 32 },
  ML_DSA_87:               { kind: 'ml-dsa', level: 87, oid: '2.16.840.1.101.3.4.3.19', seedBytes: 32 },
  ML_KEM_512:              { kind: 'ml-kem', level: 512, oid: '2.16.840.1.101.3.4.4.1', seedBytes: 64 },
  ML_KEM_768:              { kind: 'ml-kem', level: 768, oid: '2.16.840.1.101.3.4.4.2', seedBytes: 64 },
  ML_KEM_1024:             { kind: 'ml-kem', level: 1024, oid: '2.16.840.1.101.3.4.4.3', seedBytes: 64 },
} as const satisfies Readonly<Record<string, Kind>>

export type Spec = keyof typeof specs

export const kindOf = (spec: Spec): Kind => specs[spec]

/** How a signature is made. `family` must be the key's kind. */
export type Signing =
  | { readonly family: 'rsa'; readonly padding: 'pkcs1' | 'pss'; readonly hash: Hash }
  | { readonly family: 'ec'; readonly hash: Hash }
  | { readonly family: 'ed25519'; readonly prehash: boolean }
  | { readonly family: 'ml-dsa' }

// biome-ignore format: a table is read in columns
export const signings = {
  RSASSA_PSS_SHA_256:        { family: 'rsa', padding: 'pss', hash: 'sha256' },
  RSASSA_PSS_SHA_384:        { family: 'rsa', padding: 'pss', hash: 'sha384' },
  RSASSA_PSS_SHA_512:        { family: 'rsa', padding: 'pss', hash: 'sha512' },
  RSASSA_PKCS1_V1_5_SHA_256: { family: 'rsa', padding: 'pkcs1', hash: 'sha256' },
  RSASSA_PKCS1_V1_5_SHA_384: { family: 'rsa', padding: 'pkcs1', hash: 'sha384' },
  RSASSA_PKCS1_V1_5_SHA_512: { family: 'rsa', padding: 'pkcs1', hash: 'sha512' },
  ECDSA_SHA_256:             { family: 'ec', hash: 'sha256' },
  ECDSA_SHA_384:             { family: 'ec', hash: 'sha384' },
  ECDSA_SHA_512:             { family: 'ec', hash: 'sha512' },
  ED25519_SHA_512:           { family: 'ed25519', prehash: false },
  ED25519_PH_SHA_512:        { family: 'ed25519', prehash: true },
  ML_DSA_SHAKE_256:          { family: 'ml-dsa' },
} as const satisfies Readonly<Record<string, Signing>>

export type SigningAlgorithm = keyof typeof signings

export const hashBytes: Readonly<Record<Hash, number>> = { sha1: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64 }
