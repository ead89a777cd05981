/** Findings as they are stored: one for each type, resource and actor, in the account and Region where it was detected. */
import type { Finding } from '@aws-sdk/client-guardduty'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { detector } from './resources.ts'

export interface FindingRow {
  /** As the API shows it; times are texts everywhere. */
  readonly finding: Finding
  /** What it follows from, the newest last. */
  readonly eventIds: readonly string[]
  /** Epoch milliseconds. */
  readonly updatedAt: number
}

interface Place {
  readonly account: string
  readonly region: string
}

/** Source: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings.html */
export const KEPT_MS = 90 * 24 * 60 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000
const PORTION = 500
/** In documents that wait: never change it. */
export const SWEEP = 'guardduty.sweep'

export const findingKey = ({ account, region }: Place, id: string): Key =>
  key('guardduty', 'finding', account, region, id)
const findingsOf = ({ account, region }: Place): Key => under('guardduty', 'finding', account, region)

export async function allFindings(reader: Pick<Reader, 'range'>, place: Place): Promise<readonly FindingRow[]> {
  return (await reader.range<FindingRow>(findingsOf(place))).map(({ document }) => document)
}

export async function findFinding(
  reader: Pick<Reader, 'get'>,
  places: readonly Place[],
  id: string,
): Promise<{ readonly place: Place; readonly row: FindingRow } | undefined> {
  for (const place of places) {
    const row = await reader.get<FindingRow>(findingKey(place, id))
    if (row) return { place, row }
  }
  return undefined
}

export async function removeFindings(unit: Unit, place: Place): Promise<void> {
  for (const { key: at } of await unit.range(findingsOf(place))) unit.delete(at)
}

export function scheduleSweep(unit: Unit, { account, region, id }: Place & { readonly id: string }, now: number): void {
  const payload: Sweep = { account, region, detector: id }
  scheduleJob(unit, { id: `${SWEEP}/${account}/${region}/${id}`, kind: SWEEP, dueAt: now + DAY_MS, payload })
}

interface Sweep extends Place {
  readonly detector: string
}

/** Once a day while the detector exists. The oldest go first where there are more than an account may keep. */
export const sweepJob: ServiceJob<Sweep> = {
  run: async (unit, { now, quotas }, { account, region, detector: id }) => {
    const place = { account, region }
    if (!(await detector.get(unit, place, { DetectorId: id }))) return
    const rows = await unit.range<FindingRow>(findingsOf(place))
    const oldestFirst = rows.toSorted((a, b) => a.document.updatedAt - b.document.updatedAt)
    const surplus = rows.length - quotas['guardduty/FindingsPerDetector']!
    const gone = oldestFirst.filter(({ document }, index) => index < surplus || document.updatedAt < now - KEPT_MS)
    for (const { key: at } of gone.slice(0, PORTION)) unit.delete(at)
    scheduleSweep(unit, { account, region, id }, gone.length > PORTION ? now - DAY_MS : now)
  },
}
