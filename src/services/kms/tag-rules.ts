/** The rules of tags on keys. */
import type * as KMS from '@aws-sdk/client-kms'
import type { Tags } from '../../kernel/resource/facts.ts'
import type { TagRules } from '../../kernel/resource/tag-rules.ts'
import { listTags, TAGS_MAX } from '../../kernel/resource/tags.ts'
import { kms } from './words.ts'

export const tagRules: TagRules = {
  action: 'kms:TagResource',
  member: 'Tags',
  problems: {
    duplicate: () => kms.fail('TagException', 'Duplicate tag keys'),
    reserved: () => kms.fail('TagException', 'Tags beginning with aws: are reserved'),
    'too-many': (pairs) =>
      pairs.length > TAGS_MAX
        ? kms.fail('TagException', 'Too many tags')
        : kms.fail('LimitExceededException', `A key can have at most ${TAGS_MAX} tags.`),
  },
}

export function shownTags(tags: Tags | undefined): KMS.Tag[] {
  return listTags(tags).map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }))
}
