/** JSON bodies of the AWS JSON and REST JSON protocols. */
import type { Member, Shape } from '../../../src/wire/shape.ts'
import { bytesText, fromBase64, timestampOf, timestampText } from './scalars.ts'

type Tree = Readonly<Record<string, unknown>>

/** REST JSON names members by `jsonName` and writes times as its traits say; AWS JSON does neither. */
export interface JsonStyle {
  readonly rest: boolean
}

const nameOf = ({ name, traits }: Member, { rest }: JsonStyle) => (rest ? (traits.jsonName ?? name) : name)

export function toJson(shape: Shape, value: unknown, style: JsonStyle): unknown {
  switch (shape.kind) {
    case 'list':
      return (value as readonly unknown[]).map((item) => toJson(shape.value.shape, item, style))
    case 'map':
      return mapped(value as Tree, (item) => toJson(shape.value.shape, item, style))
    case 'struct':
    case 'union': {
      const out: Record<string, unknown> = {}
      for (const member of shape.members) {
        const item = (value as Tree)[member.name]
        if (item !== undefined && item !== null) out[nameOf(member, style)] = toJson(member.shape, item, style)
      }
      return out
    }
    case 'timestamp': {
      const format = shape.format ?? 'epoch-seconds'
      const text = timestampText(value, format)
      return format === 'epoch-seconds' ? Number(text) : text
    }
    case 'blob':
    case 'stream':
      return bytesText(value)
    default:
      return value
  }
}

export function fromJson(shape: Shape, value: unknown, style: JsonStyle): unknown {
  if (value === null || value === undefined) return undefined
  switch (shape.kind) {
    case 'list':
      return (value as readonly unknown[]).map((item) => fromJson(shape.value.shape, item, style))
    case 'map':
      return mapped(value as Tree, (item) => fromJson(shape.value.shape, item, style))
    case 'struct':
    case 'union': {
      const out: Record<string, unknown> = {}
      for (const member of shape.members) {
        const item = (value as Tree)[nameOf(member, style)]
        if (item !== undefined && item !== null) out[member.name] = fromJson(member.shape, item, style)
      }
      return out
    }
    case 'timestamp':
      return timestampOf(value as string | number)
    case 'blob':
    case 'stream':
      return fromBase64(value as string)
    default:
      return value
  }
}

/** `__proto__` stays an ordinary key. */
function mapped(tree: Tree, change: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, change(value)]))
}
