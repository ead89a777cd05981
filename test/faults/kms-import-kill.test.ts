/**
 * KMS §6.14: a server killed with `kill -9` while material is imported, taken back and brought again, and while keys are sent to
 * their end and called back: each key is where its last acknowledged call left it, or one call further; none is in between.
 */
import { createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import {
  CancelKeyDeletionCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GetParametersForImportCommand,
  ImportKeyMaterialCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { afterAll, expect, test } from 'vitest'
import { type Running, startMerlon, temporaryFolder } from '../process.ts'

/** `MERLON_KILLS=200 npm run test:faults` for the long one. */
const ROUNDS = Number(process.env['MERLON_KILLS'] ?? 20)
const WORKERS = 4
const TEST_MS_MAX = 600_000 + ROUNDS * 20_000

let server: Running | undefined
afterAll(async () => void (await server?.stop('SIGKILL')))

interface Key {
  readonly id: string
  readonly material: Buffer
  readonly sealed: { readonly blob: Uint8Array; readonly text: string }[]
  /** The state it was left in, and the one that the call in progress leads to. */
  state: string
  next: string
}

async function bring(kms: KMSClient, KeyId: string, material: Uint8Array): Promise<void> {
  const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' } as const
  const { ImportToken, PublicKey } = await kms.send(new GetParametersForImportCommand({ KeyId, ...wrapping }))
  const key = createPublicKey({ key: Buffer.from(PublicKey!), format: 'der', type: 'spki' })
  const EncryptedKeyMaterial = publicEncrypt({ key, oaepHash: 'sha256' }, material)
  const ExpirationModel = 'KEY_MATERIAL_DOES_NOT_EXPIRE'
  await kms.send(new ImportKeyMaterialCommand({ KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel }))
}

/** Each step leads to the next state; the last leads to the first. */
async function steps(kms: KMSClient, key: Key): Promise<void> {
  const KeyId = key.id
  const to = async (state: string, step: () => Promise<unknown>) => {
    key.next = state
    await step()
    key.state = state
  }
  await to('Enabled', () => bring(kms, KeyId, key.material))
  const text = `${KeyId}/${key.sealed.length}`
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from(text) }))
  key.sealed.push({ blob: CiphertextBlob!, text })
  await to('PendingDeletion', () => kms.send(new ScheduleKeyDeletionCommand({ KeyId })))
  await to('Disabled', () => kms.send(new CancelKeyDeletionCommand({ KeyId })))
  await to('Enabled', () => kms.send(new EnableKeyCommand({ KeyId })))
  await to('PendingImport', () => kms.send(new DeleteImportedKeyMaterialCommand({ KeyId })))
}

test(
  'KMS 14: imported material and deletions survive every kill, each whole or not begun',
  async () => {
    const data = join(temporaryFolder(), 'data')
    server = await startMerlon(['--data', data])
    const account = server.accounts[0]!
    const clientOf = ({ url }: Running) =>
      new KMSClient({ endpoint: url, region: 'us-east-1', credentials: account, maxAttempts: 1 })
    const keys: Key[] = []

    for (let round = 0; round < ROUNDS; round++) {
      const kms = clientOf(server)
      let stopped = false
      const work = async () => {
        try {
          const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }))
          const { KeyId: id, KeyState: state } = KeyMetadata!
          const key: Key = { id: id!, material: randomBytes(32), sealed: [], state: state!, next: state! }
          keys.push(key)
          while (!stopped) await steps(kms, key)
        } catch (error) {
          // The kill: nothing of the call was acknowledged.
          if (!stopped) throw error
        }
      }
      const before = keys.length
      const workers = Array.from({ length: WORKERS }, work)
      // From the first material on, at another moment each time.
      await expect
        .poll(() => keys.slice(before).some(({ sealed }) => sealed.length > 0), { timeout: 30_000 })
        .toBe(true)
      await new Promise((resolve) => setTimeout(resolve, 23 * (round % 20)))
      stopped = true
      await server.stop('SIGKILL')
      await Promise.all(workers)
      server = await startMerlon(['--data', data])
    }

    const kms = clientOf(server)
    expect(keys.length).toBeGreaterThan(ROUNDS)
    expect(new Set(keys.map(({ next }) => next)).size).toBeGreaterThan(1)
    for (const { id: KeyId, material, sealed, state, next } of keys) {
      const { KeyState } = (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata!
      expect([state, next]).toContain(KeyState)
      if (KeyState === 'PendingDeletion') await kms.send(new CancelKeyDeletionCommand({ KeyId }))
      if (KeyState === 'PendingImport') {
        const other = sealed.length > 0 && bring(kms, KeyId, randomBytes(32))
        if (other) await expect(other).rejects.toMatchObject({ name: 'IncorrectKeyMaterialException' })
        await bring(kms, KeyId, material)
      } else await kms.send(new EnableKeyCommand({ KeyId }))
      for (const { blob, text } of sealed) {
        const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob: blob }))
        expect(Buffer.from(Plaintext!).toString()).toBe(text)
      }
    }
  },
  TEST_MS_MAX,
)
