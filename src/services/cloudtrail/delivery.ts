/**
 * Deliveries: every five minutes what happened since, every hour a signed digest over what was delivered. Each takes two
 * turns: it is planned, and when the plan is on disk, carried out.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { DATA_EVENT } from '../../kernel/events/event.ts'
import type { JobContext, ServiceJob } from '../../kernel/service/service.ts'
import type { LogEntry, Unit } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { deliver } from './bucket.ts'
import { digestKeyOf, digestText, logFileKey, sha256, signedText } from './files.ts'
import {
  DELIVERY_EVERY_MS,
  DIGEST_EVERY_MS,
  type Journal,
  type Pending,
  type RegionJournal,
  scheduleDelivery,
  type Turn,
} from './journal.ts'
import { writeToLogGroup } from './log-group.ts'
import { type DigestKey, keyInForce, keysOf, makeKey, sign } from './public-keys.ts'
import { at, type TrailLogGroup, type TrailRow, trailOf } from './resources.ts'
import { type EventBody, selects } from './selectors.ts'

const compressed = promisify(gzip)
/** What one delivery brings, and holds in memory: whichever is reached first. */
const EVENTS_MAX = 5_000
const BYTES_MAX = 16 * 1024 * 1024
const PORTION = 250
/** The Region that global services record in. */
const GLOBAL = 'us-east-1'
const GLOBAL_SOURCES = [
  'iam.amazonaws.com',
  'sts.amazonaws.com',
  'cloudfront.amazonaws.com',
  'organizations.amazonaws.com',
]

interface Delivery {
  readonly journal: Journal
  /** More waits. */
  readonly more: boolean
  /** Made for a digest, and to be kept with it. */
  readonly key?: DigestKey | undefined
}

export const deliveryJob: ServiceJob<Turn, Delivery | undefined> = {
  effect: async (work, turn) => {
    const trail = await trailOf(work.reader, turn)
    const journal = await work.reader.get<Journal>(at.journal(turn))
    if (!trail || journal?.turn !== turn.turn) return undefined
    return delivered(work, trail, journal)
  },
  run: async (unit, { now }, turn, outcome) => {
    const trail = await trailOf(unit, turn)
    const known = await unit.get<Journal>(at.journal(turn))
    // It was stopped, started or deleted meanwhile: the next turn delivers the same under the same names.
    if (!outcome || !trail || known?.turn !== turn.turn) return
    const { journal, more, key } = outcome
    if (key) unit.put(at.digestKey(turn.account, turn.region, key.fingerprint), key)
    keepGoing(unit, trail, journal, more ? now : now + DELIVERY_EVERY_MS)
  },
}

function keepGoing(unit: Unit, trail: TrailRow, journal: Journal, dueAt: number): void {
  if (journal.closed) unit.put(at.journal(trail), journal)
  else scheduleDelivery(unit, trail, { ...journal, turn: journal.turn + 1 }, dueAt)
}

/** What the delivery will bring is decided here, and the key it may sign with is made. */
async function planned(work: JobContext, trail: TrailRow, journal: Journal): Promise<Delivery> {
  const until = (await waiting(work, trail, journal)).entries.at(-1)?.position ?? journal.position
  const key = trail.validation && !(await signerOf(work, trail))
  return {
    journal: { ...journal, until },
    more: true,
    ...(key && { key: await makeKey(work.vault.materials, { ...trail, from: oldest(journal) }) }),
  }
}

const signerOf = async ({ reader, now }: JobContext, { account, region }: TrailRow): Promise<DigestKey | undefined> =>
  keyInForce(await keysOf(reader, account, region), now)

interface Waiting {
  readonly entries: readonly LogEntry[]
  /** There may be more than one delivery brings. */
  readonly full: boolean
}

