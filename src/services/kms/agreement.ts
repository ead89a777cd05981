/** Secrets shared with another party: by ECDH, and by ML-KEM; and the public keys that the other party needs. */
import type * as KMS from '@aws-sdk/client-kms'
import { currentOf } from './key-materials.ts'
import { algorithmsOf, isAsymmetric } from './key-specs.ts'
import { invalidInput, silent } from './messages.ts'
import { arnOf, unsupported } from './resources.ts'
import { requireState } from './states.ts'
import { usedKey } from './targets.ts'
import { endDryRun, requireAlgorithm, requireTokens, requireUse } from './uses.ts'
import { kms } from './words.ts'

export const getPublicKey = kms
  .operation('GetPublicKey')
  .on(usedKey)
  .run((call, input, { row }) => {
    requireState(row, 'GetPublicKey')
    if (!isAsymmetric(row)) throw unsupported(row, 'GetPublicKey')
    requireTokens(call, input.GrantTokens)
    return {
      KeyId: arnOf(row),
      PublicKey: Buffer.from(row.publicKey!, 'base64'),
      CustomerMasterKeySpec: row.spec as KMS.CustomerMasterKeySpec,
      KeySpec: row.spec,
      KeyUsage: row.usage,
      ...algorithmsOf(row),
    }
  })

export const deriveSharedSecret = kms
  .operation('DeriveSharedSecret')
  .on(usedKey)
  .run(async (call, input, { row }) => {
    requireUse(call, row, 'DeriveSharedSecret', 'KEY_AGREEMENT', input)
    requireAlgorithm(row, input.KeyAgreementAlgorithm)
    const secret = await call.vault.materials.use(currentOf(row), { do: 'derive', publicKey: input.PublicKey })
    if (!secret) throw invalidInput.publicKey()
    endDryRun(input.DryRun)
    return {
      KeyId: arnOf(row),
      SharedSecret: secret,
      KeyAgreementAlgorithm: input.KeyAgreementAlgorithm,
      KeyOrigin: row.origin,
    }
  })

export const encapsulate = kms
  .operation('Encapsulate')
  .on(usedKey)
  .run(async (call, input, { row }) => {
    requireUse(call, row, 'Encapsulate', 'ENCAPSULATE_DECAPSULATE', input)
    requireAlgorithm(row, input.EncapsulationAlgorithm)
    const held = currentOf(row)
    endDryRun(input.DryRun)

    const { secret, ciphertext } = await call.vault.materials.use(held, { do: 'encapsulate' })
    return {
      KeyId: arnOf(row),
      SharedSecret: secret,
      SharedSecretCiphertextBlob: ciphertext,
      EncapsulationAlgorithm: input.EncapsulationAlgorithm,
    }
  })

export const decapsulate = kms
  .operation('Decapsulate')
  .on(usedKey)
  .run(async (call, input, { row }) => {
    requireUse(call, row, 'Decapsulate', 'ENCAPSULATE_DECAPSULATE', input)
    requireAlgorithm(row, input.EncapsulationAlgorithm)
    const ciphertext = input.SharedSecretCiphertextBlob
    const secret = await call.vault.materials.use(currentOf(row), { do: 'decapsulate', ciphertext })
    if (!secret) throw silent.ciphertext()
    endDryRun(input.DryRun)
    return { KeyId: arnOf(row), SharedSecret: secret, EncapsulationAlgorithm: input.EncapsulationAlgorithm }
  })
