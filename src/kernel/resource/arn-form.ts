/**
 * ARN forms, written as the service authorization reference writes them: one template prints ARNs, parses them and types
 * their variables.
 */
import type { Scope } from '../gate/call.ts'
import { parseArn, printArn } from './arn.ts'

type ResourcePart<T extends string> = T extends `arn:${string}:${string}:${string}:${string}:${infer Resource}`
  ? Resource
  : never
type Names<T extends string> = T extends `${string}\${${infer Name}}${infer Rest}` ? Name | Names<Rest> : never

export type VariableName<T extends string> = Names<ResourcePart<T>>

/** `{ FunctionName: string }` for `arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}`. */
export type Variables<T extends string> = Readonly<Record<VariableName<T>, string>>

/** Regular expressions without anchors; the default is {@link PATTERN_DEFAULT}. */
export type Patterns<T extends string> = Partial<Readonly<Record<VariableName<T>, string>>>

export interface ParsedArn<T extends string> {
  readonly partition: string
  /** Undefined where the form has none. */
  readonly region: string | undefined
  /** Undefined where the form has none. The form's literal where it has one: `aws`. */
  readonly account: string | undefined
  readonly variables: Variables<T>
}

/** As in the reference: without a pattern of its own, no variable contains a slash or a colon. */
const PATTERN_DEFAULT = '[^/:]+'
/** Which Regions exist is checked where signatures are. */
const REGION = /^[\w-]+$/
/** Resources of AWS itself have `aws` in place of an account: `arn:aws:iam::aws:policy/…`. */
const ACCOUNT = /^(\d{12}|aws)$/
const PARTITION = /^aws(-[a-z]+)*$/
/** Longer texts are not ARNs: no regular expression reads them. */
const ARN_LENGTH_MAX = 2_048

export class ArnForm<const T extends string> {
  readonly template: T
  readonly service: string
  /** In the order of the template. */
  readonly names: readonly VariableName<T>[]
  readonly #region: string
  readonly #account: string
  /** The resource part: literal texts at even places, names of variables at odd ones. */
  readonly #pieces: readonly string[]
  readonly #parser: RegExp
  readonly #checks: ReadonlyMap<string, RegExp>
  #last: Scope & { readonly prefix: string } = { partition: '', region: '', account: '', prefix: '' }

  constructor(template: T, patterns: Patterns<T> = {}) {
    const [arn, partition, service = '', region = '', account = '', ...rest] = template.split(':')
    if (arn !== 'arn' || partition !== '${Partition}' || service === '' || rest.length === 0) {
      throw new Error(
        `'${template}' is not an ARN form: it must begin with 'arn:\${Partition}:SERVICE:REGION:ACCOUNT:'.`,
      )
    }
    this.template = template
    this.service = service
    this.#region = region
    this.#account = account
    this.#pieces = rest.join(':').split(/\$\{(\w+)\}/)
    const names = this.#pieces.filter((_piece, index) => index % 2 === 1)
    this.names = names as VariableName<T>[]
    const patternOf = (name: string) => (patterns as Readonly<Record<string, string>>)[name] ?? PATTERN_DEFAULT
    // Groups by name: a pattern may have groups of its own.
    const source = this.#pieces.map((piece, index) =>
      index % 2 === 1 ? `(?<${piece}>${patternOf(piece)})` : piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    this.#parser = new RegExp(`^${source.join('')}$`, 's')
    this.#checks = new Map(names.map((name) => [name, new RegExp(`^(?:${patternOf(name)})$`, 's')]))
  }

  /**
   * Throws for a value that does not match its pattern: it would make the ARN of something else. Values out of a request
   * are checked before, with {@link mismatch}; the error is a programming error.
   */
  print(scope: Scope, variables: Variables<T>): string {
    const name = this.mismatch(variables)
    if (name !== undefined) throw new Error(`'${variables[name]}' is not a ${name} of ${this.template}`)
    return this.#print(scope, variables)
  }

  /** For policies on what has no single ARN: variables that are left out become `*`. Values are not checked. */
  printPattern(scope: Scope, variables: Partial<Variables<T>> = {}): string {
    return this.#print(scope, variables)
  }

  /** Undefined for an ARN of another service or form, and for parts that this form has not. */
  parse(text: string): ParsedArn<T> | undefined {
    const arn = text.length > ARN_LENGTH_MAX ? undefined : parseArn(text)
    if (arn?.service !== this.service || !PARTITION.test(arn.partition)) return undefined
    if (!fits(this.#region, arn.region, REGION) || !fits(this.#account, arn.account, ACCOUNT)) return undefined
    const groups = this.#parser.exec(arn.resource)
    if (!groups) return undefined
    const variables = Object.fromEntries(this.names.map((name) => [name, groups.groups![name]!])) as Variables<T>
    return { partition: arn.partition, region: arn.region || undefined, account: arn.account || undefined, variables }
  }

  accepts(name: VariableName<T>, value: string): boolean {
    return typeof value === 'string' && (this.#checks.get(name)?.test(value) ?? false)
  }

  /** The first variable whose value does not match its pattern. */
  mismatch(variables: Variables<T>): VariableName<T> | undefined {
    for (const name of this.names) if (!this.accepts(name, variables[name])) return name
    return undefined
  }

  #print(scope: Scope, variables: Partial<Variables<T>>): string {
    let text = this.#prefix(scope)
    for (let at = 0; at < this.#pieces.length; at++) {
      const piece = this.#pieces[at]!
      text += at % 2 === 1 ? (variables[piece as VariableName<T>] ?? '*') : piece
    }
    return text
  }

  /** Everything before the resource. The last one is kept: one call prints several ARNs of one scope. */
  #prefix({ partition, region, account }: Scope): string {
    const last = this.#last
    if (last.partition === partition && last.region === region && last.account === account) return last.prefix
    const prefix = printArn({
      partition: checked(partition, PARTITION, 'partition'),
      service: this.service,
      region: isVariable(this.#region) ? checked(region, REGION, 'Region') : this.#region,
      account: isVariable(this.#account) ? checked(account, ACCOUNT, 'account') : this.#account,
      resource: '',
    })
    this.#last = { partition, region, account, prefix }
    return prefix
  }
}

const isVariable = (part: string): boolean => part.startsWith('${')

const fits = (part: string, value: string, form: RegExp): boolean =>
  isVariable(part) ? form.test(value) : value === part

function checked(value: string, form: RegExp, word: string): string {
  if (!form.test(value)) throw new Error(`'${value}' is not the ${word} of an ARN`)
  return value
}
