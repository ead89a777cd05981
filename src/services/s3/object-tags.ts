/** Tags on objects: at most ten, put with the object or after it, and condition keys of policies. */
import type { Call, Conditions } from '../../kernel/call.ts'
import type { Tags } from '../../kernel/resource.ts'
import { listTags } from '../../kernel/tags.ts'
import { keysOfTags } from './conditions.ts'
import { at, byVersion, objectNamed, present, requireNoVersion, type Spot, s3, versionKeys } from './resources.ts'
import { hasTags, objectTags } from './tags.ts'

export const requestedTags = (tags: Tags): Conditions => ({
  ...keysOfTags('s3:RequestObjectTag', tags),
  ...(hasTags(tags) && { 's3:RequestObjectTagKeys': Object.keys(tags) }),
})

interface Asked {
  readonly VersionId?: string | undefined
}

async function tagged({ VersionId }: Asked, call: Call, spot: Spot) {
  requireNoVersion(VersionId, spot.key)
  return present(call, spot)
}

async function save(asked: Asked, call: Call, spot: Spot, tags: Tags): Promise<object> {
  const { tags: _before, ...row } = await tagged(asked, call, spot)
  call.unit.put(at.object(spot.bucket.name, row.key), { ...row, ...(hasTags(tags) && { tags }) })
  return versionShown(asked)
}

const versionShown = ({ VersionId }: Asked) => (VersionId === undefined ? {} : { VersionId })

export const putObjectTagging = s3
  .operation('PutObjectTagging')
  .on(objectNamed)
  .askingBy(...byVersion('s3:PutObjectTagging', 's3:PutObjectVersionTagging'))
  .dataEvent()
  .given((input) => ({ ...versionKeys(input), ...requestedTags(objectTags(input.Tagging?.TagSet)) }))
  .run((call, input, spot) => save(input, call, spot, objectTags(input.Tagging?.TagSet)))

export const getObjectTagging = s3
  .operation('GetObjectTagging')
  .on(objectNamed)
  .askingBy(...byVersion('s3:GetObjectTagging', 's3:GetObjectVersionTagging'))
  .dataEvent()
  .given(versionKeys)
  .run(async (call, input, spot) => ({
    TagSet: listTags((await tagged(input, call, spot)).tags),
    ...versionShown(input),
  }))

export const deleteObjectTagging = s3
  .operation('DeleteObjectTagging')
  .on(objectNamed)
  .askingBy(...byVersion('s3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging'))
  .dataEvent()
  .given(versionKeys)
  .run((call, input, spot) => save(input, call, spot, {}))
