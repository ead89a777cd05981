/** An account that stood by itself joins an organisation, below its root. */
import type { Call } from '../../kernel/call.ts'
import { attachDefaults } from './attached.ts'
import type { Organization } from './organization.ts'
import type { MemberRow } from './resources.ts'

/** The caller's account. The organisation's policies bind it from the commit on. */
export async function joined(call: Call, organization: Organization): Promise<MemberRow> {
  const { name } = await call.ports.accounts.describe(call.unit, call.account)
  const member = organization.saveMember({
    id: call.account,
    name,
    // An account made with the installation has no address; this one is nobody's (RFC 2606).
    email: `root@${call.account}.merlon.invalid`,
    parent: organization.row.rootId,
    joined: 'INVITED',
    joinedAt: call.now,
    state: 'ACTIVE',
    administers: {},
  })
  await attachDefaults(organization, call.account)
  return member
}