/** The events after the position, as many as one delivery takes. */
async function waiting({ ports }: JobContext, trail: TrailRow, journal: Journal): Promise<Waiting> {
  const entries: LogEntry[] = []
  let bytes = 0
  while (entries.length < EVENTS_MAX && bytes < BYTES_MAX) {
    const portion = await ports.events.query({
      account: trail.account,
      fromMs: journal.since,
      ...(trail.logging ? {} : { toMs: trail.stoppedAt }),
      ...(trail.multiRegion ? {} : { region: trail.region }),
      after: entries.at(-1)?.position ?? journal.position,
      order: 'ascending',
      limit: PORTION,
    })
    entries.push(...portion)
    for (const { body } of portion) bytes += body.length
    if (portion.length < PORTION) return { entries, full: false }
  }
  return { entries, full: true }
}

/** Digests begin no earlier. */
const oldest = (journal: Journal): number =>
  Math.min(startOf(journal), ...Object.values(journal.regions).flatMap(({ from }) => from ?? []))

/** Digests of the hours that are over come first: what is delivered now belongs to the hour that runs. */
async function delivered(work: JobContext, trail: TrailRow, before: Journal): Promise<Delivery> {
  const found = await waiting(work, trail, before)
  const until = found.entries.findIndex(({ position }) => position === before.until)
  const isPlanned = before.until === before.position || until >= 0
  const signer = trail.validation ? await signerOf(work, trail) : undefined
  // The trail was changed since, or its key is too old by now.
  if (!isPlanned || (trail.validation && !signer)) return planned(work, trail, before)

  const digested = signer ? await withDigests(work, trail, before, { signer, final: false }) : before
  const entries = found.entries.slice(0, until + 1)
  const behind = found.entries.length - entries.length
  // What came since the plan waits for the next one; of a trail that records no longer, it comes before the last digest.
  const more = trail.logging ? found.full && behind === 0 : found.full || behind > 0
  const logged = await withLogs(work, trail, digested, entries, more)
  const refused = logged.delivery.error !== undefined
  if (trail.logging || more || refused) return { journal: logged, more: more && !refused }
  const last = signer ? await withDigests(work, trail, logged, { signer, final: true }) : logged
  return { journal: { ...last, closed: last.digest.error === undefined }, more: false }
}

