/** A seed file: accounts with their users, keys, groups, roles and policies, made at start through the signed API. */
import { ApiError, Client, type Transport } from '../kernel/client.ts'
import { makeAccessKey } from '../services/iam/access-keys.ts'
import type { RootKey } from '../services/iam/bootstrap.ts'
import { user } from '../services/iam/resources.ts'
import type { Cloud } from './cloud.ts'
import { InstallationError } from './operator-errors.ts'

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
  /** `seed.yaml, line 7`; where a part of it was read from. */
  readonly placeOf?: (path: SeedPath) => string
}

type SeedPath = readonly (string | number)[]

const invalid = (message: string, cause?: unknown): InstallationError =>
  new InstallationError(message, 'MERLON_SEED_INVALID', { cause })

const MEMBERS = {
  account: ['id', 'name', 'rootKey', 'policies', 'groups', 'users', 'roles'],
  policies: ['name', 'path', 'document'],
  groups: ['name', 'path', 'policies', 'inline'],
  users: ['name', 'path', 'policies', 'inline', 'tags', 'groups', 'keys'],
  roles: ['name', 'path', 'policies', 'inline', 'tags', 'trust'],
} as const

/**
 * Reads YAML (or JSON). An unknown member is an error: a misspelt policy would silently allow nothing. Errors name the
 * line. Throws `MERLON_SEED_INVALID`.
 */
export async function readSeed(text: string, file = 'The seed'): Promise<Seed> {
  const { parseDocument, LineCounter, isNode } = await import('yaml')
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter })
  const [broken] = document.errors
  if (broken)
    throw invalid(
      `${file}, ${(broken.message.split('\n')[0] ?? '').replace(/^(.*) at (line \d+), .*$/, '$2: $1')}. Correct it.`,
    )
  const placeOf = (path: SeedPath): string => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true)
      if (isNode(node) && node.range) return `${file}, line ${lineCounter.linePos(node.range[0]).line}`
    }
    return file
  }
  const refuse = (path: SeedPath, message: string): never => {
    throw invalid(`${placeOf(path)}: ${message}`)
  }
  let seed: unknown
  try {
    seed = document.toJS()
  } catch (error) {
    throw invalid(`${file}: ${(error as Error).message}`, error)
  }

  const onlyMembers = (path: SeedPath, whose: string, value: object, known: readonly string[]): void => {
    const unknown = Object.keys(value).find((member) => !known.includes(member))
    if (unknown !== undefined)
      refuse(
        [...path, unknown],
        `${whose} has a member '${unknown}' that seeds do not know. Known: ${known.join(', ')}.`,
      )
  }
  if (!isObject(seed) || !Array.isArray(seed['accounts'])) return refuse([], 'a seed has a list of accounts.')
  onlyMembers([], 'The seed', seed, ['accounts'])
  for (const [n, account] of seed['accounts'].entries()) {
    const path = ['accounts', n]
    if (!isObject(account) || typeof account['id'] !== 'string' || !/^\d{12}$/.test(account['id'])) {
      return refuse(path, 'each account of a seed has an id of twelve digits, in quotes.')
    }
    onlyMembers(path, `Account ${account['id']}`, account, MEMBERS.account)
    for (const kind of ['policies', 'groups', 'users', 'roles'] as const) {
      const list = account[kind] ?? []
      if (!Array.isArray(list)) return refuse([...path, kind], `'${kind}' is a list.`)
      for (const [m, each] of list.entries()) {
        const here = [...path, kind, m]
        if (!isObject(each) || typeof each['name'] !== 'string') return refuse(here, `each of the ${kind} has a name.`)
        onlyMembers(here, `${kind} '${each['name']}'`, each, MEMBERS[kind])
      }
    }
  }
  return { ...(seed as unknown as Seed), placeOf }
}

/**
 * Fills an empty cloud; returns the root keys by account, taken from `keys` or the seed where they are given. The root
 * user of each account does it, so every step is authorised and on record.
 */
export async function sow(cloud: Cloud, seed: Seed, keys: ReadonlyMap<string, RootKey>): Promise<Map<string, RootKey>> {
  const made = new Map<string, RootKey>()
  for (const [n, account] of seed.accounts.entries()) {
    const { id, name = id, rootKey } = account
    const given = rootKey ? { accessKeyId: rootKey.id, secretAccessKey: rootKey.secret } : keys.get(id)
    const placeOf = (path: SeedPath) => seed.placeOf?.(['accounts', n, ...path]) ?? 'The seed'
    made.set(id, await cloud.addAccount({ id, name, rootKey: given }))
    await fill(cloud, account, made.get(id)!, placeOf)
  }
  return made
}

