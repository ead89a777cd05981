/** AssumeRole: become a role for a while, if its trust policy and one's own policies both say so. */
import type { AssumeRoleRequest } from '@aws-sdk/client-sts'
import type { Call } from '../../kernel/gate/call.ts'
import { CONTEXT_PROVIDER, redeemIdentityContext } from '../../kernel/portal-sessions.ts'
import type { AssumableRole } from '../../kernel/ports/ports.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import { Fault } from '../../wire/fault.ts'
import { issue } from './credentials.ts'
import { verifiedMfa } from './mfa.ts'
import { assumedRoleArn } from './principal-arns.ts'
import { assumedRole, asTrusted } from './roles.ts'
import { packedSize, sessionPolicies } from './session-policies.ts'
import { inheritedTags, sessionTags } from './session-tags.ts'
import { sts } from './words.ts'

const HOUR_S = 3600

export const assumeRole = sts
  .operation('AssumeRole')
  .on(assumedRole)
  .conditions(conditions)
  .run(async (call, input, role) => {
    await authorizeMore(call, input, role)
    const context = await providedContext(call, input, role)
    const seconds = durationSeconds(call, role, input.DurationSeconds)
    const policies = await sessionPolicies(call, role.account, input)
    const inherited = inheritedTags(call.caller.session)
    const { tags, transitiveTagKeys } = sessionTags(inherited, tagPairs(input), input.TransitiveTagKeys ?? [])
    const sourceIdentity = sourceIdentityOf(call, input)
    const packed = packedSize(policies, tags)

    const { RoleSessionName: sessionName } = input
    return {
      Credentials: issue(call, seconds, {
        account: role.account,
        subject: { kind: 'role', name: role.name, id: role.id, sessionName },
        ...policies,
        ...(Object.keys(tags).length > 0 && { tags, transitiveTagKeys }),
        ...(sourceIdentity !== undefined && { sourceIdentity }),
        ...(context && { federation: context.keys, signIn: context.signIn }),
        ...(input.TokenCode !== undefined && { mfaAt: call.now }),
        ...(call.caller.subject.kind === 'role' && { chained: true }),
      }),
      AssumedRoleUser: {
        AssumedRoleId: `${role.id}:${sessionName}`,
        Arn: assumedRoleArn(call, role.account, role.name, sessionName),
      },
      ...(packed !== undefined && { PackedPolicySize: packed }),
      ...(sourceIdentity !== undefined && { SourceIdentity: sourceIdentity }),
    }
  })

/** A wrong code is refused here, whether or not a policy requires one. */
async function conditions(input: AssumeRoleRequest, call: Call): Promise<Conditions> {
  await verifiedMfa(call, input)
  return trustKeys(call, input)
}

/** Condition keys of the request for the trust policy, once its code is verified. */
function trustKeys(call: Call, input: AssumeRoleRequest): Conditions {
  const transitive = input.TransitiveTagKeys ?? []
  return {
    'sts:ExternalId': input.ExternalId,
    'sts:RoleSessionName': input.RoleSessionName,
    'sts:SourceIdentity': input.SourceIdentity ?? call.caller.session?.sourceIdentity,
    ...(transitive.length > 0 && { 'sts:TransitiveTagKeys': transitive }),
    ...(input.TokenCode !== undefined && { 'aws:MultiFactorAuthPresent': 'true', 'aws:MultiFactorAuthAge': '0' }),
  }
}

/**
 * Tags and source identity need a permission of their own, also where a chain only carries them on.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
 */
async function authorizeMore(call: Call, input: AssumeRoleRequest, role: AssumableRole): Promise<void> {
  const pairs = tagPairs(input)
  const { session } = call.caller
  const keys = {
    ...trustKeys(call, input),
    ...Object.fromEntries(pairs.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    ...(pairs.length > 0 && { 'aws:TagKeys': pairs.map(({ Key }) => Key) }),
  }
  const acted = asTrusted(call, input.RoleArn!, role)
  if (pairs.length > 0 || Object.keys(inheritedTags(session)).length > 0)
    await call.authorize('sts:TagSession', acted, keys)
  if (input.SourceIdentity !== undefined || session?.sourceIdentity !== undefined) {
    await call.authorize('sts:SetSourceIdentity', acted, keys)
  }
}

function tagPairs(input: AssumeRoleRequest) {
  return (input.Tags ?? []).map(({ Key, Value }) => ({ Key: Key!, Value: Value! }))
}

/** Set once, it stays to the end of the chain. */
function sourceIdentityOf(call: Call, { SourceIdentity }: AssumeRoleRequest): string | undefined {
  const inherited = call.caller.session?.sourceIdentity
  if (SourceIdentity?.toLowerCase().startsWith('aws:')) {
    throw new Fault('ValidationError', 'The SourceIdentity must not begin with aws:, which is reserved.')
  }
  if (inherited !== undefined && SourceIdentity !== undefined && SourceIdentity !== inherited) {
    throw new Fault('AccessDenied', 'The source identity of a session cannot be changed by the roles it assumes.')
  }
  return inherited ?? SourceIdentity
}

export function durationSeconds(call: Call, role: AssumableRole, wanted: number = HOUR_S): number {
  if (wanted > role.maxSessionSeconds) {
    throw new Fault(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    )
  }
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
  if (call.caller.subject.kind === 'role' && wanted > HOUR_S) {
    throw new Fault(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    )
  }
  return wanted
}

/**
 * The person of IAM Identity Center an application acts for. The session carries the person's identity, and ends when
 * the person is disabled.
 * https://docs.aws.amazon.com/singlesignon/latest/userguide/trustedidentitypropagation-identity-enhanced-iam-role-sessions.html
 */
async function providedContext(call: Call, input: AssumeRoleRequest, role: AssumableRole) {
  const contexts = input.ProvidedContexts ?? []
  if (contexts.length === 0) return undefined
  const [first] = contexts
  if (contexts.length > 1 || first?.ProviderArn !== CONTEXT_PROVIDER)
    throw new Fault('ValidationError', `ProvidedContexts takes one context, of the provider ${CONTEXT_PROVIDER}.`)
  await call.authorize('sts:SetContext', asTrusted(call, input.RoleArn!, role), {
    ...trustKeys(call, input),
    'sts:RequestContextProviders': [CONTEXT_PROVIDER],
  })
  const context = await redeemIdentityContext(call.vault, call.unit, first.ContextAssertion ?? '', call.now)
  if (!context) throw new Fault('ValidationError', 'The ContextAssertion is not valid, or has expired.')
  const { account, storeId, userId, instanceId, applicationArn, signIn } = context
  return {
    signIn,
    keys: {
      'identitystore:UserId': userId,
      'identitystore:IdentityStoreArn': `arn:aws:identitystore::${account}:identitystore/${storeId}`,
      'identitycenter:ApplicationArn': applicationArn,
      'identitycenter:InstanceArn': `arn:aws:sso:::instance/${instanceId}`,
    },
  }
}
