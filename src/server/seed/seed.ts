/** Reads seed files. */
import { InstallationError } from '../compose/operator-errors.ts'
import type { SeedPath, Shape } from './part.ts'
import { parts } from './parts.ts'
import type { Seed } from './seed-format.ts'

export const invalidSeed = (message: string, cause?: unknown): InstallationError =>
  new InstallationError(message, 'MERLON_SEED_INVALID', { cause })

/** A unit has units. */
const UNIT: Shape = {
  name: true,
  policies: true,
  accounts: true,
  get units() {
    return UNIT
  },
}

const ORGANIZATION: Shape = {
  ...UNIT,
  management: true,
  controls: { name: true, type: true, description: true, document: true },
}

const IDENTITY_CENTER: Shape = {
  account: true,
  users: { name: true, givenName: true, familyName: true, email: true, password: true },
  groups: { name: true, members: true },
  permissionSets: { name: true, description: true, policies: true, inline: true, session: true },
  assignments: { permissionSet: true, user: true, group: true, accounts: true },
}

const ACCOUNT: Shape = {
  id: true,
  name: true,
  region: true,
  rootKey: true,
  ...Object.fromEntries(parts.map(({ kind, members }) => [kind, members])),
}

const LABELS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  parts.map(({ kind, labels }) => [kind, labels]),
)

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
  const refusal = (path: SeedPath, message: string) => invalidSeed(`${placeOf(path)}: ${message}`)
  let seed: unknown
  try {
    seed = document.toJS()
  } catch (error) {
    throw invalidSeed(`${file}: ${(error as Error).message}`, error)
  }

  const onlyMembers = (path: SeedPath, whose: string, value: object, known: Shape): void => {
    const names = Object.keys(known)
    const unknown = Object.keys(value).find((member) => !names.includes(member))
    if (unknown !== undefined)
      throw refusal(
        [...path, unknown],
        `${whose} has a member '${unknown}' that seeds do not know. Known: ${names.join(', ')}.`,
      )
    for (const [member, shape] of Object.entries(known)) if (shape !== true) listed(path, value, member, shape)
  }
  /** Each of a list has a name and known members. */
  const listed = (path: SeedPath, whole: object, member: string, shape: Shape): void => {
    const list = (whole as Record<string, unknown>)[member] ?? []
    if (!Array.isArray(list)) throw refusal([...path, member], `'${member}' is a list.`)
    const labels = path.length === 2 ? (LABELS[member] ?? NAMED) : shape['name'] ? NAMED : []
    for (const [n, each] of list.entries()) {
      const here = [...path, member, n]
      const label = isObject(each) ? labels.find((name) => typeof each[name] === 'string') : undefined
      if (!isObject(each) || (labels.length > 0 && label === undefined))
        throw refusal(here, `each of the ${member} has ${labels.map(withArticle).join(' or ') || 'members'}.`)
      onlyMembers(here, label === undefined ? `one of the ${member}` : `${member} '${each[label]}'`, each, shape)
    }
  }
  if (!isObject(seed) || !Array.isArray(seed['accounts'])) throw refusal([], 'a seed has a list of accounts.')
  onlyMembers([], 'The seed', seed, { accounts: true, organization: true, identityCenter: true })
  for (const [n, account] of seed['accounts'].entries()) {
    const path = ['accounts', n]
    if (!isObject(account) || typeof account['id'] !== 'string' || !/^\d{12}$/.test(account['id'])) {
      throw refusal(path, 'each account of a seed has an id of twelve digits, in quotes.')
    }
    onlyMembers(path, `Account ${account['id']}`, account, ACCOUNT)
  }
  const { organization, identityCenter } = seed
  if (organization !== undefined) {
    if (!isObject(organization)) throw refusal(['organization'], "'organization' is an object.")
    onlyMembers(['organization'], 'The organization', organization, ORGANIZATION)
  }
  if (identityCenter !== undefined) {
    if (!isObject(identityCenter)) throw refusal(['identityCenter'], "'identityCenter' is an object.")
    onlyMembers(['identityCenter'], 'The identity center', identityCenter, IDENTITY_CENTER)
  }
  return { ...(seed as unknown as Seed), placeOf }
}

const NAMED = ['name'] as const

const withArticle = (word: string): string => `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
