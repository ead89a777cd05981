/** IAM's words for what can be wrong with tags. Apart from `tagging.ts`, which imports every taggable kind. */
import type { Row, Tags } from '../../kernel/resource.ts'
import { listTags, mergeTags, TAGS_MAX, type TagPair, type TagProblem } from '../../kernel/tags.ts'
import { iam } from './resources.ts'

/** The tags of something that is being created. */
export function newTags(pairs: readonly TagPair[] | undefined): Tags {
  return mergedTags(undefined, pairs ?? [])
}

export function mergedTags(tags: Tags | undefined, pairs: readonly TagPair[]): Tags {
  const result = mergeTags(tags, pairs)
  if (typeof result === 'string') throw problems[result]()
  return result
}

const problems: Readonly<Record<TagProblem, () => Error>> = {
  duplicate: () =>
    iam.fail('InvalidInputException', 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'),
  reserved: () => iam.fail('InvalidInputException', 'System tags cannot be added/updated/deleted by a caller.'),
  'too-many': () => iam.fail('LimitExceededException', `The number of tags has reached the maximum limit: ${TAGS_MAX}`),
}

/** Spread into what shows a row; nothing when it has none. */
export function shownTags(row: Row) {
  const tags = listTags(row.tags)
  return tags.length > 0 ? { Tags: tags } : {}
}
