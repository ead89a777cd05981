/** GetSessionToken and GetFederationToken: sessions that a user or root opens for itself, or for others under its own responsibility. */
import type { Target } from '../../kernel/resource/target.ts'
import { issue, tokenSeconds } from './credentials.ts'
import { verifiedMfa } from './mfa.ts'
import { federatedUserArn } from './principal-arns.ts'
import { packedSize, sessionPolicies } from './session-policies.ts'
import { sessionTags } from './session-tags.ts'
import { sts } from './words.ts'

export const getSessionToken = sts
  .operation('GetSessionToken')
  .withoutPermission('AWS documents that no policy controls it')
  .run(async (call, input) => {
    const mfa = await verifiedMfa(call, input)
    const { subject, accessKeyId } = call.caller
    return {
      Credentials: issue(call, tokenSeconds(call, input.DurationSeconds), {
        account: call.account,
        subject,
        parentKeyId: accessKeyId,
        ...(mfa && { mfaAt: call.now }),
      }),
    }
  })

/** The federated user that the session is for: a name without a row. */
const federatedUser: Target<{ readonly Name: string }, undefined> = {
  find: (call, { Name }) => ({
    acted: { arn: federatedUserArn(call, Name), type: 'AWS::STS::FederatedUser', account: call.account },
    row: undefined,
  }),
}

export const getFederationToken = sts
  .operation('GetFederationToken')
  .on(federatedUser)
  .run(async (call, input) => {
    const { Name } = input
    const arn = federatedUserArn(call, Name)
    const pairs = input.Tags ?? []
    if (pairs.length > 0) {
      const requested = Object.fromEntries(pairs.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value]))
      await call.authorize('sts:TagSession', arn, { ...requested, 'aws:TagKeys': pairs.map(({ Key }) => Key!) })
    }
    const policies = await sessionPolicies(call, call.account, input)
    const { tags } = sessionTags({}, pairs as readonly { Key: string; Value: string }[], [])
    const packed = packedSize(policies, tags)

    const { subject, accessKeyId } = call.caller
    return {
      Credentials: issue(call, tokenSeconds(call, input.DurationSeconds), {
        account: call.account,
        subject: { kind: 'federated-user', name: Name, issuer: subject },
        parentKeyId: accessKeyId,
        ...policies,
        ...(pairs.length > 0 && { tags }),
      }),
      FederatedUser: { FederatedUserId: `${call.account}:${Name}`, Arn: arn },
      PackedPolicySize: packed ?? 0,
    }
  })
