/**
 * The last access of each principal to each service, from the audit log: read from where the last reading ended, and
 * kept by principal. Reading a stretch twice changes nothing, so stretches overlap and nodes need not agree.
 */
import type { EventLogPort } from '../../../kernel/ports/ports.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { type Key, key, type Unit, under } from '../../../store/store.ts'

const DAY_MS = 86_400_000
/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html (tracking period) */
const TRACKED_MS = 400 * DAY_MS
/** Calls are recorded some time after they began. */
const OVERLAP_MS = 5 * 60_000
const PAGE = 1_000

export interface Access {
  readonly timeMs: number
  readonly region: string
}

export interface ServiceAccess extends Access {
  /** By the name of the operation. */
  readonly actions: Readonly<Record<string, Access>>
}

/** By namespace, as in `iam:`. */
export type Accesses = Readonly<Record<string, ServiceAccess>>

interface AccessRow {
  readonly principal: string
  readonly services: Accesses
}

interface ReadTo {
  readonly timeMs: number
}

const readToKey = (account: string): Key => key('iam', 'access-read', account)
const accessKey = (account: string, principal: string): Key => key('iam', 'access', account, principal)

/** What happened since the last reading, by the ARN of the principal. Attempts count, allowed or not, as in AWS. */
export async function recentAccess(
  reader: Reader,
  events: EventLogPort,
  account: string,
  now: number,
): Promise<ReadonlyMap<string, Accesses>> {
  const read = await reader.get<ReadTo>(readToKey(account))
  const fromMs = Math.max((read?.timeMs ?? 0) - OVERLAP_MS, now - TRACKED_MS)
  const found = new Map<string, Accesses>()
  let after: string | undefined
  for (;;) {
    const page = await events.query({ account, fromMs, after, limit: PAGE })
    for (const { body, timeMs, region } of page) {
      const { userIdentity, eventSource, eventName } = JSON.parse(body) as CallEvent
      const principal = principalOf(userIdentity)
      if (principal === undefined) continue
      const namespace = eventSource.slice(0, eventSource.indexOf('.'))
      const access = { timeMs, region, actions: { [eventName]: { timeMs, region } } }
      found.set(principal, merged(found.get(principal) ?? {}, { [namespace]: access }))
    }
    if (page.length < PAGE) return found
    after = page.at(-1)!.position
  }
}

export async function keepAccess(
  unit: Unit,
  account: string,
  recent: ReadonlyMap<string, Accesses>,
  now: number,
): Promise<void> {
  for (const [principal, accesses] of recent) {
    const at = accessKey(account, principal)
    const services = merged((await unit.get<AccessRow>(at))?.services ?? {}, accesses)
    unit.put(at, { principal, services } satisfies AccessRow)
  }
  unit.put(readToKey(account), { timeMs: now } satisfies ReadTo)
}

export async function accessOf(reader: Reader, account: string, principal: string, now: number): Promise<Accesses> {
  return tracked((await reader.get<AccessRow>(accessKey(account, principal)))?.services ?? {}, now)
}

/** Of all principals of an account together. */
export async function accessOfAccount(reader: Reader, account: string, now: number): Promise<Accesses> {
  const rows = await reader.range<AccessRow>(under('iam', 'access', account))
  return rows.reduce<Accesses>((all, { document }) => merged(all, tracked(document.services, now)), {})
}

const tracked = (accesses: Accesses, now: number): Accesses =>
  Object.fromEntries(Object.entries(accesses).filter(([, { timeMs }]) => timeMs >= now - TRACKED_MS))

function merged(known: Accesses, more: Accesses): Accesses {
  const all: Record<string, ServiceAccess> = { ...known }
  for (const [namespace, access] of Object.entries(more)) {
    const before = all[namespace]
    const actions: Record<string, Access> = { ...before?.actions }
    for (const [name, use] of Object.entries(access.actions)) actions[name] = later(actions[name], use)
    const { timeMs, region } = later(before, access)
    all[namespace] = { timeMs, region, actions }
  }
  return all
}

const later = (known: Access | undefined, other: Access): Access =>
  known && known.timeMs >= other.timeMs ? known : other

interface CallEvent {
  readonly eventSource: string
  readonly eventName: string
  readonly userIdentity: CallIdentity
}

interface CallIdentity {
  readonly type?: string
  readonly arn?: string
  readonly sessionContext?: { readonly sessionIssuer?: { readonly arn?: string } }
}

/** Sessions count for their role, and federated users for the identity that issued them. */
function principalOf({ type, arn, sessionContext }: CallIdentity): string | undefined {
  if (type === 'IAMUser' || type === 'Root') return arn
  return type === 'AssumedRole' || type === 'FederatedUser' ? sessionContext?.sessionIssuer?.arn : undefined
}
