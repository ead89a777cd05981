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
  // Source: the examples of https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html: since
  // December 2022. Those of TagResource, PutKeyPolicy, UpdateKeyDescription, RetireGrant and RevokeGrant have no answer.
  eventNames: {
    resourceInAnswer: {
      member: 'keyId',
      type: 'AWS::KMS::Key',
      pattern: /:key\//,
      operations: [
        'CreateAlias',
        'CreateGrant',
        'DeleteAlias',
        'DisableKey',
        'DisableKeyRotation',
        'EnableKey',
        'EnableKeyRotation',
        'UntagResource',
        'UpdateAlias',
      ],
    },
  },
  // Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
  exemptFromRcps: ['kms:RetireGrant'],
}
