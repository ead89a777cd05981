/** Detectors, findings, filters and members through the front door. */
import * as gd from '@aws-sdk/client-guardduty'
import {
  DeleteServiceLinkedRoleCommand,
  GetRoleCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  IAMClient,
} from '@aws-sdk/client-iam'
import { describe, expect, test } from 'vitest'
import { cloud, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { FINDING_TYPES } from './finding-types.ts'
import { withDetector } from './guardduty.fixture.ts'

describe('A detector', () => {
  test('is one for an account in a Region, with the features that need no agent', async () => {
    const { guardduty, DetectorId, client } = await withDetector()

    expect(DetectorId).toMatch(/^[0-9a-f]{32}$/)
    await expect(guardduty.send(new gd.CreateDetectorCommand({ Enable: true }))).rejects.toMatchObject({
      name: 'BadRequestException',
      message: 'The request is rejected because a detector already exists for the current account.',
    })
    const shown = await guardduty.send(new gd.GetDetectorCommand({ DetectorId }))
    expect(shown).toMatchObject({ Status: 'ENABLED', FindingPublishingFrequency: 'SIX_HOURS' })
    expect(shown.ServiceRole).toBe(
      'arn:aws:iam::111122223333:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty',
    )
    expect(shown.Features!.filter(({ Status }) => Status === 'ENABLED').map(({ Name }) => Name)).toContain(
      'S3_DATA_EVENTS',
    )
    expect(shown.DataSources!.S3Logs!.Status).toBe('ENABLED')

    const elsewhere = client(gd.GuardDutyClient, undefined, 'eu-west-1')
    await expect(elsewhere.send(new gd.GetDetectorCommand({ DetectorId }))).rejects.toThrow(
      'The request is rejected because the input detectorId is not owned by the current account.',
    )
    expect((await guardduty.send(new gd.ListDetectorsCommand({}))).DetectorIds).toEqual([DetectorId])
  })

  test('needs its service-linked role: the deletion fails while there is one, suspended too, in any Region', async () => {
    const { guardduty, DetectorId, client } = await withDetector()
    const iam = client(IAMClient)
    const RoleName = 'AWSServiceRoleForAmazonGuardDuty'
    const deleting = async () => {
      const { DeletionTaskId } = await iam.send(new DeleteServiceLinkedRoleCommand({ RoleName }))
      return iam.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }))
    }
    const elsewhere = client(gd.GuardDutyClient, undefined, 'eu-west-1')
    const second = await elsewhere.send(new gd.CreateDetectorCommand({ Enable: false }))
    const arn = (region: string, id = '') => `arn:aws:guardduty:${region}:111122223333:detector/${id}`

    expect(await deleting()).toMatchObject({
      Status: 'FAILED',
      Reason: {
        RoleUsageList: [
          { Region: 'eu-west-1', Resources: [arn('eu-west-1', second.DetectorId)] },
          { Region: 'us-east-1', Resources: [arn('us-east-1', DetectorId)] },
        ],
      },
    })
    await guardduty.send(new gd.DeleteDetectorCommand({ DetectorId }))
    expect((await deleting()).Reason?.RoleUsageList).toHaveLength(1)
    expect((await iam.send(new GetRoleCommand({ RoleName }))).Role?.RoleName).toBe(RoleName)
    await elsewhere.send(new gd.DeleteDetectorCommand({ DetectorId: second.DetectorId }))
    expect(await deleting()).toMatchObject({ Status: 'SUCCEEDED' })
    await expect(iam.send(new GetRoleCommand({ RoleName }))).rejects.toThrow('cannot be found')
  })

  test('takes features and the older data sources, and refuses both kinds of runtime monitoring', async () => {
    const { guardduty, DetectorId } = await withDetector()
    const statusOf = async (name: string) =>
      (await guardduty.send(new gd.GetDetectorCommand({ DetectorId }))).Features!.find(({ Name }) => Name === name)
        ?.Status

    await guardduty.send(new gd.UpdateDetectorCommand({ DetectorId, DataSources: { S3Logs: { Enable: false } } }))
    expect(await statusOf('S3_DATA_EVENTS')).toBe('DISABLED')
    await guardduty.send(
      new gd.UpdateDetectorCommand({
        DetectorId,
        Features: [
          {
            Name: 'RUNTIME_MONITORING',
            Status: 'ENABLED',
            AdditionalConfiguration: [{ Name: 'EC2_AGENT_MANAGEMENT', Status: 'ENABLED' }],
          },
        ],
      }),
    )
    await expect(
      guardduty.send(
        new gd.UpdateDetectorCommand({ DetectorId, Features: [{ Name: 'EKS_RUNTIME_MONITORING', Status: 'ENABLED' }] }),
      ),
    ).rejects.toThrow('EKS_RUNTIME_MONITORING and RUNTIME_MONITORING')

    const { Resources } = await guardduty.send(new gd.ListCoverageCommand({ DetectorId }))
    expect(Resources).toContainEqual(
      expect.objectContaining({ ResourceId: 'RUNTIME_MONITORING', CoverageStatus: 'UNHEALTHY' }),
    )
  })
})

