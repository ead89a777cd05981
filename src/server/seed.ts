/** A seed file: accounts with their users, keys, groups, roles and policies, made at start through the signed API. */
import { Client, type Transport } from '../kernel/client.ts'
import { makeAccessKey } from '../services/iam/access-keys.ts'
import type { RootKey } from '../services/iam/bootstrap.ts'
import { type UserRow, user } from '../services/iam/resources.ts'
import type { Cloud } from './cloud.ts'

/** A policy document, as YAML or as JSON text. */
type Document = object | string

interface Key {
  readonly id: string
  readonly secret: string
}

interface Holder {
  readonly name: string
  readonly path?: string
  /** Names of the account's managed policies, or ARNs. */
  readonly policies?: readonly string[]
  readonly inline?: Readonly<Record<string, Document>>
}

interface SeedUser extends Holder {
  readonly tags?: Readonly<Record<string, string>>
  readonly groups?: readonly string[]
  readonly keys?: readonly Key[]
}

interface SeedRole extends Holder {
  readonly trust: Document
  readonly tags?: Readonly<Record<string, string>>
}

export interface SeedAccount {
  readonly id: string
  readonly name?: string
  readonly rootKey?: Key
  readonly policies?: readonly { readonly name: string; readonly path?: string; readonly document: Document }[]
  readonly groups?: readonly Holder[]
  readonly users?: readonly SeedUser[]
  readonly roles?: readonly SeedRole[]
}

export interface Seed {
  readonly accounts: readonly SeedAccount[]
}

/** Says which part of a seed is wrong. */
export class SeedError extends Error {
  override readonly name = 'SeedError'
}

const MEMBERS = {
  account: ['id', 'name', 'rootKey', 'policies', 'groups', 'users', 'roles'],
  policies: ['name', 'path', 'document'],
  groups: ['name', 'path', 'policies', 'inline'],
  users: ['name', 'path', 'policies', 'inline', 'tags', 'groups', 'keys'],
  roles: ['name', 'path', 'policies', 'inline', 'tags', 'trust'],
} as const

/** Reads YAML (or JSON). A member that nobody knows is an error: a misspelt policy would silently allow nothing. */
export async function readSeed(text: string): Promise<Seed> {
  const { parse } = await import('yaml')
  const seed: unknown = parse(text)
  if (!isObject(seed) || !Array.isArray(seed['accounts'])) throw new SeedError('A seed has a list of accounts.')
  onlyMembers('The seed', seed, ['accounts'])
  for (const account of seed['accounts']) {
    if (!isObject(account) || typeof account['id'] !== 'string' || !/^\d{12}$/.test(account['id'])) {
      throw new SeedError('Each account of a seed has an id of twelve digits, in quotes.')
    }
    onlyMembers(`Account ${account['id']}`, account, MEMBERS.account)
    for (const kind of ['policies', 'groups', 'users', 'roles'] as const) {
      for (const each of (account[kind] ?? []) as unknown[]) {
        if (!isObject(each) || typeof each['name'] !== 'string') throw new SeedError(`Each of the ${kind} has a name.`)
        onlyMembers(`${kind} '${each['name']}'`, each, MEMBERS[kind])
      }
    }
  }
  return seed as unknown as Seed
}

/**
 * Fills an empty cloud; returns the root keys by account, taken from `keys` or the seed where they are given. The root
 * user of each account does it, so every step is authorised and on record.
 */
export async function sow(cloud: Cloud, seed: Seed, keys: ReadonlyMap<string, RootKey>): Promise<Map<string, RootKey>> {
  const made = new Map<string, RootKey>()
  for (const account of seed.accounts) {
    const { id, name = id, rootKey } = account
    const given = rootKey ? { accessKeyId: rootKey.id, secretAccessKey: rootKey.secret } : keys.get(id)
    made.set(id, await cloud.addAccount({ id, name, rootKey: given }))
    await fill(cloud, account, made.get(id)!)
  }
  return made
}

async function fill(cloud: Cloud, account: SeedAccount, rootKey: RootKey): Promise<void> {
  const transport: Transport = { host: 'localhost', send: (request) => cloud.gate.handle(request) }
  const credential = { accessKeyId: rootKey.accessKeyId, secret: rootKey.secretAccessKey }
  const client = new Client({ credential, transport, now: () => cloud.clock.now() })
  const iam = client.query.bind(client, 'iam')
  const paths = new Map(account.policies?.map(({ name, path }) => [name, path ?? '/']))
  const arnOf = (policy: string) =>
    policy.startsWith('arn:') ? policy : `arn:aws:iam::${account.id}:policy${paths.get(policy) ?? '/'}${policy}`
  const furnish = async (word: 'User' | 'Group' | 'Role', { name, policies, inline }: Holder) => {
    for (const policy of policies ?? [])
      await iam(`Attach${word}Policy`, { [`${word}Name`]: name, PolicyArn: arnOf(policy) })
    for (const [PolicyName, document] of Object.entries(inline ?? {})) {
      await iam(`Put${word}Policy`, { [`${word}Name`]: name, PolicyName, PolicyDocument: textOf(document) })
    }
  }

  for (const { name, path, document } of account.policies ?? []) {
    await iam('CreatePolicy', { PolicyName: name, Path: path, PolicyDocument: textOf(document) })
  }
  for (const group of account.groups ?? []) {
    await iam('CreateGroup', { GroupName: group.name, Path: group.path })
    await furnish('Group', group)
  }
  for (const each of account.users ?? []) {
    await iam('CreateUser', { UserName: each.name, Path: each.path, Tags: tagsOf(each.tags) })
    await furnish('User', each)
    for (const GroupName of each.groups ?? []) await iam('AddUserToGroup', { UserName: each.name, GroupName })
    for (const key of each.keys ?? []) await addKey(cloud, account.id, each.name, key)
  }
  for (const each of account.roles ?? []) {
    await iam('CreateRole', {
      RoleName: each.name,
      Path: each.path,
      AssumeRolePolicyDocument: textOf(each.trust),
      Tags: tagsOf(each.tags),
    })
    await furnish('Role', each)
  }
}

/** A key of one's own choosing: what no API offers, and a seed is for. */
async function addKey(cloud: Cloud, account: string, name: string, key: Key): Promise<void> {
  await cloud.store.run(async (unit) => {
    const owner = await unit.get<UserRow>(user.key({ partition: 'aws', region: '', account }, name))
    makeAccessKey(unit, cloud.vault, { account, ownerId: owner!.id, now: cloud.clock.now() }, key)
  })
}

const textOf = (document: Document): string => (typeof document === 'string' ? document : JSON.stringify(document))

const tagsOf = (tags: Readonly<Record<string, string>> | undefined) =>
  Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }))

function onlyMembers(whose: string, value: object, known: readonly string[]): void {
  const stranger = Object.keys(value).find((member) => !known.includes(member))
  if (stranger)
    throw new SeedError(`${whose} has a member '${stranger}' that seeds do not know. Known: ${known.join(', ')}.`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
