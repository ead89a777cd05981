/** Reads seed files. */
import { InstallationError } from '../compose/operator-errors.ts'
import type { Seed } from './seed-format.ts'

export type SeedPath = readonly (string | number)[]

export const invalidSeed = (message: string, cause?: unknown): InstallationError =>
  new InstallationError(message, 'MERLON_SEED_INVALID', { cause })

const LISTS = ['policies', 'groups', 'users', 'roles', 'kmsKeys', 'secrets', 'buckets'] as const

const MEMBERS = {
  seed: ['accounts', 'organization'],
  account: ['id', 'name', 'rootKey', ...LISTS],
  policies: ['name', 'path', 'document'],
  groups: ['name', 'path', 'policies', 'inline'],
  users: ['name', 'path', 'policies', 'inline', 'tags', 'groups', 'keys'],
  roles: ['name', 'path', 'policies', 'inline', 'tags', 'trust'],
  kmsKeys: ['alias', 'description', 'spec', 'usage', 'policy', 'tags'],
  secrets: ['name', 'value', 'description', 'key', 'policy', 'tags'],
  buckets: ['name', 'policy', 'objects'],
  organization: ['management', 'controls', 'policies', 'accounts', 'units'],
  controls: ['name', 'type', 'document'],
  units: ['name', 'policies', 'accounts', 'units'],
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
    throw invalidSeed(
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
    throw invalidSeed(`${placeOf(path)}: ${message}`)
  }
  let seed: unknown
  try {
    seed = document.toJS()
  } catch (error) {
    throw invalidSeed(`${file}: ${(error as Error).message}`, error)
  }

  const onlyMembers = (path: SeedPath, whose: string, value: object, known: readonly string[]): void => {
    const unknown = Object.keys(value).find((member) => !known.includes(member))
    if (unknown !== undefined)
      refuse(
        [...path, unknown],
        `${whose} has a member '${unknown}' that seeds do not know. Known: ${known.join(', ')}.`,
      )
  }
  /** Each of a list has a name and known members. */
  const named = (path: SeedPath, whole: Record<string, unknown>, kind: keyof typeof MEMBERS) => {
    const list = whole[kind] ?? []
    if (!Array.isArray(list)) return refuse([...path, kind], `'${kind}' is a list.`)
    const label = kind === 'kmsKeys' ? 'alias' : 'name'
    for (const [m, each] of list.entries()) {
      const here = [...path, kind, m]
      const article = label === 'alias' ? 'an' : 'a'
      if (!isObject(each) || typeof each[label] !== 'string')
        refuse(here, `each of the ${kind} has ${article} ${label}.`)
      onlyMembers(here, `${kind} '${each[label]}'`, each, MEMBERS[kind])
    }
    return list as Record<string, unknown>[]
  }
  const units = (path: SeedPath, whole: Record<string, unknown>): void => {
    for (const [n, unit] of named(path, whole, 'units').entries()) units([...path, 'units', n], unit)
  }
  if (!isObject(seed) || !Array.isArray(seed['accounts'])) return refuse([], 'a seed has a list of accounts.')
  onlyMembers([], 'The seed', seed, MEMBERS.seed)
  for (const [n, account] of seed['accounts'].entries()) {
    const path = ['accounts', n]
    if (!isObject(account) || typeof account['id'] !== 'string' || !/^\d{12}$/.test(account['id'])) {
      return refuse(path, 'each account of a seed has an id of twelve digits, in quotes.')
    }
    onlyMembers(path, `Account ${account['id']}`, account, MEMBERS.account)
    for (const kind of LISTS) named(path, account, kind)
  }
  const { organization } = seed
  if (organization !== undefined) {
    const path = ['organization']
    if (!isObject(organization)) return refuse(path, "'organization' is an object.")
    onlyMembers(path, 'The organization', organization, MEMBERS.organization)
    named(path, organization, 'controls')
    units(path, organization)
  }
  return { ...(seed as unknown as Seed), placeOf }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
