/** Tamper findings: sealed values that do not decrypt where they are stored. Durable; each sighting is in the audit log, too. */
import type { Store } from '../../store/store.ts'
import type { SealContext } from '../../vault/sealed-value.ts'
import type { Clock } from '../state/clock.ts'
import { MERLON_EVENT_SOURCE, serviceEvent } from './event.ts'
import { type Finding, type FindingIdentity, findingId, MERLON, putFinding, type Sighting } from './findings.ts'

export interface SealedValueResource {
  readonly resourceType: 'SealedValue'
  readonly sealedValueDetails: SealContext
}

const TAMPERED = 'Impact:MerlonStore/SealedValueTampered'
const SEVERITY = 8
/** The store has no Region: its findings are where the global services record. */
const REGION = 'us-east-1'
const WRITE_EVERY_MS = 10_000
/** Places between two writes. Others are recorded when they are read again. */
const PLACES_MAX = 1_000

type PlaceSightings = Pick<Sighting, 'firstMs'> & { readonly place: SealContext; lastMs: number; count: number }

export interface TamperWatchOptions {
  readonly store: Store
  readonly clock: Clock
  /** The account that the finding and its event belong to, also where the place names an account that does not exist. */
  readonly owner: (account: string) => Promise<string | undefined>
  readonly onError: (error: unknown) => void
}

/** Gathers sightings and writes them: the first at once, those that follow every ten seconds. */
export class TamperWatch {
  readonly #options: TamperWatchOptions
  #seen = new Map<string, PlaceSightings>()
  #timer: NodeJS.Timeout | undefined
  #writtenAt = Number.NEGATIVE_INFINITY
  #writing: Promise<void> = Promise.resolve()

  constructor(options: TamperWatchOptions) {
    this.#options = options
  }

  /** A value does not decrypt at its place. Never throws. */
  see(place: SealContext): void {
    const nowMs = this.#options.clock.now()
    const id = findingId(identityOf(place))
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

  /** All that was seen is durable when this returns, or was reported to `onError`. */
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
    for (const sightings of seen.values()) {
      const account = await owner(sightings.place.account)
      if (account === undefined) continue
      await store.run(async (unit) => {
        const finding = await putFinding(unit, sightingOf(account, sightings))
        unit.append(eventOf(finding, sightings))
      })
    }
  }
}

const identityOf = ({ table, key, column, account, version = '' }: SealContext): FindingIdentity => ({
  product: MERLON,
  type: TAMPERED,
  resourceId: [table, key, column, account, version],
})

const sightingOf = (
  account: string,
  { place, firstMs, lastMs, count }: PlaceSightings,
): Sighting<SealedValueResource> => ({
  ...identityOf(place),
  account,
  region: REGION,
  severity: SEVERITY,
  title: 'A sealed value was changed or moved in the store.',
  description: `The value at ${nameOf(place)} is not the one that was sealed there. It was not used. Only access to the database, or a damaged disk, causes this: compare with a backup.`,
  resource: { resourceType: 'SealedValue', sealedValueDetails: place },
  firstMs,
  lastMs,
  count,
})

const eventOf = (
  { id, accountId, type, severity, resource }: Finding<SealedValueResource>,
  { count, lastMs }: PlaceSightings,
) =>
  serviceEvent({
    account: accountId,
    region: REGION,
    timeMs: lastMs,
    eventSource: MERLON_EVENT_SOURCE,
    eventName: 'TamperingDetected',
    resources: [],
    details: { findingId: id, type, severity, count, ...resource },
  })

export const nameOf = ({ table, key, column }: SealContext): string => `${table}/${key}.${column}`

/** Of all findings, those of sealed values. */
export const isTamperFinding = (finding: Finding): finding is Finding<SealedValueResource> =>
  finding.service.serviceName === MERLON && finding.type === TAMPERED
