import {
  CloudTrailClient,
  ListInsightsMetricDataCommand,
  type ListInsightsMetricDataCommandInput,
} from '@aws-sdk/client-cloudtrail'
import { CreateUserCommand, GetUserCommand, IAMClient } from '@aws-sdk/client-iam'
import { describe, expect, it } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

async function counters() {
  const it = await cloud()
  const now = Math.floor(it.clock.now() / (60 * MINUTE_MS)) * 60 * MINUTE_MS
  let made = 0
  /** Calls of PutThing, some minutes ago. */
  const happened = (minutesAgo: number, count: number, more: { errorCode?: string; readOnly?: boolean } = {}) =>
    it.store.run((unit) => {
      for (let n = 0; n < count; n++) {
        const id = `e${made++}`
        unit.append({
          id,
          account: ACCOUNT,
          region: 'us-east-1',
          timeMs: now - minutesAgo * MINUTE_MS + n,
          attributes: [
            ['EventName', 'PutThing'],
            ['EventSource', 'things.amazonaws.com'],
            ['ReadOnly', String(more.readOnly ?? false)],
          ],
          body: JSON.stringify({ eventID: id, ...(more.errorCode && { errorCode: more.errorCode }) }),
        })
      }
    })
  const ask = (more: Partial<ListInsightsMetricDataCommandInput> = {}, keys = it.root) =>
    it.client(CloudTrailClient, keys).send(
      new ListInsightsMetricDataCommand({
        EventSource: 'things.amazonaws.com',
        EventName: 'PutThing',
        InsightType: 'ApiCallRateInsight',
        EndTime: new Date(now),
        ...more,
      }),
    )
  const points = async (more: Partial<ListInsightsMetricDataCommandInput> = {}) => {
    const { Timestamps = [], Values = [] } = await ask(more)
    return Timestamps.map((at, n) => [Math.round((now - at.getTime()) / MINUTE_MS), Values[n]])
  }
  return { ...it, now, happened, ask, points }
}

