/** What the kernel must know of KMS. */
import type { ServiceTraits } from '../../kernel/service/traits.ts'

const uses = [
  'Decapsulate',
  'Decrypt',
  'DeriveSharedSecret',
  'Encapsulate',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GenerateRandom',
  'ReEncryptFrom',
  'Sign',
  'Verify',
  'VerifyMac',
]

export const traits: ServiceTraits = {
  // Uses of keys change nothing. Source: https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html
  readActions: uses.map((name) => `kms:${name}`),
  // Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
  exemptFromRcps: ['kms:RetireGrant'],
}
