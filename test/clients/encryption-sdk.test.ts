/** The official Encryption SDK for JavaScript and boto3 encrypt and decrypt with keys of this server. */
import {
  AwsKmsMrkAwareSymmetricKeyringNode,
  buildClient,
  CommitmentPolicy,
  KMS,
  KmsKeyringNode,
  limitRegions,
} from '@aws-crypto/client-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { installation, type Running, startMerlon } from '../process.ts'
import { environmentFor, run } from './command.ts'

let server: Running
let keys: { readonly accessKeyId: string; readonly secretAccessKey: string }
let kms: Client
const keyIds: string[] = []

beforeAll(async () => {
  server = await startMerlon(installation())
  keys = server.accounts[0]!
  kms = new Client({
    credential: { accessKeyId: keys.accessKeyId, secret: keys.secretAccessKey },
    transport: overHttp(server.url),
  })
  for (let n = 0; n < 2; n++) {
    const made = await kms.json<{ KeyMetadata: { Arn: string } }>('kms', 'TrentService.CreateKey')
    keyIds.push(made.KeyMetadata.Arn)
  }
})
afterAll(() => server?.stop())

function keyring(generatorKeyId: string, keyIds: readonly string[] = []) {
  const client = (region: string) => new KMS({ region, endpoint: server.url, credentials: keys })
  // Its types know no `undefined` where the client's do.
  const clientProvider = limitRegions(['us-east-1'], client as never)
  return new KmsKeyringNode({ generatorKeyId, keyIds: [...keyIds], clientProvider })
}

describe.each([CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT, CommitmentPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT])(
  'KMS 11: the Encryption SDK, %s',
  (policy) => {
    const { encrypt, decrypt } = buildClient(policy)
    const context = { purpose: 'test', tenant: 'blue' }

    test('opens by either key what both keys closed, with its context', async () => {
      const plaintext = Buffer.alloc(100_000, 'attack at dawn ')
      const { result } = await encrypt(keyring(keyIds[0]!, [keyIds[1]!]), plaintext, { encryptionContext: context })
      for (const id of keyIds) {
        const opened = await decrypt(keyring(id), result)
        expect(Buffer.from(opened.plaintext).equals(plaintext)).toBe(true)
        expect(opened.messageHeader.encryptionContext).toMatchObject(context)
      }
      const changed = Buffer.from(result)
      changed[changed.length - 200]! ^= 1
      await expect(decrypt(keyring(keyIds[0]!), changed)).rejects.toThrow()
    })

    test('opens nothing once the key is disabled', async () => {
      const { result } = await encrypt(keyring(keyIds[1]!), 'secret', { encryptionContext: context })
      await kms.json('kms', 'TrentService.DisableKey', { KeyId: keyIds[1] })
      await expect(decrypt(keyring(keyIds[1]!), result)).rejects.toThrow()
      await kms.json('kms', 'TrentService.EnableKey', { KeyId: keyIds[1] })
      expect(Buffer.from((await decrypt(keyring(keyIds[1]!), result)).plaintext).toString()).toBe('secret')
    })
  },
)

test('KMS 11: what a multi-Region key closed its replica opens in the other Region, and another key of that Region does not', async () => {
  const west = new Client({
    credential: { accessKeyId: keys.accessKeyId, secret: keys.secretAccessKey },
    transport: overHttp(server.url),
    region: 'eu-west-1',
  })
  type Made = { KeyMetadata: { Arn: string; KeyId: string } }
  const primary = await kms.json<Made>('kms', 'TrentService.CreateKey', { MultiRegion: true })
  const { Arn, KeyId } = primary.KeyMetadata
  const replica = await kms.json<{ ReplicaKeyMetadata: { Arn: string } }>('kms', 'TrentService.ReplicateKey', {
    KeyId,
    ReplicaRegion: 'eu-west-1',
  })
  const other = await west.json<Made>('kms', 'TrentService.CreateKey', { MultiRegion: true })
  const aware = (keyId: string, region: string) => {
    const client = new KMS({ region, endpoint: server.url, credentials: keys })
    return new AwsKmsMrkAwareSymmetricKeyringNode({ keyId, client: client as never })
  }
  const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)

  const { result } = await encrypt(aware(Arn, 'us-east-1'), 'across', { encryptionContext: { to: 'west' } })
  const opened = await decrypt(aware(replica.ReplicaKeyMetadata.Arn, 'eu-west-1'), result)
  expect(opened.plaintext.toString()).toBe('across')
  await expect(decrypt(aware(other.KeyMetadata.Arn, 'eu-west-1'), result)).rejects.toThrow()
  const back = await encrypt(aware(replica.ReplicaKeyMetadata.Arn, 'eu-west-1'), 'and back')
  expect((await decrypt(aware(Arn, 'us-east-1'), back.result)).plaintext.toString()).toBe('and back')
})

test('boto3 opens what it closed, under the same context only', async () => {
  const script = `
import boto3
kms = boto3.client('kms')
blob = kms.encrypt(KeyId='${'KEY'}', Plaintext=b'hello', EncryptionContext={'a': 'b'})['CiphertextBlob']
print(kms.decrypt(CiphertextBlob=blob, EncryptionContext={'a': 'b'})['Plaintext'].decode())
try: kms.decrypt(CiphertextBlob=blob)
except Exception as error: print(error.response['Error']['Code'])
`.replace('KEY', keyIds[0]!)
  const { stdout } = await run('python3', ['-c', script], environmentFor(server.url, keys))
  expect(stdout).toBe('hello\nInvalidCiphertextException\n')
})
