/** Whether the principals have a form that can match a caller. */
import { PRINCIPAL_TYPES } from '../document.ts'
import type { At, Text } from './finding.ts'
import type { Check, Linted, Report, StatementAt } from './statement.ts'

export const checkPrincipals: Check = (statement, linted, report) => {
  const element = statement.principal ?? statement.notPrincipal
  if (!element) return
  if (linted.kind === 'trust' && statement.notPrincipal) {
    report(
      'ERROR',
      'ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL',
      'A trust policy has no NotPrincipal.',
      statement.notPrincipal,
    )
  }
  if (statement.effect === 'Allow' && statement.notPrincipal) {
    report(
      'SECURITY_WARNING',
      'ALLOW_WITH_NOT_PRINCIPAL',
      'Allow with NotPrincipal reaches all other principals, the anonymous among them.',
      statement.notPrincipal,
    )
  }
  if (element.json.type === 'string') {
    if (element.json.value !== '*') {
      report('ERROR', 'INVALID_PRINCIPAL_FORMAT', 'A principal is "*", or an object by type.', element)
    } else if (linted.kind === 'trust' && statement.effect === 'Allow') {
      const details = 'Name whom the role trusts.'
      report('ERROR', 'ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL', details, element)
    }
    return
  }
  if (element.json.type !== 'object') {
    return void report('ERROR', 'INVALID_PRINCIPAL_FORMAT', 'A principal is "*", or an object by type.', element)
  }
  if (element.json.members.size === 0)
    report('SUGGESTION', 'EMPTY_OBJECT_PRINCIPAL', 'The principal matches no caller.', element)
  for (const [type, names] of element.members()) {
    if (!PRINCIPAL_TYPES.some((known) => known === type)) {
      report('ERROR', 'INVALID_PRINCIPAL_KEY', `${type} is no type of principal.`, names)
      continue
    }
    if (names.isEmptyList) report('SUGGESTION', 'EMPTY_ARRAY_PRINCIPAL', 'The list of principals is empty.', names)
    for (const item of names.items()) {
      if (item.json.type === 'string') checkPrincipal(type, { at: item, text: item.json.value }, linted, report)
      else report('ERROR', 'DATA_TYPE_MISMATCH', 'The value must be of the JSON type string.', item)
    }
    mismatched(type, names, statement, linted, report)
    redundantSessions(type, names, linted, report)
    rolesAnywhere(type, names, statement, linted, report)
  }
}

