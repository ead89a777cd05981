/**
 * Where CloudTrail's words for a call are not those of the model.
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html and the examples
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html
 */

import { lambdaEvents } from './lambda-events.ts'

interface Words {
  readonly events?: Readonly<Record<string, string>>
  readonly parameters?: Readonly<Record<string, string>>
  /** Contents, not parameters. */
  readonly left?: readonly string[]
  /** Operations whose answers are contents: what a function returned and printed is not the log's. */
  readonly silent?: readonly string[]
}

const words: Readonly<Record<string, Words>> = {
  s3: {
    events: { ListObjectsV2: 'ListObjects' },
    parameters: { bucket: 'bucketName' },
    left: ['body'],
  },
  lambda: { events: lambdaEvents, silent: ['Invoke'] },
}

export const eventNameOf = (service: string, operation: string): string =>
  words[service]?.events?.[operation] ?? operation

export const isSilent = (service: string, operation: string): boolean =>
  words[service]?.silent?.includes(operation) ?? false

/** The operation behind an event's name: of those it may be, the first. */
export const operationOf = (service: string, eventName: string): string =>
  Object.entries(words[service]?.events ?? {}).find(([, told]) => told === eventName)?.[0] ?? eventName

/** What {@link parametersOf} has renamed. */
export function inputNamesOf(service: string, shown: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = Object.entries(words[service]?.parameters ?? {})
  return Object.fromEntries(
    Object.entries(shown).map(([name, value]) => [names.find(([, told]) => told === name)?.[0] ?? name, value]),
  )
}

/** Of what `redact` has left. */
export function parametersOf(service: string, shown: unknown): unknown {
  const { parameters, left } = words[service] ?? {}
  if (!parameters || typeof shown !== 'object' || shown === null) return shown
  const said = Object.entries(shown).filter(([name]) => !left?.includes(name))
  return Object.fromEntries(said.map(([name, value]) => [parameters[name] ?? name, value]))
}
