/** What a command is: a name, what it is for, its options, and what it does. */
import { type ParseArgsConfig, parseArgs } from 'node:util'

export interface Option {
  readonly type: 'string' | 'boolean'
  /** `DIR`, as the usage shows the value. */
  readonly value?: string
  readonly about: string
  /** May be said again and again. */
  readonly multiple?: true
}

export interface Command {
  readonly name: string
  readonly about: string
  readonly options: Readonly<Record<string, Option>>
  /** Returns the exit status. */
  run(words: readonly string[]): Promise<number>
  /** Of a command that has commands of its own. */
  help?(words: readonly string[]): string
  /** For completion: arguments that may follow the name. */
  readonly verbs?: readonly string[]
  /** For completion: commands below this one. */
  readonly commands?: readonly Pick<Command, 'name' | 'options'>[]
}

/** A command line that cannot be meant. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

type Values<O extends Readonly<Record<string, Option>>> = {
  readonly [K in keyof O]?: O[K]['type'] extends 'boolean'
    ? boolean
    : O[K]['multiple'] extends true
      ? readonly string[]
      : string
}

export function readOptions<O extends Readonly<Record<string, Option>>>(
  options: O,
  words: readonly string[],
): Values<O> {
  try {
    const known = options as unknown as NonNullable<ParseArgsConfig['options']>
    return parseArgs({ args: [...words], options: known, strict: true, allowPositionals: false }).values as Values<O>
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/** The arguments before the first option, and the rest. */
export function operandsOf(words: readonly string[]): readonly [operands: readonly string[], rest: readonly string[]] {
  const option = words.findIndex((word) => word.startsWith('-'))
  const end = option < 0 ? words.length : option
  return [words.slice(0, end), words.slice(end)]
}

export function usage(commands: readonly Command[]): string {
  const lines = ['Usage: merlon COMMAND [options]', '']
  for (const { name, about, options } of commands) {
    lines.push(`merlon ${name}`, `  ${about}`)
    for (const [option, { value, about: meaning }] of Object.entries(options)) {
      lines.push(`    ${`--${option}${value ? ` ${value}` : ''}`.padEnd(23)} ${meaning}`)
    }
    lines.push('')
  }
  return lines.join('\n')
}

export function portOf(text: string | undefined, fallback: number, option = '--port'): number {
  if (text === undefined) return fallback
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`${option} is a number from 0 to 65535, not '${text}'.`)
  return port
}
