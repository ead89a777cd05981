/**
 * WAF rules as JSON. The API's structures hold search strings as bytes; documents, snapshots and the output of the AWS CLI hold
 * them in base64.
 *
 * @example
 * fromJson(toJson(rule)) // equal to the rule
 */

/** A structure of the API with base64 in place of bytes. */
export type Json<T> = T extends Uint8Array
  ? string
  : T extends readonly (infer Element)[]
    ? readonly Json<Element>[]
    : T extends object
      ? { readonly [Member in keyof T]: Json<T[Member]> }
      : T

/** The one member of the model that holds bytes. */
const BYTES = 'SearchString'

const mapped = (value: unknown, map: (value: unknown) => unknown): unknown => {
  if (Array.isArray(value)) return value.map((each) => mapped(each, map))
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([name, each]) => [name, name === BYTES ? map(each) : mapped(each, map)]),
  )
}

/** Members without a value are left out. */
export const toJson = <T>(value: T): Json<T> =>
  mapped(value, (bytes) => (bytes instanceof Uint8Array ? Buffer.from(bytes).toString('base64') : bytes)) as Json<T>

/** `encoding`: of the search strings; plain text in the console's editor. */
export const fromJson = <T>(value: Json<T>, encoding: 'base64' | 'utf8' = 'base64'): T =>
  mapped(value, (text) => (typeof text === 'string' ? Buffer.from(text, encoding) : text)) as T
