/** Tags of secrets. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { mergedTags, requestedTags, requestTagConditions } from '../../kernel/resource/tag-rules.ts'
import { withoutTags } from '../../kernel/resource/tags.ts'
import { keys } from './conditions.ts'
import { saveEverywhere } from './replicas.ts'
import { alive, primary, type Secret, secretNamed, secretsmanager, secretType } from './resources.ts'

const rules = secretType.spec.tags!

/** AWS: a request is rejected that removes, by tags, the caller's own permission to change the tags. */
async function retag(call: Call, secret: Secret, tags: Tags, requested: Conditions): Promise<void> {
  const tagged: Secret = { ...secret, row: { ...secret.row, tags } }
  await call.authorize(`secretsmanager:${call.operation}`, await secretType.facts(call, tagged), {
    ...keys({}, call, tagged),
    ...requested,
  })
  await saveEverywhere(call, tagged)
}

export const tagResource = secretsmanager
  .operation('TagResource')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, input, secret) => {
    alive(secret)
    primary(secret)
    const pairs = requestedTags(rules, input)
    await retag(call, secret, mergedTags(rules, secret.row.tags, pairs), requestTagConditions(pairs))
    return {}
  })

export const untagResource = secretsmanager
  .operation('UntagResource')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, { TagKeys }, secret) => {
    alive(secret)
    primary(secret)
    await retag(call, secret, withoutTags(secret.row.tags, TagKeys), { 'aws:TagKeys': TagKeys })
    return {}
  })
