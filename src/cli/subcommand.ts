/** The arguments of a subcommand: options that may be repeated, and operands. */
import { parseArgs } from 'node:util'
import { type Option, UsageError } from './command.ts'

export interface SubCommand {
  readonly name: string
  /** `ACTION RESOURCE`, as the usage shows them. */
  readonly operands?: string
  readonly about: string
  readonly options: Readonly<Record<string, Option>>
  /** Returns the exit status. */
  run(words: readonly string[]): Promise<number>
}

type Value<O extends Option> = O['type'] extends 'boolean'
  ? boolean | undefined
  : O['multiple'] extends true
    ? readonly string[]
    : string | undefined

export type ParsedOptions<O extends Readonly<Record<string, Option>>> = { readonly [K in keyof O]: Value<O[K]> }

/** Throws a `UsageError`. `operands`: how many there must be. */
export function parseSubcommand<O extends Readonly<Record<string, Option>>>(
  options: O,
  words: readonly string[],
  operands: { readonly least: number; readonly most: number; readonly names: string } = {
    least: 0,
    most: 0,
    names: '',
  },
): { readonly given: ParsedOptions<O>; readonly operands: readonly string[] } {
  let parsed: { values: Record<string, unknown>; positionals: string[] }
  try {
    const known = Object.fromEntries(
      Object.entries(options).map(([name, { type, multiple }]) => [name, { type, multiple: multiple ?? false }]),
    )
    parsed = parseArgs({ args: [...words], options: known, strict: true, allowPositionals: operands.most > 0 })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  const { values, positionals } = parsed
  if (positionals.length < operands.least || positionals.length > operands.most) {
    const said = positionals.length === 0 ? 'nothing was' : `${positionals.map((word) => `'${word}'`).join(' ')} was`
    throw new UsageError(`Expected ${operands.names}, got ${said}.`)
  }
  const lists = Object.entries(options).filter(([, { multiple }]) => multiple)
  const given = { ...Object.fromEntries(lists.map(([name]) => [name, []])), ...values } as ParsedOptions<O>
  return { given, operands: positionals }
}

export function required(value: string | undefined, option: string): string {
  if (value === undefined) throw new UsageError(`--${option} is missing.`)
  return value
}
