/** AssumeRoleWithSAML: become a role by the signed word of a SAML identity provider that the role trusts. */
import { createHash } from 'node:crypto'
import type { Call } from '../../kernel/call.ts'
import { scheduleJob } from '../../kernel/jobs.ts'
import type { AssumableRole, TrustedIdp } from '../../kernel/ports.ts'
import type { Target } from '../../kernel/resource.ts'
import type { ServiceJob } from '../../kernel/service.ts'
import { type Key, key } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { broughtKeys, federatedSession } from './federated-session.ts'
import { sts } from './resources.ts'
import { asTrusted, parsedRoleArn } from './roles.ts'
import { type Asked, askedFor, readResponse, type SamlIdentity, samlKeys } from './saml-assertion.ts'

interface Vouched {
  readonly role: AssumableRole
  readonly provider: TrustedIdp
  readonly identity: SamlIdentity
  readonly asked: Asked
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
    const identity = await readResponse(call, provider, SAMLAssertion)
    call.event.userIdentity = {
      type: 'SAMLUser',
      principalId: `${identity.nameQualifier}:${identity.subject}`,
      userName: identity.subject,
      identityProvider: identity.nameQualifier,
    }
    const asked = askedFor(identity, RoleArn, PrincipalArn)
    const role = await call.ports.identity.role(call.unit, RoleArn)
    return {
      acted: asTrusted(call, RoleArn, role),
      row: role && { role, provider, identity, asked },
      missing: refused,
    }
  },
}

export const assumeRoleWithSaml = sts
  .operation('AssumeRoleWithSAML')
  .on(vouched)
  .unsigned()
  .given((_input, _call, row) => ({
    ...(row && {
      ...samlKeys(row.provider, row.identity),
      ...broughtKeys(row.asked.brought),
      'sts:RoleSessionName': row.asked.sessionName,
    }),
  }))
  .run(async (call, input, { role, provider, identity, asked }) => {
    await spend(call, identity)
    // AWS: the shorter of what the caller and the provider ask for.
    const durations = [input.DurationSeconds, asked.duration].filter((seconds) => seconds !== undefined)
    const { sourceIdentity, ...session } = await federatedSession(call, input, role, {
      sessionName: asked.sessionName,
      seconds: durations.length > 0 ? Math.min(...durations) : undefined,
      keys: samlKeys(provider, identity),
      brought: asked.brought,
    })
    return {
      ...session,
      Subject: identity.subject,
      SubjectType: identity.subjectType,
      Issuer: identity.issuer,
      Audience: identity.recipient,
      NameQualifier: identity.nameQualifier,
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    }
  })

const spentKey = ({ issuer, id }: SamlIdentity): Key =>
  key(
    'sts',
    'saml-assertion',
    createHash('sha256')
      .update(JSON.stringify([issuer, id]))
      .digest('hex'),
  )

/** An assertion opens one session: that it was used is written with it, and forgotten when it is void anyway. */
async function spend(call: Call, identity: SamlIdentity): Promise<void> {
  const at = spentKey(identity)
  if (await call.unit.get(at)) throw sts.fail('InvalidIdentityTokenException', 'The assertion has been used already.')
  call.unit.put(at, { until: identity.endsAt })
  scheduleJob(call.unit, { id: at, kind: 'sts.forget-assertion', dueAt: identity.endsAt + FORGET_MS, payload: { at } })
}

/** Longer than clocks may differ. */
const FORGET_MS = 15 * 60_000

export const forgetAssertion: ServiceJob<{ readonly at: Key }> = {
  run: async (unit, _work, { at }) => unit.delete(at),
}
