/** Conditions, extents and doubts in words. */
import type { Condition } from '../../policy/index.ts'
import type { Access, Doubt } from '../../policy/reach.ts'
import type { Extent } from '../../policy/reach-extent.ts'
import { asJson, nameOf, whereIs } from './files.ts'

/** `Bool aws:MultiFactorAuthPresent = true` */
export function conditionShown({ operator, key, values }: Condition): string {
  return `${operator} ${key} = ${values.join(' or ')}`
}

export function extentShown({ within, except }: Extent): string {
  return within.join(' and ') + (except.length > 0 ? ` except ${except.join(', ')}` : '')
}

/** `if …` for an Allow, `unless …` for a Deny, with where it is written. */
export function doubtShown({ statement, conditions, variables }: Doubt): string {
  const asked = [
    ...conditions.map(conditionShown),
    ...(variables.length > 0 ? [`the resource is ${variables.join(' or ')}`] : []),
  ]
  const word = statement.effect === 'Allow' ? 'if' : 'unless'
  return `${word} ${asked.join(' and ')}  (${nameOf(statement)} in ${whereIs(statement)})`
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

export function accessAsJson(access: Access): object {
  const { resources, certain, by, doubts, unclear } = access
  return {
    resources,
    access: certain ? 'allowed' : 'conditional',
    ...(by && { by: asJson(by) }),
    ...(!certain && {
      doubts: doubts.map(({ layer, statement, conditions, variables }) => ({
        layer,
        statement: asJson(statement),
        conditions,
        ...(variables.length > 0 && { resourcesWithVariables: variables }),
      })),
      missingContextKeys: missingKeys([access]),
    }),
    ...(unclear && { unclear }),
  }
}
