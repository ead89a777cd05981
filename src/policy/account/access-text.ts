/** Conditions and extents as text, and what is missing for a certain answer. */
import type { Condition } from '../document.ts'
import type { Access } from '../reach.ts'
import type { Extent } from '../reach-extent.ts'

/** `Bool aws:MultiFactorAuthPresent = true` */
export function conditionShown({ operator, key, values }: Condition): string {
  return `${operator} ${key} = ${values.join(' or ')}`
}

export function extentShown({ within, except }: Extent): string {
  return within.join(' and ') + (except.length > 0 ? ` except ${except.join(', ')}` : '')
}

/** Condition keys and variables whose values would settle it. */
export function missingKeys(accesses: readonly Access[]): readonly string[] {
  const keys = new Map<string, string>()
  for (const { conditions, variables } of accesses.flatMap(({ doubts }) => doubts)) {
    const named = variables.flatMap((text) => [...text.matchAll(/\$\{([^},*?$]+)/g)].map(([, name]) => name!.trim()))
    const inValues = conditions.flatMap(({ values }) =>
      values.flatMap((text) => [...text.matchAll(/\$\{([^},*?$]+)/g)].map(([, name]) => name!.trim())),
    )
    for (const key of [...conditions.map(({ key }) => key), ...named, ...inValues]) {
      if (!keys.has(key.toLowerCase())) keys.set(key.toLowerCase(), key)
    }
  }
  return [...keys.values()].sort()
}
