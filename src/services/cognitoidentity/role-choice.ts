/**
 * Which role an authenticated identity gets: by its token's claims, by rules, or by default.
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html
 */
import type { MappingRule, RoleMapping } from '@aws-sdk/client-cognito-identity'
import type { VerifiedLogin } from './logins.ts'
import { cognitoIdentity, notAuthorized, type PoolRow } from './resources.ts'

type Chosen = string | undefined

const forbidden = () => notAuthorized('Access to Role is forbidden.')
export const misconfigured = () =>
  cognitoIdentity.fail(
    'InvalidIdentityPoolConfigurationException',
    'Invalid identity pool configuration. Check assigned IAM roles for this pool.',
  )

/** Throws where no role applies. `custom`: the role that the request names. */
export function authenticatedRole(
  { roles, mappings }: PoolRow,
  logins: readonly VerifiedLogin[],
  custom: string | undefined,
): string {
  const mapped = logins
    .map((login) => ({ login, mapping: mappings[login.mappingKey] ?? mappings[login.provider] }))
    .find(({ mapping }) => mapping !== undefined)
  if (!mapped?.mapping) {
    if (custom !== undefined && custom !== roles['authenticated']) throw forbidden()
    return defaultRole(roles)
  }
  const { login, mapping } = mapped
  const chosen = mapping.Type === 'Token' ? byToken(login, custom) : byRules(login, mapping, custom)
  if (chosen !== undefined) return chosen
  if (mapping.AmbiguousRoleResolution === 'Deny') throw forbidden()
  return defaultRole(roles)
}

function defaultRole(roles: PoolRow['roles']): string {
  const role = roles['authenticated']
  if (role === undefined) throw misconfigured()
  return role
}

function byToken({ claims }: VerifiedLogin, custom: string | undefined): Chosen {
  const listed = claims['cognito:roles']
  const among = Array.isArray(listed) ? listed.filter((each): each is string => typeof each === 'string') : []
  if (custom !== undefined) {
    if (!among.includes(custom)) throw forbidden()
    return custom
  }
  const preferred = claims['cognito:preferred_role']
  return typeof preferred === 'string' ? preferred : undefined
}

/** The first rule that matches. */
function byRules({ claims }: VerifiedLogin, mapping: RoleMapping, custom: string | undefined): Chosen {
  if (custom !== undefined) throw forbidden()
  return mapping.RulesConfiguration?.Rules?.find((rule) => matches(rule, claims))?.RoleARN
}

function matches({ Claim, MatchType, Value = '' }: MappingRule, claims: VerifiedLogin['claims']): boolean {
  const claim = Claim !== undefined && Object.hasOwn(claims, Claim) ? claims[Claim] : undefined
  if (claim === undefined || claim === null) return false
  const texts = (Array.isArray(claim) ? claim : [claim]).map(String)
  switch (MatchType) {
    case 'Equals':
      return texts.includes(Value)
    case 'NotEqual':
      return !texts.includes(Value)
    case 'StartsWith':
      return texts.some((text) => text.startsWith(Value))
    case 'Contains':
      return texts.some((text) => text.includes(Value))
    default:
      return false
  }
}