describe('The counters that insights are drawn from', () => {
  it('count the calls that write, by the minute, by five, and by the hour', async () => {
    const { happened, points } = await counters()
    await happened(1, 3)
    await happened(4, 2)
    await happened(70, 5)
    await happened(4, 9, { readOnly: true })

    expect(await points({ Period: 60 })).toEqual([
      [70, 5],
      [4, 2],
      [1, 3],
    ])
    expect(await points({ Period: 300 })).toEqual([
      [70, 5],
      [5, 5],
    ])
    expect(await points()).toEqual([
      [120, 5],
      [60, 5],
    ])
    expect(await points({ EventSource: 'others.amazonaws.com' })).toEqual([])
  })

  it('count errors by their code, of calls that read, too', async () => {
    const { happened, points } = await counters()
    await happened(1, 3, { errorCode: 'AccessDenied', readOnly: true })
    await happened(1, 2, { errorCode: 'Throttling' })
    await happened(1, 7)

    const errors = (ErrorCode: string) => points({ InsightType: 'ApiErrorRateInsight', ErrorCode, Period: 60 })
    expect(await errors('AccessDenied')).toEqual([[1, 3]])
    expect(await errors('Throttling')).toEqual([[1, 2]])
    expect(await errors('NotFound')).toEqual([])
  })

  it('show quiet minutes where they are requested, and both ends of the time', async () => {
    const { happened, points, now } = await counters()
    await happened(3, 1)
    await happened(6, 1)
    const time = { StartTime: new Date(now - 5 * MINUTE_MS), EndTime: new Date(now - 2 * MINUTE_MS) }
    expect(await points({ Period: 60, DataType: 'FillWithZeros', ...time })).toEqual([
      [5, 0],
      [4, 0],
      [3, 1],
    ])
    expect(await points({ Period: 60, ...time })).toEqual([[3, 1]])
  })

  it('page back in time, each point once and whole', async () => {
    const { happened, ask, now } = await counters()
    for (let minute = 1; minute <= 10; minute++) await happened(minute, minute)
    const seen = new Map<number, number>()
    let pages = 0
    let NextToken: string | undefined
    do {
      const StartTime = new Date(now - 12 * MINUTE_MS)
      const page = await ask({ Period: 60, MaxResults: 3, StartTime, NextToken })
      expect(page.Timestamps!.length).toBeLessThanOrEqual(3)
      for (const [n, at] of page.Timestamps!.entries()) {
        expect(seen.has(at.getTime())).toBe(false)
        seen.set(at.getTime(), page.Values![n]!)
      }
      NextToken = page.NextToken
      pages++
    } while (NextToken)
    expect(pages).toBe(4)
    expect([...seen].map(([at, count]) => [(now - at) / MINUTE_MS, count]).sort(([a], [b]) => a! - b!)).toEqual(
      Array.from({ length: 10 }, (_, n) => [n + 1, n + 1]),
    )
  })

  it('read so much for one page, and leave the point that was begun to the next', async () => {
    const { happened, ask, now } = await counters()
    for (const minute of [1, 2, 3]) await happened(minute, 2_900)
    const first = await ask({ Period: 60 })
    expect(first.Values).toEqual([2_900, 2_900])
    const second = await ask({ Period: 60, NextToken: first.NextToken })
    expect(second.Values).toEqual([2_900])
    expect(second.Timestamps).toEqual([new Date(now - 3 * MINUTE_MS)])
    expect(second.NextToken).toBeUndefined()
  })

  it('count what really happens', async () => {
    const { client, clock, points } = await counters()
    await client(IAMClient).send(new CreateUserCommand({ UserName: 'ann' }))
    for (let n = 0; n < 3; n++)
      await client(IAMClient)
        .send(new GetUserCommand({ UserName: 'nobody' }))
        .catch(() => undefined)
    const now = { EventSource: 'iam.amazonaws.com', EndTime: new Date(clock.now() + 60 * MINUTE_MS) }
    expect((await points({ ...now, EventName: 'CreateUser' })).map(([, count]) => count)).toEqual([1])
    const ErrorCode = 'NoSuchEntityException'
    const failed = { ...now, EventName: 'GetUser', InsightType: 'ApiErrorRateInsight' as const, ErrorCode }
    expect((await points(failed)).map(([, count]) => count)).toEqual([3])
  })

  it('go back as far as their points are kept', async () => {
    const { happened, points } = await counters()
    const day = DAY_MS / MINUTE_MS
    for (const days of [14, 16, 62, 64, 89, 91]) await happened(days * day, 1)
    const days = async (Period: number) => (await points({ Period })).map(([minutes]) => Math.round(minutes! / day))
    expect(await days(60)).toEqual([14])
    expect(await days(300)).toEqual([62, 16, 14])
    expect(await days(3600)).toEqual([89, 64, 62, 16, 14])
  })

  it.each([
    ['another period', { Period: 61 }, 'InvalidParameterException'],
    ['errors without a code', { InsightType: 'ApiErrorRateInsight' as const }, 'InvalidParameterException'],
    ['an end before the start', { StartTime: new Date(9e12), EndTime: new Date(8e12) }, 'InvalidParameterException'],
    ['a token of its own making', { NextToken: 'made-up' }, 'InvalidParameterException'],
    ['data events', { TrailName: 'main' }, 'NotImplemented'],
  ])('refuse %s', async (_what, more, name) => {
    const { ask } = await counters()
    await expect(ask(more)).rejects.toMatchObject({ name })
  })

  it('are for callers that may look events up', async () => {
    const { ask, user } = await counters()
    const keys = await user('ann')
    await expect(ask({}, keys)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('cloudtrail:LookupEvents'),
    })
    await ask({}, await user('bob', allowing({ Action: 'cloudtrail:LookupEvents', Resource: '*' })))
  })
})
