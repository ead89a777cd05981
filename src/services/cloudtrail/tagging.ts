/** Tags on trails. */
import type { Tag } from '@aws-sdk/client-cloudtrail'
import type { Call } from '../../kernel/call.ts'
import type { Tags, Target } from '../../kernel/resource.ts'
import { listTags as listed, mergeTags, withoutTags } from '../../kernel/tags.ts'
import { at, cloudtrail, type TrailRow, trailTagged } from './resources.ts'

export function mergedTags(tags: Tags | undefined, pairs: readonly Tag[]): Tags {
  const merged = mergeTags(
    tags,
    pairs.map(({ Key = '', Value }) => ({ Key, Value })),
  )
  if (merged === 'too-many')
    throw cloudtrail.fail('TagsLimitExceededException', 'The number of tags per trail has exceeded the limit of 50.')
  if (typeof merged === 'string')
    throw cloudtrail.fail(
      'InvalidTagParameterException',
      merged === 'duplicate' ? 'The specified tag keys must be unique.' : 'Tag keys that begin with aws: are reserved.',
    )
  return merged
}

export const addTags = cloudtrail
  .operation('AddTags')
  .on(trailTagged)
  .run((call, { TagsList = [] }, trail) => {
    call.unit.put(at.trail(trail), { ...trail, tags: mergedTags(trail.tags, TagsList) } satisfies TrailRow)
    return {}
  })

export const removeTags = cloudtrail
  .operation('RemoveTags')
  .on(trailTagged)
  .run((call, { TagsList = [] }, trail) => {
    const keys = TagsList.map(({ Key = '' }) => Key)
    call.unit.put(at.trail(trail), { ...trail, tags: withoutTags(trail.tags, keys) } satisfies TrailRow)
    return {}
  })

/** Asked of the first; the others by themselves. */
const listedTrails: Target<{ readonly ResourceIdList?: readonly string[] | undefined }, TrailRow> = {
  find: (call, { ResourceIdList: ids = [] }) => trailTagged.find(call, { ResourceId: ids[0] }),
}

async function tagsOf(call: Call, ResourceId: string, asked: boolean) {
  const { acted, row, missing } = await trailTagged.find(call, { ResourceId })
  if (!asked) await call.authorize('cloudtrail:ListTags', acted!)
  if (!row) throw missing!()
  return { ResourceId, TagsList: listed(row.tags) }
}

export const listTags = cloudtrail
  .operation('ListTags')
  .on(listedTrails)
  .run(async (call, { ResourceIdList: ids = [] }) => {
    const ResourceTagList = []
    for (const [n, id] of ids.entries()) ResourceTagList.push(await tagsOf(call, id, n === 0))
    return { ResourceTagList }
  })
