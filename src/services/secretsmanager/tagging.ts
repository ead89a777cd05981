/** Tags on secrets. */
import type { Tags } from '../../kernel/resource.ts'
import { mergeTags, type TagPair, type TagProblem, withoutTags } from '../../kernel/tags.ts'
import { keys } from './conditions.ts'
import { saveEverywhere } from './replicas.ts'
import { alive, invalidParameter, primary, secretNamed, secretsmanager } from './resources.ts'

const PROBLEMS: Readonly<Record<TagProblem, string>> = {
  duplicate: 'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
  reserved: 'Tag keys that begin with aws: are reserved.',
  'too-many': 'A secret can have at most 50 tags.',
}

export function mergedTags(
  tags: Tags | undefined,
  pairs: readonly { Key?: string | undefined; Value?: string | undefined }[],
): Tags {
  const merged = mergeTags(
    tags,
    pairs.map(({ Key = '', Value }): TagPair => ({ Key, Value })),
  )
  if (typeof merged === 'string') throw invalidParameter(PROBLEMS[merged])
  return merged
}

export const tagResource = secretsmanager
  .operation('TagResource')
  .on(secretNamed)
  .given(keys)
  .run(async (call, { Tags: pairs }, secret) => {
    alive(secret)
    primary(secret)
    await saveEverywhere(call, { ...secret, row: { ...secret.row, tags: mergedTags(secret.row.tags, pairs) } })
    return {}
  })

export const untagResource = secretsmanager
  .operation('UntagResource')
  .on(secretNamed)
  .given(keys)
  .run(async (call, { TagKeys }, secret) => {
    alive(secret)
    primary(secret)
    await saveEverywhere(call, { ...secret, row: { ...secret.row, tags: withoutTags(secret.row.tags, TagKeys) } })
    return {}
  })
