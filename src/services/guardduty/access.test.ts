/** Who may do what, what a denial shows, and where new findings are sent. */
import * as gd from '@aws-sdk/client-guardduty'
import { expect, test, vi } from 'vitest'
import { allowing } from '../../../test/cloud.ts'
import { mail } from '../../kernel/ports/mail.ts'
import { provide } from '../../kernel/ports/port.ts'
import { webhook } from '../../kernel/ports/webhook.ts'
import { readAlertTargets } from './alerts.ts'
import { withDetector } from './guardduty.fixture.ts'

test('Without permission a detector that exists and one that does not are denied alike', async () => {
  const { client, user, DetectorId } = await withDetector()
  const none = client(gd.GuardDutyClient, await user('none'))
  const denial = async (id: string) => {
    const error = await none.send(new gd.GetDetectorCommand({ DetectorId: id })).catch((thrown: Error) => thrown)
    return `${(error as Error).name}: ${(error as Error).message.replaceAll(id, 'ID')}`
  }

  expect(await denial(DetectorId)).toBe(await denial('0'.repeat(32)))
  expect(await denial(DetectorId)).toContain(
    'guardduty:GetDetector on resource: arn:aws:guardduty:us-east-1:111122223333:detector/ID',
  )
  await expect(none.send(new gd.ListFindingsCommand({ DetectorId: '0'.repeat(32) }))).rejects.toThrow(
    'guardduty:ListFindings',
  )
})

test('Tags decide: a filter is changed by those who may change filters of a team', async () => {
  const { client, user, guardduty, DetectorId } = await withDetector()
  const criteria = { FindingCriteria: { Criterion: { severity: { LessThan: 4 } } } }
  await guardduty.send(new gd.CreateFilterCommand({ DetectorId, Name: 'ours', ...criteria, Tags: { team: 'a' } }))
  await guardduty.send(new gd.CreateFilterCommand({ DetectorId, Name: 'theirs', ...criteria, Tags: { team: 'b' } }))
  const condition = { StringEquals: { 'aws:ResourceTag/team': 'a' } }
  const ann = client(
    gd.GuardDutyClient,
    await user('ann', allowing({ Action: 'guardduty:*Filter', Resource: '*', Condition: condition })),
  )

  await ann.send(new gd.UpdateFilterCommand({ DetectorId, FilterName: 'ours', Action: 'ARCHIVE' }))
  await expect(
    ann.send(new gd.UpdateFilterCommand({ DetectorId, FilterName: 'theirs', Action: 'ARCHIVE' })),
  ).rejects.toThrow('guardduty:UpdateFilter on resource')
  const ResourceArn = `arn:aws:guardduty:us-east-1:111122223333:detector/${DetectorId}/filter/theirs`
  await guardduty.send(new gd.TagResourceCommand({ ResourceArn, Tags: { more: 'c' } }))
  await guardduty.send(new gd.UntagResourceCommand({ ResourceArn, TagKeys: ['team'] }))
  expect((await guardduty.send(new gd.ListTagsForResourceCommand({ ResourceArn }))).Tags).toEqual({ more: 'c' })
})

test.each([
  ['a field that is no path', { Criterion: { 'a b': { Equals: ['x'] } } }],
  [
    'more fields than a request may have',
    { Criterion: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`a${n}`, {}])) },
  ],
  ['more values than a condition may have', { Criterion: { type: { Equals: Array(201).fill('x') } } }],
])('Criteria with %s are refused', async (_name, FindingCriteria) => {
  const { guardduty, DetectorId } = await withDetector()

  await expect(guardduty.send(new gd.ListFindingsCommand({ DetectorId, FindingCriteria }))).rejects.toMatchObject({
    name: 'BadRequestException',
    Type: 'InvalidInputException',
  })
})

test('At most 50 findings are named in a request', async () => {
  const { guardduty, DetectorId } = await withDetector()
  const named = (count: number) => Array.from({ length: count }, (_, index) => String(index).padStart(32, '0'))

  expect((await guardduty.send(new gd.GetFindingsCommand({ DetectorId, FindingIds: named(50) }))).Findings).toEqual([])
  await expect(guardduty.send(new gd.GetFindingsCommand({ DetectorId, FindingIds: named(51) }))).rejects.toMatchObject({
    name: 'BadRequestException',
  })
})

test('New findings from a severity on are sent by mail and to a webhook, once, and suppressed ones are not sent', async () => {
  vi.stubEnv('MERLON_FINDING_ALERTS', 'mailto:soc@corp.test?severity=7,https://hooks.corp.test/guardduty?severity=2')
  try {
    const mails: string[] = []
    const hooks: { readonly type: string }[] = []
    const { guardduty, DetectorId, pass } = await withDetector({
      provides: [
        provide(mail, { deliver: async ({ to, subject }) => void mails.push(`${to} ${subject}`) }),
        provide(webhook, { deliver: async ({ url, body }) => void hooks.push({ url, ...JSON.parse(body) }) }),
      ],
    })
    const FindingCriteria = { Criterion: { type: { Equals: ['Recon:EC2/Portscan'] } } }
    await guardduty.send(new gd.CreateFilterCommand({ DetectorId, Name: 'scans', Action: 'ARCHIVE', FindingCriteria }))
    const FindingTypes = ['Recon:EC2/Portscan', 'PenTest:S3/KaliLinux', 'Backdoor:EC2/C&CActivity.B']
    for (let time = 0; time < 2; time++) {
      await guardduty.send(new gd.CreateSampleFindingsCommand({ DetectorId, FindingTypes }))
      await pass(1_000)
    }

    expect(mails).toEqual([
      'soc@corp.test GuardDuty finding (severity 8) in account 111122223333: Backdoor:EC2/C&CActivity.B',
    ])
    // Messages of one commit have no order.
    expect(hooks.toSorted((a, b) => (a.type < b.type ? -1 : 1))).toMatchObject([
      { url: 'https://hooks.corp.test/guardduty', type: 'Backdoor:EC2/C&CActivity.B' },
      { url: 'https://hooks.corp.test/guardduty', type: 'PenTest:S3/KaliLinux' },
    ])
  } finally {
    vi.unstubAllEnvs()
  }
})

test.each(['http://hooks.corp.test/', 'soc@corp.test', 'https://hooks.corp.test/?severity=11'])(
  '%s is refused as a target of alerts',
  (text) => {
    expect(() => readAlertTargets(text)).toThrow('MERLON_FINDING_ALERTS')
  },
)
