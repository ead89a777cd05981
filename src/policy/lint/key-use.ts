/** Condition keys that are used where they do not protect: alone, with the wrong operator, or with open values. */
import { parseOperator } from '../operators.ts'
import { typeOf } from './conditions.ts'
import type { FindingType } from './finding.ts'
import { type Check, type ConditionAt, familyOf, type Linted, type Report, type StatementAt } from './statement.ts'

export const checkKeyUse: Check = (statement, linted, report) => {
  const keys = new Set(statement.conditions.map(({ key }) => key.toLowerCase()))
  for (const condition of statement.conditions) {
    const say = (type: FindingType, code: string, details: string) => report(type, code, details, condition.keyAt)
    const use = { condition, key: condition.key.toLowerCase(), keys, statement, linted, say }
    for (const check of [untrustworthy, paired, arnsAsTexts, prefixes, attributes, audiences, wildcards, sensitive])
      check(use)
  }
  services(statement, linted, report)
}

interface Use {
  readonly condition: ConditionAt
  /** In lower case, as in `keys`. */
  readonly key: string
  readonly keys: ReadonlySet<string>
  readonly statement: StatementAt
  readonly linted: Linted
  readonly say: (type: FindingType, code: string, details: string) => void
}

function untrustworthy({ condition, key, say }: Use): void {
  if (key !== 'aws:referer' && key !== 'aws:useragent') return
  say('SECURITY_WARNING', 'UNTRUSTWORTHY_CONDITION_KEY', `The caller chooses the value of ${condition.key}.`)
}

const PAIRS: Readonly<Record<string, readonly string[]>> = {
  'aws:vpcsourceip': ['aws:SourceVpc', 'aws:SourceVpce', 'aws:SourceVpcArn'],
  'aws:ec2instancesourceprivateipv4': ['aws:Ec2InstanceSourceVpc'],
}

function paired({ condition, key, keys, say }: Use): void {
  const others = Object.hasOwn(PAIRS, key) ? PAIRS[key]! : []
  if (others.length === 0 || others.some((other) => keys.has(other.toLowerCase()))) return
  const details = `${condition.key} is a private address, which many networks have: add ${others.join(' or ')}.`
  say('SECURITY_WARNING', 'MISSING_PAIRED_CONDITION_KEYS', details)
}

function arnsAsTexts({ condition, linted, say }: Use): void {
  if (!/^String(Not)?Like$/.test(parseOperator(condition.operator)?.operator.name ?? '')) return
  if (!typeOf(condition.key, linted)?.endsWith('ARN')) return
  const details = `A wildcard of ${condition.operator} runs over the parts of an ARN: use ArnLike for ${condition.key}.`
  say('SECURITY_WARNING', 'STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS', details)
}

function prefixes({ condition, key, statement, say }: Use): void {
  const parsed = parseOperator(condition.operator)
  if (key !== 's3:prefix' || familyOf(condition.operator) !== 'String' || !parsed) return
  if ((statement.effect === 'Deny') === parsed.operator.negated) return
  const details = 'A caller that lists by a shorter prefix passes this: allow by StringLike, or deny by StringNotLike.'
  say('SECURITY_WARNING', 'S3_PREFIX_IN_NEGATIVE_CONTEXT', details)
}

function attributes({ key, keys, say }: Use): void {
  if (key !== 'dynamodb:attributes' || keys.has('dynamodb:select')) return
  const details = 'A request that names no attributes reads all of them: require dynamodb:Select SPECIFIC_ATTRIBUTES.'
  say('SECURITY_WARNING', 'DYNAMODB_ATTRIBUTES_WITHOUT_SELECT', details)
}

function audiences({ condition, key, say }: Use): void {
  const quantifier = parseOperator(condition.operator)?.quantifier
  if (!/\.[^:]*:aud$/.test(key) || !quantifier) return
  const details = `${condition.key} has one value: use no qualifier.`
  if (quantifier === 'foranyvalue') say('SECURITY_WARNING', 'FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE', details)
  else say('SUGGESTION', 'CONFIRM_AUDIENCE_CLAIM_TYPE', details)
}

/** `*` alone: the condition tests only whether there is a value, or nothing at all. */
function wildcards({ condition, say }: Use): void {
  const parsed = parseOperator(condition.operator)
  if (!parsed || !/^(String|Arn)(Not)?Like$/.test(parsed.operator.name)) return
  if (!condition.values.some(({ text }) => /^\*+$/.test(text))) return
  const { operator, ifExists, quantifier } = parsed
  const { key } = condition
  if (operator.negated) {
    if (quantifier === 'foranyvalue') {
      say('SUGGESTION', 'REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION', `No value of ${key} meets this.`)
    } else say('SUGGESTION', 'EQUIVALENT_TO_NULL_TRUE', `Only a request without ${key} meets this: use Null true.`)
  } else if (ifExists || quantifier === 'forallvalues') {
    say('SUGGESTION', 'REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION', `Every request meets this condition on ${key}.`)
  } else say('SUGGESTION', 'EQUIVALENT_TO_NULL_FALSE', `Every request with ${key} meets this: use Null false.`)
}

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sensitive */
const SENSITIVE: ReadonlySet<string> = new Set([
  'aws:principalaccount',
  'aws:principalorgid',
  'aws:resourceaccount',
  'aws:resourceorgid',
  'aws:sourceaccount',
  'aws:sourceorgid',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:vpceaccount',
  'aws:vpceorgid',
])

/** In a policy on a resource an open value lets others in. */
function sensitive({ condition, key, statement, linted, say }: Use): void {
  const parsed = parseOperator(condition.operator)
  if ((linted.kind !== 'resource' && linted.kind !== 'trust') || statement.effect !== 'Allow') return
  if (!parsed || parsed.operator.negated || familyOf(condition.operator) === 'Null') return
  const isLike = /Like$/.test(parsed.operator.name)
  for (const { text } of condition.values) {
    const fixed = text.replaceAll(/\$\{[*?$]\}/g, '')
    const isOpenId = key === 'aws:userid' && /^[^:]+[*?][^:]*(:|$)|^\*$|^[^:]*\?/.test(fixed) && fixed !== '*:*'
    const open = SENSITIVE.has(key) || isOpenId
    if (isLike && open && /[*?]/.test(fixed)) {
      say('ERROR', 'WILDCARD_USAGE_TOO_PERMISSIVE', `A wildcard in ${condition.key} may match anyone: ${text}.`)
    } else if (SENSITIVE.has(key) && fixed.includes('${')) {
      say('ERROR', 'VARIABLE_USAGE_TOO_PERMISSIVE', `A variable in ${condition.key} may be anything: ${text}.`)
    }
  }
}

const VPCE_KEYS = /^aws:vpce(account|orgid|orgpaths)$/i

/** Only some services know whose a VPC endpoint is. */
function services({ action, notAction, conditions }: StatementAt, _linted: Linted, report: Report): void {
  const isWide = notAction !== undefined || (action?.texts().some(({ text }) => /^[^:]*[*?]/.test(text)) ?? false)
  for (const { key, keyAt } of conditions) {
    if (!isWide || !VPCE_KEYS.test(key)) continue
    const details = `${key} works with some services only: name the actions of services that support it.`
    report('WARNING', 'USE_CONDITION_KEY_ONLY_WITH_SUPPORTED_SERVICES', details, keyAt)
  }
}
