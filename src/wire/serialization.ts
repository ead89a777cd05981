/** What every codec refuses alike. */
import { isUtf8 } from 'node:buffer'
import { Fault } from './fault.ts'

/** A value of the wrong type: AWS's SerializationException, in whatever form the protocol gives it. */
export function serializationFault(message: string): Fault {
  return new Fault('SerializationException', message, { status: 400 })
}

/** Nesting deeper than any model goes: a body that does is an attack. */
export const DEPTH_MAX = 64

/** Values of one request, counted before the tree is built: more is work that no operation needs. */
export const NODES_MAX = 50_000

/** Entries of one map: the largest of AWS's, a function's environment, has 4 KB. Each may become a condition key. */
const ENTRIES_MAX = 1_000

export function tooManyNodes(): Fault {
  return serializationFault(`The request holds more than ${NODES_MAX} values. Send fewer values in one request.`)
}

export function tooDeep(): Fault {
  return serializationFault('The request is nested too deeply')
}

/** The entries of a map, unless there are more than any operation takes. */
export function entriesOf<T>(map: Readonly<Record<string, T>>): [string, T][] {
  const entries = Object.entries(map)
  if (entries.length > ENTRIES_MAX) throw serializationFault(`A map holds more than ${ENTRIES_MAX} entries`)
  return entries
}

/** The names prototypes are made of never become members. */
export const isPoison = (name: string): boolean => name === '__proto__'

/** Refused in a map: one with fewer entries than requested would bind less, such as an encryption context. */
export function keyOfMap(name: string): string {
  if (isPoison(name)) throw serializationFault(`A map cannot have the key ${name}`)
  return name
}

/** Text is UTF-8 or refused: replacement characters would sign one name and store another. */
export function parseText(body: Buffer): string {
  if (!isUtf8(body)) throw serializationFault('The request body is not valid UTF-8')
  return body.toString('utf8')
}

/** One way to read each digit: with two, a long number that ends in another character would cost its length squared. */
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/

/** Numbers as AWS's protocols write them in text; `Number` alone would read hexadecimal and the empty string. */
export function numberOf(text: string): number | undefined {
  if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text)
  return DECIMAL.test(text) ? Number(text) : undefined
}

const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2}(\.\d{1,3})? GMT$/
const EPOCH = /^-?\d{1,15}(\.\d{1,9})?([eE]\+?\d{1,2})?$/

/** Seconds since 1970, ISO 8601 (a date without zone is UTC) or an HTTP date; nothing else that `Date` would guess at. */
export function timestampOf(value: string | number): Date | undefined {
  const date =
    typeof value === 'number' || EPOCH.test(value)
      ? new Date(Math.round(Number(value) * 1000))
      : ISO.test(value)
        ? new Date(/T.*(Z|[+-]\d{2}:?\d{2})$/i.test(value) || !/T/i.test(value) ? value : `${value}Z`)
        : new Date(HTTP_DATE.test(value) ? value : Number.NaN)
  return Number.isNaN(date.getTime()) ? undefined : date
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

export function bytesOf(text: string): Buffer | undefined {
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined
}
