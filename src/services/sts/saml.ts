/** AssumeRoleWithSAML: become a role by a signed response of a SAML identity provider that the role trusts. */
import { ROLE_ATTRIBUTE, requestedSession, rolePairs, type SamlSession } from '../../engines/saml/aws-attributes.ts'
import type { SamlIdentity } from '../../engines/saml/response.ts'
import type { AssumableRole, TrustedIdp } from '../../kernel/ports/ports.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { Fault } from '../../wire/fault.ts'
import { broughtKeys, type FederatedClaims, federatedSession } from './federated-session.ts'
import { asTrusted, parsedRoleArn } from './roles.ts'
import { nameQualifier, samlKeys } from './saml-keys.ts'
import { spend } from './saml-replay.ts'
import { inOurWords, ownOrigins, readResponse } from './saml-response.ts'
import { sts } from './words.ts'

interface Vouched {
  readonly role: AssumableRole
  readonly provider: TrustedIdp
  readonly identity: SamlIdentity
  readonly session: SamlSession
}

interface Names {
  readonly RoleArn: string
  readonly PrincipalArn: string
  readonly SAMLAssertion: string
}

const refused = () => new Fault('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithSAML')

const vouched: Target<Names, Vouched> = {
  find: async (call, { RoleArn, PrincipalArn, SAMLAssertion }) => {
    const arn = parsedRoleArn(RoleArn)
    const provider = await call.ports.identity.samlProvider(call.unit, PrincipalArn)
    if (!provider || provider.account !== arn.account) {
      throw sts.fail('InvalidIdentityTokenException', "Specified provider doesn't exist")
    }
    const origins = ownOrigins(call.use(webOrigin).origins(), call.origin)
    const identity = await readResponse(SAMLAssertion, provider, { now: call.now, origins })
    const qualifier = nameQualifier(provider, identity)
    call.event.userIdentity = {
      type: 'SAMLUser',
      principalId: `${qualifier}:${identity.subject}`,
      userName: identity.subject,
      identityProvider: qualifier,
    }
    const pairs = rolePairs(identity.attributes.get(ROLE_ATTRIBUTE) ?? [])
    if (!pairs.some(({ roleArn, providerArn }) => roleArn === RoleArn && providerArn === PrincipalArn)) throw refused()
    const session = inOurWords(() => requestedSession(identity))
    const role = await call.ports.identity.role(call.unit, RoleArn)
    return {
      acted: asTrusted(call, RoleArn, role),
      row: role && { role, provider, identity, session },
      missing: refused,
    }
  },
}

const broughtBy = ({ tags, transitiveTagKeys, sourceIdentity }: SamlSession): FederatedClaims => ({
  pairs: tags,
  transitive: transitiveTagKeys,
  sourceIdentity,
})

export const assumeRoleWithSaml = sts
  .operation('AssumeRoleWithSAML')
  .anonymous()
  .on(vouched)
  .conditions((_input, _call, row) => ({
    ...(row && {
      ...samlKeys(row.provider, row.identity),
      ...broughtKeys(broughtBy(row.session)),
      'sts:RoleSessionName': row.session.sessionName,
    }),
  }))
  .run(async (call, input, { role, provider, identity, session: requested }) => {
    await spend(call, identity)
    // AWS: the shorter of what the caller and the provider request.
    const durations = [input.DurationSeconds, requested.duration].filter((seconds) => seconds !== undefined)
    const { sourceIdentity, ...session } = await federatedSession(call, input, role, {
      sessionName: requested.sessionName,
      seconds: durations.length > 0 ? Math.min(...durations) : undefined,
      keys: samlKeys(provider, identity),
      brought: broughtBy(requested),
    })
    return {
      ...session,
      Subject: identity.subject,
      SubjectType: identity.subjectType,
      Issuer: identity.issuer,
      Audience: identity.recipient,
      NameQualifier: nameQualifier(provider, identity),
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    }
  })
