/** The tags of buckets and objects: one set of rules, case-sensitive keys. */
import type { Tags } from '../../kernel/resource/facts.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import { malformedXml } from '../../wire/s3.ts'
import { invalidArgument, refuse } from './errors.ts'

interface Pair {
  readonly Key?: string | undefined
  readonly Value?: string | undefined
}

interface Holder {
  readonly max: number
  readonly tooMany: string
  readonly reserved: string
}

const BUCKET: Holder = {
  max: TAGS_MAX,
  tooMany: 'Bucket tag count cannot be greater than 50',
  reserved: 'System tags cannot be added/updated by requester',
}
const OBJECT: Holder = {
  max: 10,
  tooMany: 'Object tags cannot be greater than 10',
  reserved: 'Your TagKey cannot be prefixed with aws:',
}

const KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u
const VALUE = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u

/** Throws what S3 answers to tags it does not take. */
export const bucketTags = (pairs: readonly Pair[] = []): Tags => checked(pairs, BUCKET)
export const objectTags = (pairs: readonly Pair[] = []): Tags => checked(pairs, OBJECT)

function checked(pairs: readonly Pair[], { max, tooMany, reserved }: Holder): Tags {
  if (pairs.length > max) throw refuse('BadRequest', 400, tooMany)
  const tags = new Map<string, string>()
  for (const { Key, Value } of pairs) {
    if (Key === undefined || Value === undefined) throw malformedXml()
    const invalid = (message: string) => refuse('InvalidTag', 400, message, { TagKey: Key })
    if (tags.has(Key)) throw invalid('Cannot provide multiple Tags with the same key')
    if (Key.toLowerCase().startsWith('aws:')) throw invalid(reserved)
    if (!KEY.test(Key)) throw invalid('The TagKey you have provided is invalid')
    if (!VALUE.test(Value))
      throw refuse('InvalidTag', 400, 'The TagValue you have provided is invalid', { TagKey: Key, TagValue: Value })
    tags.set(Key, Value)
  }
  // By entries: assigned, a tag named `__proto__` would vanish.
  return Object.fromEntries(tags)
}

export const hasTags = (tags: Tags): boolean => Object.keys(tags).length > 0

/** `x-amz-tagging`: pairs as a query writes them. */
export function tagsOfHeader(header: string | undefined): Tags {
  if (header === undefined || header === '') return {}
  const pairs = [...new URLSearchParams(header)].map(([Key, Value]) => ({ Key, Value }))
  if (broken(header) || new Set(pairs.map(({ Key }) => Key)).size < pairs.length)
    throw invalidArgument(
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      'x-amz-tagging',
      header,
    )
  return objectTags(pairs)
}

function broken(header: string): boolean {
  try {
    decodeURIComponent(header)
    return false
  } catch {
    return true
  }
}
