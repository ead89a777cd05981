/**
 * The resolver: an authoritative DNS server for the zones of its snapshot, over UDP and TCP. One that was enrolled for a VPC answers its
 * private zones, too, to all that reach it. Without a snapshot it answers
 * SERVFAIL: a name that cannot be looked up must not look absent.
 */
import { parseQuery, printFailure, printResponse, QUERY_BYTES_MAX, UDP_BYTES } from '../../engines/dns/message.ts'
import { normalizeName } from '../../engines/dns/records.ts'
import { type CompiledZones, compileZones, type LookupResult, lookup } from '../../engines/dns/zones.ts'
import { Mirror, type MirrorOptions } from '../../kernel/planes/mirror.ts'
import { RESOLVER } from '../../kernel/planes/observed-queries.ts'
import type { Peer, Plane } from '../../kernel/planes/plane.ts'
import { RESOLVER_VERSION, type ResolverContent } from '../../kernel/planes/resolver-content.ts'
import { QueryRecorder } from './query-recorder.ts'
import { ResponseCounts } from './response-counts.ts'
import { ResponseRate } from './response-rate.ts'

/** What is looked up in. */
interface ResolverState {
  readonly zones: CompiledZones
  readonly privateZones: CompiledZones
  readonly unhealthy: ReadonlySet<string>
}

export interface ResolverOptions
  extends Pick<MirrorOptions<ResolverState>, 'feed' | 'publicKey' | 'file' | 'onRefused' | 'waitMs'> {
  /** Takes queries with their answers each second, and the number of responses of each minute by their code. */
  readonly onRecord?: ((record: object) => void) | undefined
  /** Takes the number of queries that were not reported, for there were too many. */
  readonly onDropped?: ((count: number) => void) | undefined
}

const TCP_BYTES_MAX = 65_535
const RUNNING_MAX = 1_000
const CONNECTIONS_MAX = 256
const IDLE_MS = 10_000

const REFUSED: LookupResult = { rcode: 'REFUSED', authoritative: false, answers: [], authorities: [], additionals: [] }

export function resolver(options: ResolverOptions): Plane {
  const mirror = new Mirror<ResolverState>({
    ...options,
    plane: RESOLVER,
    version: RESOLVER_VERSION,
    read: (content) => {
      const { zones, privateZones = [], unhealthy } = content as ResolverContent
      return { zones: compileZones(zones), privateZones: compileZones(privateZones), unhealthy: new Set(unhealthy) }
    },
  })
  const rate = new ResponseRate()
  const counts = new ResponseCounts(options.onRecord)
  const queries = new QueryRecorder(options)

  /** `bytesMax` for the response; undefined when the message gets none. */
  const respond = (
    message: Buffer,
    peer: Peer,
    transport: 'UDP' | 'TCP',
    bytesMax: (udpBytes: number | undefined) => number,
  ): Buffer | undefined => {
    const query = parseQuery(message)
    if (!query) return undefined
    const state = mirror.content
    if (!state) {
      counts.add('SERVFAIL')
      queries.add({ name: query.name, type: query.type, rcode: 'SERVFAIL', answers: [], transport }, peer)
      return printFailure(query)
    }
    const name = normalizeName(query.name)
    const result = name === undefined ? REFUSED : answerOf(state, name, query.type)
    counts.add(result.rcode)
    queries.add({ name: query.name, type: query.type, rcode: result.rcode, answers: result.answers, transport }, peer)
    return printResponse(query, result, bytesMax(query.udpBytes))
  }

  return {
    name: RESOLVER,
    listeners: [
      {
        kind: 'datagram',
        name: 'dns',
        bytesMax: QUERY_BYTES_MAX,
        runningMax: RUNNING_MAX,
        respond: (message, peer) =>
          // Over its rate a client gets an empty, truncated response: it may query over TCP, where addresses are not
          // forged.
          respond(message, peer, 'UDP', (udpBytes) =>
            rate.allows(peer.address, performance.now()) ? (udpBytes ?? UDP_BYTES) : 0,
          ),
      },
      {
        kind: 'framed',
        name: 'dns',
        bytesMax: QUERY_BYTES_MAX,
        connectionsMax: CONNECTIONS_MAX,
        idleMs: IDLE_MS,
        respond: (message, peer) => respond(message, peer, 'TCP', () => TCP_BYTES_MAX),
      },
    ],
    start: () => {
      counts.start()
      queries.start()
      return mirror.start()
    },
    health: () => (mirror.content ? 'open' : 'closed'),
    snapshotNumber: () => mirror.number,
    close: () => {
      counts.stop()
      queries.stop()
      return mirror.stop()
    },
  }
}

/** A private zone that contains the name decides alone, also when it does not have it. */
function answerOf(state: ResolverState, name: string, type: string): LookupResult {
  const own = lookup(state.privateZones, name, type, state)
  return own.rcode === 'REFUSED' ? lookup(state.zones, name, type, state) : own
}
