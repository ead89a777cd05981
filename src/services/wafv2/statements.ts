/** Statements: their form is checked, and what they refer to is gathered. */
import type {
  FieldToMatch,
  ForwardedIPConfig,
  ManagedRuleGroupStatement,
  ParameterExceptionField,
  RateBasedStatement,
  RuleGroupReferenceStatement,
  Statement,
  TextTransformation,
} from '@aws-sdk/client-wafv2'
import { RULES_COST_MAX } from '../../engines/waf/pattern-batch.ts'
import { EXACTLY_ONE, onlyMember } from './actions.ts'
import { invalidParameter, limitExceeded, notImplemented } from './faults.ts'
import { costOfPattern } from './regex-pattern-sets.ts'

/** What rules refer to, as it is found in them. */
export interface Gathered {
  /** ARNs. */
  readonly ipSets: Set<string>
  readonly regexPatternSets: Set<string>
  readonly ruleGroups: RuleGroupReferenceStatement[]
  readonly managedGroups: ManagedRuleGroupStatement[]
  rates: number
  /** Of the regular expressions in the rules. */
  patternCost: number
}

export const nothingGathered = (): Gathered => ({
  ipSets: new Set(),
  regexPatternSets: new Set(),
  ruleGroups: [],
  managedGroups: [],
  rates: 0,
  patternCost: 0,
})

/** Where a statement stands: groups only as a whole rule of a web ACL, rates only as a whole rule. */
interface Place {
  readonly allows: 'groups' | 'rates' | 'nothing'
  readonly depth: number
}

const DEPTH_MAX = 20
const SEARCH_BYTES_MAX = 200
/** Source: https://docs.aws.amazon.com/waf/latest/developerguide/limits.html */
const TRANSFORMATIONS_MAX = 10
const WINDOWS = [60, 120, 300, 600]
const KEYS_MAX = 5

const FIELDS: Readonly<Record<string, ParameterExceptionField>> = {
  ByteMatchStatement: 'BYTE_MATCH_STATEMENT',
  SqliMatchStatement: 'SQLI_MATCH_STATEMENT',
  XssMatchStatement: 'XSS_MATCH_STATEMENT',
  SizeConstraintStatement: 'SIZE_CONSTRAINT_STATEMENT',
  RegexPatternSetReferenceStatement: 'REGEX_PATTERN_REFERENCE_STATEMENT',
  RegexMatchStatement: 'REGEX_PATTERN_REFERENCE_STATEMENT',
}

export function gatherStatement(statement: Statement, gathered: Gathered, allows: 'groups' | 'rates'): void {
  walk(statement, gathered, { allows, depth: 0 })
}

function walk(statement: Statement | undefined, gathered: Gathered, { allows, depth }: Place): void {
  const name = onlyMember(statement, 'STATEMENT', 'Statement')
  if (depth > DEPTH_MAX) throw limitExceeded('NESTED_STATEMENTS')
  const nested = (each: Statement | undefined) => walk(each, gathered, { allows: 'nothing', depth: depth + 1 })
  const given = statement!
  const logical = given.AndStatement ?? given.OrStatement
  if (logical) {
    const { Statements = [] } = logical
    if (Statements.length === 0)
      throw invalidParameter(given.AndStatement ? 'AND_STATEMENT' : 'OR_STATEMENT', name, EXACTLY_ONE)
    for (const each of Statements) nested(each)
    return
  }
  if (given.NotStatement) {
    nested(given.NotStatement.Statement)
    return
  }
  if (given.RateBasedStatement) {
    if (allows === 'nothing') throw misplaced(name)
    gathered.rates++
    assertRate(given.RateBasedStatement, nested)
    return
  }
  if (given.ManagedRuleGroupStatement || given.RuleGroupReferenceStatement) {
    if (allows !== 'groups') throw misplaced(name)
    if (given.RuleGroupReferenceStatement) gathered.ruleGroups.push(given.RuleGroupReferenceStatement)
    else {
      const { ScopeDownStatement } = given.ManagedRuleGroupStatement!
      gathered.managedGroups.push(given.ManagedRuleGroupStatement!)
      if (ScopeDownStatement) nested(ScopeDownStatement)
    }
    return
  }
  if (given.IPSetReferenceStatement) gathered.ipSets.add(given.IPSetReferenceStatement.ARN!)
  if (given.RegexPatternSetReferenceStatement)
    gathered.regexPatternSets.add(given.RegexPatternSetReferenceStatement.ARN!)
  if (given.RegexMatchStatement) {
    gathered.patternCost += costOfPattern(given.RegexMatchStatement.RegexString!)
    if (gathered.patternCost > RULES_COST_MAX) throw limitExceeded('REGEX_COMPLEXITY')
  }
  if (given.GeoMatchStatement && !given.GeoMatchStatement.CountryCodes?.length)
    throw invalidParameter('GEO_MATCH_STATEMENT', 'CountryCodes', 'A required field is missing from the parameter.')
  if (given.ByteMatchStatement) {
    const bytes = given.ByteMatchStatement.SearchString?.byteLength ?? 0
    if (bytes === 0 || bytes > SEARCH_BYTES_MAX)
      throw invalidParameter(
        'BYTE_MATCH_STATEMENT',
        'SearchString',
        `The search string must have 1 to ${SEARCH_BYTES_MAX} bytes.`,
      )
  }
  if (FIELDS[name]) assertInspection(given[name as keyof Statement] as Inspecting)
}

