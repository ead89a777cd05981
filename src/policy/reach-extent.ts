/** Regions as patterns: the fewest that describe the resources. */
import type { Region } from './reach-regions.ts'

/** What is in all of `within`, and in none of `except`. */
export interface Extent {
  readonly within: readonly string[]
  readonly except: readonly string[]
}

interface Candidate {
  readonly text: string
  readonly regions: readonly Region[]
}

/** `texts`: the patterns in the order of `Region.inside`; `everything`: what all regions together are called. */
export function extentsOf(
  chosen: readonly Region[],
  all: readonly Region[],
  texts: readonly string[],
  everything: string,
): readonly Extent[] {
  const wanted = new Set(chosen)
  const left = new Set(chosen)
  const candidates: readonly Candidate[] = [
    { text: everything, regions: all },
    ...texts.map((text, i) => ({ text, regions: all.filter(({ inside }) => inside.has(i)) })),
  ]
    .filter(({ regions }) => regions.length > 0)
    .sort((a, b) => b.regions.length - a.regions.length)

  const extents: Extent[] = []
  const take = (extent: Extent, regions: readonly Region[]) => {
    extents.push(extent)
    for (const region of regions) left.delete(region)
  }
  for (const { text, regions } of candidates) {
    if (!regions.some((region) => left.has(region))) continue
    const unwanted = regions.filter((region) => !wanted.has(region))
    const except = cover(unwanted, wanted, regions, candidates)
    if (except) take({ within: [text], except }, regions)
  }
  for (const region of left) take(single(region, candidates), [region])
  return extents
}

/** Patterns that together hold all that is unwanted here and nothing that is wanted. */
function cover(
  unwanted: readonly Region[],
  wanted: ReadonlySet<Region>,
  here: readonly Region[],
  candidates: readonly Candidate[],
): readonly string[] | undefined {
  const left = new Set(unwanted)
  const near = new Set(here)
  const chosen: string[] = []
  for (const { text, regions } of candidates) {
    if (left.size === 0) break
    if (!regions.some((region) => left.has(region))) continue
    if (regions.some((region) => wanted.has(region) && near.has(region))) continue
    chosen.push(text)
    for (const region of regions) left.delete(region)
  }
  return left.size === 0 ? chosen : undefined
}

/** One region by its definition, without what says nothing. */
function single(region: Region, candidates: readonly Candidate[]): Extent {
  const around = candidates.filter(({ regions }) => regions.includes(region))
  const within = around.filter(
    ({ regions }) =>
      !around.some((other) => other.regions.length < regions.length && other.regions.every((r) => regions.includes(r))),
  )
  const inAll = (other: Region) => within.every(({ regions }) => regions.includes(other))
  const except = candidates.filter(({ regions }) => !regions.includes(region) && regions.some(inAll))
  return { within: within.map(({ text }) => text), except: except.map(({ text }) => text) }
}
