/** Tags on objects: at most ten, put with the object or after it, and heard by policies. */
import type { Call, Conditions } from '../../kernel/call.ts'
import type { Tags } from '../../kernel/resource.ts'
import { listTags, mergeTags, type TagPair } from '../../kernel/tags.ts'
import { at, objectNamed, present, refuse, type Spot, s3 } from './resources.ts'

const TAGS_MAX = 10

/** Throws what S3 says of tags it does not take. */
export function checkedTags(pairs: readonly TagPair[]): Tags {
  const tags = mergeTags(undefined, pairs)
  if (tags === 'duplicate') throw refuse('InvalidTag', 400, 'Cannot provide multiple Tags with the same key')
  if (tags === 'reserved') throw refuse('InvalidTag', 400, 'System tags cannot be added/updated by requester')
  if (tags === 'too-many' || Object.keys(tags).length > TAGS_MAX)
    throw refuse('BadRequest', 400, 'Object tags cannot be greater than 10')
  for (const [key, value] of Object.entries(tags)) {
    if (key === '' || key.length > 128) throw refuse('InvalidTag', 400, 'The TagKey you have provided is invalid')
    if (value.length > 256) throw refuse('InvalidTag', 400, 'The TagValue you have provided is invalid')
  }
  return tags
}

/** `x-amz-tagging`: pairs as a query writes them. */
export function tagsOfHeader(header: string | undefined): Tags {
  return checkedTags([...new URLSearchParams(header ?? '')].map(([Key, Value]) => ({ Key, Value })))
}

export const existingTags = (spot: Spot | undefined): Conditions => named('s3:ExistingObjectTag', spot?.row?.tags)

export const requestedTags = (tags: Tags): Conditions => ({
  ...named('s3:RequestObjectTag', tags),
  's3:RequestObjectTagKeys': Object.keys(tags),
})

const named = (prefix: string, tags: Tags | undefined): Conditions =>
  Object.fromEntries(Object.entries(tags ?? {}).map(([key, value]) => [`${prefix}/${key}`, value]))

async function save(call: Call, spot: Spot, tags: Tags): Promise<object> {
  const { tags: _before, ...row } = await present(call, spot)
  call.unit.put(at.object(spot.bucket.name, row.key), { ...row, ...(Object.keys(tags).length > 0 && { tags }) })
  return {}
}

const pairsOf = (set: readonly { Key?: string | undefined; Value?: string | undefined }[] = []) =>
  set.map(({ Key = '', Value }) => ({ Key, Value }))

export const putObjectTagging = s3
  .operation('PutObjectTagging')
  .on(objectNamed)
  .dataEvent()
  .given(({ Tagging }, _call, spot) => ({
    ...existingTags(spot),
    ...requestedTags(checkedTags(pairsOf(Tagging?.TagSet))),
  }))
  .run((call, { Tagging }, spot) => save(call, spot, checkedTags(pairsOf(Tagging?.TagSet))))

export const getObjectTagging = s3
  .operation('GetObjectTagging')
  .on(objectNamed)
  .dataEvent()
  .given((_input, _call, spot) => existingTags(spot))
  .run(async (call, _input, spot) => ({ TagSet: listTags((await present(call, spot)).tags) }))

export const deleteObjectTagging = s3
  .operation('DeleteObjectTagging')
  .on(objectNamed)
  .dataEvent()
  .given((_input, _call, spot) => existingTags(spot))
  .run((call, _input, spot) => save(call, spot, {}))
