/** rpc-v2-cbor bodies: values of the SDK's CBOR library to typed input and back. */
import { cbor, dateToTag } from '@smithy/core/cbor'
import { countCbor } from './cbor-scan.ts'
import { document } from './json.ts'
import { DEPTH_MAX, entriesOf, keyOfMap, serializationFault, timestampOf, tooDeep } from './serialization.ts'
import type { Shape } from './shape.ts'

type Tree = Readonly<Record<string, unknown>>

/** Counted before it is parsed: see {@link countCbor}. */
export function parseCbor(body: Buffer): unknown {
  countCbor(body)
  try {
    return cbor.deserialize(body)
  } catch {
    throw serializationFault('Unable to parse request body as CBOR')
  }
}

export function printCbor(value: unknown): Uint8Array {
  return cbor.serialize(value)
}

export function fromCbor(shape: Shape, value: unknown, depth = 0): unknown {
  if (depth > DEPTH_MAX) throw tooDeep()
  switch (shape.kind) {
    case 'timestamp': {
      // The library leaves tag 1 as `{ tag, value }`, or makes a date of it.
      if (value instanceof Date) return value
      const seconds = typeof value === 'number' ? value : (value as { value?: unknown } | null)?.value
      const date = typeof seconds === 'number' ? timestampOf(seconds) : undefined
      return date ?? refuse('a timestamp')
    }
    case 'string':
      return typeof value === 'string' ? value : refuse('a string')
    case 'boolean':
      return typeof value === 'boolean' ? value : refuse('a boolean')
    case 'number':
    case 'bigdecimal':
      return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : refuse('a number')
    case 'bigint':
      return typeof value === 'bigint' || Number.isSafeInteger(value) ? BigInt(value as number) : refuse('an integer')
    case 'blob':
    case 'stream':
      return value instanceof Uint8Array ? value : refuse('bytes')
    case 'list':
      return Array.isArray(value)
        ? value.map((item) => (item === null ? null : fromCbor(shape.value.shape, item, depth + 1)))
        : refuse('a list')
    case 'map':
      return mapValues(entriesOf(tree(value)), (item) => fromCbor(shape.value.shape, item, depth + 1))
    case 'struct':
    case 'union': {
      const from = tree(value)
      const out: Record<string, unknown> = {}
      for (const member of shape.members) {
        const item = Object.hasOwn(from, member.name) ? from[member.name] : undefined
        if (item !== undefined && item !== null) out[member.name] = fromCbor(member.shape, item, depth + 1)
      }
      return out
    }
    case 'document':
      return document(value, {}, depth)
    case 'unit':
      return {}
  }
}

export function toCbor(shape: Shape, value: unknown): unknown {
  switch (shape.kind) {
    case 'timestamp':
      return dateToTag(value as Date)
    case 'list':
      return (value as unknown[]).map((item) =>
        item === null || item === undefined ? null : toCbor(shape.value.shape, item),
      )
    case 'map':
      return mapValues(Object.entries(value as Tree), (item) => toCbor(shape.value.shape, item))
    case 'struct':
    case 'union': {
      const out: Record<string, unknown> = {}
      for (const member of shape.members) {
        const item = (value as Tree)[member.name]
        if (item !== undefined && item !== null) out[member.name] = toCbor(member.shape, item)
      }
      return out
    }
    default:
      return value
  }
}

function mapValues(entries: readonly [string, unknown][], each: (item: unknown) => unknown): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [name, item] of entries) if (item !== null && item !== undefined) out[keyOfMap(name)] = each(item)
  return out
}

function tree(value: unknown): Tree {
  return value !== null &&
    typeof value === 'object' &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Date)
    ? (value as Tree)
    : refuse('a map')
}

function refuse(wanted: string): never {
  throw serializationFault(`The request holds another type where ${wanted} was expected`)
}
