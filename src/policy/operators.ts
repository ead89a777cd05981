/**
 * The 27 condition operators, one row each.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
import { compileArnLike, type TextTest } from './arn-pattern.ts'
import type { Context } from './context.ts'
import type { Version } from './document.ts'
import { compileExact, compileLike } from './text-pattern.ts'
import { contains, parseAddress, parseBinary, parseBool, parseDate, parseNetwork, parseNumber } from './values.ts'

/** Whether one value of the request meets one of the policy's; undefined: one of them can't be understood. */
export type ValueTest = (value: string, context: Context) => boolean | undefined

export interface Operator {
  /** As AWS writes it. */
  readonly name: string
  /** Holds when no value of the policy is met. */
  readonly negated: boolean
  /** Undefined for `Null`, which tests only whether there is a value. */
  readonly compile?: (values: readonly string[], version: Version) => ValueTest
  /** Whether a text is valid in a policy under this operator. */
  readonly accepts?: (value: string) => boolean
  readonly variables?: true
}

function text(compile: (value: string, version: Version) => TextTest) {
  return (values: readonly string[], version: Version): ValueTest => {
    const tests = values.map((value) => compile(value, version))
    if (tests.length === 1) return tests[0]!
    return (value, context) => {
      let met: boolean | undefined = false
      for (const test of tests) {
        const found = test(value, context)
        if (found) return true
        if (found === undefined) met = undefined
      }
      return met
    }
  }
}

function typed<T, W>(
  parse: (text: string) => T | undefined,
  parseWanted: (text: string) => W | undefined,
  met: (value: T, wanted: W) => boolean,
) {
  return (values: readonly string[]): ValueTest => {
    const wanted = values.map(parseWanted).filter((value) => value !== undefined) as W[]
    return (text) => {
      const value = parse(text)
      if (value === undefined || wanted.length < values.length) {
        return value !== undefined && wanted.some((each) => met(value, each)) ? true : undefined
      }
      return wanted.some((each) => met(value, each))
    }
  }
}

/** `arn:partition:service:region:account:resource`; anything else is no ARN. */
function isArn(text: string): boolean {
  return /^arn:[^:]*:[^:]*:[^:]*:[^:]*:/.test(text)
}

const equals = text((value, version) => compileExact(value, version, false))
const equalsIgnoreCase = text((value, version) => compileExact(value, version, true))
const like = text(compileLike)
const arnLike = (values: readonly string[], version: Version): ValueTest => {
  const test = text(compileArnLike)(values, version)
  return (value, context) => (isArn(value) ? test(value, context) : undefined)
}
const ip = typed(parseAddress, parseNetwork, (address, network) => contains(network, address))
const bool = typed(parseBool, parseBool, (a, b) => a === b)
const binary = typed(parseBinary, parseBinary, (a, b) => a === b)

const compare = {
  equals: (a: number, b: number) => a === b,
  less: (a: number, b: number) => a < b,
  lessEquals: (a: number, b: number) => a <= b,
  greater: (a: number, b: number) => a > b,
  greaterEquals: (a: number, b: number) => a >= b,
}
const number = (met: (a: number, b: number) => boolean) => typed(parseNumber, parseNumber, met)
const date = (met: (a: number, b: number) => boolean) => typed(parseDate, parseDate, met)
const isDate = (value: string) => parseDate(value) !== undefined

const rows: readonly Operator[] = [
  { name: 'StringEquals', negated: false, compile: equals, variables: true },
  { name: 'StringNotEquals', negated: true, compile: equals, variables: true },
  { name: 'StringEqualsIgnoreCase', negated: false, compile: equalsIgnoreCase, variables: true },
  { name: 'StringNotEqualsIgnoreCase', negated: true, compile: equalsIgnoreCase, variables: true },
  { name: 'StringLike', negated: false, compile: like, variables: true },
  { name: 'StringNotLike', negated: true, compile: like, variables: true },
  { name: 'NumericEquals', negated: false, compile: number(compare.equals) },
  { name: 'NumericNotEquals', negated: true, compile: number(compare.equals) },
  { name: 'NumericLessThan', negated: false, compile: number(compare.less) },
  { name: 'NumericLessThanEquals', negated: false, compile: number(compare.lessEquals) },
  { name: 'NumericGreaterThan', negated: false, compile: number(compare.greater) },
  { name: 'NumericGreaterThanEquals', negated: false, compile: number(compare.greaterEquals) },
  { name: 'DateEquals', negated: false, compile: date(compare.equals), accepts: isDate },
  { name: 'DateNotEquals', negated: true, compile: date(compare.equals), accepts: isDate },
  { name: 'DateLessThan', negated: false, compile: date(compare.less), accepts: isDate },
  { name: 'DateLessThanEquals', negated: false, compile: date(compare.lessEquals), accepts: isDate },
  { name: 'DateGreaterThan', negated: false, compile: date(compare.greater), accepts: isDate },
  { name: 'DateGreaterThanEquals', negated: false, compile: date(compare.greaterEquals), accepts: isDate },
  { name: 'Bool', negated: false, compile: bool },
  { name: 'BinaryEquals', negated: false, compile: binary },
  { name: 'IpAddress', negated: false, compile: ip },
  { name: 'NotIpAddress', negated: true, compile: ip },
  { name: 'ArnEquals', negated: false, compile: arnLike, variables: true },
  { name: 'ArnLike', negated: false, compile: arnLike, variables: true },
  { name: 'ArnNotEquals', negated: true, compile: arnLike, variables: true },
  { name: 'ArnNotLike', negated: true, compile: arnLike, variables: true },
  { name: 'Null', negated: false },
]

const byName = new Map(rows.map((row) => [row.name.toLowerCase(), row]))

export type Quantifier = 'forallvalues' | 'foranyvalue'

export interface OperatorInput {
  readonly operator: Operator
  readonly ifExists: boolean
  readonly quantifier: Quantifier | undefined
}

const WRITTEN = /^(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?$/

/** Undefined: there is no such operator. */
export function parseOperator(written: string): OperatorInput | undefined {
  const match = WRITTEN.exec(written.toLowerCase())
  const operator = match && byName.get(match[2]!)
  if (!operator) return undefined
  const ifExists = match[3] !== undefined
  const quantifier = match[1] as Quantifier | undefined
  if (!operator.compile && (ifExists || quantifier)) return undefined
  return { operator, ifExists, quantifier }
}
