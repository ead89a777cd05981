/** AssumeRoleWithWebIdentity: become a role by the word of an OpenID Connect provider that the role trusts. */
import type { AssumableRole } from '../../kernel/ports/ports.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { Fault } from '../../wire/fault.ts'
import { claimsOf } from './conditions.ts'
import { broughtKeys, type FederatedClaims, federatedSession } from './federated-session.ts'
import { asTrusted, parsedRoleArn } from './roles.ts'
import { verifiedToken, type WebIdentity } from './web-identity-token.ts'
import { sts } from './words.ts'

interface Vouched {
  readonly role: AssumableRole
  readonly identity: WebIdentity
}

const TAGS_CLAIM = 'https://aws.amazon.com/tags'
const SOURCE_IDENTITY_CLAIM = 'https://aws.amazon.com/source_identity'

const vouched: Target<{ readonly RoleArn: string; readonly WebIdentityToken: string }, Vouched> = {
  find: async (call, { RoleArn, WebIdentityToken }) => {
    const arn = parsedRoleArn(RoleArn)
    const identity = await verifiedToken(call, arn.account, WebIdentityToken)
    call.event.userIdentity = {
      type: 'WebIdentityUser',
      principalId: `${identity.provider.arn}:${identity.audience}:${identity.subject}`,
      userName: identity.subject,
      identityProvider: identity.provider.arn,
    }
    const role = await call.ports.identity.role(call.unit, RoleArn)
    return { acted: asTrusted(call, RoleArn, role), row: role && { role, identity }, missing: refused }
  },
}

const refused = () => new Fault('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity')

export const assumeRoleWithWebIdentity = sts
  .operation('AssumeRoleWithWebIdentity')
  .anonymous()
  .on(vouched)
  .conditions((input, _call, row) => ({
    ...(row && { ...tokenKeys(row.identity), ...broughtKeys(broughtBy(row.identity)) }),
    'sts:RoleSessionName': input.RoleSessionName,
  }))
  .run(async (call, input, { role, identity }) => {
    const { sourceIdentity, ...session } = await federatedSession(call, input, role, {
      sessionName: input.RoleSessionName,
      seconds: input.DurationSeconds,
      keys: tokenKeys(identity),
      brought: broughtBy(identity),
    })
    return {
      ...session,
      SubjectFromWebIdentityToken: identity.subject,
      Provider: identity.provider.arn,
      Audience: identity.audience,
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    }
  })

/** The condition keys of a token: the provider, and its claims below the issuer's address. */
function tokenKeys({
  provider,
  issuer,
  audience,
  claims,
}: WebIdentity): Readonly<Record<string, string | readonly string[]>> {
  const keys: Record<string, string | readonly string[]> = {
    'aws:FederatedProvider': provider.arn,
    [`${issuer}:aud`]: audience,
  }
  if (claims['azp'] !== undefined && claims.aud !== undefined) keys[`${issuer}:oaud`] = claims.aud
  for (const name of claimsOf(issuer)) {
    const value = claimNamed(claims, name)
    if (value !== undefined) keys[`${issuer}:${name}`] = value
  }
  return keys
}

/** `google/organization_number` is a member of the claim `google`, unless a claim has the whole name. */
function claimNamed(claims: WebIdentity['claims'], name: string): string | readonly string[] | undefined {
  const member = (value: unknown, part: string): unknown =>
    value !== null && typeof value === 'object' && Object.hasOwn(value, part)
      ? (value as Readonly<Record<string, unknown>>)[part]
      : undefined
  const value = member(claims, name) ?? name.split('/').reduce<unknown>(member, claims)
  if (Array.isArray(value)) return value.every((each) => typeof each === 'string') ? value : undefined
  const isScalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isScalar ? String(value) : undefined
}

/** `{"principal_tags": {"team": ["blue"]}, "transitive_tag_keys": ["team"]}`; anything else brings none. */
function broughtBy({ claims }: WebIdentity): FederatedClaims {
  const claim = claims[TAGS_CLAIM]
  const source = claims[SOURCE_IDENTITY_CLAIM]
  const { principal_tags: given, transitive_tag_keys: transitive } = (claim ?? {}) as Readonly<Record<string, unknown>>
  const pairs = Object.entries((given ?? {}) as Readonly<Record<string, unknown>>).flatMap(([Key, values]) => {
    const Value = Array.isArray(values) && values.length === 1 ? values[0] : values
    return typeof Value === 'string' ? [{ Key, Value }] : []
  })
  const keys = Array.isArray(transitive) ? transitive.filter((key): key is string => typeof key === 'string') : []
  return { pairs, transitive: keys, sourceIdentity: typeof source === 'string' ? source : undefined }
}
