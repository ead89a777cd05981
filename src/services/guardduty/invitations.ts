/** Invitations: an account becomes a member by accepting one, and leaves its administrator again. */
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import type { Call } from '../../kernel/gate/call.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { badRequest, badToken, guardduty } from './faults.ts'
import {
  type AdministratorRow,
  administratorOf,
  hasMembers,
  invitationKey,
  invitationsOf,
  type MemberRow,
  memberKey,
  putMember,
} from './member-rows.ts'
import { ofDetector } from './resources.ts'

async function accept(call: Call, administrator: string, invitationId: string): Promise<Record<string, never>> {
  const invitation = await call.unit.get<AdministratorRow>(invitationKey(call, administrator))
  const before = await memberOf(call, administrator)
  if (!invitation || invitation.invitationId !== invitationId || before?.relationship !== 'Invited')
    throw badRequest('The request is rejected because the invitation does not exist or has expired.')
  if (await administratorOf(call.unit, call))
    throw badRequest(
      'The request is rejected because the current account is already a member of an administrator account.',
    )
  if (await hasMembers(call.unit, call))
    throw badRequest('The request is rejected because an account with member accounts cannot become a member itself.')
  putMember(call.unit, { ...before, relationship: 'Enabled', updatedAt: call.now }, before)
  return {}
}

const memberOf = (call: Call, administrator: string): Promise<MemberRow | undefined> =>
  call.unit.get<MemberRow>(memberKey({ account: administrator, region: call.region }, call.account))

export const acceptAdministratorInvitation = guardduty
  .operation('AcceptAdministratorInvitation')
  .on(ofDetector)
  .run((call, input) => accept(call, input.AdministratorId!, input.InvitationId!))

export const acceptInvitation = guardduty
  .operation('AcceptInvitation')
  .on(ofDetector)
  .run((call, input) => accept(call, input.MasterId!, input.InvitationId!))

/** The administrator sees that the account does not want to be a member. */
const refuse = (name: 'DeclineInvitations' | 'DeleteInvitations') =>
  guardduty
    .operation(name)
    .on(anything)
    .run(async (call, input) => {
      const UnprocessedAccounts: GuardDuty.UnprocessedAccount[] = []
      for (const AccountId of new Set(input.AccountIds)) {
        const before = await memberOf(call, AccountId)
        if (before?.relationship === 'Invited')
          putMember(call.unit, { ...before, relationship: 'Resigned', updatedAt: call.now }, before)
        else
          UnprocessedAccounts.push({
            AccountId,
            Result: 'The request is rejected because there is no invitation of the given account ID.',
          })
      }
      return { UnprocessedAccounts }
    })

export const declineInvitations = refuse('DeclineInvitations')
export const deleteInvitations = refuse('DeleteInvitations')

const invitations = async (call: Call): Promise<readonly AdministratorRow[]> =>
  (await call.unit.range<AdministratorRow>(invitationsOf(call))).map(({ document }) => document)

export const listInvitations = guardduty
  .operation('ListInvitations')
  .on(anything)
  .run(async (call, input) => {
    const { items, next } = await pageOf(call, await invitations(call), ({ administrator }) => administrator, {
      token: input.NextToken,
      size: input.MaxResults ?? 50,
      query: null,
      bad: badToken,
    })
    const Invitations = items.map(({ administrator, invitationId, invitedAt }) => ({
      AccountId: administrator,
      InvitationId: invitationId,
      RelationshipStatus: 'Invited',
      InvitedAt: new Date(invitedAt).toISOString(),
    }))
    return { Invitations, ...(next !== undefined && { NextToken: next }) }
  })

export const getInvitationsCount = guardduty
  .operation('GetInvitationsCount')
  .on(anything)
  .run(async (call) => ({ InvitationsCount: (await invitations(call)).length }))

/** Without an administrator the answer names none. */
async function shownAdministrator(call: Call): Promise<GuardDuty.Administrator | undefined> {
  const row = await administratorOf(call.unit, call)
  const member = row && (await memberOf(call, row.administrator))
  if (!row || !member) return undefined
  return {
    AccountId: row.administrator,
    InvitationId: row.invitationId,
    RelationshipStatus: member.relationship,
    InvitedAt: new Date(row.invitedAt).toISOString(),
  }
}

export const getAdministratorAccount = guardduty
  .operation('GetAdministratorAccount')
  .on(ofDetector)
  .run(async (call) => ({ Administrator: await shownAdministrator(call) }))

export const getMasterAccount = guardduty
  .operation('GetMasterAccount')
  .on(ofDetector)
  .run(async (call) => ({ Master: await shownAdministrator(call) }))

const leave = (name: 'DisassociateFromAdministratorAccount' | 'DisassociateFromMasterAccount') =>
  guardduty
    .operation(name)
    .on(ofDetector)
    .run(async (call) => {
      const row = await administratorOf(call.unit, call)
      const member = row && (await memberOf(call, row.administrator))
      if (!member)
        throw badRequest(
          'The request is rejected because the current account is not a member of an administrator account.',
        )
      if (member.isOfOrganization)
        throw badRequest(
          'The request is rejected because the administrator account manages the members of its organization.',
        )
      putMember(call.unit, { ...member, relationship: 'Resigned', updatedAt: call.now }, member)
      return {}
    })

export const disassociateFromAdministratorAccount = leave('DisassociateFromAdministratorAccount')
export const disassociateFromMasterAccount = leave('DisassociateFromMasterAccount')
