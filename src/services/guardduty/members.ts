/** Members of an administrator account: added, invited, watched and let go. */
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import type { Call } from '../../kernel/gate/call.ts'
import { mailbox, OutboxQuotaError } from '../../kernel/jobs/outbox.ts'
import { organizations } from '../../kernel/ports/organizations.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { roleOf } from './detectors.ts'
import { badRequest, badToken, guardduty } from './faults.ts'
import { changedFeatures, shownDataSources, shownFeatures } from './features.ts'
import {
  administratorOf,
  allMembers,
  isAssociated,
  type MemberRow,
  memberKey,
  putMember,
  removeMember,
} from './member-rows.ts'
import { isOrganizationAdministrator, watchAccount } from './organization-members.ts'
import { detector, detectorIn, newId, ofDetector } from './resources.ts'

export const ALREADY_MEMBER =
  'The request is rejected because the account ID is already a member of, or associated with, another administrator account.'

const notMember =
  'The request is rejected because the given account ID is not an associated member of account the current account.'

type Unprocessed = GuardDuty.UnprocessedAccount

/** What cannot be done for an account is said beside the answer. */
async function eachAccount(
  ids: readonly string[],
  change: (account: string) => Promise<string | undefined>,
): Promise<{ UnprocessedAccounts: Unprocessed[] }> {
  const UnprocessedAccounts: Unprocessed[] = []
  for (const AccountId of new Set(ids)) {
    const Result = await change(AccountId)
    if (Result !== undefined) UnprocessedAccounts.push({ AccountId, Result })
  }
  return { UnprocessedAccounts }
}

const eachMember = (
  call: Call,
  ids: readonly string[] | undefined,
  change: (row: MemberRow) => Promise<string | undefined> | string | undefined,
) =>
  eachAccount(ids ?? [], async (account) => {
    const row = await call.unit.get<MemberRow>(memberKey(call, account))
    return row ? change(row) : notMember
  })

/** A member account has no members of its own. */
async function refuseMember(call: Call): Promise<void> {
  if (await administratorOf(call.unit, call))
    throw badRequest('The request is rejected because the current account is a member of another account.')
}

export const createMembers = guardduty
  .operation('CreateMembers')
  .on(ofDetector)
  .run(async (call, input) => {
    await refuseMember(call)
    const ofOrganization = (await isOrganizationAdministrator(call, call.account))
      ? await accountsOfOrganization(call)
      : new Set<string>()
    const max = call.quotas['guardduty/MembersPerAdministrator']!
    let members = (await allMembers(call.unit, call)).length
    const emails = new Map(input.AccountDetails!.map(({ AccountId, Email }) => [AccountId!, Email!]))
    return eachAccount([...emails.keys()], async (account) => {
      if (account === call.account)
        return 'The request is rejected because the given account ID is the current account.'
      const before = await call.unit.get<MemberRow>(memberKey(call, account))
      if (before && isAssociated(before)) return undefined
      if (!before && members >= max) return 'The request is rejected because the maximum number of members is reached.'
      members += 1
      const email = emails.get(account)!
      if (ofOrganization.has(account))
        return watchAccount(call, { account: call.account, region: call.region }, { account, email })
      const { invitationId: _i, invitedAt: _a, ...rest } = before ?? {}
      const row: MemberRow = {
        ...rest,
        account,
        administrator: call.account,
        region: call.region,
        email,
        relationship: 'Created',
        updatedAt: call.now,
      }
      putMember(call.unit, row, before)
      return undefined
    })
  })

async function accountsOfOrganization(call: Call): Promise<ReadonlySet<string>> {
  const port = call.use(organizations)
  const membership = await port.membership(call.unit, call.account)
  const accounts = membership ? await port.accountsOf(call.unit, membership.id) : []
  return new Set(accounts.map(({ account }) => account))
}

export const inviteMembers = guardduty
  .operation('InviteMembers')
  .on(ofDetector)
  .run((call, input) =>
    eachMember(call, input.AccountIds, async (row) => {
      if (isAssociated(row)) return 'The request is rejected because the given account ID is already a member.'
      const invited: MemberRow = {
        ...row,
        relationship: 'Invited',
        invitationId: newId(call),
        invitedAt: call.now,
        updatedAt: call.now,
      }
      putMember(call.unit, invited, row)
      if (!input.DisableEmailNotification) await mailInvitation(call, invited, input.Message)
      return undefined
    }),
  )

async function mailInvitation(call: Call, row: MemberRow, message = ''): Promise<void> {
  const text = [
    `The AWS account ${call.account} invites your account ${row.account} to be monitored by GuardDuty in ${call.region}.`,
    'You see and accept the invitation in GuardDuty of your account.',
    ...(message === '' ? [] : ['', message.replaceAll(/[^\P{Cc}\n]/gu, ' ').slice(0, 2_000)]),
  ].join('\n')
  const subject = `GuardDuty invitation from AWS account ${call.account}`
  try {
    await mailbox.send(call, `guardduty/${row.invitationId}`, { account: call.account, to: row.email, subject, text })
  } catch (error) {
    // The invitation is there either way.
    if (!(error instanceof OutboxQuotaError)) throw error
  }
}

