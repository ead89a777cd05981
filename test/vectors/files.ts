/** Wycheproof's vectors, as tools/reduce-wycheproof.mjs keeps them: every file, each of one family. */
import { readdirSync, readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'

export interface Vector {
  readonly tcId: number
  readonly result: 'valid' | 'invalid' | 'acceptable'
  readonly msg?: string
  readonly mu?: string
  readonly ctx?: string
  readonly sig?: string
  readonly key?: string
  readonly ct?: string
  readonly label?: string
  readonly tag?: string
  readonly public?: string
  readonly private?: string
  readonly shared?: string
  readonly seed?: string
  readonly c?: string
  readonly K?: string
  readonly ek?: string
  readonly ekSha256?: string
  readonly m?: string
  readonly iv?: string
  readonly aad?: string
  readonly ikm?: string
  readonly salt?: string
  readonly info?: string
  readonly size?: number
  readonly okm?: string
}

export interface Group {
  readonly curve?: string
  readonly ivSize?: number
  readonly keySize?: number
  readonly sha?: string
  readonly sLen?: number
  readonly tagSize?: number
  readonly publicKeyDer?: string
  readonly privateKeyPkcs8?: string
  readonly tests: readonly Vector[]
}

/**
 * Which files belong together. Those below the API hold no private key, or need values that no operation lets a caller
 * choose.
 */
export const FAMILIES = {
  through: {
    hmac: /^hmac_/,
    keyWrap: /^aes_kwp$/,
    oaep: /^rsa_oaep_/,
    ecdh: /^ecdh_/,
    mlDsaSign: /^mldsa_\d+_sign_seed$/,
    mlKem: /^mlkem_\d+$/,
  },
  below: {
    ecdsa: /^ecdsa_/,
    rsaPss: /^rsa_pss_/,
    rsaSignature: /^rsa_signature_/,
    ed25519: /^ed25519$/,
    mlDsaVerify: /^mldsa_\d+_verify$/,
    mlKemEncapsulate: /^mlkem_\d+_encaps$/,
    gcm: /^aes_gcm$/,
    hkdf: /^hkdf_sha256$/,
  },
} as const

export type Through = keyof typeof FAMILIES.through
export type Below = keyof typeof FAMILIES.below

const folder = new URL('./data/', import.meta.url)

export const allFiles = (): readonly string[] => readdirSync(folder).map((name) => name.replace(/_test\.json\.br$/, ''))

export function filesLike(pattern: RegExp): readonly string[] {
  const found = allFiles().filter((name) => pattern.test(name))
  if (found.length === 0) throw new Error(`no vectors are like ${pattern}`)
  return found
}

export function groupsOf(name: string): readonly Group[] {
  return JSON.parse(brotliDecompressSync(readFileSync(new URL(`${name}_test.json.br`, folder))).toString('utf8'))
}

export const hex = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'hex')
