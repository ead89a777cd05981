/** GuardDuty in an organization: the delegated administrator, and accounts that are covered without a call of their own. */
import * as gd from '@aws-sdk/client-guardduty'
import { expect, test, vi } from 'vitest'
import { organization } from '../organizations/organization.fixture.ts'

async function administered() {
  const it = await organization()
  const account = await it.member('security')
  const other = await it.member('app')
  const management = it.client(gd.GuardDutyClient, it.admin)
  await management.send(new gd.EnableOrganizationAdminAccountCommand({ AdminAccountId: account }))
  const administrator = it.client(gd.GuardDutyClient, await it.enter(account))
  const DetectorId = (await administrator.send(new gd.ListDetectorsCommand({}))).DetectorIds![0]!
  return { ...it, account, other, management, administrator, DetectorId }
}

test('The management account names one administrator, which gets a detector', async () => {
  const it = await administered()
  const { management, administrator, account, other, DetectorId } = it

  expect((await management.send(new gd.ListOrganizationAdminAccountsCommand({}))).AdminAccounts).toEqual([
    { AdminAccountId: account, AdminStatus: 'ENABLED' },
  ])
  await expect(
    management.send(new gd.EnableOrganizationAdminAccountCommand({ AdminAccountId: other })),
  ).rejects.toThrow('another account is already enabled')
  await expect(
    administrator.send(new gd.EnableOrganizationAdminAccountCommand({ AdminAccountId: other })),
  ).rejects.toThrow('not the management account')
  expect(await administrator.send(new gd.DescribeOrganizationConfigurationCommand({ DetectorId }))).toMatchObject({
    AutoEnableOrganizationMembers: 'NONE',
    MemberAccountLimitReached: false,
  })

  await management.send(new gd.DisableOrganizationAdminAccountCommand({ AdminAccountId: account }))
  await expect(administrator.send(new gd.DescribeOrganizationConfigurationCommand({ DetectorId }))).rejects.toThrow(
    'not the delegated GuardDuty administrator',
  )
})

test('ALL enables the accounts that there are, at once, with the features of the organization', async () => {
  const it = await administered()
  const { administrator, DetectorId, other } = it
  await administrator.send(
    new gd.UpdateOrganizationConfigurationCommand({
      DetectorId,
      AutoEnableOrganizationMembers: 'ALL',
      Features: [{ Name: 'S3_DATA_EVENTS', AutoEnable: 'ALL' }],
    }),
  )

  const { Members } = await administrator.send(new gd.ListMembersCommand({ DetectorId }))
  expect(Members!.map(({ AccountId }) => AccountId)).toContain(other)
  expect(Members!.every(({ RelationshipStatus }) => RelationshipStatus === 'Enabled')).toBe(true)
  const member = it.client(gd.GuardDutyClient, await it.enter(other))
  const theirs = (await member.send(new gd.ListDetectorsCommand({}))).DetectorIds![0]!
  const shown = await member.send(new gd.GetDetectorCommand({ DetectorId: theirs }))
  expect(shown.Status).toBe('ENABLED')
  const statusOf = (name: string) => shown.Features!.find(({ Name }) => Name === name)!.Status
  expect([statusOf('S3_DATA_EVENTS'), statusOf('RDS_LOGIN_EVENTS')]).toEqual(['ENABLED', 'DISABLED'])
  await expect(member.send(new gd.DisassociateFromAdministratorAccountCommand({ DetectorId: theirs }))).rejects.toThrow(
    'administrator account manages',
  )
  await expect(
    member.send(new gd.CreateFilterCommand({ DetectorId: theirs, Name: 'mine', FindingCriteria: {} })),
  ).rejects.toThrow('member accounts cannot')
})

test('An account that is created is covered without a call', async () => {
  const it = await administered()
  const { administrator, DetectorId } = it
  await administrator.send(
    new gd.UpdateOrganizationConfigurationCommand({ DetectorId, AutoEnableOrganizationMembers: 'NEW' }),
  )
  expect((await administrator.send(new gd.ListMembersCommand({ DetectorId }))).Members).toEqual([])
  it.start()
  const created = await it.member('new')

  await vi.waitFor(
    async () => {
      const { Members } = await administrator.send(new gd.ListMembersCommand({ DetectorId }))
      expect(Members!.map(({ AccountId }) => AccountId)).toEqual([created])
    },
    { timeout: 15_000, interval: 100 },
  )
})
