/** What changes when an account joins or leaves an organization, by whichever operation. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { attachDefaults, detachAll } from './attachment-rows.ts'
import { withdrawApproval } from './handshakes.ts'
import { memberOf, type Organization, organizationOf } from './organization.ts'
import { addressKey, emailKey, type MemberRow, organizations, violates } from './resources.ts'

/** Source: WAIT_PERIOD_ACTIVE of https://docs.aws.amazon.com/organizations/latest/APIReference/API_LeaveOrganization.html */
const LEAVE_AFTER_MS = 4 * 24 * 3_600_000

interface Address {
  readonly email: string
}

/** The e-mail address of an account's root user; accounts that no organization created have one that reaches no mailbox. */
export async function addressOf(reader: Reader, account: string): Promise<string> {
  const row = await organizationOf(reader, account)
  const member = row && (await memberOf(reader, row, account))
  const address = member ?? (await reader.get<Address>(addressKey(account)))
  return address?.email ?? `root@${account}.merlon.invalid`
}

/** Puts the account below the root. The policies attached there bind it from the commit on. */
export async function join(call: Call, organization: Organization, account: string, tags: Tags): Promise<void> {
  const email = await addressOf(call.unit, account)
  const { name } = await call.ports.accounts.describe(call.unit, account)
  organization.change()
  call.unit.put(emailKey(email), { account })
  organization.saveMember({
    id: account,
    name,
    email,
    parent: organization.row.rootId,
    joined: 'INVITED',
    joinedAt: call.now,
    state: 'ACTIVE',
    administers: {},
    tags,
  })
  await attachDefaults(organization, account)
}

export async function leave(call: Call, organization: Organization, row: MemberRow): Promise<void> {
  if (row.id === organization.row.management) {
    throw organizations.fail(
      'MasterCannotLeaveOrganizationException',
      "You can't remove a management account from an organization.",
    )
  }
  refuseAdministrator(row)
  if (row.joined === 'CREATED' && call.now < row.joinedAt + LEAVE_AFTER_MS) {
    throw violates(
      'WAIT_PERIOD_ACTIVE',
      'A created account may leave its organization only some days after it was made.',
    )
  }
  organization.change()
  detachAll(call, organization, row.id)
  organization.removeMember(row)
  call.unit.put(addressKey(row.id), { email: row.email } satisfies Address)
  await withdrawApproval(call, organization, row.id)
}

export function refuseAdministrator(row: MemberRow): void {
  if (Object.keys(row.administers).length === 0) return
  throw violates(
    'CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG',
    'The account is a delegated administrator. Deregister it first.',
  )
}
