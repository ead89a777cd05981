/** Tags of user pools, where a request carries them under another name than in TagResource. */
import type { Tags } from '../../kernel/resource/facts.ts'
import { mergedTags, pairsIn } from '../../kernel/resource/tag-rules.ts'
import { cognito, userPool } from './resources.ts'

export const mergedPoolTags = (before: Tags | undefined, given: Readonly<Record<string, string>> | undefined): Tags =>
  mergedTags(userPool.spec.tags!, before, pairsIn(given))

export const tagging = cognito.tagging(userPool, {
  tag: 'TagResource',
  untag: 'UntagResource',
  list: 'ListTagsForResource',
  resource: 'ResourceArn',
  listed: (tags) => ({ Tags: { ...tags } }),
})
