/** Deliveries: every five minutes what happened since, every hour a signed digest over what was delivered. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { DATA_EVENT } from '../../kernel/event.ts'
import type { ServiceJob, Work } from '../../kernel/service.ts'
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
import { type DigestKey, keyInForce, keysOf, makeKey, sign } from './public-keys.ts'
import { at, type TrailRow } from './resources.ts'
import { type EventBody, selects } from './selectors.ts'

const compressed = promisify(gzip)
/** Of one file, and in memory at once: some 8 MB. */
const EVENTS_MAX = 5_000
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
    const trail = await work.reader.get<TrailRow>(at.trail(turn))
    const journal = await work.reader.get<Journal>(at.journal(turn))
    if (!trail || journal?.turn !== turn.turn) return undefined
    return delivered(work, trail, journal)
  },
  run: async (unit, { now }, turn, outcome) => {
    const trail = await unit.get<TrailRow>(at.trail(turn))
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

/** Digests of the hours that are over come first: what is delivered now belongs to the hour that runs. */
async function delivered(work: Work, trail: TrailRow, before: Journal): Promise<Delivery> {
  const digested = await withDigests(work, trail, before, false)
  const logged = await withLogs(work, trail, digested.journal)
  const ending = !trail.logging && !logged.more && logged.journal.delivery.error === undefined
  if (!ending) return { ...logged, key: digested.key }
  const last = await withDigests(work, trail, logged.journal, true, digested.key)
  return { journal: { ...last.journal, closed: last.journal.digest.error === undefined }, more: false, key: last.key }
}

interface LogFile {
  readonly region: string
  readonly bodies: string[]
  oldest: number
  newest: number
}

async function withLogs(work: Work, trail: TrailRow, journal: Journal): Promise<Delivery> {
  const entries = await work.ports.events.query({
    account: trail.account,
    fromMs: journal.since,
    ...(trail.logging ? {} : { toMs: trail.stoppedAt }),
    ...(trail.multiRegion ? {} : { region: trail.region }),
    after: journal.position,
    order: 'ascending',
    limit: EVENTS_MAX,
  })
  const more = entries.length === EVENTS_MAX
  const attemptedAt = work.now
  const files = filesOf(trail, entries)
  const regions: Record<string, RegionJournal> = { ...journal.regions }
  // Digests tell of quiet Regions too, once they were heard of.
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
    return { journal: { ...journal, delivery: { ...journal.delivery, attemptedAt, error: error.code } }, more: false }
  }
  const { error: _over, ...delivery } = journal.delivery
  return {
    journal: {
      ...journal,
      position: entries.at(-1)?.position ?? journal.position,
      plannedAt: more ? journal.plannedAt : work.now + DELIVERY_EVERY_MS,
      regions,
      delivery: { ...delivery, attemptedAt, ...(files.length > 0 && { at: work.now }) },
    },
    more,
  }
}

/** The first digest begins with the recording. */
const startOf = ({ plannedAt }: Journal): number => plannedAt - DELIVERY_EVERY_MS

function filesOf(trail: TrailRow, entries: readonly LogEntry[]): readonly LogFile[] {
  const files = new Map<string, LogFile>()
  for (const entry of entries) {
    if (!isWanted(trail, entry)) continue
    const { region, body, timeMs } = entry
    const file = files.get(region) ?? { region, bodies: [], oldest: timeMs, newest: timeMs }
    files.set(region, file)
    file.bodies.push(body)
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

async function logged(work: Work, trail: TrailRow, journal: Journal, file: LogFile): Promise<Pending> {
  const text = `{"Records":[${file.bodies.join(',')}]}`
  const key = logFileKey(trail, file.region, journal.plannedAt, journal.position)
  await deliver(work.act, trail, { Key: key, Body: await compressed(text) })
  return { bucket: trail.bucket, key, hash: sha256(text), oldest: file.oldest, newest: file.newest }
}

/** One digest for each Region whose hour is over; for every Region where `final`. */
async function withDigests(
  work: Work,
  trail: TrailRow,
  journal: Journal,
  final: boolean,
  made?: DigestKey,
): Promise<Omit<Delivery, 'more'>> {
  const regions: Record<string, RegionJournal> = { ...journal.regions }
  let key = made
  let told = journal.digest
  if (!trail.validation) return { journal, key }
  try {
    for (const [region, known] of Object.entries(regions)) {
      const hours = known.from === undefined ? 0 : Math.floor((work.now - known.from) / DIGEST_EVERY_MS)
      const endMs = final ? work.now : (known.from ?? 0) + hours * DIGEST_EVERY_MS
      if (known.from === undefined || (hours === 0 && !final)) continue
      const signer =
        key ??
        keyInForce(await keysOf(work.reader, trail.account, trail.region), work.now) ??
        (key = await makeKey(work.vault.materials, { ...trail, from: known.from }))
      regions[region] = await digested(work, trail, signer, { region, known, fromMs: known.from, endMs })
      const { error: _over, ...rest } = told
      told = { ...rest, at: work.now }
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    told = { ...told, error: error.code }
  }
  return { journal: { ...journal, regions, digest: told }, key }
}

interface Hour {
  readonly region: string
  readonly known: RegionJournal
  readonly fromMs: number
  readonly endMs: number
}

async function digested(
  work: Work,
  trail: TrailRow,
  signer: DigestKey,
  { region, known, fromMs, endMs }: Hour,
): Promise<RegionJournal> {
  const key = digestKeyOf(trail, region, endMs)
  const { fingerprint } = signer
  const facts = { trail, region, key, fromMs, endMs, fingerprint, previous: known.previous, files: known.pending }
  const text = digestText(facts)
  const signature = await sign(work.vault.materials, signer, signedText(facts, text))
  await deliver(work.act, trail, {
    Key: key,
    Body: await compressed(text),
    Metadata: { signature, 'signature-algorithm': 'SHA256withRSA' },
  })
  return { from: endMs, pending: [], previous: { bucket: trail.bucket, key, hash: sha256(text), signature } }
}
