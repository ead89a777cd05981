/** The three operations that tag, untag and list the tags of a resource type. They differ only in names. */
import type { Call } from '../gate/call.ts'
import type { Conditions } from '../resource/conditions.ts'
import type { Row, Tags } from '../resource/facts.ts'
import type { Identity, NamedOptions, ResourceType } from '../resource/resource-type.ts'
import { mergedTags, pairsIn, removedKeys, requestedTags, requestTagConditions } from '../resource/tag-rules.ts'
import { listTags, withoutTags } from '../resource/tags.ts'
import type { ExistingResource } from '../resource/targets.ts'
import type { Awaitable } from './awaitable.ts'
import type { LooseInput, Operation } from './service.ts'

export interface TaggingNames {
  readonly tag: string
  readonly untag: string
  readonly list: string
  /** The member that names the resource. */
  readonly resource: string
  /** The member that lists the keys to remove. Default: `TagKeys`. */
  readonly keys?: string | undefined
  /** How that member is read, where it is not as everywhere: `{ ownAccount: true }`. */
  readonly named?: NamedOptions<LooseInput> | undefined
  /** The answer of the listing. Default: `{ Tags: [{ Key, Value }] }`. */
  readonly listed?: ((tags: Tags, call: Call, input: LooseInput, row: LooseInput) => Awaitable<object>) | undefined
  /** Throws where this resource may not be tagged. */
  readonly guard?: ((call: Call, row: LooseInput, input: LooseInput) => Awaitable<void>) | undefined
}

/** Keys without values are `aws:TagKeys` alone; pairs carry values, too. */
function tagKeysCondition(value: unknown): Conditions {
  const pairs = pairsIn(value)
  if (pairs.length > 0) return requestTagConditions(pairs)
  return Array.isArray(value) && value.length > 0 ? { 'aws:TagKeys': value } : {}
}

export function taggingOperations<const T extends string, R extends Row, I extends Identity>(
  type: ResourceType<T, R, I>,
  actionOf: (name: string) => string,
  names: TaggingNames,
): readonly Operation[] {
  const rules = type.spec.tags
  if (!rules) throw new Error(`${type.spec.type} has no tag rules`)
  const { resource, keys = 'TagKeys', listed = (tags: Tags) => ({ Tags: listTags(tags) }), guard } = names
  const target = type.named(resource, names.named)
  const operation = (
    name: string,
    run: (call: Call, input: LooseInput, found: ExistingResource<I, R>) => Awaitable<object>,
    conditions?: Operation['conditions'],
  ): Operation => ({ name, actions: [actionOf(name)], target, conditions, run })
  const retag = (found: ExistingResource<I, R>, tags: Tags) => {
    found.save({ ...found.row, tags })
    return {}
  }
  return [
    operation(
      names.tag,
      async (call, input, found) => {
        await guard?.(call, found.row, input)
        return retag(found, mergedTags(rules, found.row.tags, requestedTags(rules, input)))
      },
      (input) => requestTagConditions(requestedTags(rules, input)),
    ),
    operation(
      names.untag,
      async (call, input, found) => {
        await guard?.(call, found.row, input)
        return retag(found, withoutTags(found.row.tags, removedKeys(input[keys], found.row.tags)))
      },
      (input) => tagKeysCondition(input[keys]),
    ),
    operation(names.list, (call, input, { row }) => listed(row.tags ?? {}, call, input, row)),
  ]
}
