/** Tags on keys. */
import type * as KMS from '@aws-sdk/client-kms'
import type { Tags } from '../../kernel/resource.ts'
import { listTags, mergeTags, TAGS_MAX, withoutTags } from '../../kernel/tags.ts'
import { conditions } from './conditions.ts'
import { saveKey } from './key-materials.ts'
import { listAmong, SMALL } from './lists.ts'
import { tagRefusals } from './messages.ts'
import { kms } from './resources.ts'
import { requireState } from './states.ts'
import { ownKey } from './targets.ts'

export function mergedTags(tags: Tags | undefined, pairs: readonly { TagKey: string; TagValue: string }[]): Tags {
  if (pairs.length > TAGS_MAX) throw tagRefusals.tooMany()
  const merged = mergeTags(
    tags,
    pairs.map(({ TagKey, TagValue }) => ({ Key: TagKey, Value: TagValue })),
  )
  if (typeof merged === 'string') throw tagRefusals[merged]()
  return merged
}

export function shownTags(tags: Tags | undefined): KMS.Tag[] {
  return listTags(tags).map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }))
}

export const tagResource = kms
  .operation('TagResource')
  .on(ownKey)
  .given(conditions)
  .run((call, input, row) => {
    requireState(row, 'TagResource')
    saveKey(call.unit, { ...row, tags: mergedTags(row.tags, input.Tags) })
    return {}
  })

export const untagResource = kms
  .operation('UntagResource')
  .on(ownKey)
  .given(conditions)
  .run((call, input, row) => {
    requireState(row, 'UntagResource')
    saveKey(call.unit, { ...row, tags: withoutTags(row.tags, input.TagKeys) })
    return {}
  })

export const listResourceTags = kms
  .operation('ListResourceTags')
  .on(ownKey)
  .given(conditions)
  .run(async (call, input, row) => {
    requireState(row, 'ListResourceTags')
    const tags = shownTags(row.tags)
    const { items, rest } = await listAmong(call, tags, ({ TagKey }) => TagKey!, input, { ...SMALL, max: 50 }, row.id)
    return { Tags: [...items], ...rest }
  })