async function withLogs(
  work: JobContext,
  trail: TrailRow,
  journal: Journal,
  entries: readonly LogEntry[],
  more: boolean,
): Promise<Journal> {
  const attemptedAt = work.now
  const files = filesOf(trail, entries)
  const regions: Record<string, RegionJournal> = { ...journal.regions }
  // Digests cover quiet Regions too, once they have had events.
  for (const region of [trail.region, ...files.map((file) => file.region)]) {
    const known = regions[region] ?? { pending: [] }
    regions[region] = trail.validation ? { ...known, from: known.from ?? startOf(journal) } : { pending: [] }
  }
  try {
    for (const file of files) {
      const pending = await logged(work, trail, journal, file)
      const known = regions[file.region]!
      if (trail.validation) regions[file.region] = { ...known, pending: [...known.pending, pending] }
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { ...journal, delivery: { ...journal.delivery, attemptedAt, error: error.code } }
  }
  const { error: _over, ...delivery } = journal.delivery
  const { until: _done, ...rest } = journal
  return {
    ...rest,
    position: journal.until ?? journal.position,
    plannedAt: more ? journal.plannedAt : work.now + DELIVERY_EVERY_MS,
    regions,
    delivery: { ...delivery, attemptedAt, ...(files.length > 0 && { at: work.now }) },
    ...(trail.logGroup && { logs: await inLogGroup(work, trail, trail.logGroup, files, journal.logs) }),
  }
}

/** Behind the log files: a refusal does not hold them up. */
async function inLogGroup(
  work: JobContext,
  trail: TrailRow,
  group: TrailLogGroup,
  files: readonly LogFile[],
  before: Journal['logs'],
): Promise<NonNullable<Journal['logs']>> {
  const attemptedAt = work.now
  try {
    for (const { region, bodies, times } of files) {
      const events = bodies.map((message, index) => ({ timestamp: times[index]!, message }))
      await writeToLogGroup(work.actAs, trail, group, { region, events })
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { ...before, attemptedAt, error: error.code }
  }
  const at = files.length > 0 ? work.now : before?.at
  return { attemptedAt, ...(at !== undefined && { at }) }
}

/** The first digest begins with the recording. */
const startOf = ({ plannedAt }: Journal): number => plannedAt - DELIVERY_EVERY_MS

interface LogFile {
  readonly region: string
  readonly bodies: string[]
  /** Of the bodies. */
  readonly times: number[]
  oldest: number
  newest: number
}

function filesOf(trail: TrailRow, entries: readonly LogEntry[]): readonly LogFile[] {
  const files = new Map<string, LogFile>()
  for (const entry of entries) {
    if (!isWanted(trail, entry)) continue
    const { region, body, timeMs } = entry
    const file = files.get(region) ?? { region, bodies: [], times: [], oldest: timeMs, newest: timeMs }
    files.set(region, file)
    file.bodies.push(body)
    file.times.push(timeMs)
    file.oldest = Math.min(file.oldest, timeMs)
    file.newest = Math.max(file.newest, timeMs)
  }
  return [...files.values()]
}

/** Where all management events are wanted, the event need not be taken apart. */
function isWanted(trail: TrailRow, { attributes, body, region }: LogEntry): boolean {
  const of = (wanted: string) => attributes.find(([name]) => name === wanted)?.[1]
  if (!trail.globalEvents && region === GLOBAL && GLOBAL_SOURCES.includes(of('EventSource') ?? '')) return false
  return trail.selectors ? selects(trail.selectors, JSON.parse(body) as EventBody) : of(DATA_EVENT[0]) !== DATA_EVENT[1]
}

async function logged(work: JobContext, trail: TrailRow, journal: Journal, file: LogFile): Promise<Pending> {
  const text = `{"Records":[${file.bodies.join(',')}]}`
  const key = logFileKey(trail, file.region, journal.plannedAt, `${journal.position} ${journal.until}`)
  await deliver(work.actAs, trail, { Key: key, Body: await compressed(text) })
  return { bucket: trail.bucket, key, hash: sha256(text), oldest: file.oldest, newest: file.newest }
}

/** One digest for each Region whose hour is over; for every Region where `final`. */
async function withDigests(
  work: JobContext,
  trail: TrailRow,
  journal: Journal,
  { signer, final }: { readonly signer: DigestKey; readonly final: boolean },
): Promise<Journal> {
  const regions: Record<string, RegionJournal> = { ...journal.regions }
  let through = journal.digest
  try {
    for (const [region, known] of Object.entries(regions)) {
      const hours = known.from === undefined ? 0 : Math.floor((work.now - known.from) / DIGEST_EVERY_MS)
      const endMs = final ? work.now : (known.from ?? 0) + hours * DIGEST_EVERY_MS
      if (known.from === undefined || (hours === 0 && !final)) continue
      regions[region] = await digested(work, trail, signer, { region, known, fromMs: known.from, endMs })
      const { error: _over, ...rest } = through
      through = { ...rest, at: work.now }
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    through = { ...through, error: error.code }
  }
  return { ...journal, regions, digest: through }
}

interface Hour {
  readonly region: string
  readonly known: RegionJournal
  readonly fromMs: number
  readonly endMs: number
}

async function digested(
  work: JobContext,
  trail: TrailRow,
  signer: DigestKey,
  { region, known, fromMs, endMs }: Hour,
): Promise<RegionJournal> {
  const key = digestKeyOf(trail, region, endMs)
  const { fingerprint } = signer
  const facts = { trail, region, key, fromMs, endMs, fingerprint, previous: known.previous, files: known.pending }
  const text = digestText(facts)
  const signature = await sign(work.vault.materials, signer, signedText(facts, text))
  await deliver(work.actAs, trail, {
    Key: key,
    Body: await compressed(text),
    Metadata: { signature, 'signature-algorithm': 'SHA256withRSA' },
  })
  return { from: endMs, pending: [], previous: { bucket: trail.bucket, key, hash: sha256(text), signature } }
}
