/**
 * Which of several record sets of one name and type are answered: failover, by weight, or several values, among those that are
 * healthy. When none is healthy, all count as healthy: an answer that may work is better than none. Pure.
 * Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
 *
 * @example
 * chooseSets(sets, (set) => !unhealthy.has(set.healthCheckId), Math.random) // the primary
 */

export type Routing =
  | { readonly kind: 'failover'; readonly isPrimary: boolean }
  /** 0 to 255; 0: only when none of the others is healthy. */
  | { readonly kind: 'weighted'; readonly weight: number }
  | { readonly kind: 'multivalue' }

export interface Routed {
  /** undefined: the only one of its name and type. */
  readonly routing?: Routing | undefined
}

/** Record sets in one answer. */
const VALUES_MAX = 8

/** `sets` are of one name and type, and so of one kind of routing. `random` is that of `Math`: from 0 up to 1. */
export function chooseSets<T extends Routed>(
  sets: readonly T[],
  isHealthy: (set: T) => boolean,
  random: () => number,
): readonly T[] {
  switch (sets[0]?.routing?.kind) {
    case 'failover':
      return failover(sets, isHealthy)
    case 'weighted':
      return weighted(sets, isHealthy, random)
    case 'multivalue': {
      const healthy = sets.filter(isHealthy)
      return shuffled(healthy.length > 0 ? healthy : sets, random).slice(0, VALUES_MAX)
    }
    default:
      return sets
  }
}

function failover<T extends Routed>(sets: readonly T[], isHealthy: (set: T) => boolean): readonly T[] {
  const isPrimary = ({ routing }: T) => routing?.kind === 'failover' && routing.isPrimary
  const [first, ...others] = [...sets].sort((a, b) => Number(isPrimary(b)) - Number(isPrimary(a)))
  const chosen = [first!, ...others].find(isHealthy) ?? first!
  return [chosen]
}

function weighted<T extends Routed>(
  sets: readonly T[],
  isHealthy: (set: T) => boolean,
  random: () => number,
): readonly T[] {
  const weightOf = ({ routing }: T) => (routing?.kind === 'weighted' ? routing.weight : 0)
  const healthy = sets.filter(isHealthy)
  const considered = healthy.length > 0 ? healthy : sets
  const total = considered.reduce((sum, set) => sum + weightOf(set), 0)
  if (total === 0) return [considered[Math.floor(random() * considered.length)]!]
  let left = random() * total
  for (const set of considered) {
    left -= weightOf(set)
    if (left < 0) return [set]
  }
  return considered.filter((set) => weightOf(set) > 0).slice(-1)
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const all = [...items]
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const item = all[last]!
    all[last] = all[other]!
    all[other] = item
  }
  return all
}
