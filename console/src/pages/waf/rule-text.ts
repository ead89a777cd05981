/** Rules of web ACLs in words, and what they do. */
import type { Output } from '../../api/sdk.ts'

export type WebAcl = NonNullable<Output<'wafv2', 'GetWebACL'>['WebACL']>
export type Rule = NonNullable<WebAcl['Rules']>[number]
type Statement = NonNullable<Rule['Statement']>

export type Effect = 'Allow' | 'Block' | 'Count' | 'CAPTCHA' | 'Challenge' | 'As the group says'

export function effectOf({ Action, OverrideAction }: Rule): Effect {
  if (OverrideAction) return OverrideAction.Count ? 'Count' : 'As the group says'
  if (Action?.Allow) return 'Allow'
  if (Action?.Block) return 'Block'
  if (Action?.Captcha) return 'CAPTCHA'
  return Action?.Challenge ? 'Challenge' : 'Count'
}

export const isCounted = (rule: Rule): boolean => effectOf(rule) === 'Count'

/** The same rule, which blocks instead of counting, or the other way round. A group's rules do as they say. */
export function switched(rule: Rule): Rule {
  const toBlock = isCounted(rule)
  if (rule.OverrideAction) return { ...rule, OverrideAction: toBlock ? { None: {} } : { Count: {} } }
  return { ...rule, Action: toBlock ? { Block: {} } : { Count: {} } }
}

/** `the path contains "admin"` */
export function statementText(statement: Statement | undefined): string {
  const [kind, content] = Object.entries(statement ?? {}).find(([, value]) => value !== undefined) ?? []
  const node = (content ?? {}) as Readonly<Record<string, never>> & {
    readonly FieldToMatch?: object
    readonly Statements?: readonly Statement[]
    readonly Statement?: Statement
    readonly SearchString?: Uint8Array
  }
  const where = fieldText(node.FieldToMatch)
  switch (kind) {
    case 'ByteMatchStatement':
      return `${where} ${POSITIONS[String(node['PositionalConstraint'])] ?? 'matches'} "${new TextDecoder().decode(node.SearchString)}"`
    case 'SqliMatchStatement':
      return `${where} looks like SQL injection`
    case 'XssMatchStatement':
      return `${where} looks like cross-site scripting`
    case 'SizeConstraintStatement':
      return `the size of ${where} is ${node['ComparisonOperator']} ${node['Size']}`
    case 'RegexMatchStatement':
      return `${where} matches ${node['RegexString']}`
    case 'RegexPatternSetReferenceStatement':
      return `${where} matches a pattern of ${nameIn(node['ARN'])}`
    case 'IPSetReferenceStatement':
      return `the address is in ${nameIn(node['ARN'])}`
    case 'GeoMatchStatement':
      return `the country is ${(node['CountryCodes'] as readonly string[] | undefined)?.join(' or ')}`
    case 'LabelMatchStatement':
      return `it has the label ${node['Key']}`
    case 'RateBasedStatement':
      return `more than ${node['Limit']} requests in ${Number(node['EvaluationWindowSec'] ?? 300) / 60} min by ${node['AggregateKeyType'] ?? 'IP'}`
    case 'ManagedRuleGroupStatement':
      return `the rules of ${node['VendorName']} ${node['Name']}`
    case 'RuleGroupReferenceStatement':
      return `the rules of ${nameIn(node['ARN'])}`
    case 'AndStatement':
      return (node.Statements ?? []).map((each) => `(${statementText(each)})`).join(' and ')
    case 'OrStatement':
      return (node.Statements ?? []).map((each) => `(${statementText(each)})`).join(' or ')
    case 'NotStatement':
      return `not (${statementText(node.Statement)})`
    default:
      return kind ?? 'nothing'
  }
}

const POSITIONS: Readonly<Record<string, string>> = {
  EXACTLY: 'is',
  STARTS_WITH: 'begins with',
  ENDS_WITH: 'ends with',
  CONTAINS: 'contains',
  CONTAINS_WORD: 'contains the word',
}

/** ARNs end with the name and the ID. */
const nameIn = (arn: unknown): string => String(arn).split('/').at(-2) ?? String(arn)

function fieldText(field: object | undefined): string {
  const [kind = '', detail] = Object.entries(field ?? {}).find(([, value]) => value !== undefined) ?? []
  const { Name } = (detail ?? {}) as { readonly Name?: string }
  if (kind === 'SingleHeader') return `the header ${Name}`
  if (kind === 'SingleQueryArgument') return `the query argument ${Name}`
  const words = kind.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return `the ${words.replace('uri', 'URI').replace('json', 'JSON') || 'request'}`
}

/** What an update has to carry besides the rules: it replaces everything. */
export const settingsOf = (acl: WebAcl) => ({
  DefaultAction: acl.DefaultAction,
  VisibilityConfig: acl.VisibilityConfig,
  Description: acl.Description || undefined,
  CustomResponseBodies: acl.CustomResponseBodies,
  CaptchaConfig: acl.CaptchaConfig,
  ChallengeConfig: acl.ChallengeConfig,
  TokenDomains: acl.TokenDomains,
  AssociationConfig: acl.AssociationConfig,
  DataProtectionConfig: acl.DataProtectionConfig,
})
