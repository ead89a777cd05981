/** The root of trust over many nodes: real processes on one PostgreSQL, one keyring in it, each node with a way in of its own. */
import { randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Client, element, overHttp } from '../../src/kernel/client/client.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { Postgres } from '../faults/postgres.ts'
import type { MadeAccount, Running } from '../process.ts'
import { hasPostgres } from '../rotation/databases.ts'
import { clientOf, durationOf, folder, health, killMoment, lines, merlon, merlonJson, start } from './shell.ts'

const PASSWORD = 'boss-password'
const KILLS = 6
const ORGANIZATIONS = 'AWSOrganizationsV20161128'

let postgres: Postgres
let databases = 0
beforeAll(async () => {
  if (!hasPostgres) throw new Error('PostgreSQL is missing: apt-get install postgresql')
  postgres = await Postgres.make()
}, 120_000)
afterAll(() => postgres?.stop(), 60_000)

const newDatabase = (): string => {
  const name = `trust_${++databases}`
  postgres.sql(`CREATE DATABASE ${name}`)
  return name
}

interface Node {
  readonly data: string
  readonly environment: {
    readonly MERLON_STORE: string
    readonly MERLON_NODE: string
    readonly MERLON_KEY_FILE?: string
  }
}

/** Two nodes of one database; the second opens by the key file that the first has made. */
function twoNodes(): readonly [Node, Node] {
  const [a, b] = [join(folder(), 'a'), join(folder(), 'b')]
  const MERLON_STORE = postgres.url(newDatabase())
  return [
    { data: a, environment: { MERLON_STORE, MERLON_NODE: 'a' } },
    { data: b, environment: { MERLON_STORE, MERLON_NODE: 'b', MERLON_KEY_FILE: join(a, 'root.key') } },
  ]
}

const begin = ({ data, environment }: Node, more = {}): Promise<Running> => start(data, [], { ...environment, ...more })
const at = ({ data, environment }: Node, ...words: readonly string[]) =>
  merlon([...words, '--data', data], '', environment)

const secretOf = async (client: Client, SecretId: string): Promise<string> =>
  (await client.json<{ SecretString: string }>('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId }))
    .SecretString
const keep = (client: Client, Name: string, SecretString = 'canary') =>
  client.json('secretsmanager', 'secretsmanager.CreateSecret', { ClientRequestToken: randomUUID(), Name, SecretString })

/** A member account, and a session of it on each node. */
async function memberOf(root: Client, urls: readonly string[]) {
  await root.json('organizations', `${ORGANIZATIONS}.CreateOrganization`)
  const asked = await root.json<{ CreateAccountStatus: { Id: string } }>(
    'organizations',
    `${ORGANIZATIONS}.CreateAccount`,
    {
      AccountName: 'blue',
      Email: 'blue@example.com',
    },
  )
  const told = await root.json<{ CreateAccountStatus: { AccountId: string } }>(
    'organizations',
    `${ORGANIZATIONS}.DescribeCreateAccountStatus`,
    { CreateAccountRequestId: asked.CreateAccountStatus.Id },
  )
  const account = told.CreateAccountStatus.AccountId
  await root.query('iam', 'CreateUser', { UserName: 'admin' })
  const may = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] })
  await root.query('iam', 'PutUserPolicy', { UserName: 'admin', PolicyName: 'all', PolicyDocument: may })
  const key = await root.query('iam', 'CreateAccessKey', { UserName: 'admin' })
  const admin = { accessKeyId: element(key, 'AccessKeyId')!, secretAccessKey: element(key, 'SecretAccessKey')! }
  const visit = { RoleArn: `arn:aws:iam::${account}:role/OrganizationAccountAccessRole`, RoleSessionName: 'visit' }
  const inside = await Promise.all(
    urls.map(async (url) => {
      const xml = await clientOf(url, admin).query('sts', 'AssumeRole', visit)
      const credential = {
        accessKeyId: element(xml, 'AccessKeyId')!,
        secret: element(xml, 'SecretAccessKey')!,
        sessionToken: element(xml, 'SessionToken')!,
      }
      return new Client({ credential, transport: overHttp(url) })
    }),
  )
  return { account, inside }
}

