/** Lists read from buckets, and findings written to them: the policies of bucket, key and role decide. */

import { gunzipSync } from 'node:zlib'
import * as gd from '@aws-sdk/client-guardduty'
import { CreateKeyCommand, KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { withDetector } from './guardduty.fixture.ts'
import { entriesOf, readEntry } from './list-formats.ts'

async function withFile(Body: string) {
  const it = await withDetector()
  const s3 = it.client(S3Client)
  await s3.send(new CreateBucketCommand({ Bucket: 'lists' }))
  await s3.send(new PutObjectCommand({ Bucket: 'lists', Key: 'a list.txt', Body }))
  const { DetectorId } = it
  const Location = 'https://s3.amazonaws.com/lists/a%20list.txt'
  const list = { DetectorId, Name: 'ours', Format: 'TXT', Location, Activate: true } as const
  return { ...it, s3, list }
}

describe('A list', () => {
  test('is read with the rights of the role, and becomes active', async () => {
    const { guardduty, DetectorId, list, pass, store, client } = await withFile(
      '# ours\n192.0.2.0/24\n198.51.100.7\nnonsense\n',
    )
    const { ThreatIntelSetId } = await guardduty.send(new gd.CreateThreatIntelSetCommand(list))
    const state = async () =>
      (await guardduty.send(new gd.GetThreatIntelSetCommand({ DetectorId, ThreatIntelSetId }))).Status
    expect(await state()).toBe('ACTIVATING')
    await pass(1_000)
    expect(await state()).toBe('ACTIVE')
    const activated = (await store.log({ account: ACCOUNT, limit: 50 }))
      .map(({ body }) => JSON.parse(body))
      .find(({ eventName }) => eventName === 'ListActivated')
    expect(activated.serviceEventDetails).toMatchObject({
      entries: 2,
      skipped: 1,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })

    await guardduty.send(new gd.UpdateThreatIntelSetCommand({ DetectorId, ThreatIntelSetId, Activate: false }))
    expect(await state()).toBe('INACTIVE')
    await guardduty.send(new gd.DeleteThreatIntelSetCommand({ DetectorId, ThreatIntelSetId }))
    // Clients wait for this state.
    expect(await state()).toBe('DELETED')
    expect((await guardduty.send(new gd.ListThreatIntelSetsCommand({ DetectorId }))).ThreatIntelSetIds).toEqual([])
    await pass(61 * 60_000)
    const later = client(gd.GuardDutyClient)
    await expect(later.send(new gd.GetThreatIntelSetCommand({ DetectorId, ThreatIntelSetId }))).rejects.toThrow(
      'no such resource found',
    )
  })

  test('that the bucket denies to the role, or that is empty or missing, is in error', async () => {
    const { guardduty, DetectorId, list, pass, s3 } = await withFile('192.0.2.1\n')
    const errorOf = async (Name: string, more: object) => {
      const { ThreatEntitySetId } = await guardduty.send(
        new gd.CreateThreatEntitySetCommand({ ...list, Name, ...more }),
      )
      await pass(1_000)
      const { Status, ErrorDetails } = await guardduty.send(
        new gd.GetThreatEntitySetCommand({ DetectorId, ThreatEntitySetId }),
      )
      return [Status, ErrorDetails]
    }
    expect(await errorOf('right', {})).toEqual(['ACTIVE', undefined])
    expect(await errorOf('missing', { Location: 's3://lists/none' })).toEqual([
      'ERROR',
      expect.stringContaining('cannot be read'),
    ])
    expect(await errorOf('owner', { ExpectedBucketOwner: '444455556666' })).toEqual([
      'ERROR',
      expect.stringContaining('AccessDenied'),
    ])
    await s3.send(new PutObjectCommand({ Bucket: 'lists', Key: 'empty', Body: '\n' }))
    expect(await errorOf('empty', { Location: 's3://lists/empty' })).toEqual([
      'ERROR',
      expect.stringContaining('no entry'),
    ])

    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lists/*' }],
    })
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'lists', Policy }))
    expect(await errorOf('denied', {})).toEqual(['ERROR', expect.stringContaining('cannot be read')])
  })

  test('of trusted addresses is one, and has at most 2,000 entries', async () => {
    const addresses = (count: number) =>
      Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`).join('\n')
    const { guardduty, DetectorId, list, pass, s3 } = await withFile(addresses(2_000))
    const { IpSetId } = await guardduty.send(new gd.CreateIPSetCommand(list))
    await pass(1_000)
    const state = async () => (await guardduty.send(new gd.GetIPSetCommand({ DetectorId, IpSetId }))).Status
    expect(await state()).toBe('ACTIVE')
    await expect(guardduty.send(new gd.CreateIPSetCommand({ ...list, Name: 'second' }))).rejects.toThrow(
      'maximum number',
    )

    await s3.send(new PutObjectCommand({ Bucket: 'lists', Key: 'a list.txt', Body: addresses(2_001) }))
    expect(await state()).toBe('ACTIVE')
    await guardduty.send(new gd.UpdateIPSetCommand({ DetectorId, IpSetId, Activate: true }))
    await pass(1_000)
    expect(await state()).toBe('ERROR')
  })

  test('needs the permission to give the role access', async () => {
    const { client, user, list } = await withFile('192.0.2.1\n')
    const keys = await user('ann', allowing({ Action: 'guardduty:*', Resource: '*' }))

    await expect(client(gd.GuardDutyClient, keys).send(new gd.CreateThreatIntelSetCommand(list))).rejects.toThrow(
      'iam:PutRolePolicy',
    )
  })
})

describe('The format', () => {
  const read = (format: gd.IpSetFormat, text: string) =>
    [...entriesOf(format, text)].flatMap((entry) => readEntry(entry, true) ?? [])

  test.each([
    ['TXT', '192.0.2.1\r\n2001:db8::/32\nEvil.Example.\n300.1.1.1\n'],
    ['ALIEN_VAULT', '# comment\n192.0.2.1#4#2#Malicious Host#US##0,0#3\n2001:db8::/32#1\nevil.example#1\n'],
    [
      'OTX_CSV',
      'Indicator type,Indicator,Description\nIPv4,192.0.2.1,"a, b"\nCIDR,"2001:db8::/32",x\nhostname,evil.example,x\n',
    ],
    ['PROOF_POINT', 'ip, category, score\n192.0.2.1, 1, 100\n2001:db8::/32, 1, 2\nevil.example, 3, 4\n'],
    ['FIRE_EYE', 'reportId,title,ip,domain\n1,"x, y",192.0.2.1,\n2,z,2001:db8::/32,evil.example\n'],
    [
      'STIX',
      '<a:Address_Value condition="Equals">192.0.2.1##comma##2001:db8::/32</a:Address_Value><b:Value>evil.example</b:Value>',
    ],
    [
      'STIX',
      '{"objects":[{"pattern":"[ipv4-addr:value = \'192.0.2.1\']"},{"pattern":"[ipv6-addr:value = \'2001:db8::/32\' OR domain-name:value = \'evil.example\']"}]}',
    ],
  ] as const)('%s is read', (format, text) => {
    expect(read(format, text)).toEqual(['192.0.2.1', '2001:db8::/32', 'evil.example'])
  })
})

describe('A file that is hostile', () => {
  test.each([
    ['beginnings of values without an end', 'STIX', `{${':value'.repeat(1_000_000)}`],
    ['beginnings of elements without an end', 'STIX', `<a>${'Value>'.repeat(1_000_000)}`],
    ['one line of many fields', 'FIRE_EYE', `ip\n${'",'.repeat(1_000_000)}`],
    ['comments alone', 'TXT', '#\n'.repeat(1_000_000)],
  ] as const)('%s: has no entry, and takes no more than a look at each character', (_name, format, text) => {
    expect([...entriesOf(format, text)].filter((entry) => readEntry(entry, true))).toEqual([])
  })
})

describe('A publishing destination', () => {
  const principal = { Service: 'guardduty.amazonaws.com' }

  async function withDestination() {
    const it = await withDetector()
    const s3 = it.client(S3Client)
    const kms = it.client(KMSClient)
    await s3.send(new CreateBucketCommand({ Bucket: 'found' }))
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const { DestinationId } = await it.guardduty.send(
      new gd.CreatePublishingDestinationCommand({
        DetectorId: it.DetectorId,
        DestinationType: 'S3',
        DestinationProperties: { DestinationArn: 'arn:aws:s3:::found/prefix', KmsKeyArn: KeyMetadata!.Arn },
      }),
    )
    const status = async () => {
      const { Status } = await it.guardduty.send(
        new gd.DescribePublishingDestinationCommand({ DetectorId: it.DetectorId, DestinationId }),
      )
      return Status
    }
    return { ...it, s3, kms, key: KeyMetadata!, DestinationId, status }
  }

  test('publishes once bucket and key let GuardDuty, and each new finding at once', async () => {
    const it = await withDestination()
    const { s3, kms, key, status, pass, guardduty, DetectorId } = it
    expect(await status()).toBe('PENDING_VERIFICATION')
    await pass(1_000)
    expect(await status()).toBe('UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY')

    const Statement = [
      { Principal: principal, Action: 's3:GetBucketLocation', Resource: 'arn:aws:s3:::found' },
      {
        Principal: principal,
        Action: 's3:PutObject',
        Resource: 'arn:aws:s3:::found/*',
        Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
      },
    ]
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'found', Policy: allowing(...Statement) }))
    await pass(60_000)
    expect(await status()).toBe('UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY')

    const Policy = allowing(
      { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' },
      { Principal: principal, Action: 'kms:GenerateDataKey', Resource: '*' },
    )
    await kms.send(new PutKeyPolicyCommand({ KeyId: key.KeyId, PolicyName: 'default', Policy }))
    await pass(60_000)
    expect(await status()).toBe('PUBLISHING')

    await guardduty.send(new gd.CreateSampleFindingsCommand({ DetectorId, FindingTypes: ['Recon:EC2/Portscan'] }))
    await pass(1_000)
    const written = async () =>
      (await it.client(S3Client).send(new ListObjectsV2Command({ Bucket: 'found' }))).Contents ?? []
    const files = await written()
    expect(files).toHaveLength(1)
    expect(files[0]!.Key).toMatch(
      new RegExp(String.raw`^prefix/AWSLogs/${ACCOUNT}/GuardDuty/us-east-1/\d{4}/\d\d/\d\d/[0-9a-f-]{36}\.jsonl\.gz$`),
    )
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'found', Key: files[0]!.Key }))
    const lines = gunzipSync(await Body!.transformToByteArray())
      .toString()
      .trim()
      .split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { type: 'Recon:EC2/Portscan', schemaVersion: '2.0', service: { count: 1, detectorId: DetectorId } },
    ])

    // Later sightings wait as long as the detector says.
    await guardduty.send(new gd.CreateSampleFindingsCommand({ DetectorId, FindingTypes: ['Recon:EC2/Portscan'] }))
    await pass(5 * 60 * 60_000)
    expect(await written()).toHaveLength(1)
    await pass(60 * 60_000 + 1)
    expect(await written()).toHaveLength(2)
  })
})
