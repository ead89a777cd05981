/**
 * Counts the tags and attributes of an XML body in one pass over its bytes, so that the limits hold before a tree is
 * built. Says nothing about whether the body is well-formed.
 */
import { DEPTH_MAX, NODES_MAX, serializationFault, tooDeep, tooManyNodes } from './serialization.ts'

/** The largest document of any operation: a thousand keys to delete, of S3. */
const BYTES_MAX = 2 * 1024 * 1024
/** Namespaces and the type of a grantee: few documents have more than one attribute a structure. */
const ATTRIBUTES_MAX = 1_000
/** Opening and closing tags, and comments, instructions and CDATA. */
const MARKS_MAX = 2 * NODES_MAX + 1_000

const LESS = 0x3c
const GREATER = 0x3e
const SLASH = 0x2f
const EQUALS = 0x3d
const QUESTION = 0x3f
const EXCLAMATION = 0x21
const QUOTE = 0x22
const APOSTROPHE = 0x27

/** How many elements a body holds at most. Throws a `Fault` beyond the limits, and for a document type. */
export function countXml(body: Buffer): number {
  if (body.length > BYTES_MAX) throw serializationFault(`The request holds more than ${BYTES_MAX} bytes of XML`)
  let marks = 0
  let nodes = 0
  let attributes = 0
  let depth = 0
  for (let at = 0; at < body.length; at++) {
    if (body[at] !== LESS) continue
    if (++marks > MARKS_MAX) throw tooManyNodes()
    const next = body[at + 1]
    if (next === EXCLAMATION) {
      if (isDoctype(body, at)) throw serializationFault('A document type is not allowed in a request body')
      at = skipped(body, at)
    } else if (next === QUESTION) at = endOf(body, '?>', at)
    else if (next === SLASH) depth--
    else {
      if (++nodes > NODES_MAX) throw tooManyNodes()
      if (++depth > DEPTH_MAX) throw tooDeep()
      let quote = 0
      for (at++; at < body.length && (quote !== 0 || body[at] !== GREATER); at++) {
        const byte = body[at]!
        if (quote !== 0) {
          if (byte === quote) quote = 0
        } else if (byte === QUOTE || byte === APOSTROPHE) quote = byte
        else if (byte === EQUALS && ++attributes > ATTRIBUTES_MAX)
          throw serializationFault(`The request holds more than ${ATTRIBUTES_MAX} XML attributes`)
      }
      if (body[at - 1] === SLASH) depth--
    }
  }
  return nodes
}

const isDoctype = (body: Buffer, at: number): boolean =>
  body.toString('latin1', at, at + '<!DOCTYPE'.length).toUpperCase() === '<!DOCTYPE'

/** Behind a comment or CDATA. */
function skipped(body: Buffer, at: number): number {
  if (body.toString('latin1', at, at + 4) === '<!--') return endOf(body, '-->', at + 4)
  return body.toString('latin1', at, at + 9) === '<![CDATA[' ? endOf(body, ']]>', at + 9) : at
}

function endOf(body: Buffer, mark: string, at: number): number {
  const found = body.indexOf(mark, at, 'latin1')
  return found < 0 ? body.length : found + mark.length - 1
}
