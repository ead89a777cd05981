/**
 * Statements as predicates over an inspection. What looks at the same component after the same transformations shares them, and
 * its regular expressions are matched in one pass.
 */
import type { FieldToMatch, Statement, TextTransformation } from '@aws-sdk/client-wafv2'
import { bytesMatch } from './byte-match.ts'
import { clientAddresses } from './client-address.ts'
import { compileAsnMatch, compileGeoMatch } from './geo-match.ts'
import { type Inspection, type Target, targetOf } from './inspection.ts'
import { IpSet } from './ip-set.ts'
import { labelMatches } from './labels.ts'
import { managedPredicate } from './managed-statements.ts'
import { PatternBatch } from './pattern-batch.ts'
import type { RuleSources } from './rules.ts'
import { isSqlInjection } from './sqli.ts'
import { STEPS_A_CHARACTER } from './steps.ts'
import { isXss } from './xss.ts'

export type Predicate = (inspection: Inspection) => boolean

/** A configuration that cannot be evaluated: refused, never skipped. */
export class UnevaluableRuleError extends Error {}

export class StatementCompiler {
  readonly #sources: RuleSources
  readonly #targets = new Map<string, Target>()
  /** Targets with patterns, and the batch of each: all decodings of one component share one. */
  readonly #patterned = new Set<Target>()
  readonly #batches = new Map<string, PatternBatch>()
  readonly #ipSets = new Map<string, IpSet>()

  constructor(sources: RuleSources) {
    this.#sources = sources
  }