const misplaced = (name: string) =>
  invalidParameter('STATEMENT', name, 'The statement cannot be nested, or cannot be used here.')

interface Inspecting {
  readonly FieldToMatch?: FieldToMatch | undefined
  readonly TextTransformations?: readonly TextTransformation[] | undefined
  readonly PreParseTextTransformations?: readonly unknown[] | undefined
}

function assertInspection({ FieldToMatch: field, TextTransformations = [], PreParseTextTransformations }: Inspecting) {
  if (PreParseTextTransformations?.length) throw notImplemented('text transformations before parsing')
  assertField(field)
  assertTransformations(TextTransformations)
}

function assertTransformations(transformations: readonly TextTransformation[]): void {
  if (transformations.length > TRANSFORMATIONS_MAX) throw limitExceeded('TEXT_TRANSFORMATIONS')
  const priorities = transformations.map(({ Priority }) => Number(Priority))
  if (new Set(priorities).size !== priorities.length)
    throw invalidParameter('TEXT_TRANSFORMATION', priorities.join(), 'The priorities must be unique.')
}

function assertField(field: FieldToMatch | undefined): void {
  onlyMember(field, 'FIELD_TO_MATCH', 'FieldToMatch')
  const { JsonBody, Headers, Cookies } = field!
  if (JsonBody) onlyMember(JsonBody.MatchPattern, 'JSON_MATCH_PATTERN', 'JsonMatchPattern')
  if (Headers) onlyMember(Headers.MatchPattern, 'HEADER_MATCH_PATTERN', 'HeaderMatchPattern')
  if (Cookies) onlyMember(Cookies.MatchPattern, 'COOKIE_MATCH_PATTERN', 'CookieMatchPattern')
}

function assertRate(rate: RateBasedStatement, nested: (statement: Statement) => void): void {
  const field = 'RATE_BASED_STATEMENT'
  const { AggregateKeyType: type, CustomKeys = [], ForwardedIPConfig: forwarded, ScopeDownStatement: scope } = rate
  const window = rate.EvaluationWindowSec === undefined ? undefined : Number(rate.EvaluationWindowSec)
  if (window !== undefined && !WINDOWS.includes(window))
    throw invalidParameter(field, String(window), `The evaluation window must be one of ${WINDOWS.join(', ')} seconds.`)
  if (type === 'FORWARDED_IP') assertForwarded(forwarded)
  if (type === 'CONSTANT' && !scope)
    throw invalidParameter('SCOPE_DOWN', 'ScopeDownStatement', 'A rate by constant needs a scope-down statement.')
  if (type === 'CUSTOM_KEYS' ? CustomKeys.length === 0 || CustomKeys.length > KEYS_MAX : CustomKeys.length > 0)
    throw invalidParameter('CUSTOM_KEYS', String(CustomKeys.length), `Custom keys need 1 to ${KEYS_MAX} keys.`)
  for (const key of CustomKeys) {
    onlyMember(key, 'CUSTOM_KEYS', 'CustomKeys')
    if (key.ForwardedIP) assertForwarded(forwarded)
    const inspected = key.Header ?? key.Cookie ?? key.QueryArgument ?? key.QueryString ?? key.UriPath
    assertTransformations(inspected?.TextTransformations ?? [])
  }
  if (scope) nested(scope)
}

function assertForwarded(forwarded: ForwardedIPConfig | undefined): void {
  if (!forwarded)
    throw invalidParameter(
      'FORWARDED_IP_CONFIG',
      'ForwardedIPConfig',
      'A required field is missing from the parameter.',
    )
}
