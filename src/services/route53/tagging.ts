/** Tags of hosted zones and health checks. The request says of which type the resource is. */
import type { Row } from '../../kernel/resource/facts.ts'
import { mergedTags, removedKeys, requestedTags, requestTagConditions } from '../../kernel/resource/tag-rules.ts'
import { listTags, withoutTags } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { healthCheck, hostedZone, route53 } from './resources.ts'

interface Tagged {
  readonly ResourceType: string
  readonly ResourceId: string
}

const tagged: Target<Tagged, ExistingResource<{ readonly Id: string }, Row>> = {
  about: { type: hostedZone, how: 'named', member: 'ResourceId' },
  find: (call, { ResourceType, ResourceId }) => {
    return (ResourceType === 'healthcheck' ? healthCheck : hostedZone).find(call, ResourceId)
  },
}

export const changeTagsForResource = route53
  .operation('ChangeTagsForResource')
  .on(tagged)
  .conditions((input) => requestTagConditions(requestedTags(hostedZone.spec.tags!, input)))
  .run((_call, input, { row, save }) => {
    const rest = withoutTags(row.tags, removedKeys(input.RemoveTagKeys, row.tags))
    save({ ...row, tags: mergedTags(hostedZone.spec.tags!, rest, requestedTags(hostedZone.spec.tags!, input)) })
    return {}
  })

export const listTagsForResource = route53
  .operation('ListTagsForResource')
  .on(tagged)
  .run((_call, { ResourceType, ResourceId }, { row }) => ({
    ResourceTagSet: { ResourceType, ResourceId, Tags: listTags(row.tags) },
  }))
