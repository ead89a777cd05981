/**
 * A web ACL, compiled: its decision on a request, and the details for logs and metrics.
 *
 * Rules are evaluated by ascending priority. Allow and Block end the evaluation; Count goes on; CAPTCHA and Challenge go on for
 * clients with a valid token, and end it for others. Source:
 * https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-processing.html
 *
 * @example
 * const acl = compileWebAcl(configuration, sources)
 * acl.evaluate(request, { rates, now: Date.now(), token: {} }).action // 'ALLOW'
 */
import type {
  CustomHTTPHeader,
  CustomResponse,
  Rule,
  RuleAction,
  RuleActionOverride,
  Statement,
} from '@aws-sdk/client-wafv2'
import type { AddressFacts } from './address-facts.ts'
import { aggregateKey } from './aggregate-key.ts'
import { type Evidence, Inspection } from './inspection.ts'
import type { RateLimiter } from './rate-limiter.ts'
import type { InspectedRequest } from './request.ts'
import type { RuleGroupConfiguration, RuleSources, WebAclConfiguration } from './rules.ts'
import { type Predicate, StatementCompiler, UnevaluableRuleError } from './statement.ts'
import type { Steps } from './steps.ts'
import { readsTokenLabels, type TokenState, tokenLabels } from './token-labels.ts'

export type ActionName = 'ALLOW' | 'BLOCK' | 'COUNT' | 'CAPTCHA' | 'CHALLENGE'

/** What surrounds a request's evaluation. */
export interface EvaluationContext {
  readonly rates: RateLimiter
  /** In milliseconds. */
  readonly now: number
  /** When the client's token was earned, in milliseconds; both absent without a valid token. */
  readonly token: TokenState
  /** Whether matches come with the texts that made them. */
  readonly explains?: boolean | undefined
  /** The budget; default: that of every evaluation. Beyond it `evaluate` throws a `StepLimitError`. */
  readonly steps?: Steps | undefined
  /** Default: nothing is known. */
  readonly addresses?: AddressFacts | undefined
}

export interface RuleMatch {
  readonly ruleId: string
  readonly action: ActionName
  readonly insertedHeaders?: readonly CustomHTTPHeader[] | undefined
  readonly evidence?: readonly Evidence[] | undefined
}

/** What a rule group had to say. */
export interface GroupResult {
  readonly id: string
  readonly terminatingRule?: RuleMatch | undefined
  readonly nonTerminating: readonly RuleMatch[]
}

export interface RateResult {
  readonly ruleId: string
  /** The rule of the web ACL that refers to the group of the rate-based rule. */
  readonly groupRuleId?: string | undefined
  readonly keyType: string
  readonly key: readonly string[]
  readonly count: number
  readonly limit: number
  readonly windowSeconds: number
}

export interface Verdict {
  readonly action: Exclude<ActionName, 'COUNT'>
  /** `Default_Action`, when no rule ended the evaluation. */
  readonly terminatingRuleId: string
  readonly terminatingRuleType: 'REGULAR' | 'RATE_BASED' | 'GROUP' | 'MANAGED_RULE_GROUP'
  /** Of the rule itself that ended the evaluation; the rule of a group is in `groups`. */
  readonly evidence?: readonly Evidence[] | undefined
  readonly response?: CustomResponse | undefined
  readonly responseBody?: { readonly type: string; readonly content: string } | undefined
  /** With the prefix that AWS WAF gives them. */
  readonly insertedHeaders: readonly (readonly [name: string, value: string])[]
  readonly nonTerminating: readonly RuleMatch[]
  readonly groups: readonly GroupResult[]
  readonly rates: readonly RateResult[]
  readonly labels: readonly string[]
}

export interface CompiledWebAcl {
  evaluate(request: InspectedRequest, context: EvaluationContext): Verdict
  /** Builds what evaluating a request like this one takes, a little at a time; without it, the first such request waits for it. */
  learn(request: InspectedRequest): Generator<void>
}

