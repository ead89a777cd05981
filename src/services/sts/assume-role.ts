/** AssumeRole: become a role for a while, if its trust policy and one's own policies both say so. */
import type { AssumeRoleRequest } from '@aws-sdk/client-sts'
import type { Call, Conditions } from '../../kernel/call.ts'
import type { AssumableRole } from '../../kernel/ports.ts'
import { Fault } from '../../wire/fault.ts'
import { issue } from './credentials.ts'
import { verifiedMfa } from './mfa.ts'
import { assumedRoleArn, sts } from './resources.ts'
import { assumedRole } from './roles.ts'
import { packedSize, sessionPolicies } from './session-policies.ts'
import { inheritedTags } from './session-tags.ts'

const HOUR_S = 3600

export const assumeRole = sts
  .operation('AssumeRole')
  .on(assumedRole)
  .given(conditions)
  .run(async (call, input, role) => {
    refuseUnasked(call, input)
    const seconds = durationSeconds(call, role, input.DurationSeconds)
    const policies = await sessionPolicies(call, role.account, input)
    const packed = packedSize(policies, {})

    const { RoleSessionName: sessionName } = input
    return {
      Credentials: issue(call, seconds, {
        account: role.account,
        subject: { kind: 'role', name: role.name, id: role.id, sessionName },
        ...policies,
        ...(input.TokenCode !== undefined && { mfaAt: call.now }),
        ...(call.caller.subject.kind === 'role' && { chained: true }),
      }),
      AssumedRoleUser: {
        AssumedRoleId: `${role.id}:${sessionName}`,
        Arn: assumedRoleArn(call, role.account, role.name, sessionName),
      },
      ...(packed !== undefined && { PackedPolicySize: packed }),
    }
  })

/** What a trust policy may ask of the request. A code that is wrong ends it here, whether or not a policy asks for one. */
async function conditions(input: AssumeRoleRequest, call: Call): Promise<Conditions> {
  const mfa = await verifiedMfa(call, input)
  return {
    'sts:ExternalId': input.ExternalId,
    'sts:RoleSessionName': input.RoleSessionName,
    ...(mfa && { 'aws:MultiFactorAuthPresent': 'true', 'aws:MultiFactorAuthAge': '0' }),
  }
}

function durationSeconds(call: Call, role: AssumableRole, asked: number = HOUR_S): number {
  if (asked > role.maxSessionSeconds) {
    throw new Fault(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    )
  }
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
  if (call.caller.subject.kind === 'role' && asked > HOUR_S) {
    throw new Fault(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    )
  }
  return asked
}

/**
 * Tags and source identity need `sts:TagSession` and `sts:SetSourceIdentity` from the trust policy too. A call can't ask
 * a second action on its target's policy yet, so they are refused rather than taken unasked.
 */
function refuseUnasked(call: Call, input: AssumeRoleRequest): void {
  const { session } = call.caller
  const unasked =
    (input.Tags?.length ?? 0) + (input.TransitiveTagKeys?.length ?? 0) > 0 ||
    Object.keys(inheritedTags(session)).length > 0
      ? 'session tags'
      : input.SourceIdentity !== undefined || session?.sourceIdentity !== undefined
        ? 'a source identity'
        : (input.ProvidedContexts?.length ?? 0) > 0
          ? 'provided contexts'
          : undefined
  if (unasked)
    throw new Fault('NotImplemented', `Merlon does not implement sts:AssumeRole with ${unasked}.`, { status: 400 })
}
