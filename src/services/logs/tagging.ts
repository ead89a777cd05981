/** Tags of log groups: by ARN, and by name in the older operations. */
import { mergedTags, requestedTags, requestTagConditions } from '../../kernel/resource/tag-rules.ts'
import { withoutTags } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { logs } from './faults.ts'
import { groupReference, groupTagged, type LogGroup, logGroup } from './resources.ts'

const rules = logGroup.spec.tags!

const groupByName: Target<{ readonly logGroupName: string }, LogGroup> = {
  about: { type: logGroup, how: 'named', member: 'logGroupName' },
  find: (call, { logGroupName }) => logGroup.find(call, logGroupName, {}, { reference: groupReference }),
}

const tagged = ({ row, save }: LogGroup, input: object) => {
  save({ ...row, tags: mergedTags(rules, row.tags, requestedTags(rules, input)) })
  return {}
}
const untagged = ({ row, save }: LogGroup, keys: readonly string[]) => {
  save({ ...row, tags: withoutTags(row.tags, keys) })
  return {}
}
const conditionsOf = (input: object) => requestTagConditions(requestedTags(rules, input))

export const tagResource = logs
  .operation('TagResource')
  .on(groupTagged)
  .conditions(conditionsOf)
  .run((_call, input, group) => tagged(group, input))

export const untagResource = logs
  .operation('UntagResource')
  .on(groupTagged)
  .conditions(({ tagKeys }) => ({ 'aws:TagKeys': tagKeys }))
  .run((_call, { tagKeys }, group) => untagged(group, tagKeys))

export const listTagsForResource = logs
  .operation('ListTagsForResource')
  .on(groupTagged)
  .run((_call, _input, { row }) => ({ tags: { ...row.tags } }))

export const tagLogGroup = logs
  .operation('TagLogGroup')
  .on(groupByName)
  .conditions(conditionsOf)
  .run((_call, input, group) => tagged(group, input))

export const untagLogGroup = logs
  .operation('UntagLogGroup')
  .on(groupByName)
  .conditions(({ tags }) => ({ 'aws:TagKeys': tags }))
  .run((_call, { tags }, group) => untagged(group, tags))

export const listTagsLogGroup = logs
  .operation('ListTagsLogGroup')
  .on(groupByName)
  .run((_call, _input, { row }) => ({ tags: { ...row.tags } }))
