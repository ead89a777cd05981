/** Tags of a resource type: where requests carry them, which permission they need, and the faults of wrong ones. */
import type { Fault } from '../../wire/fault.ts'
import type { Conditions } from './conditions.ts'
import type { TagAuthorization, Tags } from './facts.ts'
import { mergeTags, type TagPair, type TagProblem } from './tags.ts'

export type TagRules = TagPlace & (CommonTagRules | OwnTagRules)

/** The rules that most services share: at most fifty, keys that differ only by case are one. */
interface CommonTagRules {
  /** The fault of each problem, with the tags of the request. */
  readonly problems: Readonly<Record<TagProblem, (pairs: readonly TagPair[]) => Fault>>
}

/** Other rules, as S3 has them: its keys are case-sensitive. */
interface OwnTagRules {
  /** Throws the service's faults. */
  readonly merge: (before: Tags | undefined, pairs: readonly TagPair[]) => Tags
}

interface TagPlace {
  /** The permission to tag, needed on creation too: `lambda:TagResource`. */
  readonly action: string
  /** The member that carries tags, in requests that create and in requests that tag: `Tags`. */
  readonly member: string
  /** The member of requests that create, where it has another name: `UserPoolTags`. */
  readonly memberOnCreation?: string
  /** Reads the value of that member. Default: {@link pairsIn}. */
  readonly pairs?: (value: unknown) => readonly TagPair[]
}

/** The pairs in each of AWS's spellings: a list of pairs (`Key`, `TagKey`, `key`), or a map. */
export function pairsIn(value: unknown): readonly TagPair[] {
  if (typeof value !== 'object' || value === null) return []
  if (!Array.isArray(value)) return Object.entries(value as Tags).map(([Key, Value]) => ({ Key, Value }))
  return value.flatMap((tag) => {
    const Key = tag?.Key ?? tag?.TagKey ?? tag?.key
    return typeof Key === 'string' ? [{ Key, Value: tag.Value ?? tag.TagValue ?? tag.value }] : []
  })
}

export const requestedTags = ({ member, pairs = pairsIn }: TagRules, input: object): readonly TagPair[] =>
  pairs((input as Readonly<Record<string, unknown>>)[member])

/** The tags of a request that creates. */
export const creationTags = (rules: TagRules, input: object): readonly TagPair[] =>
  requestedTags({ ...rules, member: rules.memberOnCreation ?? rules.member }, input)

/** The keys that a request removes: a list of keys, or of pairs, which remove a tag only if it has the value they name. */
export function removedKeys(value: unknown, tags: Tags | undefined): readonly string[] {
  if (!Array.isArray(value)) return []
  const keys = value.filter((each): each is string => typeof each === 'string')
  const pairs = pairsIn(value).filter(({ Key, Value }) => Value === undefined || tags?.[Key] === Value)
  return [...keys, ...pairs.map(({ Key }) => Key)]
}

/** Throws the service's fault for tags that break a rule. */
export function mergedTags(rules: TagRules, before: Tags | undefined, pairs: readonly TagPair[]): Tags {
  if ('merge' in rules) return rules.merge(before, pairs)
  const tags = mergeTags(before, pairs)
  if (typeof tags === 'string') throw rules.problems[tags](pairs)
  return tags
}

/** The condition keys of tags in a request. */
export function requestTagConditions(pairs: readonly TagPair[]): Conditions {
  if (pairs.length === 0) return {}
  const values = pairs.map(({ Key, Value = '' }) => [`aws:RequestTag/${Key}`, Value] as const)
  return { ...Object.fromEntries(values), 'aws:TagKeys': pairs.map(({ Key }) => Key) }
}

/** What a request that creates has to be allowed because it tags. */
export function tagAuthorization(
  rules: Pick<TagRules, 'action'>,
  pairs: readonly TagPair[],
): TagAuthorization | undefined {
  return pairs.length === 0 ? undefined : { action: rules.action, conditions: requestTagConditions(pairs) }
}
