/**
 * Labels that say what the token of a request proves, for rules that match them.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-tokens-labels.html
 */
import type { RuleSources, WebAclConfiguration } from './rules.ts'

export interface TokenState {
  /** When the client's token was earned, in milliseconds; absent without a valid token. */
  readonly challengedAt?: number | undefined
  /** When a person solved its puzzle. */
  readonly solvedAt?: number | undefined
  /** Why there is no valid token. */
  readonly failure?: 'TOKEN_MISSING' | 'TOKEN_EXPIRED' | 'TOKEN_INVALID' | 'TOKEN_DOMAIN_MISMATCH' | undefined
}

const TOKEN = 'awswaf:managed:token'
const CAPTCHA = 'awswaf:managed:captcha'
const REASONS = {
  TOKEN_EXPIRED: 'expired',
  TOKEN_INVALID: 'invalid',
  TOKEN_DOMAIN_MISMATCH: 'domain_mismatch',
} as const

/** Whether a rule matches one of the labels: they are added for no other web ACL, so that logs stay small. */
export function readsTokenLabels(acl: WebAclConfiguration, sources: RuleSources): boolean {
  const groups = acl.rules.flatMap(({ Statement }) => {
    const arn = Statement?.RuleGroupReferenceStatement?.ARN
    return arn === undefined ? [] : (sources.ruleGroup(arn)?.rules ?? [])
  })
  return /"awswaf:managed:(?:token|captcha)\b/.test(JSON.stringify([acl.rules, groups]))
}

const labelsFor = (prefix: string, at: number | undefined, seconds: number, now: number): readonly string[] => {
  if (at === undefined) return [`${prefix}:rejected`, `${prefix}:rejected:not_solved`]
  return now - at < seconds * 1_000 ? [`${prefix}:accepted`] : [`${prefix}:rejected`, `${prefix}:rejected:expired`]
}

/** `immunity`: of the web ACL, in seconds. */
export function tokenLabels(
  { challengedAt, solvedAt, failure }: TokenState,
  immunity: { readonly captcha: number; readonly challenge: number },
  now: number,
): readonly string[] {
  if (challengedAt === undefined && (failure === undefined || failure === 'TOKEN_MISSING'))
    return [`${TOKEN}:absent`, `${CAPTCHA}:absent`]
  if (failure !== undefined && failure !== 'TOKEN_MISSING') {
    const reason = REASONS[failure]
    return [TOKEN, CAPTCHA].flatMap((prefix) => [`${prefix}:rejected`, `${prefix}:rejected:${reason}`])
  }
  return [
    ...labelsFor(TOKEN, challengedAt, immunity.challenge, now),
    ...labelsFor(CAPTCHA, solvedAt, immunity.captcha, now),
  ]
}
