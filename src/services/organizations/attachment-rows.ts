/** The rows that say which policies are attached where. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Organization } from './organization.ts'
import { type PolicyType, policyTypes } from './policy-types.ts'
import { attachmentsKey, type PolicyRow } from './resources.ts'

/** FullAWSAccess and its like, which every new node begins with. */
export async function attachFullAccess(organization: Organization, type: PolicyType, target: string): Promise<void> {
  const full = policyTypes[type].fullAccess
  if (!full) return
  const row = await organization.attachments(target)
  organization.saveAttachments({ ...row, policies: { ...row.policies, [type]: [full.id] } })
}

/** What a new root, unit or account begins with. Full access by SCPs is there even while they are not enabled. */
export async function attachDefaults(organization: Organization, target: string): Promise<void> {
  const types = new Set<PolicyType>(['SERVICE_CONTROL_POLICY', ...organization.row.enabledTypes])
  for (const type of types) await attachFullAccess(organization, type, target)
}

export function detachAll(call: Call, organization: Organization, target: string): void {
  call.unit.delete(attachmentsKey(organization.row.id, target))
}

export async function targetsOf(
  organization: Organization,
  policy: Pick<PolicyRow, 'id' | 'type'>,
): Promise<readonly string[]> {
  const all = await organization.allAttachments()
  return all.filter(({ policies }) => policies[policy.type]?.includes(policy.id)).map(({ target }) => target)
}