describe('Findings', () => {
  test('of every known type are sampled, listed by criteria in pages, counted and archived', async () => {
    const { guardduty, DetectorId } = await withDetector()
    await guardduty.send(new gd.CreateSampleFindingsCommand({ DetectorId }))

    const ids: string[] = []
    let NextToken: string | undefined
    do {
      const page = await guardduty.send(new gd.ListFindingsCommand({ DetectorId, MaxResults: 40, NextToken }))
      ids.push(...page.FindingIds!)
      NextToken = page.NextToken
    } while (NextToken)
    expect(new Set(ids).size).toBe(FINDING_TYPES.length)

    const FindingCriteria = {
      Criterion: { severity: { GreaterThanOrEqual: 9 }, type: { Matches: ['AttackSequence:*'] } },
    }
    const critical = await guardduty.send(new gd.ListFindingsCommand({ DetectorId, FindingCriteria }))
    expect(critical.FindingIds).toHaveLength(5)
    const { Findings } = await guardduty.send(
      new gd.GetFindingsCommand({ DetectorId, FindingIds: critical.FindingIds }),
    )
    expect(Findings!.every(({ Title }) => Title!.startsWith('[SAMPLE]'))).toBe(true)
    expect(Findings![0]!.Service!.Detection!.Sequence!.Signals![0]!.FirstSeenAt).toBeInstanceOf(Date)

    await guardduty.send(new gd.ArchiveFindingsCommand({ DetectorId, FindingIds: critical.FindingIds }))
    const archived = { Criterion: { 'service.archived': { Equals: ['true'] } } }
    const listed = await guardduty.send(new gd.ListFindingsCommand({ DetectorId, FindingCriteria: archived }))
    expect(listed.FindingIds!.sort()).toEqual(critical.FindingIds!.sort())
    const counted = await guardduty.send(
      new gd.GetFindingsStatisticsCommand({ DetectorId, GroupBy: 'SEVERITY', FindingCriteria: archived }),
    )
    expect(counted.FindingStatistics!.GroupedBySeverity).toMatchObject([{ Severity: 9, TotalFindings: 5 }])
    const bySeverity = await guardduty.send(
      new gd.GetFindingsStatisticsCommand({ DetectorId, FindingStatisticTypes: ['COUNT_BY_SEVERITY'] }),
    )
    expect(bySeverity.FindingStatistics!.CountBySeverity!['9.0']).toBe(5)
  })

  test('that a filter suppresses are archived, and no event is recorded', async () => {
    const { guardduty, DetectorId, store } = await withDetector()
    const FindingCriteria = { Criterion: { type: { Equals: ['Recon:EC2/Portscan'] } } }
    await guardduty.send(
      new gd.CreateFilterCommand({ DetectorId, Name: 'scans', Action: 'ARCHIVE', FindingCriteria, Tags: { a: 'b' } }),
    )
    const FindingTypes = ['Recon:EC2/Portscan', 'Policy:S3/BucketPublicAccessGranted']
    await guardduty.send(new gd.CreateSampleFindingsCommand({ DetectorId, FindingTypes }))

    const { FindingIds } = await guardduty.send(
      new gd.ListFindingsCommand({
        DetectorId,
        FindingCriteria: { Criterion: { 'service.archived': { Equals: ['false'] } } },
      }),
    )
    expect(FindingIds).toHaveLength(1)
    const events = (await store.log({ account: '111122223333', limit: 100 }))
      .map(({ body }) => JSON.parse(body))
      .filter(({ eventName }) => eventName === 'GuardDutyFinding')
    expect(events.map(({ serviceEventDetails }) => serviceEventDetails.type)).toEqual([
      'Policy:S3/BucketPublicAccessGranted',
    ])
    expect(await guardduty.send(new gd.GetFilterCommand({ DetectorId, FilterName: 'scans' }))).toMatchObject({
      Action: 'ARCHIVE',
      Rank: 1,
      FindingCriteria,
    })
    await expect(guardduty.send(new gd.GetFilterCommand({ DetectorId, FilterName: 'none' }))).rejects.toThrow(
      'The request is rejected since no such resource found.',
    )
  })

  test('of another account are not shown', async () => {
    const it = await withDetector()
    const other = it.client(gd.GuardDutyClient, await it.account())
    await it.guardduty.send(
      new gd.CreateSampleFindingsCommand({ DetectorId: it.DetectorId, FindingTypes: ['Recon:EC2/Portscan'] }),
    )
    const { FindingIds } = await it.guardduty.send(new gd.ListFindingsCommand({ DetectorId: it.DetectorId }))
    const { DetectorId } = await other.send(new gd.CreateDetectorCommand({ Enable: true }))

    expect((await other.send(new gd.GetFindingsCommand({ DetectorId, FindingIds }))).Findings).toEqual([])
    await expect(other.send(new gd.ListFindingsCommand({ DetectorId: it.DetectorId }))).rejects.toThrow('not owned')
  })
})

