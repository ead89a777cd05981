/**
 * 10,000 mixed calls by sixteen clients, reads, changes and refusals over five services, while the server is killed with
 * `kill -9` twenty times: every answer has its event, every change its event and every event its outcome.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  GetUserCommand,
  IAMClient,
  ListUsersCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  EncryptCommand,
  KMSClient,
  paginateListAliases,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3'
import {
  CreateSecretCommand,
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager'
import { afterAll, expect, test } from 'vitest'
import { openStore } from '../../src/store/sqlite.ts'
import { merlon, type Running, startMerlon, temporaryFolder } from '../process.ts'

const CLIENTS = 16
const KILLS = Number(process.env['MERLON_KILLS'] ?? 20)
const CALLS = 10_000
const SECRETS = 25
const KEYS = 40
const Bucket = 'mixed-calls'

let server: Running | undefined
afterAll(async () => {
  await server?.stop('SIGKILL')
})

interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

interface Event {
  readonly requestID: string
  readonly eventName: string
  readonly errorCode?: string
  readonly requestParameters: Readonly<Record<string, string>>
}

/** How a call was answered; those the server died over are not here. */
interface Answer {
  readonly requestId: string
  readonly eventName: string
  readonly code: string | undefined
}

interface Said {
  readonly $metadata?: { readonly requestId?: string; readonly httpStatusCode?: number }
  readonly name?: string
}

/** Models and event names differ in the ending. */
const bare = (code: string | undefined) => code?.replace(/Exception$/, '')

