/**
 * Merlon's own findings: what it saw of its store that nothing of its own does, in GuardDuty's shape, so that the service
 * which shows findings can read them as they are. Durable; each sighting is on the trail, too.
 */
import { createHash } from 'node:crypto'
import { type Key, key, type Store, under } from '../store/store.ts'
import { lengths } from '../vault/aead.ts'
import type { Place } from '../vault/vault.ts'
import type { Clock } from './clock.ts'
import { MERLON_EVENT_SOURCE, serviceEvent } from './event.ts'
import type { Reader } from './ports.ts'

/** Members as GuardDuty's API names them: AWS, "Finding" of the GuardDuty API reference. */
export interface Finding {
  readonly schemaVersion: '2.0'
  /** The same for the same type and resource: seen again, it is counted. */
  readonly id: string
  readonly accountId: string
  readonly partition: 'aws'
  readonly region: string
  readonly type: typeof TAMPERED
  /** 7 to 8.9 is high. */
  readonly severity: number
  readonly title: string
  readonly description: string
  readonly resource: { readonly resourceType: 'SealedValue'; readonly sealedValueDetails: Place }
  readonly service: {
    readonly serviceName: 'merlon'
    readonly count: number
    readonly eventFirstSeen: string
    readonly eventLastSeen: string
    readonly archived: boolean
  }
  readonly createdAt: string
  readonly updatedAt: string
}

/** ThreatPurpose:ResourceTypeAffected/ThreatFamilyName, as GuardDuty builds its types. */
const TAMPERED = 'Impact:MerlonStore/SealedValueTampered'
const SEVERITY = 8
/** The store has no Region: they are where the global services record. */
const REGION = 'us-east-1'
const WRITE_EVERY_MS = 10_000
/** Places between two writes; what is more is told when it is read again. */
const PLACES_MAX = 1_000
/** AWS: findings are kept for 90 days. */
export const KEPT_MS = 90 * 24 * 60 * 60 * 1000

const FINDINGS = under('kernel', 'finding')
const rowOf = (account: string, id: string): Key => key('kernel', 'finding', account, id)

/** Of all accounts, or of one. */
export async function findings(reader: Reader, account?: string): Promise<readonly Finding[]> {
  const rows = await reader.range<Finding>(account === undefined ? FINDINGS : under('kernel', 'finding', account))
  return rows.map(({ document }) => document)
}

interface Sighting {
  readonly place: Place
  readonly firstMs: number
  lastMs: number
  count: number
}

export interface FindingsOptions {
  readonly store: Store
  readonly clock: Clock
  /** Whose trail and findings it belongs to, when the place names an account that does not exist. */
  readonly owner: (account: string) => Promise<string | undefined>
  readonly onError: (error: unknown) => void
}

/** Gathers sightings, and writes them down: the first at once, those that follow every ten seconds. */
export class TamperWatch {
  readonly #options: FindingsOptions
  #seen = new Map<string, Sighting>()
  #timer: NodeJS.Timeout | undefined
  #writtenAt = Number.NEGATIVE_INFINITY
  #writing: Promise<void> = Promise.resolve()

  constructor(options: FindingsOptions) {
    this.#options = options
  }

  /** A value does not open at its place. Never throws. */
  see(place: Place): void {
    const nowMs = this.#options.clock.now()
    const id = idOf(place)
    const known = this.#seen.get(id)
    if (known) {
      known.count++
      known.lastMs = nowMs
    } else if (this.#seen.size < PLACES_MAX) this.#seen.set(id, { place, firstMs: nowMs, lastMs: nowMs, count: 1 })
    this.#timer ??= setTimeout(
      () => void this.flush(),
      Math.max(0, this.#writtenAt + WRITE_EVERY_MS - performance.now()),
    ).unref()
  }

  /** All that was seen is durable when this returns, or told to `onError`. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#write()).catch(this.#options.onError)
    return this.#writing
  }

  async #write(): Promise<void> {
    const seen = this.#seen
    if (seen.size === 0) return
    this.#seen = new Map()
    this.#writtenAt = performance.now()
    const { store, owner } = this.#options
    for (const [id, sighting] of seen) {
      const account = await owner(sighting.place.account)
      if (account === undefined) continue
      await store.run(async (unit) => {
        const at = rowOf(account, id)
        const finding = again(await unit.get<Finding>(at), account, id, sighting)
        unit.put(at, finding)
        unit.append(eventOf(finding, sighting))
      })
    }
  }
}

function again(before: Finding | undefined, accountId: string, id: string, sighting: Sighting): Finding {
  const { place, count, firstMs, lastMs } = sighting
  const last = new Date(lastMs).toISOString()
  const createdAt = before?.createdAt ?? new Date(firstMs).toISOString()
  return {
    schemaVersion: '2.0',
    id,
    accountId,
    partition: 'aws',
    region: REGION,
    type: TAMPERED,
    severity: SEVERITY,
    title: 'A sealed value was changed or moved in the store.',
    description: `The value at ${nameOf(place)} is not the one that was sealed there. It was not used. Only somebody with access to the database, or a damaged disk, does this: compare with a backup.`,
    resource: { resourceType: 'SealedValue', sealedValueDetails: place },
    service: {
      serviceName: 'merlon',
      count: (before?.service.count ?? 0) + count,
      eventFirstSeen: before?.service.eventFirstSeen ?? createdAt,
      eventLastSeen: last,
      archived: before?.service.archived ?? false,
    },
    createdAt,
    updatedAt: last,
  }
}

const eventOf = ({ id, accountId, type, severity, resource }: Finding, { count, lastMs }: Sighting) =>
  serviceEvent({
    account: accountId,
    region: REGION,
    timeMs: lastMs,
    eventSource: MERLON_EVENT_SOURCE,
    eventName: 'TamperingDetected',
    resources: [],
    details: { findingId: id, type, severity, count, ...resource },
  })

export const nameOf = ({ table, key, column }: Place): string => `${table}/${key}.${column}`

const idOf = ({ table, key, column, account, version = '' }: Place): string =>
  createHash('sha256')
    .update(lengths(TAMPERED, table, key, column, account, version))
    .digest('hex')
    .slice(0, 32)
