/** Staging labels: which version is current, which was before, which is to come. Pure functions over the versions of one secret. */

export interface Labelled {
  readonly id: string
  readonly stages: readonly string[]
  /** Epoch milliseconds. */
  readonly createdAt: number
}

export const CURRENT = 'AWSCURRENT'
export const PREVIOUS = 'AWSPREVIOUS'
export const PENDING = 'AWSPENDING'

/** AWS: more versions than this, and what bears no label and is older than a day goes. */
const VERSIONS_MAX = 100
const DEPRECATED_MS = 86_400_000

export function holder<V extends Labelled>(versions: readonly V[], stage: string): V | undefined {
  return versions.find(({ stages }) => stages.includes(stage))
}

/** Puts a label on one version, off all others. AWSPREVIOUS goes where AWSCURRENT comes from. */
export function moved<V extends Labelled>(versions: readonly V[], stage: string, to: string): readonly V[] {
  const from = holder(versions, stage)
  if (from?.id === to) return versions
  const labelled = versions.map((version) => {
    const without = version.stages.filter((held) => held !== stage)
    const stages = version.id === to ? [...without, stage] : without
    return stages.length === version.stages.length && version.id !== to ? version : { ...version, stages }
  })
  return stage === CURRENT && from ? moved(labelled, PREVIOUS, from.id) : labelled
}

/**
 * What a new value does to the labels. The version that it follows as AWSCURRENT keeps no AWSPENDING: its rotation is over.
 */
export function put<V extends Labelled>(versions: readonly V[], stages: readonly string[], id: string): readonly V[] {
  const before = holder(versions, CURRENT)
  let labelled = versions
  for (const stage of stages) labelled = moved(labelled, stage, id)
  const isFollowed = before !== undefined && before.id !== id && stages.includes(CURRENT)
  return isFollowed && before.stages.includes(PENDING) && !stages.includes(PENDING)
    ? removed(labelled, PENDING)
    : labelled
}

export function removed<V extends Labelled>(versions: readonly V[], stage: string): readonly V[] {
  return versions.map((version) =>
    version.stages.includes(stage) ? { ...version, stages: version.stages.filter((held) => held !== stage) } : version,
  )
}

/** What is kept of a long history, and the ids of what is not. */
export function pruned<V extends Labelled>(
  versions: readonly V[],
  now: number,
): { readonly kept: readonly V[]; readonly gone: readonly string[] } {
  const spare = versions.length - VERSIONS_MAX
  if (spare <= 0) return { kept: versions, gone: [] }
  const gone = versions
    .filter(({ stages, createdAt }) => stages.length === 0 && createdAt < now - DEPRECATED_MS)
    .sort((a, b) => a.createdAt - b.createdAt)
    .slice(0, spare)
    .map(({ id }) => id)
  return { kept: versions.filter(({ id }) => !gone.includes(id)), gone }
}
