/** JSON bodies: awsJson by member names, restJson by `jsonName`. */
import type { LongString } from './json-blobs.ts'
import { countJson } from './json-scan.ts'
import {
  bytesOf,
  DEPTH_MAX,
  entriesOf,
  isPoison,
  keyOfMap,
  numberOf,
  parseText,
  serializationFault,
  timestampOf,
  tooDeep,
} from './serialization.ts'
import type { Member, Shape } from './shape.ts'

export interface JsonNames {
  /** restJson1 honours `jsonName` and the HTTP bindings; awsJson ignores both. */
  readonly jsonName: boolean
  /** The long strings of a large body, by their placeholders. */
  readonly strings?: ReadonlyMap<string, LongString> | undefined
}

type Tree = Readonly<Record<string, unknown>>

const nameOf = (member: Member, names: JsonNames) =>
  names.jsonName ? (member.traits.jsonName ?? member.name) : member.name

/** Counted before it is parsed: see {@link countJson}. */
export function parseJson(body: Buffer): unknown {
  countJson(body)
  const text = parseText(body)
  try {
    return JSON.parse(text)
  } catch {
    throw serializationFault('Unable to parse request body as JSON')
  }
}

/**
 * Strict: a value of another type than the model's is refused, unknown members are ignored. A null member or map value is
 * absent; a null item is left to {@link validateInput}, which refuses it.
 */
export function fromJson(shape: Shape, value: unknown, names: JsonNames, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw tooDeep()
  switch (shape.kind) {
    case 'string':
      return typeof value === 'string' ? textOf(value, names) : refuse('String', value)
    case 'number':
      return number(value)
    case 'boolean':
      return typeof value === 'boolean' ? value : refuse('Boolean', value)
    case 'timestamp':
      return timestamp(value)
    case 'blob':
    case 'stream':
      return (typeof value === 'string' ? blobOf(value, names) : undefined) ?? refuse('Blob', value)
    case 'document':
      return document(value, names, depth)
    case 'bigint':
      return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : refuse('Number', value)
    case 'bigdecimal':
      return number(value)
    case 'list':
      if (!Array.isArray(value)) return refuse('List', value)
      return value.map((item) => (item === null ? null : fromJson(shape.value.shape, item, names, depth + 1)))
    case 'map': {
      if (!isTree(value)) return refuse('Map', value)
      const out: Record<string, unknown> = {}
      for (const [name, item] of entriesOf(value)) {
        if (item !== null) out[keyOfMap(textOf(name, names))] = fromJson(shape.value.shape, item, names, depth + 1)
      }
      return out
    }
    case 'struct':
    case 'union': {
      if (!isTree(value)) return refuse('Structure', value)
      const out: Record<string, unknown> = {}
      for (const member of shape.members) {
        const name = nameOf(member, names)
        const item = Object.hasOwn(value, name) ? value[name] : undefined
        if (item !== undefined && item !== null) out[member.name] = fromJson(member.shape, item, names, depth + 1)
      }
      return out
    }
    case 'unit':
      return {}
  }
}

const textOf = (value: string, { strings }: Pick<JsonNames, 'strings'>): string => strings?.get(value)?.text() ?? value
const blobOf = (value: string, { strings }: JsonNames) => strings?.get(value)?.bytes ?? bytesOf(value)

/** A tree that `JSON.stringify` writes. */
export function toJson(shape: Shape, value: unknown, names: JsonNames): unknown {
  switch (shape.kind) {
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'timestamp': {
      const date = value as Date
      if (shape.format === 'date-time') return date.toISOString().replace('.000Z', 'Z')
      return shape.format === 'http-date' ? date.toUTCString() : date.getTime() / 1000
    }
    case 'blob':
    case 'stream':
      return base64(value)
    case 'list': {
      const item = shape.value.shape
      if (item.kind === 'string') return value
      return (value as unknown[]).map((one) => (one === null || one === undefined ? null : toJson(item, one, names)))
    }
    case 'map': {
      const out: Record<string, unknown> = {}
      for (const [name, item] of Object.entries(value as Tree)) {
        if (item !== null && item !== undefined) out[name] = toJson(shape.value.shape, item, names)
      }
      return out
    }
    case 'struct':
    case 'union': {
      const out: Record<string, unknown> = {}
      for (const member of shape.members) {
        const item = (value as Tree)[member.name]
        if (item === undefined || item === null || (names.jsonName && outside(member))) continue
        out[nameOf(member, names)] = toJson(member.shape, item, names)
      }
      return out
    }
    case 'bigint':
      return Number(value)
    case 'unit':
      return {}
    default:
      return value
  }
}

/** Members of a REST answer that travel beside the body; awsJson knows no such place. */
function outside({ traits }: Member): boolean {
  return Boolean(traits.httpHeader || traits.httpResponseCode || traits.httpPrefixHeaders !== undefined)
}

export function base64(value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value).toString('base64')
  const bytes = value as Uint8Array
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** One JSON value, not a class of the CBOR or XML reader. */
function isTree(value: unknown): value is Tree {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function number(value: unknown): number {
  if (typeof value === 'number') return value
  // Digits in quotes are another type; NaN and the infinities have no other form in JSON.
  const special = typeof value === 'string' && /^(NaN|-?Infinity)$/.test(value) ? numberOf(value) : undefined
  return special ?? refuse('Number', value)
}

function timestamp(value: unknown): Date {
  return (
    (typeof value === 'number' || typeof value === 'string' ? timestampOf(value) : undefined) ??
    refuse('Timestamp', value)
  )
}

/** Free JSON: any type at any place, but no deeper than anything else, and no prototypes. */
export function document(value: unknown, names: Pick<JsonNames, 'strings'>, depth: number): unknown {
  if (typeof value === 'string') return textOf(value, names)
  if (value === null || typeof value !== 'object' || value instanceof Date || value instanceof Uint8Array) return value
  if (depth > DEPTH_MAX) throw tooDeep()
  if (Array.isArray(value)) return value.map((item) => document(item, names, depth + 1))
  const out: Record<string, unknown> = {}
  for (const [name, item] of Object.entries(value))
    if (!isPoison(name)) out[textOf(name, names)] = document(item, names, depth + 1)
  return out
}

function refuse(wanted: string, value: unknown): never {
  throw serializationFault(`${found(value)} found where ${wanted} was expected`)
}

/** The tokens' names in AWS's own messages. */
function found(value: unknown): string {
  if (value === null) return 'NULL'
  if (Array.isArray(value)) return 'START_ARRAY'
  switch (typeof value) {
    case 'number':
      return 'NUMBER_VALUE'
    case 'string':
      return 'STRING_VALUE'
    case 'boolean':
      return value ? 'TRUE_VALUE' : 'FALSE_VALUE'
    default:
      return 'START_OBJECT'
  }
}
