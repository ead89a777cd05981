/** `merlon secret run`: a program with secrets in its environment, and nowhere else. */
import { programOf, runProgram } from '../child.ts'
import { clientFor, clientOptions } from '../client.ts'
import { UsageError } from '../command.ts'
import { parseSubcommand, type SubCommand } from '../subcommand.ts'

const options = {
  secret: { type: 'string', value: 'ID', multiple: true, about: 'each member of its JSON becomes a variable' },
  env: { type: 'string', value: 'NAME=ID[#MEMBER]', multiple: true, about: 'a whole value, or one member of it' },
  ...clientOptions,
} as const

interface Wanted {
  readonly id: string
  /** Of the JSON; undefined is the whole. */
  readonly member?: string | undefined
  /** undefined: each member under its own name. */
  readonly variable?: string | undefined
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/

export const runCommand: SubCommand = {
  name: 'run',
  operands: '-- PROGRAM …',
  about: 'Runs a program with the values of secrets as environment variables. Nothing is written anywhere.',
  options,
  async run(words) {
    const [own, program] = programOf(words)
    if (!program) throw new UsageError('Missing program: name it after --.')
    const { given } = parseSubcommand(options, own)
    const wanted: readonly Wanted[] = [...given.secret.map((id) => ({ id })), ...given.env.map(parsed)]
    if (wanted.length === 0) throw new UsageError('Missing secret: --secret ID or --env NAME=ID.')
    const client = clientFor(given)
    const values = new Map<string, string>()
    for (const id of new Set(wanted.map((each) => each.id))) {
      const answer = await client.json<{ SecretString?: string }>('secretsmanager', 'secretsmanager.GetSecretValue', {
        SecretId: id,
      })
      if (answer.SecretString === undefined)
        throw new UsageError(`The secret ${id} is binary: no variable can hold it.`)
      values.set(id, answer.SecretString)
    }
    const variables = wanted.flatMap((each) => holdable(each, variablesOf(each, values.get(each.id)!)))
    return runProgram(program, { ...process.env, ...Object.fromEntries(variables) })
  },
}

function parsed(text: string): Wanted {
  const [, variable, id, member] = /^([^=]+)=([^#]+)(?:#(.+))?$/.exec(text) ?? []
  if (!variable || !id || !VARIABLE.test(variable))
    throw new UsageError(`--env is NAME=ID or NAME=ID#MEMBER, not '${text}'.`)
  return { id, member, variable }
}

/** Error messages contain names, never values. */
function variablesOf({ id, member, variable }: Wanted, value: string): readonly (readonly [string, string])[] {
  if (variable !== undefined && member === undefined) return [[variable, value]]
  const members = membersOf(id, value)
  if (variable !== undefined) {
    if (!Object.hasOwn(members, member!)) throw new UsageError(`The secret ${id} has no member ${member}.`)
    return [[variable, text(members[member!])]]
  }
  return Object.entries(members).map(([name, each]) => {
    if (!VARIABLE.test(name))
      throw new UsageError(`The member ${name} of the secret ${id} cannot be a variable's name.`)
    return [name, text(each)]
  })
}

/** Where variables end at a NUL, the program would get less than the value; Node's own error would reveal the value. */
function holdable({ id }: Wanted, variables: readonly (readonly [name: string, value: string])[]) {
  const bad = variables.find(([, value]) => value.includes('\0'))
  if (bad) throw new UsageError(`The secret ${id} holds a NUL character, which the variable ${bad[0]} cannot.`)
  return variables
}

function membersOf(id: string, value: string): Readonly<Record<string, unknown>> {
  try {
    const members: unknown = JSON.parse(value)
    if (typeof members === 'object' && members !== null && !Array.isArray(members))
      return members as Record<string, unknown>
  } catch {
    // Reported below, without the value.
  }
  throw new UsageError(`The value of the secret ${id} is no JSON object: name it with --env NAME=${id}.`)
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
