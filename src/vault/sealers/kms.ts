/** The KMS sealer: a seed under a key of AWS KMS or of another Merlon, with an encryption context that names its place. */
import { randomKey, takeOver } from '../aead.ts'
import type { KmsSettings } from '../sealer.ts'
import { TrustError } from '../vault.ts'

/** Two calls of KMS's API, signed by the caller that passes them. Blobs are base64, as on the wire. */
export interface KmsCaller {
  encrypt(input: { KeyId: string; Plaintext: string; EncryptionContext: Readonly<Record<string, string>> }): Promise<{
    readonly CiphertextBlob: string
  }>
  decrypt(input: {
    KeyId: string
    CiphertextBlob: string
    EncryptionContext: Readonly<Record<string, string>>
  }): Promise<{ readonly Plaintext: string }>
}

export type KmsAddress = Pick<KmsSettings, 'keyId' | 'region' | 'endpoint'>

export async function newKms(
  installId: string,
  sealerId: string,
  address: KmsAddress,
  caller: KmsCaller,
): Promise<{ readonly settings: KmsSettings; readonly seed: Buffer }> {
  const seed = randomKey()
  try {
    const { CiphertextBlob } = await caller.encrypt({
      KeyId: address.keyId,
      Plaintext: seed.toString('base64'),
      EncryptionContext: context(installId, sealerId),
    })
    return { settings: { kind: 'kms', ...address, wrappedSeed: CiphertextBlob }, seed }
  } catch (error) {
    seed.fill(0)
    throw unavailable(address, error)
  }
}

/** Throws `MERLON_SEALER_UNAVAILABLE` when the KMS does not answer or does not decrypt. */
export async function kmsSeed(
  installId: string,
  sealerId: string,
  settings: KmsSettings,
  caller: KmsCaller,
): Promise<Buffer> {
  try {
    const { Plaintext } = await caller.decrypt({
      KeyId: settings.keyId,
      CiphertextBlob: settings.wrappedSeed,
      EncryptionContext: context(installId, sealerId),
    })
    return takeOver(Buffer.from(Plaintext, 'base64'))
  } catch (error) {
    throw unavailable(settings, error)
  }
}

const context = (installId: string, sealerId: string) => ({
  'merlon:installation': installId,
  'merlon:sealer': sealerId,
})

const unavailable = ({ endpoint, keyId }: KmsAddress, error: unknown): TrustError =>
  new TrustError('MERLON_SEALER_UNAVAILABLE', `${keyId} at ${endpoint}: ${(error as Error).message}`)