const IMMUNITY_SECONDS = 300
const WINDOW_SECONDS = 300
const HEADER_PREFIX = 'x-amzn-waf-'

/** A rule ready to be evaluated. */
interface CompiledRule {
  readonly name: string
  readonly labels: readonly string[]
  readonly action: RuleAction
  readonly immunity: { readonly captcha: number; readonly challenge: number }
  readonly matches: (evaluation: Evaluation) => boolean
  readonly isRateBased: boolean
}

/** A group in the place of a rule. */
interface CompiledGroup {
  readonly name: string
  readonly id: string
  readonly type: 'GROUP' | 'MANAGED_RULE_GROUP'
  /** The whole group only counts. */
  readonly isCounted: boolean
  readonly scope: Predicate | undefined
  readonly rules: readonly CompiledRule[]
  readonly bodies: WebAclConfiguration['customResponseBodies']
}

interface Evaluation {
  readonly inspection: Inspection
  readonly context: EvaluationContext
  readonly rates: RateResult[]
}

/** Compiles a configuration. Throws {@link UnevaluableRuleError} where a reference leads nowhere or a pattern is not supported. */
export function compileWebAcl(acl: WebAclConfiguration, sources: RuleSources): CompiledWebAcl {
  const compiler = new StatementCompiler(sources)
  const immunity = {
    captcha: acl.captchaConfig?.ImmunityTimeProperty?.ImmunityTime ?? IMMUNITY_SECONDS,
    challenge: acl.challengeConfig?.ImmunityTimeProperty?.ImmunityTime ?? IMMUNITY_SECONDS,
  }

  const compileRule = (
    rule: Rule,
    groupRuleId: string | undefined,
    labelPrefix: string,
    action: RuleAction,
  ): CompiledRule => ({
    name: rule.Name!,
    labels: (rule.RuleLabels ?? []).map(({ Name }) => `${labelPrefix}${Name}`),
    action,
    immunity: {
      captcha: Number(rule.CaptchaConfig?.ImmunityTimeProperty?.ImmunityTime ?? immunity.captcha),
      challenge: Number(rule.ChallengeConfig?.ImmunityTimeProperty?.ImmunityTime ?? immunity.challenge),
    },
    isRateBased: rule.Statement?.RateBasedStatement !== undefined,
    matches: rule.Statement?.RateBasedStatement
      ? compileRate(rule.Statement, groupRuleId, rule.Name!, labelPrefix)
      : wrapped(compiler.compile(rule.Statement ?? {}, labelPrefix)),
  })

  const compileRate = (statement: Statement, groupRuleId: string | undefined, ruleId: string, labelPrefix: string) => {
    const owner = groupRuleId === undefined ? acl.arn : `${acl.arn} ${groupRuleId}`
    const rate = statement.RateBasedStatement!
    const scope = rate.ScopeDownStatement && compiler.compile(rate.ScopeDownStatement, labelPrefix)
    const [limit, window] = [Number(rate.Limit), Number(rate.EvaluationWindowSec ?? WINDOW_SECONDS)]
    return ({ inspection, context, rates }: Evaluation) => {
      if (scope && !scope(inspection)) return false
      const key = aggregateKey(rate, inspection)
      if (key === undefined) return false
      const count = context.rates.hit(JSON.stringify([owner, ruleId, ...key]), window, context.now)
      if (count <= limit) return false
      const keyType = rate.AggregateKeyType ?? 'IP'
      rates.push({ ruleId, groupRuleId, keyType, key, count, limit, windowSeconds: window })
      return true
    }
  }

  const compileGroup = (
    rule: Rule,
    group: RuleGroupConfiguration,
    type: CompiledGroup['type'],
    scope: Statement | undefined,
    overrides: { readonly excluded: readonly string[]; readonly actions: readonly RuleActionOverride[] },
  ): CompiledGroup => ({
    name: rule.Name!,
    id: group.id,
    type,
    isCounted: rule.OverrideAction?.Count !== undefined,
    scope: scope && compiler.compile(scope, acl.labelNamespace),
    rules: byPriority(group.rules).map((each) =>
      compileRule(
        each,
        rule.Name,
        group.labelNamespace,
        overrides.excluded.includes(each.Name!)
          ? { Count: {} }
          : (overrides.actions.find(({ Name }) => Name === each.Name)?.ActionToUse ?? each.Action ?? { Count: {} }),
      ),
    ),
    bodies: group.customResponseBodies,
  })

  const entries = byPriority(acl.rules).map((rule): CompiledRule | CompiledGroup => {
    const own = rule.Statement?.RuleGroupReferenceStatement
    const managed = rule.Statement?.ManagedRuleGroupStatement
    if (own) {
      const group = sources.ruleGroup(own.ARN!)
      if (!group) throw new UnevaluableRuleError(`The rule group ${own.ARN} does not exist.`)
      return compileGroup(rule, group, 'GROUP', undefined, overridesOf(own))
    }
    if (managed) {
      const group = sources.managedRuleGroup(managed.VendorName!, managed.Name!, managed.Version)
      if (!group) throw new UnevaluableRuleError(`${managed.VendorName} has no rule group ${managed.Name}.`)
      return compileGroup(rule, group, 'MANAGED_RULE_GROUP', managed.ScopeDownStatement, overridesOf(managed))
    }
    return compileRule(rule, undefined, acl.labelNamespace, rule.Action ?? { Count: {} })
  })

  const labels = readsTokenLabels(acl, sources)
    ? (context: EvaluationContext) => tokenLabels(context.token, immunity, context.now)
    : () => []
  return {
    evaluate: (request, context) => evaluate(acl, entries, request, context, labels(context)),
    learn: (request) => compiler.learn(new Inspection(request)),
  }
}

