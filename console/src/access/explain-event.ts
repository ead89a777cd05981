/** Why a recorded call was decided as it was, layer by layer, under the policies of today. */
import { accountIn, addContext, contextOf } from '../../../src/policy/account/principal-context.ts'
import { layersFor, type Own } from '../../../src/policy/account/reach-of.ts'
import { recordedCall } from '../../../src/policy/account/recorded-call.ts'
import { type Explanation, explain } from '../../../src/policy/index.ts'
import type { Client } from '../api/client.ts'
import { compile, loadAccount } from './account.ts'
import type { AuditEvent, RecordedDecision } from './event.ts'
import { compiledLevels, loadLevels } from './organization.ts'

export interface ExplainedDecision {
  readonly recorded: RecordedDecision
  readonly today: Explanation
  /** What this evaluation does not know. */
  readonly notes: readonly string[]
}

/** Empty where the caller is no user or role of the account. Rejects where the account cannot be read. */
export async function explainEvent(client: Client, event: AuditEvent): Promise<readonly ExplainedDecision[]> {
  const call = recordedCall(event)
  const account = await loadAccount(client)
  const identity = account.identities.find(({ arn }) => arn === call.principal)
  if (!identity) return []
  const [scps, rcps] = await Promise.all([
    loadLevels(client, account.id, 'SERVICE_CONTROL_POLICY'),
    loadLevels(client, account.id, 'RESOURCE_CONTROL_POLICY'),
  ])
  const notes = scps ? [] : ['The control policies of the organization cannot be read from here: they are left out.']
  return Promise.all(
    (event.additionalEventData?.merlonDecisions ?? []).map(async (recorded) => {
      const owner = accountIn(recorded.resource) ?? account.id
      const context = contextOf(identity.principal, owner)
      addContext(context, call.context)
      addContext(context, recorded.context ?? {})
      const own = await ownPolicy(client, recorded.resource, account.identities)
      const layers = layersFor(identity, { scps: compiledLevels(scps), rcps: compiledLevels(rcps) }, own?.policy)
      const request = {
        principal: identity.principal,
        action: recorded.action,
        resource: recorded.resource,
        resourceAccount: owner,
        context,
      }
      return {
        recorded,
        today: explain(request, layers),
        notes: [
          ...notes,
          ...(own?.notes ?? []),
          ...(identity.kind === 'role'
            ? ["The session's own policies and tags are not in the record: they are left out."]
            : []),
        ],
      }
    }),
  )
}

interface Found {
  readonly policy?: Own
  readonly notes: readonly string[]
}

/** The policy on the resource itself, of the types whose policy can be read. */
async function ownPolicy(
  client: Client,
  resource: string,
  identities: Awaited<ReturnType<typeof loadAccount>>['identities'],
): Promise<Found | undefined> {
  const service = resource.split(':')[2]
  try {
    if (service === 'kms' && resource.includes(':key/')) {
      const { Policy } = await client.call('kms', 'GetKeyPolicy', { KeyId: resource, PolicyName: 'default' })
      const policy: Own = {
        policy: compile(Policy!, 'resource', `key policy of ${resource.split('/').at(-1)}`),
        mode: 'required',
      }
      return { policy, notes: ['Grants on the key are left out.'] }
    }
    if (service === 'secretsmanager') {
      const { ResourcePolicy } = await client.call('secretsmanager', 'GetResourcePolicy', { SecretId: resource })
      if (ResourcePolicy)
        return {
          policy: { policy: compile(ResourcePolicy, 'resource', 'resource policy of the secret'), mode: 'optional' },
          notes: [],
        }
    }
  } catch {
    return { notes: [`The policy on ${resource} cannot be read: it is left out.`] }
  }
  const trust = identities.find(({ arn }) => arn === resource)?.trust
  return trust && { policy: { policy: trust, mode: 'required' }, notes: [] }
}
