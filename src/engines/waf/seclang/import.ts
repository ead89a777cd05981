/**
 * Rules in SecLang as rules of AWS WAF, as far as both say the same. Each rule that cannot be expressed is listed with the reason; what of
 * a rule is left out, or looked for more widely, is a warning with its ID.
 *
 * @example
 * importSecLang('SecRule ARGS "@contains evil" "id:1,phase:2,deny"').rules[0].Name // 'rule-1'
 */
import type {
  FieldToMatch,
  PositionalConstraint,
  Rule,
  RuleAction,
  Statement,
  TextTransformation,
} from '@aws-sdk/client-wafv2'
import { PATTERN_COST_MAX, patternCost } from '../pattern-batch.ts'
import { type Directive, directives, listOf } from './directives.ts'
import { fieldsOf, TRANSFORMATIONS } from './fields.ts'

export interface SecLangImport {
  readonly rules: readonly Rule[]
  readonly notImported: readonly SecLangNote[]
  readonly warnings: readonly SecLangNote[]
}

export interface SecLangNote {
  /** Without one: the line. */
  readonly id: string
  readonly line: number
  readonly reason: string
}

export interface SecLangOptions {
  /** ARNs of IP sets, by the ID of the rule with `@ipMatch` that they have the addresses of. */
  readonly ipSets?: ReadonlyMap<string, string> | undefined
}

const REGEX_CHARS_MAX = 512
const TEXT_BYTES_MAX = 200
const TRANSFORMATIONS_MAX = 10
const PHRASES_MAX = 50

class InexpressibleError extends Error {}

type Actions = readonly { readonly name: string; readonly value: string }[]

export function importSecLang(text: string, { ipSets }: SecLangOptions = {}): SecLangImport {
  const rules: Rule[] = []
  const ids = new Set<string>()
  const notImported: SecLangNote[] = []
  const warnings: SecLangNote[] = []
  for (const chain of chainsOf(directives(text))) {
    const [first] = chain as [ReadRule]
    const id = parameterOf(first.actions, 'id') ?? `line ${first.line}`
    const noted: string[] = []
    try {
      if (ids.has(id)) throw new InexpressibleError('another rule has the ID')
      const statements = chain.map((rule) => statementOf(rule, ipSets?.get(id), noted))
      ids.add(id)
      const name = `rule-${id.replace(/[^\w-]/g, '-')}`
      rules.push({
        Name: name,
        Priority: rules.length,
        Statement: statements.length === 1 ? statements[0]! : { AndStatement: { Statements: statements } },
        Action: actionOf(first.actions),
        VisibilityConfig: { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: name },
      })
      for (const { name: action, value } of chain.flatMap(({ actions }) => actions))
        if (IGNORED.has(action)) noted.push(`${action}:${value} is ignored`)
      warnings.push(...[...new Set(noted)].map((reason) => ({ id, line: first.line, reason })))
    } catch (error) {
      if (!(error instanceof InexpressibleError)) throw error
      notImported.push({ id, line: first.line, reason: error.message })
    }
  }
  return { rules, notImported, warnings }
}

/** What changes the meaning of other rules, or of scores. */
const IGNORED = new Set(['ctl', 'setvar', 'skipafter', 'skip', 'multimatch', 'initcol', 'exec'])

interface ReadRule {
  readonly variables: readonly string[]
  readonly operator: string
  readonly actions: Actions
  readonly line: number
}

/** Rules with those that they are chained with. */
function* chainsOf(all: readonly Directive[]): Generator<readonly ReadRule[]> {
  let chain: ReadRule[] = []
  for (const { name, words, line } of all) {
    if (name !== 'SecRule') continue
    const [variables = '', operator = '', actions = ''] = words
    const rule: ReadRule = {
      variables: listOf(variables, '|'),
      operator,
      actions: listOf(actions, ',').map((each) => {
        const colon = each.indexOf(':')
        return colon < 0
          ? { name: each.toLowerCase(), value: '' }
          : { name: each.slice(0, colon).trim().toLowerCase(), value: each.slice(colon + 1).trim() }
      }),
      line,
    }
    chain.push(rule)
    if (rule.actions.some((each) => each.name === 'chain')) continue
    yield chain
    chain = []
  }
  if (chain.length > 0) yield chain
}

const parameterOf = (actions: Actions, name: string): string | undefined =>
  actions.find((each) => each.name === name)?.value

function actionOf(actions: Actions): RuleAction {
  const phase = parameterOf(actions, 'phase') ?? '2'
  if (!['1', '2', 'request'].includes(phase)) throw new InexpressibleError(`phase ${phase} looks at responses or logs`)
  const status = Number(parameterOf(actions, 'status') ?? 403)
  for (const { name } of actions) {
    if (name === 'redirect' || name === 'proxy' || name === 'pause') throw new InexpressibleError(`the action ${name}`)
    if (name === 'deny' || name === 'block' || name === 'drop')
      return {
        Block: status === 403 || !(status >= 400 && status < 600) ? {} : { CustomResponse: { ResponseCode: status } },
      }
    if (name === 'allow') return { Allow: {} }
  }
  return { Count: {} }
}

