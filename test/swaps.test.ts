/** Root of trust §6.5, for what customers keep: a value or a key moved to another place in the store opens nothing there. */
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, cloud } from './cloud.ts'

const FAILED = { name: expect.stringMatching(/^(InternalFailure|DecryptionFailure|InvalidCiphertextException)$/) }

/** A cloud, and a hand on its rows that no service has. */
async function world() {
  const it = await cloud()
  const rows = async (prefix: string) => it.store.reader.range<object>(prefix)
  const put = (key: string, document: object) => it.store.run((unit) => unit.put(key, document))
  return { ...it, rows, put }
}

describe('Trust 5: moved in the store', () => {
  async function secrets() {
    const it = await world()
    const sm = it.client(SecretsManagerClient)
    const get = async (SecretId: string, VersionId?: string) =>
      (await sm.send(new GetSecretValueCommand({ SecretId, VersionId }))).SecretString
    for (const Name of ['mine', 'theirs']) await sm.send(new CreateSecretCommand({ Name, SecretString: Name }))
    return { ...it, sm, get }
  }

  test('the value of one secret in the row of another is not read, by either name', async () => {
    const it = await secrets()
    const [mine, theirs] = await it.rows(`secretsmanager/value/${ACCOUNT}/us-east-1/`)
    await it.put(mine!.key, theirs!.document)
    await it.put(theirs!.key, mine!.document)

    await expect(it.get('mine')).rejects.toMatchObject(FAILED)
    await expect(it.get('theirs')).rejects.toMatchObject(FAILED)
  })

  test('an older version of a secret is not read as the current one', async () => {
    const it = await secrets()
    const [before] = await it.rows(`secretsmanager/value/${ACCOUNT}/us-east-1/mine-`)
    const { VersionId } = await it.sm.send(new PutSecretValueCommand({ SecretId: 'mine', SecretString: 'next' }))
    const after = (await it.rows(`secretsmanager/value/${ACCOUNT}/us-east-1/mine-`)).find(
      ({ key }) => key !== before!.key,
    )
    await it.put(after!.key, before!.document)

    await expect(it.get('mine')).rejects.toMatchObject(FAILED)
    const { VersionIdsToStages } = await it.sm.send(new DescribeSecretCommand({ SecretId: 'mine' }))
    expect(VersionIdsToStages![VersionId!]).toEqual(['AWSCURRENT'])
  })

  test('the material of one key in the row of another opens nothing, and makes nothing', async () => {
    const it = await world()
    const kms = it.client(KMSClient)
    const made = async () => (await kms.send(new CreateKeyCommand({}))).KeyMetadata!.KeyId!
    const [one, other] = [await made(), await made()]
    const Plaintext = Buffer.from('attack at dawn')
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: other, Plaintext }))
    const at = (id: string) => `kms/key/${ACCOUNT}/us-east-1/${id}`
    const [row] = await it.rows(at(one))
    const [theirs] = await it.rows(at(other))
    const stolen = theirs!.document as { readonly materials: object; readonly current: string }
    await it.put(at(one), { ...row!.document, materials: stolen.materials, current: stolen.current })

    await expect(kms.send(new EncryptCommand({ KeyId: one, Plaintext }))).rejects.toMatchObject(FAILED)
    await expect(kms.send(new DecryptCommand({ KeyId: one, CiphertextBlob }))).rejects.toMatchObject(FAILED)
    expect(Buffer.from((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext!)).toEqual(Plaintext)
  })
})