describe('Members', () => {
  test('accept an invitation, are seen by the administrator, and leave', async () => {
    const it = await withDetector()
    const { guardduty, DetectorId } = it
    const other = it.client(gd.GuardDutyClient, await it.account())
    const theirs = (await other.send(new gd.CreateDetectorCommand({ Enable: true }))).DetectorId!
    const AccountIds = [OTHER_ACCOUNT]
    const AccountDetails = [{ AccountId: OTHER_ACCOUNT, Email: 'm@corp.test' }]
    expect(
      (await guardduty.send(new gd.CreateMembersCommand({ DetectorId, AccountDetails }))).UnprocessedAccounts,
    ).toEqual([])
    await guardduty.send(new gd.InviteMembersCommand({ DetectorId, AccountIds, DisableEmailNotification: true }))
    const { Invitations } = await other.send(new gd.ListInvitationsCommand({}))
    const { InvitationId, AccountId: AdministratorId } = Invitations![0]!
    await expect(
      other.send(
        new gd.AcceptAdministratorInvitationCommand({ DetectorId: theirs, AdministratorId, InvitationId: 'x' }),
      ),
    ).rejects.toThrow('invitation does not exist')
    await other.send(new gd.AcceptAdministratorInvitationCommand({ DetectorId: theirs, AdministratorId, InvitationId }))

    await other.send(new gd.CreateSampleFindingsCommand({ DetectorId: theirs, FindingTypes: ['Recon:EC2/Portscan'] }))
    const { FindingIds } = await guardduty.send(new gd.ListFindingsCommand({ DetectorId }))
    expect(FindingIds).toHaveLength(1)
    await expect(other.send(new gd.ArchiveFindingsCommand({ DetectorId: theirs, FindingIds }))).rejects.toThrow(
      'member',
    )
    await expect(other.send(new gd.UpdateDetectorCommand({ DetectorId: theirs, Enable: false }))).rejects.toThrow(
      'member accounts cannot',
    )
    await expect(guardduty.send(new gd.DeleteDetectorCommand({ DetectorId }))).rejects.toThrow(
      'member accounts associated',
    )

    await guardduty.send(new gd.StopMonitoringMembersCommand({ DetectorId, AccountIds }))
    expect((await other.send(new gd.GetDetectorCommand({ DetectorId: theirs }))).Status).toBe('DISABLED')
    await other.send(new gd.DisassociateFromAdministratorAccountCommand({ DetectorId: theirs }))
    const { Members } = await guardduty.send(new gd.GetMembersCommand({ DetectorId, AccountIds }))
    expect(Members).toMatchObject([{ RelationshipStatus: 'Resigned', Email: 'm@corp.test' }])
    await guardduty.send(new gd.DeleteMembersCommand({ DetectorId, AccountIds }))
    expect((await guardduty.send(new gd.ListMembersCommand({ DetectorId, OnlyAssociated: 'false' }))).Members).toEqual(
      [],
    )
  })
})

test('every operation of the model answers, and what cannot be done says so by name', async () => {
  const { guardduty: client } = { guardduty: (await cloud()).client(gd.GuardDutyClient) }

  await expect(
    client.send(new gd.StartMalwareScanCommand({ ResourceArn: 'arn:aws:ec2:us-east-1:111122223333:instance/i-1' })),
  ).rejects.toMatchObject({ name: 'NotImplemented' })
})
