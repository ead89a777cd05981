/** The service's words for what can be wrong with tags. */
import type { Tags } from '../../kernel/resource.ts'
import { mergeTags, type TagPair, type TagProblem } from '../../kernel/tags.ts'
import { invalidInput, violates } from './resources.ts'
import type { Seen, Within } from './within.ts'

export function newTags(pairs: readonly TagPair[] | undefined): Tags {
  return mergedTags(undefined, pairs ?? [])
}

export function mergedTags(tags: Tags | undefined, pairs: readonly TagPair[]): Tags {
  const result = mergeTags(tags, pairs)
  if (typeof result === 'string') throw problems[result]()
  return result
}

const problems: Readonly<Record<TagProblem, () => Error>> = {
  duplicate: () => invalidInput('DUPLICATE_TAG_KEY', 'Tag keys must be unique, whatever their case.'),
  reserved: () => invalidInput('INVALID_SYSTEM_TAGS_PARAMETER', 'Tag keys must not begin with aws:.'),
  'too-many': () =>
    violates('MAX_TAG_LIMIT_EXCEEDED', 'You have exceeded the number of tags allowed on this resource.'),
}

/** Whoever makes a thing with tags needs the permission to tag it. */
export async function mayTag(
  alsoOn: Within<unknown>['alsoOn'],
  made: Seen,
  pairs: readonly TagPair[] | undefined,
): Promise<void> {
  if (!pairs || pairs.length === 0) return
  const requested = Object.fromEntries(pairs.map(({ Key, Value = '' }) => [`aws:RequestTag/${Key}`, Value]))
  await alsoOn({ arn: made.arn }, { ...requested, 'aws:TagKeys': pairs.map(({ Key }) => Key) }, 'TagResource')
}