test('every answer has its event, every change its event, every event its outcome', async () => {
  const data = join(temporaryFolder(), 'data')
  server = await startMerlon(['--data', data])
  const root: Keys = server.accounts[0]!
  let ready: Promise<Running> = Promise.resolve(server)

  const made = new Map<string, unknown>()
  const client = <C>(Client: new (config: object) => C, url: string, keys: Keys): C => {
    const id = `${Client.name} ${url} ${keys.accessKeyId}`
    if (!made.has(id))
      made.set(
        id,
        new Client({ endpoint: url, region: 'us-east-1', credentials: keys, maxAttempts: 1, forcePathStyle: true }),
      )
    return made.get(id) as C
  }
  const { url: first } = server
  await client(IAMClient, first, root).send(new CreateUserCommand({ UserName: 'ann' }))
  const { AccessKey } = await client(IAMClient, first, root).send(new CreateAccessKeyCommand({ UserName: 'ann' }))
  const ann: Keys = { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  await client(S3Client, first, root).send(new CreateBucketCommand({ Bucket }))
  await client(S3Client, first, root).send(new PutObjectCommand({ Bucket, Key: 'first', Body: 'x' }))
  const keyIds: string[] = []
  for (let n = 0; n < KEYS; n++)
    keyIds.push((await client(KMSClient, first, root).send(new CreateKeyCommand({}))).KeyMetadata!.KeyId!)
  for (let n = 0; n < SECRETS; n++)
    await client(SecretsManagerClient, first, root).send(new CreateSecretCommand({ Name: `s-${n}`, SecretString: '0' }))

  // Evenly: neither a secret's versions nor a key's aliases may be many.
  const hundred = (n: number) => Math.floor(n / 100)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!
  const kms = (url: string, keys = root) => client(KMSClient, url, keys)
  const sm = (url: string, keys = root) => client(SecretsManagerClient, url, keys)
  const s3 = (url: string, keys = root) => client(S3Client, url, keys)
  const iam = (url: string, keys = root) => client(IAMClient, url, keys)
  // As often as the number says, of a hundred.
  const calls: readonly (readonly [
    often: number,
    eventName: string,
    ask: (url: string, n: number) => Promise<Said>,
  ])[] = [
    [
      18,
      'PutSecretValue',
      (url, n) => {
        const wish = { SecretId: `s-${hundred(n) % SECRETS}`, SecretString: `${n}`, ClientRequestToken: randomUUID() }
        return sm(url).send(new PutSecretValueCommand(wish))
      },
    ],
    [15, 'PutObject', (url, n) => s3(url).send(new PutObjectCommand({ Bucket, Key: `o-${n}`, Body: `body ${n}` }))],
    [
      12,
      'CreateAlias',
      (url, n) =>
        kms(url).send(new CreateAliasCommand({ AliasName: `alias/a-${n}`, TargetKeyId: keyIds[hundred(n) % KEYS] })),
    ],
    [10, 'CreateUser', (url, n) => iam(url).send(new CreateUserCommand({ UserName: `u-${n}` }))],
    [10, 'Encrypt', (url) => kms(url).send(new EncryptCommand({ KeyId: pick(keyIds), Plaintext: Buffer.from('x') }))],
    [
      10,
      'GetSecretValue',
      (url, n) => sm(url).send(new GetSecretValueCommand({ SecretId: `s-${hundred(n) % SECRETS}` })),
    ],
    [5, 'GetObject', (url) => s3(url).send(new GetObjectCommand({ Bucket, Key: 'first' }))],
    [5, 'GetSecretValue', (url) => sm(url).send(new GetSecretValueCommand({ SecretId: 'nobody-has-this' }))],
    [5, 'ScheduleKeyDeletion', (url) => kms(url, ann).send(new ScheduleKeyDeletionCommand({ KeyId: pick(keyIds) }))],
    [5, 'PutObject', (url, n) => s3(url, ann).send(new PutObjectCommand({ Bucket, Key: `denied-${n}`, Body: 'x' }))],
    [5, 'GetUser', (url) => iam(url, ann).send(new GetUserCommand({ UserName: 'ann' }))],
  ]
  const table = calls.flatMap((call) => Array.from({ length: call[0] }, () => call))
  expect(table).toHaveLength(100)

  const answers: Answer[] = []
  let [kills, done, unknown] = [0, 0, 0]
  const killAt = (n: number) => Math.floor(((n + Math.random()) * CALLS) / (KILLS + 1))
  let next = killAt(0)
  const progressed = () => {
    if (++done < next || kills === KILLS) return
    next = killAt(++kills)
    ready = ready.then(async (old) => {
      await old.stop('SIGKILL')
      server = await startMerlon(['--data', data])
      return server
    })
  }
  const ask = async (n: number) => {
    const [, eventName, run] = table[(n * 37) % 100]!
    const { url } = await ready
    const said = await run(url, n).catch((error: Said) => error)
    const { requestId, httpStatusCode } = said.$metadata ?? {}
    const code = httpStatusCode !== undefined && httpStatusCode >= 400 ? said.name : undefined
    if (requestId === undefined || httpStatusCode === undefined) unknown++
    else answers.push({ requestId, eventName, code })
    progressed()
  }
  let asked = 0
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (asked < CALLS) await ask(asked++)
    }),
  )
  const { url } = await ready
  expect(kills).toBe(KILLS)
  expect(answers.length + unknown).toBe(CALLS)
  expect(unknown).toBeLessThanOrEqual(KILLS * CLIENTS)

  const state = {
    users: (await everyUser(iam(url))).filter((name) => name.startsWith('u-')),
    aliases: [] as string[],
    objects: [] as string[],
    versions: [] as string[],
  }
  for await (const { Aliases } of paginateListAliases({ client: kms(url) }, {}))
    state.aliases.push(...Aliases!.map(({ AliasName }) => AliasName!).filter((name) => name.startsWith('alias/a-')))
  for await (const { Contents } of paginateListObjectsV2({ client: s3(url) }, { Bucket }))
    state.objects.push(...Contents!.map(({ Key }) => Key!).filter((key) => key !== 'first'))
  for (let n = 0; n < SECRETS; n++) {
    const listed = await sm(url).send(
      new ListSecretVersionIdsCommand({ SecretId: `s-${n}`, IncludeDeprecated: true, MaxResults: 100 }),
    )
    state.versions.push(...listed.Versions!.map(({ VersionId }) => VersionId!))
  }
  await server!.stop('SIGTERM')
  server = undefined
  expect(await merlon(['audit', 'verify', '--data', data])).toMatchObject({ status: 0 })

  const events = await everyEvent(join(data, 'merlon.db'))
  const byRequest = new Map<string, Event[]>()
  for (const event of events) byRequest.set(event.requestID, [...(byRequest.get(event.requestID) ?? []), event])
  for (const { requestId, eventName, code } of answers) {
    // The calls it made to KMS have its request ID, too.
    const told = (byRequest.get(requestId) ?? []).filter((event) => event.eventName === eventName)
    expect([requestId, told.map((event) => [event.eventName, bare(event.errorCode)])]).toEqual([
      requestId,
      [[eventName, bare(code)]],
    ])
  }
  const changed = (name: string, member: string, own: RegExp) =>
    events
      .filter(({ eventName, errorCode }) => eventName === name && !errorCode)
      .map(({ requestParameters }) => requestParameters[member]!)
      .filter((value) => own.test(value))
      .sort()
  expect(changed('CreateUser', 'userName', /^u-/)).toEqual(state.users.sort())
  expect(changed('CreateAlias', 'aliasName', /^alias\/a-/)).toEqual(state.aliases.sort())
  expect(changed('PutObject', 'key', /^(o|denied)-/)).toEqual(state.objects.sort())
  const created = changed('CreateSecret', 'clientRequestToken', /./)
  expect([...created, ...changed('PutSecretValue', 'clientRequestToken', /./)].sort()).toEqual(state.versions.sort())
  expect(state.objects.filter((key) => key.startsWith('denied'))).toEqual([])
  for (const list of Object.values(state)) expect(list.length).toBeGreaterThan(500)
})

async function everyUser(client: IAMClient): Promise<string[]> {
  const names: string[] = []
  let Marker: string | undefined
  do {
    const page = await client.send(new ListUsersCommand({ MaxItems: 1000, Marker }))
    names.push(...page.Users!.map(({ UserName }) => UserName!))
    Marker = page.Marker
  } while (Marker)
  return names
}

async function everyEvent(file: string): Promise<readonly Event[]> {
  const store = await openStore({ file })
  const events: Event[] = []
  for (let position = 0; ; ) {
    const rows = await store.evidence(position, 5_000)
    if (rows.length === 0) break
    events.push(...rows.map(({ body }) => JSON.parse(body) as Event))
    position = rows.at(-1)!.position
  }
  await store.close()
  return events
}