describe('15: two nodes on one database', () => {
  test('are one installation: what is made on one is used, and what is erased on one is gone, on the other', async () => {
    const [a, b] = twoNodes()
    const [first, second] = [await begin(a), await begin(b)]
    expect(second.accounts).toEqual([])
    const root = clientOf(first.url, first.accounts[0]!)
    const { account, inside } = await memberOf(root, [first.url, second.url])
    await keep(inside[0]!, 'theirs')
    expect(await secretOf(inside[1]!, 'theirs')).toBe('canary')
    const [backups, others] = [folder(), folder()]
    await merlonJson(['backup', join(backups, 'x.merlon'), '--data', a.data], '', a.environment)
    await merlonJson(['backup', join(others, 'x.merlon'), '--data', b.data], '', b.environment)

    const erased = await at(a, 'trust', 'erase', account, '--yes')

    expect(erased.status).toBe(0)
    expect(erased.stderr).toContain("is stored on node 'b', which replaces it when it runs")
    await expect(secretOf(inside[1]!, 'theirs')).rejects.toThrow()
    await expect
      .poll(() => JSON.parse(readFileSync(join(others, 'merlon.keyring'), 'utf8').split('\n')[0]!).accounts[account])
      .toBeNull()
    for (const each of [first, second]) expect(each.log()).not.toContain(PASSWORD)
  })

  test('that are started together make one installation with one account', async () => {
    const [a, b] = twoNodes()
    const keyFile = join(folder(), 'mounted.key')

    const both = await Promise.all([a, b].map((node) => begin(node, { MERLON_KEY_FILE: keyFile })))

    const made = both.flatMap(({ accounts }) => accounts)
    expect(made).toHaveLength(1)
    for (const { url } of both) await clientOf(url, made[0]!).query('sts', 'GetCallerIdentity')
  })

  test('have a key file each, as docs/nodes.md makes them', async () => {
    const [a, b] = twoNodes()
    const [keyOfA, made, keyOfB] = [join(folder(), 'a.key'), join(folder(), 'b.key'), join(folder(), 'b.key')]
    const first = await begin(a, { MERLON_KEY_FILE: keyOfA })
    expect((await at(a, 'sealer', 'add', 'file', '--key-file', made)).status).toBe(0)
    renameSync(made, keyOfB)

    const second = await begin(b, { MERLON_KEY_FILE: keyOfB })

    const root = first.accounts[0]!
    await keep(clientOf(first.url, root), 's')
    expect(await secretOf(clientOf(second.url, root), 's')).toBe('canary')
    await Promise.all([first.stop(), second.stop()])
    for (const [node, key] of [[b, keyOfB] as const, [a, keyOfA] as const])
      expect(await health((await begin(node, { MERLON_KEY_FILE: key })).url)).toEqual({ http: 200, status: 'ok' })
  })

  test('open the database by people as well, and each is sealed for itself', async () => {
    const [a, b] = twoNodes()
    const first = await begin(a)
    const root = first.accounts[0]!
    await keep(clientOf(first.url, root), 's')
    const words = ['sealer', 'add', 'passphrase', '--data', a.data]
    await merlonJson(words, lines('correct horse battery staple', 'correct horse battery staple'), a.environment)
    const { MERLON_KEY_FILE: _, ...environment } = b.environment

    const second = await start(b.data, [], environment)

    expect(await health(second.url)).toEqual({ http: 503, status: 'sealed' })
    expect(existsSync(join(b.data, 'root.key'))).toBe(false)
    expect(
      (await merlon(['unseal', '--data', b.data], lines('correct horse battery staple'), environment)).status,
    ).toBe(0)
    expect(await secretOf(clientOf(second.url, root), 's')).toBe('canary')
    expect((await merlon(['seal', '--data', b.data], '', environment)).status).toBe(0)
    expect(await health(second.url)).toEqual({ http: 503, status: 'sealed' })
    expect(await secretOf(clientOf(first.url, root), 's')).toBe('canary')
  })

  test(`go on while the root key rotates on one, which is killed ${KILLS} times in the middle`, async () => {
    const [a, b] = twoNodes()
    let first = await begin(a)
    const second = await begin(b)
    const root = first.accounts[0]!
    await keep(clientOf(first.url, root), 's')
    let [reads, loading] = [0, true]
    const load = (async () => {
      for (; loading; reads++) if ((await secretOf(clientOf(second.url, root), 's')) !== 'canary') throw new Error('?')
    })()

    const tookMs = await durationOf(() => at(a, 'rotate-root'))
    for (let n = 0; n < KILLS; n++) {
      const rotation = at(a, 'rotate-root')
      await new Promise((done) => setTimeout(done, killMoment(n, KILLS, tookMs)))
      await first.stop('SIGKILL')
      await rotation
      first = await begin(a)
      expect(await secretOf(clientOf(first.url, root), 's')).toBe('canary')
    }
    const rotated = await at(b, 'rotate-root')
    loading = false
    await load

    expect(rotated.status).toBe(0)
    expect(reads).toBeGreaterThan(KILLS)
    await first.stop()
    expect(await secretOf(clientOf((await begin(a)).url, root), 's')).toBe('canary')
  })

  test('leave the keyring out of their backups, which restore into a folder', async () => {
    const [a] = twoNodes()
    const [backups, other] = [folder(), join(folder(), 'other')]
    const first = await begin(a)
    const root: MadeAccount = first.accounts[0]!
    await keep(clientOf(first.url, root), 's')
    const file = join(backups, 'x.merlon')
    await merlonJson(['backup', file, '--data', a.data], '', a.environment)
    expect((await at(a, 'backup', 'verify', file, '--drill')).stdout).toContain('1 accounts open')

    const key = ['--key-file', join(a.data, 'root.key')]
    expect((await merlon(['restore', file, '--data', other, ...key])).status).toBe(0)

    const restored = await openStore({ file: join(other, 'merlon.db') })
    expect(await restored.reader.get('vault/keyring')).toBeUndefined()
    expect(await restored.reader.get(`vault/canary/${root.accountId}`)).toBeDefined()
    await restored.close()
    copyFileSync(join(a.data, 'root.key'), join(other, 'root.key'))
    const alone = await start(other)
    expect(await secretOf(clientOf(alone.url, root), 's')).toBe('canary')
  })

  test('are distinguished from installations of their own, and their database is never shown', async () => {
    const [a, b] = twoNodes()
    const first = await begin(a)
    await first.stop()
    const { MERLON_STORE, ...rest } = a.environment
    const wrong = (url: string) => merlon(['start', '--port', '0', '--data', b.data], '', { MERLON_STORE: url })

    const without = await merlon(['start', '--port', '0', '--data', a.data], '', rest)
    const renamed = await merlon(['start', '--port', '0', '--data', a.data, '--node', 'c'], '', { MERLON_STORE })
    const nameless = await merlon(['start', '--port', '0', '--data', b.data, '--node', 'No Name'], '', { MERLON_STORE })
    const other = await wrong(`mysql://boss:${PASSWORD}@127.0.0.1/x`)
    const closed = await wrong(`postgres://boss:${PASSWORD}@127.0.0.1:1/x`)

    expect(without.stderr).toContain('a node whose data is in a shared database')
    expect(renamed.stderr).toContain("the data directory of node 'a', not of 'c'")
    expect(nameless.stderr).toContain("1 to 32 characters of a-z, 0-9 and '-'")
    expect(other.stderr).toContain('is not a PostgreSQL URL')
    expect(closed.status).not.toBe(0)
    for (const { stderr, stdout } of [without, renamed, nameless, other, closed])
      expect(stderr + stdout).not.toContain(PASSWORD)
    expect((await at(a, 'sealer', 'list')).stdout).toContain('file')
  })
})
