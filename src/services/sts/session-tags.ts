/**
 * Session tags: what a request brings, and what a chain of roles carries on.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
 */
import type { Session } from '../../kernel/gate/session.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { mergeTags, type TagPair, type TagProblem } from '../../kernel/resource/tags.ts'
import { Fault } from '../../wire/fault.ts'

const PROBLEMS: Readonly<Record<TagProblem, string>> = {
  duplicate: 'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
  reserved: 'Tag keys must not begin with aws:, which is reserved.',
  'too-many': 'A session can have at most 50 tags.',
}

/** The tags that a session passes to every role assumed with it. */
export function inheritedTags(session: Session | undefined): Tags {
  const transitive = folded(session?.transitiveTagKeys ?? [])
  return Object.fromEntries(Object.entries(session?.tags ?? {}).filter(([key]) => transitive.has(key.toLowerCase())))
}

/** The tags of the session to be, and which of them its own chains will inherit. */
export function sessionTags(
  inherited: Tags,
  pairs: readonly TagPair[],
  transitive: readonly string[],
): { readonly tags: Tags; readonly transitiveTagKeys: readonly string[] } {
  const kept = folded(Object.keys(inherited))
  if (pairs.some(({ Key }) => kept.has(Key.toLowerCase()))) {
    throw invalid(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    )
  }
  const brought = folded(pairs.map(({ Key }) => Key))
  if (!transitive.every((key) => brought.has(key.toLowerCase()))) {
    throw invalid('The specified transitive tag key must be included in the requested tags.')
  }
  const tags = mergeTags(inherited, pairs)
  if (typeof tags === 'string') throw invalid(PROBLEMS[tags])
  return { tags, transitiveTagKeys: [...Object.keys(inherited), ...transitive] }
}

/** As tags override others: a key that differs only by case replaces. */
export function overlaid(under: Tags, over: Tags): Tags {
  const replaced = folded(Object.keys(over))
  const kept = Object.entries(under).filter(([key]) => !replaced.has(key.toLowerCase()))
  return { ...Object.fromEntries(kept), ...over }
}

function folded(keys: readonly string[]): ReadonlySet<string> {
  return new Set(keys.map((key) => key.toLowerCase()))
}

function invalid(message: string): Fault {
  return new Fault('InvalidParameterValue', message)
}
