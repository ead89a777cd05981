/** Tags of hosted zones. The request says of which type the resource is; health checks are not built. */

import { mergedTags, removedKeys, requestedTags, requestTagConditions } from '../../kernel/resource/tag-rules.ts'
import { listTags, withoutTags } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { type HostedZoneRow, hostedZone, notImplemented, route53 } from './resources.ts'

interface Tagged {
  readonly ResourceType: string
  readonly ResourceId: string
}

const tagged: Target<Tagged, ExistingResource<{ readonly Id: string }, HostedZoneRow>> = {
  about: { type: hostedZone, how: 'named', member: 'ResourceId' },
  find: (call, { ResourceType, ResourceId }) => {
    if (ResourceType !== 'hostedzone') throw notImplemented('health checks')
    return hostedZone.find(call, ResourceId)
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
