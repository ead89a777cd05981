/** Grants that reach further than they look. */
import { globCodes, globMatches } from '../glob.ts'
import type { At } from './finding.ts'
import type { Check, Report, StatementAt } from './statement.ts'

interface Sensitive {
  readonly action: string
  readonly prefix: string
  readonly type: 'SECURITY_WARNING' | 'WARNING'
  readonly why: string
}

/** Actions that hand out power over whatever the resource says. */
const SENSITIVE: readonly Sensitive[] = [
  {
    action: 'iam:passrole',
    prefix: 'PASS_ROLE',
    type: 'SECURITY_WARNING',
    why: 'lets every role be passed to a service. Name the roles, or test iam:PassedToService',
  },
  {
    action: 'iam:createservicelinkedrole',
    prefix: 'CREATE_SLR',
    type: 'WARNING',
    why: 'lets service-linked roles be created for any service. Name the roles, or test iam:AWSServiceName',
  },
]
const NARROWING: Readonly<Record<string, string>> = {
  PASS_ROLE: 'iam:passedtoservice',
  CREATE_SLR: 'iam:awsservicename',
}

export const checkSensitive: Check = (statement, { kind }, report) => {
  if (statement.effect !== 'Allow' || (kind !== 'identity' && kind !== 'session' && kind !== 'boundary')) return
  for (const { action, prefix, type, why } of SENSITIVE) {
    if (statement.conditions.some(({ key }) => key.toLowerCase() === NARROWING[prefix])) continue
    const found = grants(statement, action)
    const reach = everything(statement)
    if (!found || !reach) continue
    const code = `${prefix}_WITH_${codeOf(found.how, reach.how)}`
    report(type, code, `The statement ${why}.`, found.at, reach.at)
  }
}

type How = 'name' | 'star' | 'not'

/** How the statement comes to allow the action. */
function grants({ action, notAction }: StatementAt, name: string): { readonly how: How; readonly at: At } | undefined {
  for (const { at, text } of action?.texts() ?? []) {
    const lowered = text.toLowerCase()
    if (lowered === name) return { how: 'name', at }
    if (/[*?]/.test(lowered) && globMatches(globCodes(lowered), name)) return { how: 'star', at }
  }
  if (!notAction) return undefined
  const left = notAction.texts().some(({ text }) => globMatches(globCodes(text.toLowerCase()), name))
  return left ? undefined : { how: 'not', at: notAction }
}

function everything({
  resource,
  notResource,
}: StatementAt): { readonly how: 'star' | 'not'; readonly at: At } | undefined {
  if (notResource) return { how: 'not', at: notResource }
  const star = resource
    ?.texts()
    .find(({ text }) => text === '*' || /^arn:[^:]*:iam:[^:]*:[^:]*:(\*|role\/\*)$/.test(text))
  return star && { how: 'star', at: star.at }
}

function codeOf(action: How, resource: 'star' | 'not'): string {
  if (resource === 'star') {
    return { name: 'STAR_IN_RESOURCE', star: 'STAR_IN_ACTION_AND_RESOURCE', not: 'STAR_IN_RESOURCE_AND_NOT_ACTION' }[
      action
    ]
  }
  return { name: 'NOT_RESOURCE', star: 'STAR_IN_ACTION_AND_NOT_RESOURCE', not: 'NOT_ACTION_AND_NOT_RESOURCE' }[action]
}

/** A service acts for many customers: without these a policy lets it act for all of them. */
const SOURCES = ['aws:sourcearn', 'aws:sourceaccount', 'aws:sourceorgid', 'aws:sourceorgpaths']

export const checkServices: Check = (statement, { kind }, report) => {
  if (statement.effect !== 'Allow' || kind !== 'resource') return
  const services = statement.principal?.member('Service')
  if (services) serviceKeys(statement, services, report)
  if (!services || statement.conditions.some(({ key }) => SOURCES.includes(key.toLowerCase()))) return
  report(
    'SECURITY_WARNING',
    'RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL',
    'The service may act for any of its customers: test aws:SourceArn, aws:SourceAccount or aws:SourceOrgID.',
    services,
  )
}

/** A service is no principal of an account: it has none of these. */
const OF_ACCOUNTS = /^aws:(principal(account|arn|orgid|orgpaths|tag\/.*)|userid|username)$/i

function serviceKeys({ principal, conditions }: StatementAt, services: At, report: Report): void {
  const onlyServices = principal?.members().every(([type]) => type === 'Service') ?? false
  const compared = conditions.filter(({ operator }) => !/null$|ifexists$/i.test(operator))
  for (const { key, keyAt } of onlyServices ? compared : []) {
    if (!OF_ACCOUNTS.test(key)) continue
    const details = `A service has no ${key}: the statement allows nothing.`
    report('ERROR', 'UNSUPPORTED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL', details, keyAt)
  }
  const weak = conditions.find(({ key }) => /^aws:(referer|sourceip|useragent)$/i.test(key))
  if (!weak || conditions.some(({ key }) => SOURCES.includes(key.toLowerCase()))) return
  const details = `Use aws:SourceArn, aws:SourceAccount or aws:SourceOrgID instead of ${weak.key}.`
  report('SUGGESTION', 'RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL', details, services)
}

/** Identity providers shared by many tenants, and the key that identifies one of them. */
const SHARED: Readonly<Record<string, readonly string[]>> = {
  'token.actions.githubusercontent.com': ['sub', 'job_workflow_ref'],
  'accounts.google.com': ['aud', 'oaud', 'sub'],
  'graph.facebook.com': ['app_id', 'id'],
  'www.amazon.com': ['app_id', 'user_id'],
  'cognito-identity.amazonaws.com': ['aud'],
}

export const checkProviders: Check = ({ effect, principal, conditions }, { kind }, report) => {
  if (effect !== 'Allow' || kind !== 'trust') return
  for (const { at, text } of principal?.member('Federated')?.texts() ?? []) {
    const host = text.replace(/^.*:oidc-provider\//, '')
    const wanted = SHARED[host]
    if (!wanted) continue
    const tested = conditions.filter(({ key }) => wanted.some((claim) => key.toLowerCase() === `${host}:${claim}`))
    if (tested.length === 0) missing(host, wanted, at, report)
    const openTo = tested.find(
      ({ key, values }) => /:sub$/i.test(key) && values.some(({ text: value }) => /^(\*|repo:\*)/.test(value)),
    )
    const branch = conditions.some(({ key }) => key.toLowerCase() === `${host}:ref`)
    const open = tested.find(
      ({ key, values }) => /:sub$/i.test(key) && values.some(({ text: value }) => /[*?]/.test(value)),
    )
    if (host.startsWith('token.actions') && !openTo && open && !branch) {
      const details = 'More repositories or branches may take the role than were meant: name both in the subject.'
      report('WARNING', 'SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED', details, open.keyAt)
    }
    if (host.startsWith('token.actions') && openTo) {
      report(
        'SECURITY_WARNING',
        'MISSING_GITHUB_REPO_CONDITION_KEY',
        'Any repository may take the role: name yours in the subject.',
        openTo.keyAt,
      )
    }
  }
}

function missing(host: string, wanted: readonly string[], at: At, report: Report): void {
  const code = host.startsWith('token.actions')
    ? 'MISSING_GITHUB_REPO_CONDITION_KEY'
    : 'MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL'
  report('SECURITY_WARNING', code, `Every account at ${host} may assume the role: test ${host}:${wanted[0]}.`, at)
}
