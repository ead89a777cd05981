/** How often a call was made, or failed, minute by minute: what insights are drawn from. Counted from the events themselves. */
import type { ListInsightsMetricDataRequest } from '@aws-sdk/client-cloudtrail'
import type { Call } from '../../kernel/gate/call.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageTokens } from '../../kernel/service/page.ts'
import type { LogEntry } from '../../store/store.ts'
import { cloudtrail, unbuilt } from './resources.ts'

const SECOND_MS = 1_000
const DAY_MS = 86_400 * SECOND_MS
/** Seconds of a point, and for how many days such points are available. */
const KEPT_DAYS: Readonly<Record<number, number>> = { 60: 15, 300: 63, 3600: 90 }
const PERIOD_DEFAULT = 3600
const POINTS_MAX = 21_600
const PORTION = 500
/** Events read for one page, unless a single point has more. */
const READ_MAX = 5_000

const invalid = (message: string) => cloudtrail.fail('InvalidParameterException', message)

interface Question {
  readonly eventName: string
  readonly counts: (entry: LogEntry) => boolean
  readonly periodMs: number
  /** Both at the beginning of a point; the end is exclusive. */
  readonly fromMs: number
  readonly toMs: number
}

const attribute = ({ attributes }: LogEntry, wanted: string) => attributes.find(([name]) => name === wanted)?.[1]

/** AWS: calls that write, by their rate; calls of either kind, by the errors they ended with. */
function counterOf({ EventSource, InsightType, ErrorCode }: ListInsightsMetricDataRequest): Question['counts'] {
  const isOf = (entry: LogEntry) => attribute(entry, 'EventSource') === EventSource
  if (InsightType === 'ApiCallRateInsight') return (entry) => isOf(entry) && attribute(entry, 'ReadOnly') === 'false'
  if (ErrorCode === undefined) throw invalid('ErrorCode is required when InsightType is ApiErrorRateInsight.')
  return (entry) => isOf(entry) && (JSON.parse(entry.body) as { errorCode?: string }).errorCode === ErrorCode
}

function questionOf(call: Call, input: ListInsightsMetricDataRequest, endsAt: number | undefined): Question {
  const period = input.Period ?? PERIOD_DEFAULT
  const days = KEPT_DAYS[period]
  if (days === undefined) throw invalid('Period must be 60, 300 or 3600.')
  const periodMs = period * SECOND_MS
  const whole = (ms: number, round: (n: number) => number) => round(ms / periodMs) * periodMs
  const to = input.EndTime?.getTime() ?? call.now
  const from = Math.max(input.StartTime?.getTime() ?? 0, call.now - days * DAY_MS)
  if ((input.StartTime?.getTime() ?? 0) > to) throw invalid('StartTime must not be later than EndTime.')
  return {
    eventName: input.EventName ?? '',
    counts: counterOf(input),
    periodMs,
    fromMs: whole(from, Math.ceil),
    toMs: endsAt ?? whole(Math.min(to, call.now), Math.ceil),
  }
}

/** Newest first, until all is counted or enough was read: then the point that was begun is left to the next page. */
async function counted(call: Call, { eventName, counts, periodMs, fromMs, toMs }: Question) {
  const points = new Map<number, number>()
  let after: string | undefined
  let begun = toMs
  for (let read = 0; ; ) {
    const portion = await call.ports.events.query({
      account: call.account,
      region: call.region,
      attribute: ['EventName', eventName],
      fromMs,
      toMs: toMs - 1,
      after,
      limit: PORTION,
    })
    for (const entry of portion) {
      const point = Math.floor(entry.timeMs / periodMs) * periodMs
      if (point < begun && read >= READ_MAX) return { points, downTo: begun }
      begun = point
      read++
      if (counts(entry)) points.set(point, (points.get(point) ?? 0) + 1)
    }
    if (portion.length < PORTION) return { points, downTo: fromMs }
    after = portion.at(-1)!.position
    // Other calls go on meanwhile.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

export const listInsightsMetricData = cloudtrail
  .operation('ListInsightsMetricData')
  .on(anything)
  .actions('cloudtrail:LookupEvents')
  .run(async (call, input) => {
    const { EventSource, EventName, InsightType, ErrorCode, StartTime, EndTime, Period, DataType } = input
    if (input.TrailName !== undefined) throw unbuilt('insights over data events (TrailName)')
    const tokens = pageTokens(call, [
      EventSource,
      EventName,
      InsightType,
      ErrorCode,
      StartTime,
      EndTime,
      Period,
      DataType,
    ])
    const opened = input.NextToken === undefined ? undefined : tokens.open(input.NextToken)
    if (input.NextToken !== undefined && opened === undefined) throw invalid('The token is not valid.')

    const question = questionOf(call, input, opened === undefined ? undefined : Number(opened))
    const most = (input.MaxResults ?? POINTS_MAX) * question.periodMs
    const { points, downTo } = await counted(call, {
      ...question,
      fromMs: Math.max(question.fromMs, question.toMs - most),
    })
    const times: number[] = []
    for (let at = downTo; at < question.toMs; at += question.periodMs)
      if (DataType === 'FillWithZeros' || points.has(at)) times.push(at)
    return {
      EventSource,
      EventName,
      InsightType,
      ...(ErrorCode !== undefined && { ErrorCode }),
      Timestamps: times.map((at) => new Date(at)),
      Values: times.map((at) => points.get(at) ?? 0),
      ...(downTo > question.fromMs && { NextToken: tokens.seal(String(downTo)) }),
    }
  })