async function fill(
  cloud: Cloud,
  account: SeedAccount,
  rootKey: RootKey,
  placeOf: (path: SeedPath) => string,
): Promise<void> {
  const transport: Transport = { host: 'localhost', send: (request) => cloud.gate.handle(request) }
  const credential = { accessKeyId: rootKey.accessKeyId, secret: rootKey.secretAccessKey }
  const client = new Client({ credential, transport, now: () => cloud.clock.now() })
  const iam = client.query.bind(client, 'iam')
  const paths = new Map(account.policies?.map(({ name, path }) => [name, path ?? '/']))
  const arnOf = (policy: string) =>
    policy.startsWith('arn:') ? policy : `arn:aws:iam::${account.id}:policy${paths.get(policy) ?? '/'}${policy}`
  /** What is refused is named with its line. */
  const at = async (path: SeedPath, what: string, work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const code = error instanceof ApiError ? `${error.code}: ` : ''
      throw invalid(`${placeOf(path)}: ${what} of account ${account.id} was refused. ${code}${error.message}`, error)
    }
  }
  const furnish = async (word: 'User' | 'Group' | 'Role', here: SeedPath, { name, policies, inline }: Holder) => {
    const who = `${word.toLowerCase()} '${name}'`
    for (const [n, policy] of (policies ?? []).entries())
      await at([...here, 'policies', n], `policy '${policy}' for ${who}`, () =>
        iam(`Attach${word}Policy`, { [`${word}Name`]: name, PolicyArn: arnOf(policy) }),
      )
    for (const [PolicyName, document] of Object.entries(inline ?? {})) {
      const input = { [`${word}Name`]: name, PolicyName, PolicyDocument: textOf(document) }
      await at([...here, 'inline', PolicyName], `inline policy '${PolicyName}' of ${who}`, () =>
        iam(`Put${word}Policy`, input),
      )
    }
  }

  for (const [n, { name, path, document }] of (account.policies ?? []).entries()) {
    await at(['policies', n, 'document'], `policy '${name}'`, () =>
      iam('CreatePolicy', { PolicyName: name, Path: path, PolicyDocument: textOf(document) }),
    )
  }
  for (const [n, group] of (account.groups ?? []).entries()) {
    const here = ['groups', n]
    await at(here, `group '${group.name}'`, () => iam('CreateGroup', { GroupName: group.name, Path: group.path }))
    await furnish('Group', here, group)
  }
  for (const [n, each] of (account.users ?? []).entries()) {
    const here = ['users', n]
    await at(here, `user '${each.name}'`, () =>
      iam('CreateUser', { UserName: each.name, Path: each.path, Tags: tagsOf(each.tags) }),
    )
    await furnish('User', here, each)
    for (const [m, GroupName] of (each.groups ?? []).entries())
      await at([...here, 'groups', m], `group '${GroupName}' for user '${each.name}'`, () =>
        iam('AddUserToGroup', { UserName: each.name, GroupName }),
      )
    for (const [m, key] of (each.keys ?? []).entries())
      await at([...here, 'keys', m], `a key for user '${each.name}'`, () => addKey(cloud, account.id, each.name, key))
  }
  for (const [n, each] of (account.roles ?? []).entries()) {
    const here = ['roles', n]
    await at([...here, 'trust'], `role '${each.name}'`, () =>
      iam('CreateRole', {
        RoleName: each.name,
        Path: each.path,
        AssumeRolePolicyDocument: textOf(each.trust),
        Tags: tagsOf(each.tags),
      }),
    )
    await furnish('Role', here, each)
  }
}

/** A key of one's own choosing: what no API offers, and a seed is for. */
async function addKey(cloud: Cloud, account: string, name: string, key: Key): Promise<void> {
  await cloud.store.run(async (unit) => {
    const owner = await user.get(unit, { region: '', account }, { name })
    makeAccessKey(unit, cloud.vault, { account, ownerId: owner!.id, now: cloud.clock.now() }, key)
  })
}

const textOf = (document: Document): string => (typeof document === 'string' ? document : JSON.stringify(document))

const tagsOf = (tags: Readonly<Record<string, string>> | undefined) =>
  Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }))

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
