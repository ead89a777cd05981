/**
 * 10,000 creates by sixteen clients while the server is killed with `kill -9` twenty times. Nothing that was
 * acknowledged may be lost, and there is one event for each thing that exists, and no event for what does not.
 */
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ApiError, Client, element, overHttp } from '../../src/kernel/client/client.ts'
import { type MadeAccount, type Running, startMerlon, temporaryFolder } from '../process.ts'

const CLIENTS = 16
const KILLS = 20

interface Kind {
  readonly create: string
  readonly member: string
  readonly count: number
  readonly more?: Readonly<Record<string, string>>
  readonly list: { readonly action: string; readonly parameters?: Readonly<Record<string, string>> }
}

const document = (statement: object) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] })
const trust = document({ Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' })

/** As many of each as an account may have, by AWS's quotas. */
const kinds: readonly Kind[] = [
  { create: 'CreateUser', member: 'UserName', count: 4_990, list: { action: 'ListUsers' } },
  {
    create: 'CreateRole',
    member: 'RoleName',
    count: 990,
    more: { AssumeRolePolicyDocument: trust },
    list: { action: 'ListRoles' },
  },
  {
    create: 'CreatePolicy',
    member: 'PolicyName',
    count: 1_490,
    more: { PolicyDocument: document({ Action: 's3:Get*', Resource: '*' }) },
    list: { action: 'ListPolicies', parameters: { Scope: 'Local' } },
  },
  {
    create: 'CreateInstanceProfile',
    member: 'InstanceProfileName',
    count: 990,
    list: { action: 'ListInstanceProfiles' },
  },
  { create: 'CreateGroup', member: 'GroupName', count: 290, list: { action: 'ListGroups' } },
]
const CREATES = 10_000
/**
 * The rest: keys for the first users. Those that die unanswered are not requested again, so there are some to spare.
 */
const KEYS = CREATES + KILLS * CLIENTS - kinds.reduce((sum, { count }) => sum + count, 0)

interface Task {
  readonly create: string
  readonly name: string
  readonly parameters: Readonly<Record<string, string>>
}

const tasks: Task[] = kinds.flatMap(({ create, member, count, more }) =>
  Array.from({ length: count }, (_, i) => {
    const name = `${create.toLowerCase()}-${i}`
    return { create, name, parameters: { [member]: name, ...more } }
  }),
)

let server: Running | undefined
afterAll(async () => {
  await server?.stop('SIGKILL')
})

test('kill -9 loses nothing acknowledged, and the audit log has everything that exists and nothing else', async () => {
  const data = join(temporaryFolder(), 'data')
  server = await startMerlon(['--data', data])
  const root = server.accounts[0]!
  let ready: Promise<Running> = Promise.resolve(server)

  const acknowledged = new Set<string>()
  const keys = new Map<string, string>()
  let kills = 0
  let done = 0
  const killAt = (n: number) => Math.floor(((n + Math.random()) * CREATES) / (KILLS + 1))
  let next = killAt(0)
  const progressed = () => {
    if (++done < next || kills === KILLS) return
    kills++
    next = killAt(kills)
    ready = ready.then(async (old) => {
      await old.stop('SIGKILL')
      server = await startMerlon(['--data', data])
      return server
    })
  }

  /** undefined when the server died before it answered: then the outcome is unknown. */
  const ask = async (action: string, parameters: Task['parameters']): Promise<string | undefined> => {
    const { url } = await ready
    try {
      return await clientOf(url, root).query('iam', action, parameters)
    } catch (error) {
      if (error instanceof ApiError) throw error
      return undefined
    }
  }
  const create = async ({ create: action, name, parameters }: Task) => {
    for (;;) {
      try {
        if ((await ask(action, parameters)) === undefined) continue
      } catch (error) {
        // An attempt that died unanswered had been done.
        if (!(error instanceof ApiError && error.code === 'EntityAlreadyExists')) throw error
      }
      acknowledged.add(`${action}/${name}`)
      return progressed()
    }
  }
  const createKey = async (user: string) => {
    const made = await ask('CreateAccessKey', { UserName: user })
    if (made !== undefined) keys.set(element(made, 'AccessKeyId')!, user)
    progressed()
  }

  await inParallel(shuffled(tasks), create)
  await inParallel(
    Array.from({ length: KEYS }, (_, i) => `createuser-${i}`),
    createKey,
  )
  const { url } = await ready
  expect(kills).toBe(KILLS)
  expect(acknowledged.size).toBe(tasks.length)
  expect(acknowledged.size + keys.size).toBeGreaterThanOrEqual(CREATES)

  const client = clientOf(url, root)
  const told = await history(client)
  for (const { create: action, member, count, list } of kinds) {
    const names = await listed(client, list, member)
    expect(names.size).toBe(count)
    const events = told.filter(({ eventName, errorCode }) => eventName === action && !errorCode)
    const named = events.map(({ requestParameters }) => requestParameters[lowerFirst(member)] as string)
    expect(new Set(named)).toEqual(names)
    expect(named.length).toBe(count)
  }

  const keyIds = new Set<string>()
  for (let i = 0; i < KEYS; i++) {
    const xml = await client.query('iam', 'ListAccessKeys', { UserName: `createuser-${i}` })
    for (const [, id] of xml.matchAll(/<AccessKeyId>(\w+)</g)) keyIds.add(id!)
  }
  expect([...keys.keys()].filter((id) => !keyIds.has(id))).toEqual([])
  const made = told.filter(({ eventName, errorCode }) => eventName === 'CreateAccessKey' && !errorCode)
  expect(new Set(made.map(({ responseElements }) => responseElements?.accessKey.accessKeyId))).toEqual(keyIds)
  expect(made.length).toBe(keyIds.size)
})

function clientOf(url: string, { accessKeyId, secretAccessKey }: MadeAccount): Client {
  return new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(url) })
}

interface Told {
  readonly eventName: string
  readonly errorCode?: string
  readonly requestParameters: Readonly<Record<string, unknown>>
  readonly responseElements: { readonly accessKey: { readonly accessKeyId: string } } | null
}

/** Every event there is, page by page. */
async function history(client: Client): Promise<Told[]> {
  const all: Told[] = []
  let token: string | undefined
  do {
    const page: { Events: { CloudTrailEvent: string }[]; NextToken?: string } = await client.json(
      'cloudtrail',
      'CloudTrail_20131101.LookupEvents',
      { MaxResults: 50, ...(token && { NextToken: token }) },
    )
    all.push(...page.Events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent) as Told))
    token = page.NextToken
  } while (token)
  return all
}

async function listed(client: Client, { action, parameters }: Kind['list'], member: string): Promise<Set<string>> {
  const names = new Set<string>()
  let marker: string | undefined
  do {
    const xml = await client.query('iam', action, { ...parameters, MaxItems: 1000, Marker: marker })
    for (const [, name] of xml.matchAll(new RegExp(`<${member}>([^<]+)<`, 'g'))) names.add(name!)
    marker = element(xml, 'Marker')
  } while (marker)
  return names
}

async function inParallel<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (next < items.length) await run(items[next++]!)
    }),
  )
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item)
}

const lowerFirst = (text: string) => text[0]!.toLowerCase() + text.slice(1)