const AWS =
  /^(\*|\d{12}|A(IDA|ROA)[A-Z0-9]{13,}|arn:aws[a-z-]*:iam::(\d{12}|cloudfront):(root|(user|role)\/[^*?]+)|arn:aws[a-z-]*:sts::\d{12}:(assumed-role\/[^/*?]+\/[^/*?]+|federated-user\/[^*?]+|self))$/
const SERVICE = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|aws\.internal|amazon\.com)$/
const FEDERATED = /^(\*|arn:aws[a-z-]*:iam::\d{12}:(saml|oidc)-provider\/[^*?]+|[a-z0-9-]+(\.[a-z0-9-]+)+(\/[^*?]*)?)$/

function checkPrincipal(type: string, { at, text }: Text, { kind }: Linted, report: Report): void {
  const error = (code: string, details: string) => report('ERROR', code, details, at)
  if (/[*?]/.test(text) && text !== '*') {
    return void error(
      'UNSUPPORTED_WILDCARD_IN_PRINCIPAL',
      'Wildcards are not for parts of a principal: use * and a condition.',
    )
  }
  if (type === 'AWS' && !AWS.test(text))
    error('INVALID_PRINCIPAL_FORMAT', `${text} is no account, user, role or session.`)
  if (type === 'Service' && !SERVICE.test(text)) {
    error('INVALID_SERVICE_PRINCIPAL_FORMAT', `${text} is no service: expected a name such as lambda.amazonaws.com.`)
  }
  if (type === 'Federated' && !FEDERATED.test(text))
    error(
      kind === 'trust' ? 'INVALID_FEDERATED_PRINCIPAL_SYNTAX_IN_ROLE_TRUST_POLICY' : 'INVALID_PRINCIPAL_FORMAT',
      `${text} is no identity provider.`,
    )
  if (type === 'CanonicalUser' && !/^[0-9a-f]{64}$/.test(text)) {
    error('INVALID_PRINCIPAL_FORMAT', `${text} is no canonical user: those have 64 hexadecimal digits.`)
  }
  if (kind === 'trust' && type === 'Federated' && text === '*') {
    error('ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL', 'Name the identity provider that the role trusts.')
  }
  if (kind === 'resource' && type === 'Federated') {
    error('FEDERATED_PRINCIPAL_NOT_SUPPORTED', 'Only trust policies name identity providers.')
  }
  const [id] = /^A(IDA|ROA)/.exec(text) ?? []
  if (type === 'AWS' && id) {
    const [code, what] = id === 'AROA' ? ['INVALID_ROLE_REFERENCE', 'role'] : ['INVALID_USER_REFERENCE', 'user']
    report('WARNING', code!, `Name the ${what} by its ARN instead of its id ${text}.`, at)
  }
}

/** Web identities use one action, SAML another, all other principals AssumeRole. */
function mismatched(type: string, names: At, { action, effect }: StatementAt, { kind }: Linted, report: Report): void {
  const actions = action?.texts().map(({ text }) => text.toLowerCase()) ?? []
  if (kind !== 'trust' || effect !== 'Allow' || actions.some((each) => /[*?]/.test(each))) return
  const wanted = (text: string) =>
    type !== 'Federated'
      ? 'sts:assumerole'
      : text.includes(':saml-provider/')
        ? 'sts:assumerolewithsaml'
        : 'sts:assumerolewithwebidentity'
  for (const { at, text } of names.texts()) {
    const assuming = actions.filter((each) => each.startsWith('sts:assumerole'))
    if (assuming.length === 0 || assuming.includes(wanted(text))) continue
    report('ERROR', 'MISMATCHED_ACTION_FOR_PRINCIPAL', `${text} can only use ${wanted(text)}.`, at)
  }
}

/** A session of a role that is named, too. */
function redundantSessions(type: string, names: At, { kind }: Linted, report: Report): void {
  if (kind !== 'trust' || type !== 'AWS') return
  const texts = names.texts()
  const roles = new Set(texts.map(({ text }) => text.replace(/:role\/(.*\/)?/, ':role/')))
  for (const { at, text } of texts) {
    const session = /^(arn:[^:]*):sts::(\d{12}):assumed-role\/([^/]+)\//.exec(text)
    const role = session && `${session[1]}:iam::${session[2]}:role/${session[3]}`
    if (!role || !roles.has(role)) continue
    report('SUGGESTION', 'REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY', `${role} includes its session ${text}.`, at)
  }
}

const ROLES_ANYWHERE = 'rolesanywhere.amazonaws.com'
const ROLES_ANYWHERE_NEEDS = ['sts:assumerole', 'sts:setsourceidentity', 'sts:tagsession']

function rolesAnywhere(type: string, names: At, statement: StatementAt, { kind }: Linted, report: Report): void {
  if (kind !== 'trust' || type !== 'Service' || statement.effect !== 'Allow' || !statement.action) return
  const place = names.texts().find(({ text }) => text === ROLES_ANYWHERE)
  const actions = new Set(statement.action.texts().map(({ text }) => text.toLowerCase()))
  if (!place || actions.has('*') || actions.has('sts:*')) return
  const missing = ROLES_ANYWHERE_NEEDS.filter((name) => !actions.has(name))
  if (missing.length === 0) return
  const details = `${ROLES_ANYWHERE} also needs ${missing.join(', ')}.`
  report('ERROR', 'MISSING_ACTION_FOR_ROLES_ANYWHERE_TRUST_POLICY', details, place.at)
}
