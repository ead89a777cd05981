/** The principal of a request, from the ARN a person would write, and condition keys from the command line. */
import type { ContextValues } from '../../policy/account/principal-context.ts'
import { type Principal, principalFromArn } from '../../policy/index.ts'
import { UsageError } from '../command.ts'

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

/** `key=value`; a key that is repeated has several values. */
export function contextIn(words: readonly string[]): ContextValues {
  const values = new Map<string, { readonly key: string; readonly values: string[] }>()
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals < 1) throw new UsageError(`--context is key=value, not '${word}'.`)
    const key = word.slice(0, equals)
    const entry = values.get(key.toLowerCase()) ?? { key, values: [] }
    entry.values.push(word.slice(equals + 1))
    values.set(key.toLowerCase(), entry)
  }
  return Object.fromEntries([...values.values()].map(({ key, values }) => [key, values]))
}
