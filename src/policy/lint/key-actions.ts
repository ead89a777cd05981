/** Condition keys that the actions of a statement do not have: there the condition is never met, or always. */
import { globCodes, globMatches } from '../glob.ts'
import type { Check, ConditionAt, Linted, Report, StatementAt } from './statement.ts'

export const checkKeyActions: Check = (statement, linted, report) => {
  for (const condition of statement.conditions) {
    tags(condition, statement, linted, report)
    needed(condition, statement, report)
    unsupported(condition, statement, linted, report)
    irrelevant(condition, linted, report)
  }
}

const serviceOf = (action: string): string => action.split(':')[0]!.toLowerCase()

/** Services of which it is known that none of their resources has tags as a condition. */
function tags({ key, keyAt }: ConditionAt, statement: StatementAt, linted: Linted, report: Report): void {
  const { effect, action, notAction } = statement
  if (!/^aws:ResourceTag\//i.test(key) || !effect) return
  if (notAction) {
    const details = `Not every action that NotAction leaves knows ${key}: list the actions.`
    if (effect === 'Deny') {
      report('SECURITY_WARNING', 'DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE', details, keyAt)
    } else report('SUGGESTION', 'ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE', details, keyAt)
    return
  }
  const named = new Set((action?.texts() ?? []).map(({ text }) => serviceOf(text)))
  const without = [...named].filter((service) => {
    const keys = linted.reference.service(service)?.details?.keys
    return keys && !Object.keys(keys).some((each) => /^aws:ResourceTag\//i.test(each))
  })
  if (without.length === 0) return
  const details = `${key} is never in requests for ${without.join(', ')}: move their actions to another statement.`
  if (effect === 'Deny')
    report('SECURITY_WARNING', 'DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE', details, keyAt)
  else report('SUGGESTION', 'ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE', details, keyAt)
}

/** Keys that one action alone has. */
const ONLY_ACTION: Readonly<Record<string, string>> = {
  'iam:passedtoservice': 'iam:PassRole',
  'iam:associatedresourcearn': 'iam:PassRole',
  'ec2:createaction': 'ec2:CreateTags',
}

function covers(statement: StatementAt, name: string): boolean {
  const listed = (at: StatementAt['action']) =>
    at?.texts().some(({ text }) => globMatches(globCodes(text.toLowerCase()), name.toLowerCase())) ?? false
  return statement.action ? listed(statement.action) : !listed(statement.notAction)
}

function needed({ key, keyAt }: ConditionAt, statement: StatementAt, report: Report): void {
  const lowered = key.toLowerCase()
  const name = Object.hasOwn(ONLY_ACTION, lowered) ? ONLY_ACTION[lowered]! : undefined
  if (!name || covers(statement, name)) return
  report('ERROR', 'MISSING_ACTION_FOR_CONDITION_KEY', `Only ${name} has ${key}, and the statement lacks it.`, keyAt)
}

/** Keys that describe the credentials of a workload: its requests to every service have them. */
const OF_CALLER: ReadonlySet<string> = new Set([
  'codebuild:buildarn',
  'codebuild:projectarn',
  'glue:credentialissuingservice',
  'glue:roleassumedby',
  'lambda:sourcefunctionarn',
  'ssm:sourceinstancearn',
])

/**
 * Actions whose service has tables, and of which none has the key: those named in full, and wildcards that match no action
 * that has it. A service that has no key with this prefix has none of its keys.
 */
function unsupported({ key, keyAt }: ConditionAt, statement: StatementAt, linted: Linted, report: Report): void {
  const lowered = key.toLowerCase()
  const prefix = serviceOf(key)
  // Of EC2 the reference is incomplete: AWS's own policies use its keys for more actions.
  if (prefix === 'aws' || prefix.includes('.') || /^(saml|cognito-identity|ec2)$/.test(prefix)) return
  if (OF_CALLER.has(lowered)) return
  if (!statement.action || !linted.reference.service(prefix)?.details?.actionKeys) return
  const has = (keys: readonly string[]) =>
    keys.some((each) => lowered === each || (/[/:]$/.test(each) && lowered.startsWith(each)))
  const without = statement.action.texts().filter(({ text }) => {
    const [service = '', name = ''] = text.toLowerCase().split(':')
    const supported = linted.reference.service(service)?.details?.actionKeys
    if (!supported || name === '') return false
    if (!/[*?]/.test(name)) {
      const keys = supported.get(name)
      linted.budget.spend(keys?.length ?? 1)
      return keys !== undefined && !has(keys)
    }
    const glob = globCodes(name)
    let isKnown = false
    for (const [each, keys] of supported) {
      linted.budget.spend(1)
      if (!globMatches(glob, each)) continue
      linted.budget.spend(keys.length)
      if (has(keys)) return false
      isKnown = true
    }
    return isKnown
  })
  if (without.length === 0) return
  const named = without.slice(0, 5).map(({ text }) => text)
  const details = `${key} is never in requests for ${named.join(', ')}: move them to another statement.`
  report('ERROR', 'UNSUPPORTED_ACTION_FOR_CONDITION_KEY', details, keyAt)
}

/** The policy is on the resource: whose it is, it need not say. */
function irrelevant({ key, keyAt }: ConditionAt, { kind, resourceType }: Linted, report: Report): void {
  const isS3 = kind === 'resource' && (resourceType?.startsWith('AWS::S3') ?? true)
  const isTrust = kind === 'trust'
  const isOfResource = /^aws:Resource(Account|OrgID|OrgPaths)$/i.test(key) && kind === 'resource'
  if (!(isS3 && /^s3:ResourceAccount$/i.test(key)) && !isOfResource && !(isTrust && /^iam:PassedToService$/i.test(key)))
    return
  const details = `${key} says nothing in a policy on the resource itself: use it in an identity-based policy.`
  report('SUGGESTION', 'IRRELEVANT_CONDITION_KEY_IN_POLICY', details, keyAt)
}
