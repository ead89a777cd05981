/** The caller of a request, from the command line. */
import { accountInArn, type Context, contextOfCaller, type Principal, principalFromArn } from '../../policy/index.ts'
import { UsageError } from '../command.ts'

export { accountInArn as accountIn, contextOfCaller as contextOf }

/** Throws a `UsageError`. */
export function principalOf(text: string, tags: Readonly<Record<string, string>> = {}): Principal {
  const principal = principalFromArn(text, tags)
  if (!principal) throw unknown(text)
  return principal
}

const unknown = (text: string) =>
  new UsageError(
    `'${text}' is no principal: expected the ARN of a user, role, assumed role, federated user or root, a service such as lambda.amazonaws.com, or 'anonymous'.`,
  )

/** `key=value`; a key said twice has two values. What is said wins over what follows from the principal. */
export function addContext(context: Context, words: readonly string[]): void {
  const said = new Map<string, { key: string; values: string[] }>()
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals < 1) throw new UsageError(`--context is key=value, not '${word}'.`)
    const key = word.slice(0, equals)
    const entry = said.get(key.toLowerCase()) ?? { key, values: [] }
    entry.values.push(word.slice(equals + 1))
    said.set(key.toLowerCase(), entry)
  }
  for (const { key, values } of said.values()) context.set(key, values.length === 1 ? values[0]! : values)
}
