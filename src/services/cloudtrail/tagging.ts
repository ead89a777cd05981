/** Tags of trails. */
import type { Call } from '../../kernel/gate/call.ts'
import { mergedTags, requestedTags, requestTagConditions } from '../../kernel/resource/tag-rules.ts'
import { listTags as listed, withoutTags } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { cloudtrail, trailTagged, trailType } from './resources.ts'

const rules = trailType.spec.tags!

export const addTags = cloudtrail
  .operation('AddTags')
  .on(trailTagged)
  .conditions((input) => requestTagConditions(requestedTags(rules, input)))
  .run((_call, input, { row, save }) => {
    save({ ...row, tags: mergedTags(rules, row.tags, requestedTags(rules, input)) })
    return {}
  })

export const removeTags = cloudtrail
  .operation('RemoveTags')
  .on(trailTagged)
  .conditions((input) => requestTagConditions(requestedTags(rules, input)))
  .run((_call, { TagsList = [] }, { row, save }) => {
    save({ ...row, tags: withoutTags(row.tags, keysIn(TagsList)) })
    return {}
  })

const keysIn = (tags: readonly { readonly Key: string | undefined }[]) => tags.map(({ Key = '' }) => Key)

/** The kernel authorizes the first trail, the operation the others. */
const listedTrails: Target<{ readonly ResourceIdList?: readonly string[] | undefined }, unknown> = {
  find: (call, { ResourceIdList: ids = [] }) => trailTagged.find(call, { ResourceId: ids[0] }),
}

async function tagsOf(call: Call, ResourceId: string, isAuthorized: boolean) {
  const { acted, row: trail, missing } = await trailTagged.find(call, { ResourceId })
  if (!isAuthorized) await call.authorize('cloudtrail:ListTags', acted!)
  if (!trail) throw missing!()
  return { ResourceId, TagsList: listed(trail.row.tags) }
}

export const listTags = cloudtrail
  .operation('ListTags')
  .on(listedTrails)
  .run(async (call, { ResourceIdList: ids = [] }) => {
    const ResourceTagList = []
    for (const [n, id] of ids.entries()) ResourceTagList.push(await tagsOf(call, id, n === 0))
    return { ResourceTagList }
  })
