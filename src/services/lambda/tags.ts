/** Tags on functions: a map, in Lambda. */
import type { Tags } from '../../kernel/resource.ts'
import { mergeTags, TAGS_MAX, type TagProblem, withoutTags } from '../../kernel/tags.ts'
import { at, invalid, lambda } from './resources.ts'
import { functionTagged } from './targets.ts'

const PROBLEMS: Readonly<Record<TagProblem, string>> = {
  duplicate: 'Duplicate tag keys: Merlon tells keys apart without regard to case.',
  reserved: 'Tag keys that begin with aws: are reserved.',
  'too-many': `A function can have at most ${TAGS_MAX} tags.`,
}

export function mergedTags(before: Tags | undefined, given: Readonly<Record<string, string>>): Tags {
  const merged = mergeTags(
    before,
    Object.entries(given).map(([Key, Value]) => ({ Key, Value })),
  )
  if (typeof merged === 'string') throw invalid(PROBLEMS[merged])
  return merged
}

export const tagResource = lambda
  .operation('TagResource')
  .on(functionTagged)
  .run((call, input, { scope, row }) => {
    call.unit.put(at.function(scope, row.name), { ...row, tags: mergedTags(row.tags, input.Tags) })
    return {}
  })

export const untagResource = lambda
  .operation('UntagResource')
  .on(functionTagged)
  .run((call, input, { scope, row }) => {
    call.unit.put(at.function(scope, row.name), { ...row, tags: withoutTags(row.tags, input.TagKeys) })
    return {}
  })

export const listTags = lambda
  .operation('ListTags')
  .on(functionTagged)
  .run((_call, _input, { row }) => ({ Tags: { ...row.tags } }))