const wrapped =
  (predicate: Predicate) =>
  ({ inspection }: Evaluation) =>
    predicate(inspection)

const byPriority = (rules: readonly Rule[]): readonly Rule[] =>
  [...rules].sort((a, b) => Number(a.Priority) - Number(b.Priority))

const overridesOf = (statement: {
  readonly ExcludedRules?: readonly { readonly Name: string | undefined }[] | undefined
  readonly RuleActionOverrides?: readonly RuleActionOverride[] | undefined
}) => ({
  excluded: (statement.ExcludedRules ?? []).map(({ Name }) => Name!),
  actions: statement.RuleActionOverrides ?? [],
})

function nameOf(action: RuleAction): ActionName {
  if (action.Allow) return 'ALLOW'
  if (action.Block) return 'BLOCK'
  if (action.Captcha) return 'CAPTCHA'
  return action.Challenge ? 'CHALLENGE' : 'COUNT'
}

const insertedBy = (action: RuleAction): readonly CustomHTTPHeader[] =>
  (action.Allow ?? action.Count ?? action.Captcha ?? action.Challenge)?.CustomRequestHandling?.InsertHeaders ?? []

const prefixed = (headers: readonly CustomHTTPHeader[]) =>
  headers.map(({ Name, Value }) => [`${HEADER_PREFIX}${Name}`, Value ?? ''] as const)

/** What a rule does with a request that it matches: with a valid token, CAPTCHA and Challenge count. */
function effectOf({ action, immunity }: CompiledRule, { now, token }: EvaluationContext): ActionName {
  const name = nameOf(action)
  const isImmune = (at: number | undefined, seconds: number) => at !== undefined && now - at < seconds * 1_000
  if (name === 'CAPTCHA' && isImmune(token.solvedAt, immunity.captcha)) return 'COUNT'
  if (name === 'CHALLENGE' && isImmune(token.challengedAt, immunity.challenge)) return 'COUNT'
  return name
}

