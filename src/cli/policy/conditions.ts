/** Doubts and access as a person or a program reads them. */
import { conditionShown, missingKeys } from '../../policy/account/access-text.ts'
import type { Access, Doubt } from '../../policy/reach.ts'
import { asJson, nameOf, whereIs } from './files.ts'

/** `if …` for an Allow, `unless …` for a Deny, with where it is written. */
export function doubtShown({ statement, conditions, variables }: Doubt): string {
  const tested = [
    ...conditions.map(conditionShown),
    ...(variables.length > 0 ? [`the resource is ${variables.join(' or ')}`] : []),
  ]
  const word = statement.effect === 'Allow' ? 'if' : 'unless'
  return `${word} ${tested.join(' and ')}  (${nameOf(statement)} in ${whereIs(statement)})`
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
