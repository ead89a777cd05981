/** What is not reported, from calls to findings: filters that suppress, archived findings, and trusted addresses. */
import * as gd from '@aws-sdk/client-guardduty'
import { CreateBucketCommand, DeletePublicAccessBlockCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, onTestFinished, test, vi } from 'vitest'
import { mail } from '../../kernel/ports/mail.ts'
import { provide } from '../../kernel/ports/port.ts'
import { key } from '../../store/store.ts'
import { withDetector } from './guardduty.fixture.ts'

const OPENED = 'Policy:S3/BucketBlockPublicAccessDisabled'

async function watched() {
  vi.stubEnv('MERLON_FINDING_ALERTS', 'mailto:soc@corp.test?severity=1')
  onTestFinished(() => void vi.unstubAllEnvs())
  const mails: string[] = []
  const deliver = async ({ subject }: { readonly subject: string }) => void mails.push(subject.split(': ').at(-1)!)
  const it = await withDetector({ provides: [provide(mail, { deliver })] })
  it.start()
  const { guardduty, DetectorId } = it
  const s3 = it.client(S3Client)
  const open = async (Bucket: string) => {
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket }))
  }
  const findings = async () => {
    const { FindingIds } = await guardduty.send(new gd.ListFindingsCommand({ DetectorId }))
    return (await guardduty.send(new gd.GetFindingsCommand({ DetectorId, FindingIds }))).Findings!
  }
  const named = (finding: gd.Finding) => finding.Resource!.S3BucketDetails![0]!.Name!
  /** Findings of buckets: whether they are archived, and how often they were seen. */
  const shown = async () =>
    Object.fromEntries(
      (await findings())
        .filter(({ Type }) => Type === OPENED)
        .map((finding) => [named(finding), [finding.Service!.Archived, finding.Service!.Count]]),
    )
  const events = async () =>
    (await it.store.log({ account: '111122223333', limit: 500 }))
      .map(({ body }) => JSON.parse(body))
      .filter(({ eventName }) => eventName === 'GuardDutyFinding')
      .map(({ serviceEventDetails }) => serviceEventDetails.resource?.s3BucketDetails?.[0]?.name)
      .filter(Boolean)
  /** Records of the log that were looked at. */
  const followed = async () => {
    const row = await it.store.reader.get<{ readonly position: string }>(key('kernel', 'detector', 'guardduty'))
    return Number.parseInt(row?.position ?? '0', 10)
  }
  return { ...it, followed, s3, mails, open, findings, shown, events }
}

const WAIT = { timeout: 20_000, interval: 100 }

test('What a filter suppresses is kept, archived and counted, and neither recorded nor sent; all else is', async () => {
  const it = await watched()
  const { guardduty, DetectorId } = it
  const FindingCriteria = {
    Criterion: { type: { Equals: [OPENED] }, 'resource.s3BucketDetails.name': { Matches: ['public-*'] } },
  }
  await guardduty.send(new gd.CreateFilterCommand({ DetectorId, Name: 'sites', Action: 'ARCHIVE', FindingCriteria }))
  await it.open('public-site')
  await it.open('accounts')
  await vi.waitFor(
    async () => expect(await it.shown()).toEqual({ 'public-site': [true, 1], accounts: [false, 1] }),
    WAIT,
  )
  expect(await it.events()).toEqual(['accounts'])
  await vi.waitFor(async () => {
    await it.pass(1_000)
    expect(it.mails.filter((type) => type === OPENED)).toHaveLength(1)
  }, WAIT)

  // Again: still suppressed. Without the filter a new one is reported; what was archived stays so, until an operator changes that.
  await it.s3.send(new DeletePublicAccessBlockCommand({ Bucket: 'public-site' }))
  await vi.waitFor(async () => expect((await it.shown())['public-site']).toEqual([true, 2]), WAIT)
  await guardduty.send(new gd.DeleteFilterCommand({ DetectorId, FilterName: 'sites' }))
  await it.open('public-shop')
  await vi.waitFor(async () => expect((await it.shown())['public-shop']).toEqual([false, 1]), WAIT)
  expect((await it.shown())['public-site']).toEqual([true, 2])
  const archived = (await it.findings()).find(({ Service }) => Service!.Archived)!
  await guardduty.send(new gd.UnarchiveFindingsCommand({ DetectorId, FindingIds: [archived.Id!] }))
  expect((await it.shown())['public-site']).toEqual([false, 2])
  expect((await it.events()).sort()).toEqual(['accounts', 'public-shop'])
})

test('A filter that does nothing, before one that suppresses, keeps what matches it', async () => {
  const it = await watched()
  const { guardduty, DetectorId } = it
  const all = { Criterion: { type: { Equals: [OPENED] } } }
  const accounts = { Criterion: { 'resource.s3BucketDetails.name': { Equals: ['accounts'] } } }
  await guardduty.send(new gd.CreateFilterCommand({ DetectorId, Name: 'all', Action: 'ARCHIVE', FindingCriteria: all }))
  await guardduty.send(
    new gd.CreateFilterCommand({ DetectorId, Name: 'accounts', Action: 'NOOP', Rank: 1, FindingCriteria: accounts }),
  )
  await it.open('accounts')
  await it.open('site')
  await vi.waitFor(async () => expect(await it.shown()).toEqual({ accounts: [false, 1], site: [true, 1] }), WAIT)
})

test('From trusted addresses nothing is found, until the list is inactive', async () => {
  const it = await watched()
  const { guardduty, DetectorId } = it
  await it.s3.send(new CreateBucketCommand({ Bucket: 'lists' }))
  await it.s3.send(new PutObjectCommand({ Bucket: 'lists', Key: 'office', Body: '127.0.0.0/8\n' }))
  const list = { DetectorId, Name: 'office', Format: 'TXT', Location: 's3://lists/office', Activate: true } as const
  const { IpSetId } = await guardduty.send(new gd.CreateIPSetCommand(list))
  await vi.waitFor(async () => {
    await it.pass(1_000)
    expect((await guardduty.send(new gd.GetIPSetCommand({ DetectorId, IpSetId }))).Status).toBe('ACTIVE')
  }, WAIT)
  await it.open('trusted')
  // Lists are those of the time when a call is looked at.
  const { length } = await it.store.log({ account: '111122223333', limit: 500 })
  await vi.waitFor(async () => expect(await it.followed()).toBeGreaterThanOrEqual(length), WAIT)
  await guardduty.send(new gd.UpdateIPSetCommand({ DetectorId, IpSetId, Activate: false }))
  await it.open('untrusted')
  await vi.waitFor(async () => expect(await it.shown()).toHaveProperty('untrusted'), WAIT)
  expect(await it.shown()).toEqual({ untrusted: [false, 1] })
})
