/** From consolidated billing to all features: every invited account must approve, then the management account. */
import type { Call } from '../../kernel/call.ts'
import { type HandshakeRow, newHandshake, saveHandshake, shownHandshake, stateOf } from './handshakes.ts'
import type { Organization } from './organization.ts'
import { all, handshakeKey, organizations, refused } from './resources.ts'
import { itself } from './within.ts'

export const enableAllFeatures = organizations
  .operation('EnableAllFeatures')
  .on(itself())
  .run(async (call, _input, { organization }) => {
    const { row } = organization
    if (row.features === 'ALL') {
      throw refused('ORGANIZATION_ALREADY_HAS_ALL_FEATURES', 'The organization already has all features enabled.')
    }
    const earlier = row.enabling && (await call.unit.get<HandshakeRow>(handshakeKey(row.id, row.enabling)))
    if (earlier && ['OPEN', 'REQUESTED'].includes(stateOf(earlier, call.now))) {
      throw refused(
        'ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION',
        'The organization has already begun to enable all features.',
      )
    }
    // Accounts that the organisation made have agreed with their making.
    const members = (await organization.members()).filter(
      ({ id, joined, state }) => id !== row.management && joined === 'INVITED' && state === 'ACTIVE',
    )
    const handshake = newHandshake(call, row, {
      action: 'ENABLE_ALL_FEATURES',
      party: { type: 'ORGANIZATION', id: row.id.slice(2) },
      account: row.management,
      state: members.length > 0 ? 'REQUESTED' : 'OPEN',
    })
    for (const { id } of members) {
      newHandshake(call, row, {
        action: 'APPROVE_ALL_FEATURES',
        party: { type: 'ACCOUNT', id },
        account: id,
        state: 'OPEN',
        parent: handshake.id,
      })
    }
    organization.change({ enabling: handshake.id })
    const email = (await organization.member(row.management))?.email ?? ''
    return { Handshake: shownHandshake(call, row, email, handshake) }
  })

/** One approval was answered: when all are given, the management account may end it. */
export async function answered(call: Call, { row }: Organization, { parent = '' }: HandshakeRow): Promise<void> {
  const asking = await call.unit.get<HandshakeRow>(handshakeKey(row.id, parent))
  if (asking?.state !== 'REQUESTED') return
  const approvals = (await call.unit.range<HandshakeRow>(all('handshake', row.id))).map(({ document }) => document)
  const open = approvals.some((approval) => approval.parent === parent && approval.state !== 'ACCEPTED')
  if (!open) saveHandshake(call, { ...asking, state: 'OPEN' })
}

export function enableWith(organization: Organization): void {
  const { enabling: _ended, ...row } = organization.row
  organization.replace({ ...row, features: 'ALL' })
}
