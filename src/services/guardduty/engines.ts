/**
 * The detection engines in this node's memory: one for each watched account and Region, restored from its checkpoint. What a
 * batch of events changed is written in the transaction that moves the cursor of the log.
 */
import { createDetector } from '../../engines/detect/detector.ts'
import { compileList } from '../../engines/detect/lists.ts'
import type {
  CheckpointChanges,
  DetectedFinding,
  Detector,
  DetectorConfiguration,
  InstanceRecord,
  Json,
  NormalizedEvent,
  ThreatListKind,
} from '../../engines/detect/types.ts'
import { network } from '../../kernel/ports/network.ts'
import { MissingPortError, type Use } from '../../kernel/ports/port.ts'
import { DerivedCache } from '../../kernel/state/derived.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { exposureOf } from '../../policy/index.ts'
import { type Key, key, type Store, type Unit, under } from '../../store/store.ts'
import { entriesIn } from './list-activation.ts'
import { listTypes } from './list-types.ts'
import { governing } from './member-rows.ts'
import type { ListRow } from './resources.ts'

export interface Place {
  readonly account: string
  readonly region: string
}

/** Beyond it the engine that was used least recently is dropped: it is restored when its account is active again. */
const ENGINES_MAX = 200
/** Detectors of accounts are smaller than the engine's own default, which is for one large log. */
const LIMITS = { baselines: 20_000, entries: 10_000, waiting: 1_000 }

const partsOf = ({ account, region }: Place): Key => under('guardduty', 'engine', account, region)
const partKey = ({ account, region }: Place, part: string): Key => key('guardduty', 'engine', account, region, part)

interface PartRow {
  readonly part: string
  readonly value: Json
}

/** What the operator configured, for all accounts. */
export type OperatorSettings = Pick<DetectorConfiguration, 'geography' | 'operatorRules'>

interface Held {
  readonly detector: Detector
  readonly configuration: DetectorConfiguration
}

/** What one batch of events leads to. */
export interface Detected {
  readonly place: Place
  readonly findings: readonly DetectedFinding[]
  readonly changes: CheckpointChanges
}

const nameOf = ({ account, region }: Place): string => `${account} ${region}`

export class Engines {
  readonly #store: Store
  readonly #held = new Map<string, Held>()
  readonly #configurations: DerivedCache<DetectorConfiguration>

  constructor(store: Store, use: Use, settings: OperatorSettings = {}) {
    this.#store = store
    const computed = async (reader: Reader, name: string): Promise<DetectorConfiguration> => ({
      ...(await configurationOf(reader, name, use)),
      ...settings,
    })
    this.#configurations = new DerivedCache(store, computed, { max: ENGINES_MAX })
  }

  /** What is in memory is not what is stored: a commit failed, or another node was at work. */
  forget(): void {
    this.#held.clear()
  }

  async detect(place: Place, events: readonly NormalizedEvent[]): Promise<Detected> {
    const { detector } = await this.#engine(place)
    const findings = events.flatMap((event) => detector.ingest(event))
    return { place, findings, changes: detector.changes() }
  }

  async #engine(place: Place): Promise<Held> {
    const name = nameOf(place)
    const configuration = await this.#configurations.get(name)
    const known = this.#held.get(name)
    if (known) this.#held.delete(name)
    const held =
      known?.configuration === configuration
        ? known
        : {
            configuration,
            detector: createDetector(
              { ...configuration, limits: LIMITS },
              known ? known.detector.checkpoint() : await stored(this.#store.reader, place),
            ),
          }
    this.#held.set(name, held)
    if (this.#held.size > ENGINES_MAX) this.#held.delete(this.#held.keys().next().value!)
    return held
  }
}

async function stored(reader: Pick<Reader, 'range'>, place: Place) {
  const rows = await reader.range<PartRow>(partsOf(place))
  return { version: 1 as const, parts: Object.fromEntries(rows.map(({ document }) => [document.part, document.value])) }
}

export function writeChanges(unit: Pick<Unit, 'put' | 'delete'>, { place, changes }: Detected): void {
  for (const [part, value] of Object.entries(changes.put))
    unit.put(partKey(place, part), { part, value } satisfies PartRow)
  for (const part of changes.removed) unit.delete(partKey(place, part))
}

export async function removeEngine(unit: Unit, place: Place): Promise<void> {
  for (const { key: at } of await unit.range(partsOf(place))) unit.delete(at)
}

/** The lists of the administrator hold for its members. */
async function configurationOf(reader: Reader, name: string, use: Use): Promise<DetectorConfiguration> {
  const [account = '', region = ''] = name.split(' ')
  const place = await governing(reader, { account, region })
  const rows = (await Promise.all(Object.values(listTypes).map(({ list }) => list(reader, place))))
    .flat()
    .map(({ document }) => document)
    .filter(({ state }) => state === 'ACTIVE')
  const lists = await Promise.all(rows.map(async (row) => ({ row, list: await compiled(reader, row) })))
  return {
    threatLists: lists
      .filter(({ row }) => !listTypes[row.kind].isTrusted)
      .map(({ list }) => ({ kind: 'custom' satisfies ThreatListKind, list })),
    trustedLists: lists.filter(({ row }) => listTypes[row.kind].isTrusted).map(({ list }) => list),
    instances: await instancesOf(reader, { account, region }, use),
    publicAccess: exposureOf,
  }
}

/** Which addresses are those of instances: flows and queries name addresses. */
async function instancesOf(reader: Reader, place: Place, use: Use): Promise<readonly InstanceRecord[]> {
  try {
    return await use(network).machines(reader, place)
  } catch (error) {
    if (error instanceof MissingPortError) return []
    throw error
  }
}

async function compiled(reader: Reader, row: ListRow) {
  return compileList({ name: row.name, sha256: row.contents?.sha256 ?? '', entries: await entriesIn(reader, row) })
}
