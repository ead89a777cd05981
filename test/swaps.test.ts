/** Root of trust §6.5, for what customers keep: a value or a key moved to another place in the store opens nothing there. */
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { CreateKeyCommand, DecryptCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { findings } from '../src/kernel/events/findings.ts'
import { memoryBlobs } from '../src/planes/objects/memory.ts'
import { ACCOUNT, cloud, type Keys } from './cloud.ts'

const FAILED = { name: expect.stringMatching(/^(InternalFailure|DecryptionFailure|InvalidCiphertextException)$/) }

/** A cloud, and a hand on its rows that no service has. */
async function world() {
  const blobs = memoryBlobs()
  const it = await cloud({ blobs })
  const rows = async (prefix: string) => it.store.reader.range<object>(prefix)
  const put = (key: string, document: object) => it.store.run((unit) => unit.put(key, document))
  return { ...it, blobs, rows, put }
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

describe('Trust 5: what is seen of it', () => {
  type World = Awaited<ReturnType<typeof world>>
  const exchange = async (it: World, prefixes: readonly string[], change: (mine: object, theirs: object) => object) => {
    const [mine, theirs] = (await Promise.all(prefixes.map((prefix) => it.rows(prefix)))).flat()
    await it.put(mine!.key, change(mine!.document, theirs!.document))
  }

  const rowOf = ({ accessKeyId }: Keys) => `iam/access-key/${accessKeyId}`

  /** Something that is kept twice, one in the place of the other, and read so often. */
  const moved: Readonly<Record<string, (it: World) => Promise<readonly (() => Promise<unknown>)[]>>> = {
    'secretsmanager/value': async (it) => {
      const sm = it.client(SecretsManagerClient)
      for (const Name of ['mine', 'theirs']) await sm.send(new CreateSecretCommand({ Name, SecretString: Name }))
      await exchange(it, [`secretsmanager/value/${ACCOUNT}/us-east-1/`], (_, theirs) => theirs)
      return [() => sm.send(new GetSecretValueCommand({ SecretId: 'mine' }))]
    },
    'kms/key': async (it) => {
      const kms = it.client(KMSClient)
      for (let n = 0; n < 2; n++) await kms.send(new CreateKeyCommand({}))
      await exchange(
        it,
        [`kms/key/${ACCOUNT}/us-east-1/`],
        (mine, { materials, current }: { materials?: object; current?: string }) => ({ ...mine, materials, current }),
      )
      const [row] = await it.rows(`kms/key/${ACCOUNT}/us-east-1/`)
      const KeyId = row!.key.split('/').at(-1)
      return [() => kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))]
    },
    'iam/access-key': async (it) => {
      const keys = [await it.user('ann'), await it.user('bob')]
      await exchange(it, keys.map(rowOf), (mine, { secret }: { secret?: string }) => ({ ...mine, secret }))
      return keys.map((key) => () => it.client(STSClient, key).send(new GetCallerIdentityCommand({})))
    },
    'iam/access-key, a whole row': async (it) => {
      const keys = [await it.user('ann'), await it.user('bob')]
      await exchange(it, keys.map(rowOf), (_, theirs) => theirs)
      return keys.map((key) => () => it.client(STSClient, key).send(new GetCallerIdentityCommand({})))
    },
    's3/object': async (it) => {
      const s3 = it.client(S3Client)
      await s3.send(new CreateBucketCommand({ Bucket: 'kept' }))
      for (const Key of ['mine', 'theirs']) await s3.send(new PutObjectCommand({ Bucket: 'kept', Key, Body: Key }))
      const rows = await it.rows('s3/object/')
      const [mine, theirs] = rows.map(({ document }) => (document as { readonly blob: string }).blob)
      await it.blobs.write(theirs!, (await it.blobs.read(mine!))!)
      return [() => s3.send(new GetObjectCommand({ Bucket: 'kept', Key: 'theirs' }))]
    },
  }

  test.each(Object.keys(moved))(
    '%s: one finding in the shape of GuardDuty, counted again, and on the trail',
    async (table) => {
      const it = await world()
      const read = await moved[table]!(it)
      expect(await findings(it.store.reader)).toEqual([])

      await Promise.allSettled(read.map((one) => one()))
      await it.flush()
      const [first, ...more] = await findings(it.store.reader, ACCOUNT)
      expect(more).toEqual([])
      expect(first).toMatchObject({
        schemaVersion: '2.0',
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        accountId: ACCOUNT,
        type: 'Impact:MerlonStore/SealedValueTampered',
        severity: 8,
        resource: { resourceType: 'SealedValue', sealedValueDetails: { table: table.split(',')[0], account: ACCOUNT } },
        service: { count: 1, archived: false },
      })

      it.clock.advance(60_000)
      await Promise.allSettled(read.map((one) => one()))
      await it.flush()
      const [second] = await findings(it.store.reader)
      expect(second).toMatchObject({ id: first!.id, createdAt: first!.createdAt, service: { count: 2 } })
      expect(Date.parse(second!.updatedAt) - Date.parse(first!.updatedAt)).toBeGreaterThanOrEqual(60_000)
      const { Events } = await it.client(CloudTrailClient).send(
        new LookupEventsCommand({
          LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'TamperingDetected' }],
        }),
      )
      expect(Events).toHaveLength(2)
      expect(JSON.parse(Events![0]!.CloudTrailEvent!)).toMatchObject({
        eventSource: 'merlon.local',
        eventType: 'AwsServiceEvent',
        serviceEventDetails: { findingId: first!.id, count: 1, resourceType: 'SealedValue' },
      })
    },
  )

  test('a row made to belong to an account that does not exist is reported to the first account', async () => {
    const it = await world()
    const ann = await it.user('ann')
    const [row] = await it.rows(`iam/access-key/${ann.accessKeyId}`)
    await it.put(row!.key, { ...row!.document, account: '999988887777', ownerId: '999988887777' })

    await expect(it.client(STSClient, ann).send(new GetCallerIdentityCommand({}))).rejects.toThrow()
    await it.flush()

    const [finding] = await findings(it.store.reader)
    expect(finding).toMatchObject({
      accountId: ACCOUNT,
      resource: { sealedValueDetails: { account: '999988887777', key: ann.accessKeyId } },
    })
  })

  test('what customers get wrong by themselves is no finding', async () => {
    const it = await world()
    const kms = it.client(KMSClient)
    const { KeyId } = (await kms.send(new CreateKeyCommand({}))).KeyMetadata!
    const EncryptionContext = { a: 'b' }
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), EncryptionContext }),
    )
    await expect(kms.send(new DecryptCommand({ CiphertextBlob }))).rejects.toMatchObject(FAILED)
    const stranger = { accessKeyId: it.root.accessKeyId, secretAccessKey: 'wrong' }
    await expect(it.client(STSClient, stranger).send(new GetCallerIdentityCommand({}))).rejects.toThrow()
    await it.flush()

    expect(await findings(it.store.reader)).toEqual([])
  })
})