async function shownMember(call: Call, row: MemberRow): Promise<GuardDuty.Member> {
  const place = { account: row.account, region: row.region }
  const id = isAssociated(row) ? (await detectorIn(call.unit, place))?.id : undefined
  return {
    AccountId: row.account,
    MasterId: row.administrator,
    AdministratorId: row.administrator,
    Email: row.email,
    RelationshipStatus: row.relationship,
    UpdatedAt: new Date(row.updatedAt).toISOString(),
    ...(row.invitedAt !== undefined && { InvitedAt: new Date(row.invitedAt).toISOString() }),
    ...(id !== undefined && { DetectorId: id }),
  }
}

export const getMembers = guardduty
  .operation('GetMembers')
  .on(ofDetector)
  .run(async (call, input) => {
    const Members: GuardDuty.Member[] = []
    const rest = await eachMember(call, input.AccountIds, async (row) => {
      Members.push(await shownMember(call, row))
      return undefined
    })
    return { Members, ...rest }
  })

export const listMembers = guardduty
  .operation('ListMembers')
  .on(ofDetector)
  .run(async (call, input) => {
    const all = input.OnlyAssociated?.toLowerCase() === 'false'
    const { items, next } = await pageOf(call, await allMembers(call.unit, call), ({ account }) => account, {
      token: input.NextToken,
      size: input.MaxResults ?? 50,
      query: [input.DetectorId, all],
      keep: (row) => all || isAssociated(row),
      bad: badToken,
    })
    const Members = await Promise.all(items.map((row) => shownMember(call, row)))
    return { Members, ...(next !== undefined && { NextToken: next }) }
  })

export const deleteMembers = guardduty
  .operation('DeleteMembers')
  .on(ofDetector)
  .run((call, input) =>
    eachMember(call, input.AccountIds, (row) => {
      if (isAssociated(row)) return 'The request is rejected because the member must be disassociated first.'
      removeMember(call.unit, row)
      return undefined
    }),
  )

export const disassociateMembers = guardduty
  .operation('DisassociateMembers')
  .on(ofDetector)
  .run((call, input) =>
    eachMember(call, input.AccountIds, (row) => {
      if (!isAssociated(row)) return notMember
      putMember(call.unit, { ...row, relationship: 'Removed', updatedAt: call.now }, row)
      return undefined
    }),
  )

/** Turns detection in the member's account on or off; the detector and its findings stay. */
const monitor = (name: 'StartMonitoringMembers' | 'StopMonitoringMembers', relationship: 'Enabled' | 'Disabled') =>
  guardduty
    .operation(name)
    .on(ofDetector)
    .run((call, input) =>
      eachMember(call, input.AccountIds, async (row) => {
        if (!isAssociated(row)) return notMember
        putMember(call.unit, { ...row, relationship, updatedAt: call.now }, row)
        const place = { account: row.account, region: row.region }
        const watched = await detectorIn(call.unit, place)
        const isEnabled = relationship === 'Enabled'
        if (watched)
          detector.put(call.unit, place, {
            ...watched,
            isEnabled,
            enabledAt: isEnabled && !watched.isEnabled ? call.now : watched.enabledAt,
            updatedAt: call.now,
          })
        return undefined
      }),
    )

export const startMonitoringMembers = monitor('StartMonitoringMembers', 'Enabled')
export const stopMonitoringMembers = monitor('StopMonitoringMembers', 'Disabled')

export const getMemberDetectors = guardduty
  .operation('GetMemberDetectors')
  .on(ofDetector)
  .run(async (call, input) => {
    const MemberDataSourceConfigurations: GuardDuty.MemberDataSourceConfiguration[] = []
    const rest = await eachMember(call, input.AccountIds, async ({ account, region }) => {
      const row = await detectorIn(call.unit, { account, region })
      if (!row) return 'The request is rejected because the account has no detector.'
      MemberDataSourceConfigurations.push({
        AccountId: account,
        DataSources: shownDataSources(row, roleOf(call, account)),
        Features: shownFeatures(row, false) as GuardDuty.MemberFeaturesConfigurationResult[],
      })
      return undefined
    })
    return { MemberDataSourceConfigurations, ...rest }
  })

export const updateMemberDetectors = guardduty
  .operation('UpdateMemberDetectors')
  .on(ofDetector)
  .run((call, input) =>
    eachMember(call, input.AccountIds, async (member) => {
      const place = { account: member.account, region: member.region }
      const row = isAssociated(member) ? await detectorIn(call.unit, place) : undefined
      if (!row) return notMember
      const features = changedFeatures(row.features, input.Features, input.DataSources, call.now)
      detector.put(call.unit, place, { ...row, features, updatedAt: call.now })
      return undefined
    }),
  )
