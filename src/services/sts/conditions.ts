/**
 * The condition keys of STS. Those of a session to be opened are supplied by the operations, because further permissions
 * (`sts:TagSession`) have them, too. The claims of tokens, which the authorization reference lists by issuer, are read by
 * `claimsOf`.
 */

import type { AbsentKeys } from '../../kernel/resource/absent-keys.ts'
import { type ConditionKeyTable, keysOfAction } from '../../kernel/resource/condition-keys.ts'
import { remembering } from '../../wire/remember.ts'
import { SECONDS_DEFAULT } from './outbound-token.ts'

const NOT_OIDC = 'access tokens are not accepted, only OpenID Connect tokens, whose claims are aud and sub'

export const conditionKeys: ConditionKeyTable = {
  'sts:DurationSeconds': ({ input }) => String(input.DurationSeconds ?? SECONDS_DEFAULT),
  'sts:IdentityTokenAudience': ({ input }) => input.Audience ?? [],
  'sts:SigningAlgorithm': ({ input }) => input.SigningAlgorithm,
  'sts:TaskPolicyArn': ({ input }) => input.TaskPolicyArn?.arn,
}

export const absentKeys: AbsentKeys = {
  'graph.facebook.com:app_id': NOT_OIDC,
  'graph.facebook.com:id': NOT_OIDC,
  'www.amazon.com:app_id': NOT_OIDC,
  'www.amazon.com:user_id': NOT_OIDC,
  'sts:RoleAuthorizedByIdp': 'tokens that name the roles they are for are not built',
}

/** Claims that policies may use, whatever the issuer. */
const CLAIMS = ['sub', 'amr', 'email'] as const
/** Claims of GitHub's tokens that AWS documents and the authorization reference lacks. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  'token.actions.githubusercontent.com': ['repository_owner', 'repository_visibility'],
}
const OWN: ReadonlySet<string> = new Set(['aud', 'oaud', ...CLAIMS])
const ISSUERS_MAX = 1_000

/** `agent.${Domain}.buildkite.dev:cluster_id`: whose tokens have the claim, and the claim. */
interface ListedClaim {
  readonly issuer: RegExp
  readonly claim: string
}

const listed: readonly ListedClaim[] = (keysOfAction('sts:AssumeRoleWithWebIdentity') ?? [])
  .filter((key) => key.includes('.') && !Object.hasOwn(absentKeys, key))
  .map((key) => {
    const colon = key.search(/:[^:}]*$/)
    const pieces = key.slice(0, colon).split(/\$\{[^}]*\}/)
    const source = pieces.map((piece) => piece.replaceAll('.', '\\.')).join('[^:/]+')
    return { issuer: new RegExp(`^${source}$`), claim: key.slice(colon + 1) }
  })
  .filter(({ claim }) => !OWN.has(claim))

/** The names of the claims that are condition keys of this issuer's tokens. */
export const claimsOf = remembering(ISSUERS_MAX, (issuer: string): readonly string[] => {
  const known = listed.filter((each) => each.issuer.test(issuer)).map(({ claim }) => claim)
  return [...CLAIMS, ...known, ...(MORE[issuer] ?? [])]
})
