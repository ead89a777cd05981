/** What service and resource control policies may not say, and what they forget about services that act for an account. */
import type { At } from './finding.ts'
import type { Check, Linted, Report, StatementAt } from './statement.ts'

export const checkControlPolicies: Check = (statement, linted, report) => {
  if (linted.kind === 'scp') checkServiceControl(statement, report)
  if (linted.kind === 'rcp') checkResourceControl(statement, linted, report)
}

function checkServiceControl({ action, notAction }: StatementAt, report: Report): void {
  for (const { at, text } of (action ?? notAction)?.texts() ?? []) {
    if (/[*?]./.test(text)) {
      const details = `A service control policy takes a wildcard only at the end of an action: ${text}.`
      report('ERROR', 'SCP_SYNTAX_ERROR_ACTION_WILDCARD', details, at)
    }
  }
}

function checkResourceControl(statement: StatementAt, { reference }: Linted, report: Report): void {
  const { at, effect, action, notAction, principal, notPrincipal } = statement
  const error = (code: string, details: string, place: At) => report('ERROR', code, details, place)
  if (effect === 'Allow') error('RCP_SYNTAX_ERROR_ALLOW', 'A resource control policy can only deny.', at)
  if (notAction) error('RCP_SYNTAX_ERROR_NOTACTION', 'A resource control policy has no NotAction.', notAction)
  const named = notPrincipal ?? (principal && !isEveryone(principal) ? principal : undefined)
  if (named) error('RCP_SYNTAX_ERROR_PRINCIPAL', 'The principal of a resource control policy is "*".', named)
  for (const { at: place, text } of action?.texts() ?? []) {
    const service = text.split(':')[0]!.toLowerCase()
    if (reference.rcpServices && !reference.rcpServices.has(service)) {
      error('RCP_SYNTAX_ERROR_ACTION', `Resource control policies do not cover ${text}.`, place)
    }
  }
  checkServices(statement, report)
}

function isEveryone(principal: At): boolean {
  if (principal.json.type === 'string') return principal.json.value === '*'
  const members = principal.members()
  return members.length === 1 && members[0]![0] === 'AWS' && members[0]![1].texts().every(({ text }) => text === '*')
}

const OF_PRINCIPALS = /^aws:principal(account|arn|orgid|orgpaths|tag\/.*)$/
const OF_SOURCES = /^aws:source(account|arn|orgid|orgpaths)$/

/** A Deny by principal keys denies services, which have no such keys; one by a source denies all other callers. */
function checkServices({ effect, conditions }: StatementAt, report: Report): void {
  if (effect !== 'Deny') return
  const keys = conditions.map(({ key }) => key.toLowerCase())
  const hasKey = (name: string) => keys.includes(name)
  const nulls = conditions.filter(({ operator }) => /^null$/i.test(operator)).map(({ key }) => key.toLowerCase())
  const compared = conditions.filter(({ operator }) => !/^null$/i.test(operator))
  const warn = (code: string, details: string, place: At) => report('WARNING', code, details, place)
  for (const { key, keyAt } of compared) {
    const lowered = key.toLowerCase()
    if (OF_PRINCIPALS.test(lowered) && !hasKey('aws:principalisawsservice')) {
      const details = `${key} is absent where a service acts: add BoolIfExists aws:PrincipalIsAWSService false.`
      warn('RCP_MISSING_RELATED_PRINCIPAL_CONDITION_KEY', details, keyAt)
    }
    if (!OF_SOURCES.test(lowered)) continue
    if (!hasKey('aws:principalisawsservice')) {
      const details = `${key} is absent where no service acts: add BoolIfExists aws:PrincipalIsAWSService true.`
      warn('RCP_MISSING_RELATED_SERVICE_PRINCIPAL_CONDITION_KEY', details, keyAt)
    }
    if (/org(id|paths)$/.test(lowered) && !nulls.includes('aws:sourceaccount') && !nulls.includes('aws:sourcearn')) {
      const details = `Some services act without ${key}: add Null aws:SourceAccount false.`
      warn('RCP_MISSING_SERVICE_CONDITION_KEY_NULL_CHECK', details, keyAt)
    }
  }
}
