/** Tags: the rules that hold for every service, once. */
import type { Tags } from './facts.ts'

export interface TagPair {
  readonly Key: string
  readonly Value?: string | undefined
}

export const TAGS_MAX = 50

/** What can be wrong with tags; a service turns it into its own error. */
export type TagProblem = 'duplicate' | 'reserved' | 'too-many'

/** Adds pairs to tags. A key that differs only by case replaces the old one, as in IAM. */
export function mergeTags(tags: Tags | undefined, pairs: readonly TagPair[]): Tags | TagProblem {
  const folded = new Set<string>()
  for (const { Key } of pairs) {
    if (Key.toLowerCase().startsWith('aws:')) return 'reserved'
    if (folded.has(Key.toLowerCase())) return 'duplicate'
    folded.add(Key.toLowerCase())
  }
  const kept = Object.entries(tags ?? {}).filter(([key]) => !folded.has(key.toLowerCase()))
  const merged = [...kept, ...pairs.map(({ Key, Value }) => [Key, Value ?? ''] as const)]
  // By entries: assigned, a tag named `__proto__` would vanish.
  return merged.length > TAGS_MAX ? 'too-many' : Object.fromEntries(merged)
}

export function withoutTags(tags: Tags | undefined, keys: readonly string[]): Tags {
  const gone = new Set(keys.map((key) => key.toLowerCase()))
  return Object.fromEntries(Object.entries(tags ?? {}).filter(([key]) => !gone.has(key.toLowerCase())))
}

/** As clients expect them listed: by key. */
export function listTags(tags: Tags | undefined): { Key: string; Value: string }[] {
  return Object.entries(tags ?? {})
    .map(([Key, Value]) => ({ Key, Value }))
    .sort((a, b) => (a.Key < b.Key ? -1 : a.Key > b.Key ? 1 : 0))
}
