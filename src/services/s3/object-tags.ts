/** Tags on objects: at most ten, put with the object or after it, and condition keys of policies. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { listTags } from '../../kernel/resource/tags.ts'
import { at } from './rows.ts'
import { hasTags, objectTags } from './tags.ts'
import { byVersion, type ObjectLocation, objectNamed, present, requestedTags, requireNoVersion } from './targets.ts'
import { s3 } from './words.ts'

interface VersionInput {
  readonly VersionId?: string | undefined
}

async function tagged({ VersionId }: VersionInput, call: Call, object: ObjectLocation) {
  requireNoVersion(VersionId, object.key)
  return present(call, object)
}

async function save(input: VersionInput, call: Call, object: ObjectLocation, tags: Tags): Promise<object> {
  const { tags: _before, ...row } = await tagged(input, call, object)
  call.unit.put(at.object(object.bucket.row.name, row.key), { ...row, ...(hasTags(tags) && { tags }) })
  return versionShown(input)
}

const versionShown = ({ VersionId }: VersionInput) => (VersionId === undefined ? {} : { VersionId })

export const putObjectTagging = s3
  .operation('PutObjectTagging')
  .on(objectNamed)
  .actionsBy(...byVersion('s3:PutObjectTagging', 's3:PutObjectVersionTagging'))
  .dataEvent()
  .conditions((input) => requestedTags(objectTags(input.Tagging?.TagSet)))
  .run((call, input, object) => save(input, call, object, objectTags(input.Tagging?.TagSet)))

export const getObjectTagging = s3
  .operation('GetObjectTagging')
  .on(objectNamed)
  .actionsBy(...byVersion('s3:GetObjectTagging', 's3:GetObjectVersionTagging'))
  .dataEvent()
  .run(async (call, input, object) => ({
    TagSet: listTags((await tagged(input, call, object)).tags),
    ...versionShown(input),
  }))

export const deleteObjectTagging = s3
  .operation('DeleteObjectTagging')
  .on(objectNamed)
  .actionsBy(...byVersion('s3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging'))
  .dataEvent()
  .run((call, input, object) => save(input, call, object, {}))