  /** `labelPrefix`: of the web ACL or rule group that contains the statement. */
  compile(statement: Statement, labelPrefix: string): Predicate {
    const compile = (nested: Statement | undefined) => this.compile(required(nested, 'Statement'), labelPrefix)
    if (statement.AndStatement) {
      const all = (statement.AndStatement.Statements ?? []).map(compile)
      return (inspection) => all.every((predicate) => predicate(inspection))
    }
    if (statement.OrStatement) {
      const all = this.#alternatives(statement.OrStatement.Statements ?? [], labelPrefix)
      return (inspection) => all.some((predicate) => predicate(inspection))
    }
    if (statement.NotStatement) {
      const negated = compile(statement.NotStatement.Statement)
      return (inspection) => !negated(inspection)
    }
    if (statement.ByteMatchStatement) {
      const { SearchString, PositionalConstraint: constraint } = statement.ByteMatchStatement
      const wanted = wantedBytes(SearchString)
      return this.#texts('BYTE_MATCH', statement.ByteMatchStatement, (text, { steps }) =>
        bytesMatch(text, wanted, constraint!, (count) => steps.spend(count)),
      )
    }
    if (statement.SqliMatchStatement) {
      const sensitivity = statement.SqliMatchStatement.SensitivityLevel ?? 'LOW'
      const matches = remembered(`SQL_INJECTION ${sensitivity}`, (text) => isSqlInjection(text, sensitivity))
      return this.#texts('SQL_INJECTION', statement.SqliMatchStatement, matches)
    }
    if (statement.XssMatchStatement) return this.#texts('XSS', statement.XssMatchStatement, remembered('XSS', isXss))
    if (statement.SizeConstraintStatement) {
      const { ComparisonOperator, Size } = statement.SizeConstraintStatement
      const compare = COMPARISONS[required(ComparisonOperator, 'ComparisonOperator')]
      return this.#texts('SIZE', statement.SizeConstraintStatement, (text) => compare(text.length, Number(Size)))
    }
    if (statement.RegexMatchStatement) {
      const { RegexString } = statement.RegexMatchStatement
      return this.#patterns(statement.RegexMatchStatement, [required(RegexString, 'RegexString')])
    }
    if (statement.RegexPatternSetReferenceStatement) {
      const { ARN } = statement.RegexPatternSetReferenceStatement
      const patterns = this.#sources.regexPatternSet(ARN!)
      if (!patterns) throw new UnevaluableRuleError(`The regex pattern set ${ARN} does not exist.`)
      return this.#patterns(statement.RegexPatternSetReferenceStatement, patterns)
    }
    if (statement.IPSetReferenceStatement) {
      const { ARN, IPSetForwardedIPConfig: forwarded } = statement.IPSetReferenceStatement
      const set = this.#ipSet(ARN!)
      return ({ request }) => {
        const addresses = clientAddresses(request, forwarded)
        return typeof addresses === 'string' ? addresses === 'MATCH' : addresses.some((address) => set.has(address))
      }
    }
    if (statement.GeoMatchStatement) return compileGeoMatch(statement.GeoMatchStatement)
    if (statement.AsnMatchStatement) return compileAsnMatch(statement.AsnMatchStatement)
    if (statement.LabelMatchStatement) {
      const { Scope, Key } = statement.LabelMatchStatement
      const [scope, key] = [required(Scope, 'Scope'), required(Key, 'Key')]
      return ({ labels }) => [...labels].some((label) => labelMatches(label, labelPrefix, scope, key))
    }
    const managed = managedPredicate(statement, labelPrefix)
    if (managed) return managed
    throw new UnevaluableRuleError(`A ${Object.keys(statement)[0] ?? 'missing'} statement is not allowed here.`)
  }

  /** The parts of an OR. Regular expressions, and texts to contain, that look at the same texts become one part. */
  #alternatives(statements: readonly Statement[], labelPrefix: string): readonly Predicate[] {
    const patterns = new Map<Target, { readonly inspected: Inspected; readonly all: string[] }>()
    const contained = new Map<Target, { readonly inspected: Inspected; readonly all: string[] }>()
    const others: Predicate[] = []
    const add = (groups: typeof patterns, inspected: Inspected, text: string) => {
      const target = this.#target(inspected)
      const known = groups.get(target)
      if (known) known.all.push(text)
      else groups.set(target, { inspected, all: [text] })
    }
    const visit = (statement: Statement) => {
      const { OrStatement, RegexMatchStatement, ByteMatchStatement } = statement
      if (OrStatement) for (const each of OrStatement.Statements ?? []) visit(each)
      else if (RegexMatchStatement)
        add(patterns, RegexMatchStatement, required(RegexMatchStatement.RegexString, 'RegexString'))
      else if (ByteMatchStatement?.PositionalConstraint === 'CONTAINS')
        add(contained, ByteMatchStatement, wantedBytes(ByteMatchStatement.SearchString))
      else others.push(this.compile(statement, labelPrefix))
    }
    for (const statement of statements) visit(statement)
    return [
      ...[...patterns.values()].map(({ inspected, all }) => this.#patterns(inspected, all)),
      ...[...contained.values()].map(({ inspected, all }) =>
        this.#texts('BYTE_MATCH', inspected, (text, { steps }) =>
          all.some((wanted) => {
            steps.spend(text.length)
            return text.includes(wanted)
          }),
        ),
      ),
      ...others,
    ]
  }

  /** Builds what the regular expressions take for a request like this one, a little at a time. */
  *learn(inspection: Inspection): Generator<void> {
    const known = new Set<readonly string[]>()
    for (const target of this.#patterned) {
      const texts = inspection.texts(target)
      if (typeof texts === 'string' || known.has(texts)) continue
      known.add(texts)
      yield* this.#batches.get(target.fieldKey)!.learn(texts, inspection.steps)
    }
  }

  #texts(
    condition: Exclude<keyof typeof STEPS_A_CHARACTER, 'REGEX'>,
    inspected: Inspected,
    matches: (text: string, inspection: Inspection) => boolean,
  ): Predicate {
    const target = this.#target(inspected)
    return (inspection) => {
      const texts = inspection.texts(target)
      if (typeof texts === 'string') return texts === 'MATCH'
      const text = texts.find((each) => {
        inspection.steps.spend(each.length * STEPS_A_CHARACTER[condition])
        return matches(each, inspection)
      })
      if (text !== undefined) inspection.note(condition, target, text)
      return text !== undefined
    }
  }

  #patterns(inspected: Inspected, patterns: readonly string[]): Predicate {
    const target = this.#target(inspected)
    const batch = this.#batches.get(target.fieldKey) ?? new PatternBatch()
    this.#batches.set(target.fieldKey, batch)
    this.#patterned.add(target)
    const ids = patterns.map((pattern) => {
      try {
        return batch.add(pattern)
      } catch (cause) {
        throw new UnevaluableRuleError(`The regular expression ${pattern} is not supported.`, { cause })
      }
    })
    return (inspection) => {
      const texts = inspection.texts(target)
      if (typeof texts === 'string') return texts === 'MATCH'
      const found = inspection.patterns(batch, texts)
      const id = ids.find((each) => found.has(each))
      if (id !== undefined) inspection.note('REGEX', target, found.textOf(id)!)
      return id !== undefined
    }
  }

  /** Equal targets are one. */
  #target({ FieldToMatch, TextTransformations, PreParseTextTransformations }: Inspected): Target {
    if (PreParseTextTransformations?.length)
      throw new UnevaluableRuleError('Transformations before parsing are not supported.')
    const target = targetOf(required(FieldToMatch, 'FieldToMatch'), TextTransformations)
    const known = this.#targets.get(target.key)
    if (known) return known
    this.#targets.set(target.key, target)
    return target
  }

  #ipSet(arn: string): IpSet {
    const known = this.#ipSets.get(arn)
    if (known) return known
    const ranges = this.#sources.ipSet(arn)
    if (!ranges) throw new UnevaluableRuleError(`The IP set ${arn} does not exist.`)
    const set = new IpSet(ranges)
    this.#ipSets.set(arn, set)
    return set
  }
}

/** A lexer that decides once of a text, whatever it was decoded from. */
const remembered = (lexer: string, decide: (text: string) => boolean) => (text: string, inspection: Inspection) => {
  const decisions = inspection.decisions(lexer)
  const known = decisions.get(text)
  if (known !== undefined) return known
  const decided = decide(text)
  decisions.set(text, decided)
  return decided
}

interface Inspected {
  /** Newer than its documentation: refused. */
  readonly PreParseTextTransformations?: readonly unknown[] | undefined
  readonly FieldToMatch: FieldToMatch | undefined
  readonly TextTransformations: TextTransformation[] | undefined
}

const wantedBytes = (text: Uint8Array | undefined): string =>
  Buffer.from(required(text, 'SearchString')).toString('latin1')

const COMPARISONS = {
  EQ: (size: number, limit: number) => size === limit,
  NE: (size: number, limit: number) => size !== limit,
  LE: (size: number, limit: number) => size <= limit,
  LT: (size: number, limit: number) => size < limit,
  GE: (size: number, limit: number) => size >= limit,
  GT: (size: number, limit: number) => size > limit,
} as const

function required<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new UnevaluableRuleError(`${name} is missing.`)
  return value
}
