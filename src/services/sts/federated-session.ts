/** The session of a person that an identity provider authenticated, by SAML or OpenID Connect. */
import type { Call } from '../../kernel/gate/call.ts'
import type { AssumableRole } from '../../kernel/ports/ports.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import { durationSeconds } from './assume-role.ts'
import { issue } from './credentials.ts'
import { assumedRoleArn } from './principal-arns.ts'
import { asTrusted } from './roles.ts'
import { packedSize, type SessionPolicyInput, sessionPolicies } from './session-policies.ts'
import { sessionTags } from './session-tags.ts'

/** What the provider says of the session besides who it is for. */
export interface FederatedClaims {
  readonly pairs: readonly { readonly Key: string; readonly Value: string }[]
  readonly transitive: readonly string[]
  readonly sourceIdentity: string | undefined
}

export interface Federated {
  readonly sessionName: string
  readonly seconds: number | undefined
  /** The condition keys of the assertion or token; the session keeps them. */
  readonly keys: Readonly<Record<string, string | readonly string[]>>
  readonly brought: FederatedClaims
}

/** The condition keys of what the provider says of the session. */
export function broughtKeys({ pairs, transitive, sourceIdentity }: FederatedClaims): Conditions {
  return {
    'sts:SourceIdentity': sourceIdentity,
    'sts:TransitiveTagKeys': transitive.length > 0 ? transitive : undefined,
    ...Object.fromEntries(pairs.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    'aws:TagKeys': pairs.length > 0 ? pairs.map(({ Key }) => Key) : undefined,
  }
}

/** Tags and source identity need a permission of their own. */
export async function federatedSession(
  call: Call,
  input: SessionPolicyInput & { readonly RoleArn: string },
  role: AssumableRole,
  { sessionName, seconds: asked, keys, brought }: Federated,
) {
  const { tags, transitiveTagKeys } = sessionTags({}, brought.pairs, brought.transitive)
  const { sourceIdentity } = brought
  await authorizeMore(call, input.RoleArn, role, keys, brought)
  const seconds = durationSeconds(call, role, asked)
  const policies = await sessionPolicies(call, role.account, input)
  const packed = packedSize(policies, tags)
  return {
    Credentials: issue(call, seconds, {
      account: role.account,
      subject: { kind: 'role', name: role.name, id: role.id, sessionName },
      ...policies,
      ...(Object.keys(tags).length > 0 && { tags, transitiveTagKeys }),
      ...(sourceIdentity !== undefined && { sourceIdentity }),
      federation: keys,
    }),
    AssumedRoleUser: {
      AssumedRoleId: `${role.id}:${sessionName}`,
      Arn: assumedRoleArn(call, role.account, role.name, sessionName),
    },
    ...(packed !== undefined && { PackedPolicySize: packed }),
    sourceIdentity,
  }
}

async function authorizeMore(
  call: Call,
  arn: string,
  role: AssumableRole,
  identity: Conditions,
  brought: FederatedClaims,
): Promise<void> {
  const keys: Conditions = { ...identity, ...broughtKeys(brought) }
  const acted = asTrusted(call, arn, role)
  if (brought.pairs.length > 0) await call.authorize('sts:TagSession', acted, keys)
  if (brought.sourceIdentity !== undefined) await call.authorize('sts:SetSourceIdentity', acted, keys)
}
