/** Random values that fit a shape, repeatable by their seed. */
import type { Member, Shape } from '../../src/wire/shape.ts'

export interface Random {
  readonly seed: number
  /** 0 ≤ n < limit, whole. */
  below(limit: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
}

/** A seed of the environment (`SEED=7`), or today's; printed, so that a failure can be repeated. */
export function randomOf(seed = Number(process.env['SEED'] ?? Math.floor(Date.now() / 1000) % 1_000_000)): Random {
  // mulberry32: small, and even enough to choose members with.
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
  return {
    seed,
    below: (limit) => Math.floor(next() * limit),
    chance: (probability) => next() < probability,
    pick: (from) => from[Math.floor(next() * from.length)]!,
  }
}

/** Where a value travels decides which texts survive there. */
type Place = 'body' | 'label' | 'header' | 'query'

const DEPTH_MAX = 5
const LIST_ITEMS_MAX = 2
const words = ['a', 'é ü', 'x&y<z>', 'p+q/r', '100%', `q"'`, '漢字', '👩‍🚀', 'tab\tline\n', ' padded ', '=;,']

export interface Taste {
  /** Probability that an optional member is there. */
  readonly fill: number
  /** Empty structures and lists vanish in query requests and in some clients' hands. */
  readonly empties: boolean
  /** JSON documents: few clients agree on their types. */
  readonly documents: boolean
}

export const plain: Taste = { fill: 0.45, empties: false, documents: false }

/** A structure: required members always, others by chance; members no codec carries are left out. */
export function randomStruct(shape: Shape, random: Random, taste: Taste = plain, depth = 0): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const member of shape.members) {
    const { traits } = member
    if (traits.httpResponseCode || traits.hostLabel || traits.streaming) continue
    const always = traits.httpLabel || traits.idempotencyToken || (member.required && placeOf(member) !== 'body')
    if (!always && !random.chance(taste.fill)) continue
    const value = randomValue(member, random, taste, placeOf(member), depth)
    if (value !== undefined) out[member.name] = value
  }
  return out
}

function placeOf({ traits }: Member): Place {
  if (traits.httpLabel) return 'label'
  if (traits.httpHeader || traits.httpPrefixHeaders !== undefined) return 'header'
  return traits.httpQuery || traits.httpQueryParams ? 'query' : 'body'
}

/** undefined where nothing fits: too deep, or a kind no client can carry. */
function randomValue({ shape }: Member, random: Random, taste: Taste, place: Place, depth: number): unknown {
  switch (shape.kind) {
    case 'string':
      if (shape.traits.mediaType) return undefined
      return place === 'header'
        ? `v${random.below(999)}`
        : place === 'label'
          ? `v ${random.below(99)}é`
          : random.pick(words) + random.below(99)
    case 'number':
      return random.below(1000)
    case 'boolean':
      return random.chance(0.5)
    case 'timestamp':
      return new Date(1.7e12 + random.below(1e6) * 1000)
    case 'blob':
      return new Uint8Array(Buffer.from(`${random.pick(words)}.`))
    case 'bigint':
      return BigInt(random.below(99))
    case 'document':
      return taste.documents ? { text: random.pick(words), list: [1, true, { deep: 'x' }] } : undefined
    case 'list': {
      if (depth > DEPTH_MAX) return undefined
      const items = Array.from({ length: 1 + random.below(LIST_ITEMS_MAX) }, () =>
        randomValue(shape.value, random, taste, place, depth + 1),
      )
      return items.includes(undefined) ? undefined : items
    }
    case 'map': {
      if (depth > DEPTH_MAX) return undefined
      const values = Array.from({ length: 1 + random.below(LIST_ITEMS_MAX) }, () =>
        randomValue(shape.value, random, taste, place, depth + 1),
      )
      return values.includes(undefined) ? undefined : Object.fromEntries(values.map((value, i) => [`k${i}`, value]))
    }
    case 'union': {
      const member = random.pick(shape.members)
      const value = randomValue(member, random, taste, place, depth + 1)
      return value === undefined ? undefined : { [member.name]: value }
    }
    case 'struct': {
      if (depth > DEPTH_MAX) return undefined
      const value = randomStruct(shape, random, taste, depth + 1)
      return Object.keys(value).length > 0 || taste.empties ? value : undefined
    }
    default:
      return undefined
  }
}

/** One form for both sides: bytes as hex, dates as text, no undefined members, no metadata. */
export function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes:${Buffer.from(value).toString('hex')}`
  if (value instanceof Date) return `date:${value.toISOString()}`
  if (Array.isArray(value)) return value.map(comparable)
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([name, item]) => item !== undefined && name !== '$metadata')
  return Object.fromEntries(entries.map(([name, item]) => [name, comparable(item)]))
}
