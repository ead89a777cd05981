/**
 * Labels: what matching rules add to a request for the rules behind them.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-label-requirements.html
 */
import type { LabelMatchScope } from '@aws-sdk/client-wafv2'

/** Longer lists of labels say nothing new; AWS WAF keeps as many. */
export const LABELS_MAX = 100

/**
 * Whether a label matches a statement. `prefix` is that of the web ACL or rule group of the statement: a key that does
 * not begin with `awswaf:` is looked for among the labels of the same one.
 *
 * @example
 * labelMatches('awswaf:111122223333:webacl:shop:team:bad', 'awswaf:111122223333:webacl:shop:', 'LABEL', 'team:bad') // true
 */
export function labelMatches(label: string, prefix: string, scope: LabelMatchScope, key: string): boolean {
  if (key.startsWith('awswaf:')) return scope === 'LABEL' ? label === key : label.startsWith(key)
  if (!label.startsWith(prefix)) return false
  const own = `:${label.slice(prefix.length)}`
  return scope === 'LABEL' ? own.endsWith(`:${key}`) : own.slice(0, own.lastIndexOf(':') + 1).includes(`:${key}`)
}
