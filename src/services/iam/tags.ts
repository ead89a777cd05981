/** IAM's rules for tags: faults, and how answers show them. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Row, Tags } from '../../kernel/resource/facts.ts'
import type { TagRules } from '../../kernel/resource/tag-rules.ts'
import { listTags, TAGS_MAX, type TagProblem } from '../../kernel/resource/tags.ts'
import type { Fault } from '../../wire/fault.ts'
import { type ListInput, listItems } from './lists.ts'
import { iam } from './words.ts'

const problems: Readonly<Record<TagProblem, () => Fault>> = {
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

export const tagRules = (action: string): TagRules => ({ action, member: 'Tags', problems })

/** The answer of `List…Tags`: paged. */
export async function listedTags(tags: Tags, call: Call, input: ListInput) {
  const { items, rest } = await listItems(call, listTags(tags), (tag) => tag.Key, input)
  return { Tags: items, ...rest }
}
