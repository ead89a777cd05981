/** Events of the network that an operator brings from log files of AWS: they are queued for threat detection. */
import type { DnsEvent, FlowEvent } from '../../engines/detect/types.ts'
import { detectionSources } from '../../kernel/ports/detection-sources.ts'
import type { Cloud } from '../compose/cloud.ts'
import { InstallationError } from '../compose/operator-errors.ts'

/** Of one request. */
const EVENTS_MAX = 1_000

type NetworkEvent = FlowEvent | DnsEvent

const TEXTS = ['id', 'account', 'region', 'vpcId', 'instanceId', 'sourceAddress'] as const
const FLOW_TEXTS = ['interfaceId', 'destinationAddress'] as const
const FLOW_NUMBERS = ['sourcePort', 'destinationPort', 'protocol', 'packets', 'bytes', 'start'] as const
const DNS_TEXTS = ['name', 'type', 'responseCode', 'transport'] as const
const TEXT_MAX = 512

type Members = Readonly<Record<string, unknown>>

const hasTexts = (value: Members, names: readonly string[]): boolean =>
  names.every((name) => typeof value[name] === 'string' && value[name].length <= TEXT_MAX)
const hasNumbers = (value: Members, names: readonly string[]): boolean =>
  names.every((name) => typeof value[name] === 'number' && Number.isFinite(value[name]))

const isAnswer = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && hasTexts(value as Members, ['type', 'data'])

/** As the engine normalizes them: nothing else is queued. */
function isNetworkEvent(value: unknown): value is NetworkEvent {
  if (typeof value !== 'object' || value === null) return false
  const event = value as Members
  if (!hasTexts(event, TEXTS) || !hasNumbers(event, ['time'])) return false
  if (event['source'] === 'flow')
    return hasTexts(event, FLOW_TEXTS) && hasNumbers(event, FLOW_NUMBERS) && typeof event['accepted'] === 'boolean'
  const { source, answers, blocked } = event
  const isWhole = hasTexts(event, DNS_TEXTS) && Array.isArray(answers) && answers.every(isAnswer)
  return source === 'dns' && isWhole && typeof blocked === 'boolean'
}

/** Where events of each account and Region were queued, or why not. */
export interface ImportedEvents {
  readonly account: string
  readonly region: string
  readonly events: number
  /** Fewer where the queue is full. Undefined: no detector is enabled there. */
  readonly queued: number | undefined
}

/** Throws for what is no list of events. */
export async function importNetworkEvents(cloud: Cloud, events: unknown): Promise<readonly ImportedEvents[]> {
  if (!Array.isArray(events) || events.length > EVENTS_MAX || !events.every(isNetworkEvent))
    throw new InstallationError('These are no events of flows or DNS queries.', undefined)
  const byPlace = new Map<string, NetworkEvent[]>()
  for (const event of events) {
    const name = `${event.account} ${event.region}`
    const known = byPlace.get(name)
    if (known) known.push(event)
    else byPlace.set(name, [event])
  }
  return cloud.store.run(async (unit) => {
    const results: ImportedEvents[] = []
    for (const own of byPlace.values()) {
      const { account, region } = own[0]!
      const place = { account, region }
      const queued = await cloud.use(detectionSources).add(unit, place, own, cloud.clock.now())
      results.push({ ...place, events: own.length, queued })
    }
    return results
  })
}
