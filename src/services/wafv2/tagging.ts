/** Tags of all four types, by the form of the ARN. */

import { mergedTags, requestedTags, requestTagConditions } from '../../kernel/resource/tag-rules.ts'
import { listTags, withoutTags } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { invalidMarker, wafv2 } from './faults.ts'
import { type EntityRow, type EntityType, ipSet, regexPatternSet, ruleGroup, webAcl } from './resources.ts'

// biome-ignore lint/suspicious/noExplicitAny: tags do not depend on what a type is about.
const TYPES: readonly EntityType<any>[] = [webAcl, ruleGroup, ipSet, regexPatternSet]

const tagged: Target<{ readonly ResourceARN: string }, ExistingResource<unknown, EntityRow>> = {
  about: { type: webAcl, how: 'named', member: 'ResourceARN' },
  find: (call, { ResourceARN }) => {
    const type = TYPES.find(({ form }) => form.parse(ResourceARN)) ?? webAcl
    return type.find(call, ResourceARN)
  },
}

const rules = webAcl.spec.tags!
const SIZE_DEFAULT = 50

export const tagResource = wafv2
  .operation('TagResource')
  .on(tagged)
  .conditions((input) => requestTagConditions(requestedTags(rules, input)))
  .run((_call, input, { row, save }) => {
    save({ ...row, tags: mergedTags(rules, row.tags, requestedTags(rules, input)) })
    return {}
  })

export const untagResource = wafv2
  .operation('UntagResource')
  .on(tagged)
  .conditions(({ TagKeys }) => ({ 'aws:TagKeys': TagKeys }))
  .run((_call, { TagKeys }, { row, save }) => {
    save({ ...row, tags: withoutTags(row.tags, TagKeys) })
    return {}
  })

export const listTagsForResource = wafv2
  .operation('ListTagsForResource')
  .on(tagged)
  .run(async (call, { NextMarker, Limit }, { row, arn }) => {
    const { items, next } = await pageOf(call, listTags(row.tags), ({ Key }) => Key, {
      token: NextMarker,
      size: Limit ?? SIZE_DEFAULT,
      query: arn,
      bad: () => invalidMarker(NextMarker ?? ''),
    })
    return {
      TagInfoForResource: { ResourceARN: arn, TagList: [...items] },
      ...(next !== undefined && { NextMarker: next }),
    }
  })
