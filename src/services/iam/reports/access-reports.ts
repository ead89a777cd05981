/** Reports that are asked for, made by a job, and fetched: each kept for a week. */
import type { Call } from '../../../kernel/gate/call.ts'
import { scheduleJob } from '../../../kernel/jobs/jobs.ts'
import type { ServiceJob } from '../../../kernel/service/service.ts'
import { key } from '../../../store/store.ts'
import { iam } from '../words.ts'
import { type Accesses, keepAccess, recentAccess } from './access-history.ts'

/** AWS gives a report for seven days. */
const KEPT_MS = 7 * 86_400_000

export interface ReportRow {
  readonly id: string
  /** What kind of report, and what it was asked about. */
  readonly about: About
  readonly createdAt: number
  /** Set once the event history has been read. */
  readonly completedAt?: number
}

export type About =
  | {
      readonly kind: 'services'
      readonly arn: string
      readonly granularity: 'SERVICE_LEVEL' | 'ACTION_LEVEL'
      /** Granted by policies when the report was asked for: names of actions by namespace. */
      readonly granted: Readonly<Record<string, readonly string[]>>
      readonly entities: readonly Entity[]
    }
  | {
      readonly kind: 'organization'
      readonly accounts: readonly { readonly id: string; readonly path: string }[]
      readonly granted: readonly string[]
    }

/** As `EntityInfo` tells it. */
export interface Entity {
  readonly Arn: string
  readonly Name: string
  readonly Type: 'USER' | 'ROLE'
  readonly Id: string
  readonly Path: string
}

interface ReportJob {
  readonly account: string
  readonly id: string
}

const reportKey = ({ account, id }: ReportJob) => key('iam', 'access-report', account, id)

/** Returns the id to fetch it by. */
export function askForReport(call: Call, about: About): string {
  const id = call.newId()
  const payload: ReportJob = { account: call.account, id }
  call.unit.put(reportKey(payload), { id, about, createdAt: call.now } satisfies ReportRow)
  scheduleJob(call.unit, { id: `iam report ${id}`, kind: 'iam.access-report', dueAt: call.now, payload })
  const forgotten = { id: `iam forget ${id}`, kind: 'iam.forget-access-report', dueAt: call.now + KEPT_MS, payload }
  scheduleJob(call.unit, forgotten)
  return id
}

export async function reportOf<K extends About['kind']>(
  call: Call,
  id: string,
  kind: K,
): Promise<ReportRow & { readonly about: Extract<About, { kind: K }> }> {
  const row = await call.unit.get<ReportRow>(reportKey({ account: call.account, id }))
  if (row?.about.kind !== kind) throw iam.fail('NoSuchEntityException', `The job ${id} cannot be found.`)
  return row as ReportRow & { readonly about: Extract<About, { kind: K }> }
}

type Recent = readonly (readonly [account: string, recent: ReadonlyMap<string, Accesses>])[]

/** Reads the history before the unit, which may run more than once. */
export const reportJob: ServiceJob<ReportJob, Recent> = {
  effect: async ({ reader, ports, now }, payload) => {
    const row = await reader.get<ReportRow>(reportKey(payload))
    const accounts = row?.about.kind === 'organization' ? row.about.accounts.map(({ id }) => id) : [payload.account]
    return Promise.all(
      accounts.map(async (account) => [account, await recentAccess(reader, ports.events, account, now)] as const),
    )
  },
  run: async (unit, { now }, payload, recent) => {
    const row = await unit.get<ReportRow>(reportKey(payload))
    if (!row) return
    for (const [account, accesses] of recent) await keepAccess(unit, account, accesses, now)
    unit.put(reportKey(payload), { ...row, completedAt: now } satisfies ReportRow)
  },
}

export const forgetReportJob: ServiceJob<ReportJob> = {
  run: async (unit, _work, payload) => unit.delete(reportKey(payload)),
}
