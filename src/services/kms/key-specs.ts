/** What a key of each spec may be made for, and by which algorithms it works. */
import type * as KMS from '@aws-sdk/client-kms'
import type { SigningAlgorithm, Spec } from '../../vault/material/specs.ts'
import type { KeyRow, KeyUsage } from './rows.ts'

interface SpecRules {
  readonly usages: readonly KeyUsage[]
  readonly encryption?: readonly KMS.EncryptionAlgorithmSpec[]
  readonly signing?: readonly SigningAlgorithm[]
  readonly mac?: readonly KMS.MacAlgorithmSpec[]
  readonly agreement?: readonly KMS.KeyAgreementAlgorithmSpec[]
  readonly encapsulation?: readonly KMS.EncapsulationAlgorithmSpec[]
}

const OAEP = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const
const RSA_SIGNING = [
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
] as const

const rsa: SpecRules = { usages: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'], encryption: OAEP, signing: RSA_SIGNING }
const mac = (algorithm: KMS.MacAlgorithmSpec): SpecRules => ({ usages: ['GENERATE_VERIFY_MAC'], mac: [algorithm] })
const ec = (algorithm: SigningAlgorithm): SpecRules => ({
  usages: ['SIGN_VERIFY', 'KEY_AGREEMENT'],
  signing: [algorithm],
  agreement: ['ECDH'],
})
const mlDsa: SpecRules = { usages: ['SIGN_VERIFY'], signing: ['ML_DSA_SHAKE_256'] }
const mlKem: SpecRules = { usages: ['ENCAPSULATE_DECAPSULATE'], encapsulation: ['ML_KEM'] }

/** Source: https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html */
export const keySpecs: Readonly<Record<Spec, SpecRules>> = {
  SYMMETRIC_DEFAULT: { usages: ['ENCRYPT_DECRYPT'], encryption: ['SYMMETRIC_DEFAULT'] },
  HMAC_224: mac('HMAC_SHA_224'),
  HMAC_256: mac('HMAC_SHA_256'),
  HMAC_384: mac('HMAC_SHA_384'),
  HMAC_512: mac('HMAC_SHA_512'),
  RSA_2048: rsa,
  RSA_3072: rsa,
  RSA_4096: rsa,
  ECC_NIST_P256: ec('ECDSA_SHA_256'),
  ECC_NIST_P384: ec('ECDSA_SHA_384'),
  ECC_NIST_P521: ec('ECDSA_SHA_512'),
  ECC_SECG_P256K1: { usages: ['SIGN_VERIFY'], signing: ['ECDSA_SHA_256'] },
  ECC_NIST_EDWARDS25519: { usages: ['SIGN_VERIFY'], signing: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'] },
  ML_DSA_44: mlDsa,
  ML_DSA_65: mlDsa,
  ML_DSA_87: mlDsa,
  ML_KEM_512: mlKem,
  ML_KEM_768: mlKem,
  ML_KEM_1024: mlKem,
}

/** What a key of this spec and usage works by, as DescribeKey and GetPublicKey name it. */
export function algorithmsOf({ spec, usage }: Pick<KeyRow, 'spec' | 'usage'>) {
  const { encryption, signing, mac, agreement, encapsulation } = keySpecs[spec]
  switch (usage) {
    case 'ENCRYPT_DECRYPT':
      return { EncryptionAlgorithms: [...(encryption ?? [])] }
    case 'SIGN_VERIFY':
      return { SigningAlgorithms: [...(signing ?? [])] }
    case 'GENERATE_VERIFY_MAC':
      return { MacAlgorithms: [...(mac ?? [])] }
    case 'KEY_AGREEMENT':
      return { KeyAgreementAlgorithms: [...(agreement ?? [])] }
    case 'ENCAPSULATE_DECAPSULATE':
      return { EncapsulationAlgorithms: [...(encapsulation ?? [])] }
  }
}

/** Whether a key of this spec and usage works by this algorithm. */
export function worksBy({ spec, usage }: Pick<KeyRow, 'spec' | 'usage'>, algorithm: string): boolean {
  const { encryption, signing, mac, agreement, encapsulation } = keySpecs[spec]
  const names: Readonly<Record<KeyUsage, readonly string[] | undefined>> = {
    ENCRYPT_DECRYPT: encryption,
    SIGN_VERIFY: signing,
    GENERATE_VERIFY_MAC: mac,
    KEY_AGREEMENT: agreement,
    ENCAPSULATE_DECAPSULATE: encapsulation,
  }
  return names[usage]?.includes(algorithm) ?? false
}

export function isSymmetric({ spec }: Pick<KeyRow, 'spec'>): boolean {
  return spec === 'SYMMETRIC_DEFAULT'
}

/** Keys with a public half. */
export function isAsymmetric({ spec }: Pick<KeyRow, 'spec'>): boolean {
  return spec !== 'SYMMETRIC_DEFAULT' && !spec.startsWith('HMAC_')
}
