/** Tags on secrets. */
import type { Call, Conditions } from '../../kernel/call.ts'
import type { Tags } from '../../kernel/resource.ts'
import { mergeTags, type TagPair, type TagProblem, withoutTags } from '../../kernel/tags.ts'
import { keys } from './conditions.ts'
import { saveEverywhere } from './replicas.ts'
import { actedOn, alive, invalidParameter, primary, type Secret, secretNamed, secretsmanager } from './resources.ts'

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

/** AWS: nobody takes away, by tags, what lets them change the tags. */
async function retag(call: Call, secret: Secret, tags: Tags, asked: Conditions): Promise<void> {
  const tagged: Secret = { ...secret, row: { ...secret.row, tags } }
  await call.authorize(`secretsmanager:${call.operation}`, actedOn(tagged.scope, tagged.row), {
    ...keys({}, call, tagged),
    ...asked,
  })
  await saveEverywhere(call, tagged)
}

export const tagResource = secretsmanager
  .operation('TagResource')
  .on(secretNamed)
  .given(keys)
  .run(async (call, { Tags: pairs }, secret) => {
    alive(secret)
    primary(secret)
    const asked = Object.fromEntries(pairs.map(({ Key = '', Value = '' }) => [`aws:RequestTag/${Key}`, Value]))
    const names = pairs.map(({ Key = '' }) => Key)
    await retag(call, secret, mergedTags(secret.row.tags, pairs), { ...asked, 'aws:TagKeys': names })
    return {}
  })

export const untagResource = secretsmanager
  .operation('UntagResource')
  .on(secretNamed)
  .given(keys)
  .run(async (call, { TagKeys }, secret) => {
    alive(secret)
    primary(secret)
    await retag(call, secret, withoutTags(secret.row.tags, TagKeys), { 'aws:TagKeys': TagKeys })
    return {}
  })
