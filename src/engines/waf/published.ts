/**
 * A web ACL as one JSON document that holds everything it refers to, so that a process without a database can evaluate it.
 * Managed rule groups are part of the engine; the document only names them.
 *
 * @example
 * const acl = compilePublished(document)
 * acl.evaluate(request, { rates, now: Date.now(), token: {} }).action // 'BLOCK'
 */
import type {
  AssociatedResourceType,
  AssociationConfig,
  CaptchaConfig,
  ChallengeConfig,
  CustomResponseBody,
  DataProtection,
  DefaultAction,
  FieldToMatch,
  LoggingFilter,
  Rule,
  Statement,
  VisibilityConfig,
} from '@aws-sdk/client-wafv2'
import { fromJson, type Json } from './json.ts'
import { managedGroupOf } from './managed/index.ts'
import { patternCost } from './pattern-batch.ts'
import { RateLimiter } from './rate-limiter.ts'
import type { InspectedRequest } from './request.ts'
import { StepLimitError } from './steps.ts'
import { type CompiledWebAcl, compileWebAcl } from './web-acl.ts'

export interface PublishedRuleGroup {
  readonly labelNamespace: string
  readonly rules: readonly Json<Rule>[]
  readonly customResponseBodies?: Readonly<Record<string, Json<CustomResponseBody>>> | undefined
}

/** What is recorded of requests, before anything is stored. */
export interface PublishedLogging {
  /** Fields whose values logs do not show. Samples do. */
  readonly redactedFields: readonly Json<FieldToMatch>[]
  readonly filter?: Json<LoggingFilter> | undefined
}

export interface PublishedWebAcl {
  readonly arn: string
  readonly name: string
  readonly accountId: string
  readonly region: string
  /** Two documents with the same revision are equal: a hash of the content. */
  readonly revision: string
  /** `awswaf:ACCOUNT:webacl:NAME:` */
  readonly labelNamespace: string
  /** Of the web ACL itself: its metric stands for the default action. */
  readonly visibility: Json<VisibilityConfig>
  readonly defaultAction: Json<DefaultAction>
  /** In the order of evaluation, with Firewall Manager's groups before and behind; priorities count from 0. */
  readonly rules: readonly Json<Rule>[]
  readonly customResponseBodies?: Readonly<Record<string, Json<CustomResponseBody>>> | undefined
  readonly captchaConfig?: Json<CaptchaConfig> | undefined
  readonly challengeConfig?: Json<ChallengeConfig> | undefined
  readonly tokenDomains: readonly string[]
  readonly associationConfig?: Json<AssociationConfig> | undefined
  /** By ARN: every rule group that a rule refers to. */
  readonly ruleGroups: Readonly<Record<string, PublishedRuleGroup>>
  /** By ARN: ranges in CIDR notation. */
  readonly ipSets: Readonly<Record<string, readonly string[]>>
  /** By ARN: regular expressions. */
  readonly regexPatternSets: Readonly<Record<string, readonly string[]>>
  /** Absent: requests are not logged. */
  readonly logging?: PublishedLogging | undefined
  /** Applied to logs and samples. */
  readonly dataProtection: readonly Json<DataProtection>[]
}

/** Whether a rule depends on whose bot a client is. Managed groups are named by rules of the web ACL alone. */
export const readsBots = ({ rules }: Pick<PublishedWebAcl, 'rules'>): boolean =>
  rules.some(({ Statement }) => Statement?.ManagedRuleGroupStatement?.Name === 'AWSManagedRulesBotControlRuleSet')

/** Throws `UnevaluableRuleError` for a document that cannot be evaluated: the caller must not let requests pass then. */
export function compilePublished(acl: PublishedWebAcl): CompiledWebAcl {
  const compilation = compileInSteps(acl)
  for (;;) {
    const { done, value } = compilation.next()
    if (done) return value
  }
}

/**
 * The same in many short steps, for processes that answer requests meanwhile: managed groups take about a second in all, and few steps
 * more than some milliseconds.
 */