function statementOf(rule: ReadRule, ipSet: string | undefined, noted: string[]): Statement {
  const [, negation, named, argument] = /^\s*(!?)\s*(?:@(\w+)\s*)?([\s\S]*)$/.exec(rule.operator) ?? []
  const operator = (named ?? 'rx').toLowerCase()
  if (operator === 'ipmatch') {
    const statement = addressesOf(rule, argument ?? '', ipSet)
    return negation ? { NotStatement: { Statement: statement } } : statement
  }
  const { fields, warnings } = fieldsOf(rule.variables)
  if (fields.length === 0) throw new InexpressibleError(`no variable of ${rule.variables.join('|')} has a component`)
  noted.push(...warnings)
  const statement = textsOf(rule, fields, operator, argument ?? '')
  if (!negation) return statement
  // SecLang wants one value without a match, AWS WAF all of them.
  const [field] = fields as [FieldToMatch]
  if (fields.length > 1 || !(field.UriPath || field.QueryString || field.Method || field.Body || field.SingleHeader))
    throw new InexpressibleError('a negated operator on several values')
  if (field.SingleHeader) noted.push(`${rule.variables.join('|')}: requests without the header match, too`)
  return { NotStatement: { Statement: statement } }
}

function addressesOf({ variables }: ReadRule, addresses: string, ipSet: string | undefined): Statement {
  if (variables.some((variable) => variable.toUpperCase() !== 'REMOTE_ADDR'))
    throw new InexpressibleError('@ipMatch of anything but REMOTE_ADDR')
  if (ipSet === undefined) throw new InexpressibleError(`@ipMatch needs an IP set of ${addresses.trim()}: pass its ARN`)
  return { IPSetReferenceStatement: { ARN: ipSet } }
}

type TextTest = (field: FieldToMatch, transformations: TextTransformation[]) => Statement

function textsOf(
  { actions }: ReadRule,
  fields: readonly FieldToMatch[],
  operator: string,
  argument: string,
): Statement {
  const { tests, foldsCase } = testsOf(operator, argument)
  const types = transformationsOf(actions, foldsCase)
  const statements = fields.flatMap((field) => tests.map((test) => test(field, types)))
  return statements.length === 1 ? statements[0]! : { OrStatement: { Statements: statements } }
}

function transformationsOf(actions: Actions, foldsCase: boolean): TextTransformation[] {
  const types: NonNullable<TextTransformation['Type']>[] = []
  for (const { name, value } of actions) {
    if (name !== 't') continue
    const type = TRANSFORMATIONS[value.toLowerCase()]
    if (value.toLowerCase() === 'none') types.length = 0
    else if (type) types.push(type)
    else throw new InexpressibleError(`the transformation ${value}`)
  }
  if (foldsCase && types.at(-1) !== 'LOWERCASE') types.push('LOWERCASE')
  if (types.length > TRANSFORMATIONS_MAX)
    throw new InexpressibleError(`more than ${TRANSFORMATIONS_MAX} transformations`)
  return (types.length === 0 ? (['NONE'] as const) : types).map((Type, Priority) => ({ Type, Priority }))
}

const POSITIONS: Readonly<Record<string, PositionalConstraint>> = {
  beginswith: 'STARTS_WITH',
  contains: 'CONTAINS',
  containsword: 'CONTAINS_WORD',
  endswith: 'ENDS_WITH',
  streq: 'EXACTLY',
}

function testsOf(
  operator: string,
  argument: string,
): { readonly tests: readonly TextTest[]; readonly foldsCase: boolean } {
  if (/%\{/.test(argument)) throw new InexpressibleError('a variable in the operator')
  const bytes = (text: string, PositionalConstraint: PositionalConstraint): TextTest => {
    const SearchString = Buffer.from(text, 'utf8')
    if (SearchString.length === 0 || SearchString.length > TEXT_BYTES_MAX)
      throw new InexpressibleError(`a text of ${SearchString.length} bytes`)
    return (FieldToMatch, TextTransformations) => ({
      ByteMatchStatement: { SearchString, FieldToMatch, TextTransformations, PositionalConstraint },
    })
  }
  const position = POSITIONS[operator]
  if (position) return { tests: [bytes(argument, position)], foldsCase: false }
  switch (operator) {
    case 'rx':
      return { tests: [regex(argument)], foldsCase: false }
    case 'pm': {
      const phrases = argument.split(/\s+/).filter((phrase) => phrase !== '')
      if (phrases.length > PHRASES_MAX) throw new InexpressibleError(`more than ${PHRASES_MAX} phrases`)
      return { tests: phrases.map((phrase) => bytes(phrase.toLowerCase(), 'CONTAINS')), foldsCase: true }
    }
    case 'detectsqli':
      return {
        tests: [
          (FieldToMatch, TextTransformations) => ({
            SqliMatchStatement: { FieldToMatch, TextTransformations, SensitivityLevel: 'LOW' },
          }),
        ],
        foldsCase: false,
      }
    case 'detectxss':
      return {
        tests: [(FieldToMatch, TextTransformations) => ({ XssMatchStatement: { FieldToMatch, TextTransformations } })],
        foldsCase: false,
      }
    default:
      throw new InexpressibleError(`the operator @${operator}`)
  }
}

function regex(RegexString: string): TextTest {
  if (RegexString.length > REGEX_CHARS_MAX)
    throw new InexpressibleError(
      `a regular expression of ${RegexString.length} characters, of which there can be ${REGEX_CHARS_MAX}`,
    )
  const cost = patternCost(RegexString)
  if (cost === undefined) throw new InexpressibleError('a regular expression that RE2 does not have')
  if (cost > PATTERN_COST_MAX) throw new InexpressibleError('a regular expression that costs too much')
  return (FieldToMatch, TextTransformations) => ({
    RegexMatchStatement: { RegexString, FieldToMatch, TextTransformations },
  })
}
