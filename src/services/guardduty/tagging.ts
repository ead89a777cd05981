/** Tags of everything that GuardDuty tags: by one ARN, whose form says the type. */
import type { Row } from '../../kernel/resource/facts.ts'
import type { Identity, ResourceType } from '../../kernel/resource/resource-type.ts'
import { mergedTags, requestedTags, requestTagConditions } from '../../kernel/resource/tag-rules.ts'
import { withoutTags } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { guardduty, invalidParameter } from './faults.ts'
import {
  destination,
  detector,
  filter,
  ipSet,
  malwareProtectionPlan,
  threatEntitySet,
  threatIntelSet,
  trustedEntitySet,
} from './resources.ts'

// biome-ignore lint/suspicious/noExplicitAny: tags do not depend on what a type is about.
type AnyType = ResourceType<any, any, any>

const TYPES: readonly AnyType[] = [
  detector,
  filter,
  ipSet,
  threatIntelSet,
  threatEntitySet,
  trustedEntitySet,
  destination,
  malwareProtectionPlan,
]

const tagged: Target<{ readonly ResourceArn?: string | undefined }, ExistingResource<Identity, Row>> = {
  about: { type: detector, how: 'named', member: 'ResourceArn' },
  find: (call, { ResourceArn = '' }) => {
    const type = TYPES.find(({ form }) => form.parse(ResourceArn) !== undefined)
    if (!type) throw invalidParameter('resourceArn')
    return type.find(call, ResourceArn)
  },
}

const rules = detector.spec.tags!

export const tagResource = guardduty
  .operation('TagResource')
  .on(tagged)
  .conditions((input) => requestTagConditions(requestedTags(rules, input)))
  .run((_call, input, { row, save }) => {
    save({ ...row, tags: mergedTags(rules, row.tags, requestedTags(rules, input)) })
    return {}
  })

export const untagResource = guardduty
  .operation('UntagResource')
  .on(tagged)
  .conditions(({ TagKeys }) => ({ 'aws:TagKeys': TagKeys }))
  .run((_call, { TagKeys = [] }, { row, save }) => {
    save({ ...row, tags: withoutTags(row.tags, TagKeys) })
    return {}
  })

export const listTagsForResource = guardduty
  .operation('ListTagsForResource')
  .on(tagged)
  .run((_call, _input, { row }) => ({ Tags: { ...row.tags } }))