export function* compileInSteps(acl: PublishedWebAcl): Generator<void, CompiledWebAcl> {
  yield* measurePatterns(acl)
  const compiled = compileWebAcl(
    {
      arn: acl.arn,
      name: acl.name,
      labelNamespace: acl.labelNamespace,
      defaultAction: fromJson<DefaultAction>(acl.defaultAction),
      rules: acl.rules.map((rule) => fromJson<Rule>(rule)),
      customResponseBodies: acl.customResponseBodies as Record<string, CustomResponseBody> | undefined,
      captchaConfig: acl.captchaConfig as CaptchaConfig | undefined,
      challengeConfig: acl.challengeConfig as ChallengeConfig | undefined,
    },
    {
      ipSet: (arn) => acl.ipSets[arn],
      regexPatternSet: (arn) => acl.regexPatternSets[arn],
      ruleGroup: (arn) => {
        const group = acl.ruleGroups[arn]
        return (
          group && {
            id: arn,
            labelNamespace: group.labelNamespace,
            rules: group.rules.map((rule) => fromJson<Rule>(rule)),
            customResponseBodies: group.customResponseBodies as Record<string, CustomResponseBody> | undefined,
          }
        )
      },
      managedRuleGroup: managedGroupOf,
    },
  )
  yield
  for (const request of FIRST_REQUESTS) {
    try {
      yield* compiled.learn(request)
      compiled.evaluate(request, { rates: new RateLimiter(), now: 0, token: {} })
    } catch (error) {
      if (!(error instanceof StepLimitError)) throw error
    }
    yield
  }
  return compiled
}

/** The sizes of all regular expressions, which compiling needs, one at a time. What is no regular expression shows itself there. */
function* measurePatterns(acl: PublishedWebAcl): Generator<void> {
  const managed = acl.rules.flatMap(({ Statement }) => {
    const named = Statement?.ManagedRuleGroupStatement
    return named ? (managedGroupOf(named.VendorName!, named.Name!)?.rules ?? []) : []
  })
  for (const { Statement } of managed) yield* measureStatement(Statement)
}

function* measureStatement(statement: Statement | undefined): Generator<void> {
  if (statement?.RegexMatchStatement && patternCost(statement.RegexMatchStatement.RegexString!) !== undefined) yield
  const nested = (statement?.OrStatement ?? statement?.AndStatement)?.Statements ?? []
  for (const each of nested) yield* measureStatement(each)
}

/** Automata are built by what they first read: not while the first client waits. */
const FIRST_REQUESTS: readonly InspectedRequest[] = [
  { method: 'GET', type: 'text/plain', query: 'a=b+c%20d&e[]=1', body: '' },
  {
    method: 'POST',
    type: 'application/json',
    query: '',
    body: '{"a":["text, and \'more\' of it","1.5"],"b":{"c":"<d> & (e)"}}',
  },
  { method: 'POST', type: 'application/x-www-form-urlencoded', query: '', body: 'name=A+B&note=C%2C+D%21' },
].map(({ type, ...request }) => ({
  ...request,
  path: '/a/b-1.html',
  httpVersion: '1.1',
  headers: [
    ['Host', 'www.example.com'],
    ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36'],
    ['Accept', 'text/html,application/xml;q=0.9,*/*;q=0.8'],
    ['Cookie', 'session=1f2e; theme=dark'],
    ['Content-Type', type],
  ],
  isBodyTruncated: false,
  clientIp: '192.0.2.1',
}))

/** What AWS WAF inspects of a body where the association does not say otherwise; load balancers always. */
const BODY_BYTES = { loadBalancer: 8_192, other: 16_384 }

/**
 * How many bytes of a body are inspected.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-setting-body-inspection-limit.html
 */
export function inspectedBodyBytes(
  { associationConfig }: Pick<PublishedWebAcl, 'associationConfig'>,
  resource: AssociatedResourceType | 'APPLICATION_LOAD_BALANCER',
): number {
  if (resource === 'APPLICATION_LOAD_BALANCER') return BODY_BYTES.loadBalancer
  const limit = associationConfig?.RequestBody?.[resource]?.DefaultSizeInspectionLimit
  return limit ? Number(limit.slice('KB_'.length)) * 1_024 : BODY_BYTES.other
}
