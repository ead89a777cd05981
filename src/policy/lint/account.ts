/**
 * Whether the users, roles, identity providers and policies of one account that a policy names exist there. AWS publishes no
 * codes for these checks: the codes are Merlon's, and warnings at most, because what is missing may be created later.
 */
import { globCodes, globMatches } from '../glob.ts'
import { parseOperator } from '../operators.ts'
import type { At, Text } from './finding.ts'
import type { Check, Report, StatementAt } from './statement.ts'

/** Facts about one account. What is not known is no finding. */
export interface AccountFacts {
  /** Twelve digits. ARNs of other accounts are never looked up. */
  readonly account: string
  /** Whether the user, role, provider or policy exists; undefined: not known. */
  exists(arn: string): boolean | undefined
  /** The client IDs registered with an OpenID Connect provider; undefined: not known. */
  audiences(providerArn: string): readonly string[] | undefined
}

interface Mention {
  readonly arn: string
  readonly at: At
  readonly code: string
  readonly consequence: string
}

const PRINCIPAL = /^arn:[^:]+:(iam::\d{12}:(user|role)\/|sts::\d{12}:assumed-role\/)/
const PROVIDER = /^arn:[^:]+:iam::\d{12}:(oidc|saml)-provider\//
const ROLE = /^arn:[^:]+:iam::\d{12}:role\//
const POLICY = /^arn:[^:]+:iam::\d{12}:policy\//

/** Condition keys whose values are ARNs of IAM. */
const KEYS: Readonly<Record<string, RegExp>> = {
  'aws:principalarn': PRINCIPAL,
  'aws:federatedprovider': PROVIDER,
  'iam:policyarn': POLICY,
  'iam:permissionsboundary': POLICY,
  'kms:granteeprincipal': PRINCIPAL,
  'kms:retiringprincipal': PRINCIPAL,
}
/** Actions on a role that only work when it exists. */
const ON_EXISTING_ROLE = /^(iam:passrole|sts:assumerole(with(saml|webidentity))?)$/

/** ARNs of the account that a statement names exactly: neither with wildcards nor with variables. */
function mentions(statement: StatementAt, account: string): readonly Mention[] {
  const found: Mention[] = []
  const add = ({ at, text }: Text, form: RegExp, code: string, consequence: string) => {
    if (form.test(text) && text.split(':')[4] === account && !/[*?$]/.test(text))
      found.push({ arn: text, at, code, consequence })
  }
  const principals = statement.principal ?? statement.notPrincipal
  for (const text of principals?.member('AWS')?.texts() ?? [])
    add(text, PRINCIPAL, 'PRINCIPAL_NOT_FOUND', 'the statement does not apply to it')
  for (const text of principals?.member('Federated')?.texts() ?? [])
    add(text, PROVIDER, 'IDENTITY_PROVIDER_NOT_FOUND', 'the role cannot be assumed through it')
  const actions = statement.action?.texts() ?? []
  if (statement.effect === 'Allow' && actions.some(({ text }) => ON_EXISTING_ROLE.test(text.toLowerCase()))) {
    for (const text of statement.resource?.texts() ?? [])
      add(text, ROLE, 'ROLE_NOT_FOUND', 'it cannot be passed or assumed')
  }
  for (const { key, values } of statement.conditions) {
    const form = KEYS[key.toLowerCase()]
    const code =
      form === POLICY ? 'POLICY_NOT_FOUND' : form === PROVIDER ? 'IDENTITY_PROVIDER_NOT_FOUND' : 'PRINCIPAL_NOT_FOUND'
    for (const text of form ? values : []) add(text, form!, code, `no request has this ${key}`)
  }
  return found
}

/** The ARNs that {@link checkAccount} looks up, each once and at most `max`. */
export function mentionedArns(statements: readonly StatementAt[], account: string, max: number): readonly string[] {
  const arns = new Set<string>()
  for (const statement of statements)
    for (const { arn } of mentions(statement, account)) if (arns.size < max) arns.add(arn)
  return [...arns]
}

export const checkAccount: Check = (statement, { kind, facts, budget }, report) => {
  if (!facts) return
  for (const { arn, at, code, consequence } of mentions(statement, facts.account)) {
    budget.spend(1)
    if (facts.exists(arn) === false)
      report('WARNING', code, `${arn} does not exist in this account: ${consequence}.`, at)
  }
  if (kind === 'trust' && statement.effect === 'Allow') checkAudiences(statement, facts, report)
}

/** A token whose audience is not registered with the provider is refused before the trust policy is evaluated. */
function checkAudiences({ principal, conditions }: StatementAt, facts: AccountFacts, report: Report): void {
  for (const { text: arn } of principal?.member('Federated')?.texts() ?? []) {
    const registered = facts.audiences(arn)
    if (!registered) continue
    const key = `${arn.slice(arn.indexOf('/') + 1)}:aud`.toLowerCase()
    for (const condition of conditions) {
      const operator = parseOperator(condition.operator)?.operator
      if (condition.key.toLowerCase() !== key || !operator?.name.startsWith('String') || operator.negated) continue
      for (const { at, text } of condition.values) {
        if (text.includes('${') || registered.some((id) => matches(operator.name, text, id))) continue
        const details = `${text} is not a client ID of ${arn}: tokens for this audience are refused. Register it with the provider.`
        report('WARNING', 'AUDIENCE_NOT_REGISTERED', details, at)
      }
    }
  }
}

function matches(operator: string, value: string, id: string): boolean {
  if (operator.endsWith('Like')) return globMatches(globCodes(value), id)
  if (operator.endsWith('IgnoreCase')) return value.toLowerCase() === id.toLowerCase()
  return value === id
}
