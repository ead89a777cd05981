/**
 * Counts the items of a CBOR body (RFC 8949) in one pass over its heads, so that the limits hold before a tree is built.
 * Says nothing about whether the items are of the types that the model wants.
 */
import { DEPTH_MAX, NODES_MAX, serializationFault, tooDeep, tooManyNodes } from './serialization.ts'

const BYTES = 2
const TEXT = 3
const LIST = 4
const MAP = 5
const TAG = 6
/** Additional information of a head: the argument has no end. */
const INDEFINITE = 31
const BREAK = 0xff
/** Seconds since 1970: the only tag that the protocol's types need. Big numbers take quadratic time to read. */
const TAG_TIMESTAMP = 1

/** How many items a body holds. Throws a `Fault` beyond the limits, and for lengths beyond the end of the body. */
export function countCbor(body: Buffer): number {
  /** Items that are still to come on each level; Infinity until a break. */
  const open: number[] = [1]
  let nodes = 0
  let at = 0
  while (open.length > 0) {
    const left = open[open.length - 1]!
    if (left === 0) {
      open.pop()
      continue
    }
    if (at >= body.length) throw broken()
    if (body[at] === BREAK) {
      if (left !== Number.POSITIVE_INFINITY) throw broken()
      at++
      open.pop()
      continue
    }
    open[open.length - 1] = left - 1
    if (++nodes > NODES_MAX) throw tooManyNodes()
    const head = headAt(body, at)
    at = head.end
    const { type, value } = head
    const endless = value === Number.POSITIVE_INFINITY
    if (type === BYTES || type === TEXT) {
      // Pieces of a text without an end are texts of their own.
      if (endless) open.push(value)
      else if (value > body.length - at) throw broken()
      else at += value
    } else if (type === LIST || type === MAP) {
      const items = type === MAP ? 2 * value : value
      if (!endless && items > body.length - at) throw broken()
      open.push(items)
    } else if (type === TAG) {
      if (value !== TAG_TIMESTAMP) throw serializationFault(`Unexpected CBOR tag ${value}`)
      open.push(1)
    } else if (endless) throw broken()
    if (open.length > DEPTH_MAX) throw tooDeep()
  }
  return nodes
}

function headAt(body: Buffer, at: number): { readonly type: number; readonly value: number; readonly end: number } {
  const initial = body[at]!
  const type = initial >> 5
  const information = initial & 0x1f
  if (information < 24) return { type, value: information, end: at + 1 }
  if (information === INDEFINITE) return { type, value: Number.POSITIVE_INFINITY, end: at + 1 }
  const bytes = 1 << (information - 24)
  if (information > 27 || at + 1 + bytes > body.length) throw broken()
  const value = bytes === 8 ? Number(body.readBigUInt64BE(at + 1)) : body.readUIntBE(at + 1, bytes)
  return { type, value, end: at + 1 + bytes }
}

const broken = () => serializationFault('Unable to parse request body as CBOR')