function evaluate(
  acl: WebAclConfiguration,
  entries: readonly (CompiledRule | CompiledGroup)[],
  request: InspectedRequest,
  context: EvaluationContext,
  given: readonly string[],
): Verdict {
  const evaluation: Evaluation = {
    inspection: new Inspection(request, context.explains, context.steps, context.addresses),
    context,
    rates: [],
  }
  const { labels } = evaluation.inspection
  for (const label of given) labels.add(label)
  const inserted: (readonly [string, string])[] = []
  const nonTerminating: RuleMatch[] = []
  const groups: GroupResult[] = []

  const verdict = (
    action: Verdict['action'],
    terminatingRuleId: string,
    terminatingRuleType: Verdict['terminatingRuleType'],
    definition: RuleAction | undefined,
    bodies: WebAclConfiguration['customResponseBodies'],
    evidence?: readonly Evidence[],
  ): Verdict => {
    const response = definition?.Block?.CustomResponse
    const body = response?.CustomResponseBodyKey ? bodies?.[response.CustomResponseBodyKey] : undefined
    return {
      action,
      terminatingRuleId,
      terminatingRuleType,
      ...(evidence && { evidence }),
      response,
      responseBody: body && { type: body.ContentType ?? 'TEXT_PLAIN', content: body.Content ?? '' },
      insertedHeaders: inserted,
      nonTerminating,
      groups,
      rates: evaluation.rates,
      labels: [...labels],
    }
  }

  /** The rule's effect, if it matches; its labels and headers are added. */
  const apply = (rule: CompiledRule): RuleMatch | undefined => {
    const known = evaluation.inspection.evidence?.length ?? 0
    if (!rule.matches(evaluation)) return undefined
    const evidence = evaluation.inspection.evidence?.slice(known)
    for (const label of rule.labels) evaluation.inspection.addLabel(label)
    const action = effectOf(rule, context)
    const headers = action === 'BLOCK' ? [] : insertedBy(rule.action)
    if (action === 'COUNT' || action === 'ALLOW') inserted.push(...prefixed(headers))
    return {
      ruleId: rule.name,
      action,
      ...(headers.length > 0 && { insertedHeaders: headers }),
      ...(evidence && { evidence }),
    }
  }

  for (const entry of entries) {
    if (!('rules' in entry)) {
      const match = apply(entry)
      if (!match) continue
      if (match.action === 'COUNT') nonTerminating.push(match)
      else
        return verdict(
          match.action,
          entry.name,
          entry.isRateBased ? 'RATE_BASED' : 'REGULAR',
          entry.action,
          acl.customResponseBodies,
          match.evidence,
        )
      continue
    }
    if (entry.scope && !entry.scope(evaluation.inspection)) continue
    const counted: RuleMatch[] = []
    let ended: { readonly rule: CompiledRule; readonly match: RuleMatch } | undefined
    for (const rule of entry.rules) {
      const match = apply(rule)
      if (!match) continue
      if (match.action === 'COUNT') counted.push(match)
      else {
        ended = { rule, match }
        break
      }
    }
    groups.push({ id: entry.id, terminatingRule: ended?.match, nonTerminating: counted })
    if (!ended) continue
    if (entry.isCounted) nonTerminating.push({ ruleId: entry.name, action: 'COUNT' })
    else {
      const action = ended.match.action as Verdict['action']
      return verdict(action, entry.name, entry.type, ended.rule.action, entry.bodies ?? acl.customResponseBodies)
    }
  }

  const isBlocked = acl.defaultAction.Block !== undefined
  if (!isBlocked) inserted.push(...prefixed(acl.defaultAction.Allow?.CustomRequestHandling?.InsertHeaders ?? []))
  return verdict(
    isBlocked ? 'BLOCK' : 'ALLOW',
    'Default_Action',
    'REGULAR',
    isBlocked ? { Block: acl.defaultAction.Block! } : undefined,
    acl.customResponseBodies,
  )
}
