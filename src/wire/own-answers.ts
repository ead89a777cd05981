/** Constraints that a service answers with a code and a sentence of its own, whatever else is wrong: recorded from AWS. */
import type { Constraints } from './constraints.ts'
import { Fault } from './fault.ts'

/** `allowed` is the enumeration. */
export type OwnAnswer = (value: string, allowed: readonly string[]) => Fault

const runtime: OwnAnswer = (value, allowed) =>
  new Fault(
    'InvalidParameterValueException',
    `Value ${value} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${allowed.join(', ')}] or be a valid ARN`,
    { members: { Type: 'User' } },
  )

/** Service → structure → member. */
const answers: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, OwnAnswer>>>>>> = {
  lambda: {
    CreateFunctionRequest: { Runtime: runtime },
    UpdateFunctionConfigurationRequest: { Runtime: runtime },
  },
}

/** The table of a service with its own answers in it. */
export function withOwnAnswers(id: string, table: Constraints): Constraints {
  const own = answers[id]
  if (!own) return table
  const structs = Object.entries(own).map(([name, members]) => {
    const answered = Object.entries(members).map(([member, answer]) => [member, { ...table[name]?.[member], answer }])
    return [name, { ...table[name], ...Object.fromEntries(answered) }]
  })
  return { ...table, ...Object.fromEntries(structs) }
}
