/**
 * Which packets get from one interface, or the internet, to another, or to a gateway endpoint: through security groups, network
 * ACLs, routes and gateways, and their answers back. Sets of packets are computed at once; none is enumerated.
 */
import { answers, type Box, box, type Packets, PORTS } from './boxes.ts'
import { type Block, Blocked, type Hop } from './filters.ts'
import type { Interface } from './network.ts'
import { hasPorts, pointOf, type Snapshot } from './snapshot.ts'
import {
  answerOutwards,
  between,
  CLIENT_PORTS,
  INTERNET,
  inwards,
  OutwardWay,
  outside,
  toEndpoint,
  type Way,
} from './ways.ts'

export type { Block, Code, Hop } from './filters.ts'
export { compile, type Snapshot } from './snapshot.ts'
export { CLIENT_PORTS, INTERNET } from './ways.ts'

export interface Question {
  /** The ID of an interface, or {@link INTERNET}. */
  readonly from: string
  /** The ID of a gateway endpoint, too. */
  readonly to: string
  /** TCP is 6, UDP 17. Undefined: any. */
  readonly protocol?: number | undefined
  readonly port?: number | undefined
}

export interface Verdict {
  readonly isReachable: boolean
  /** The packets that arrive and whose answers return, as they leave their source. */
  readonly packets: Packets
  readonly forward: readonly Hop[]
  readonly back: readonly Hop[]
  /** Why not, if not. */
  readonly blocked: readonly Block[]
}

const boxOf = ({ protocol, port }: Question): Partial<Box> => ({
  ...(protocol !== undefined && { protocol: [protocol, protocol] as const }),
  ...(port !== undefined && { destinationPort: [port, port] as const }),
  sourcePort: protocol === undefined || hasPorts(protocol) ? CLIENT_PORTS : PORTS,
})

/** Throws for interfaces and endpoints that the network does not have. */
export function reach(snapshot: Snapshot, question: Question): Verdict {
  const forward: Hop[] = []
  const back: Hop[] = []
  let direction: Block['direction'] = 'forward'
  try {
    const way = wayOf(snapshot, question)
    const arrived = way.there(forward)
    direction = 'return'
    const returned = way.back(answers(arrived), back)
    return { isReachable: true, packets: answers(returned), forward, back, blocked: [] }
  } catch (error) {
    if (!(error instanceof Blocked)) throw error
    return { isReachable: false, packets: [], forward, back, blocked: [{ ...error.block, direction }] }
  }
}

function wayOf(snapshot: Snapshot, question: Question): Way {
  const from = interfaceOf(snapshot, question.from)
  const endpoint = snapshot.gatewayEndpoints.get(question.to)
  const to = endpoint ? undefined : interfaceOf(snapshot, question.to)
  const start = box({
    ...boxOf(question),
    source: from ? pointOf(snapshot, from.address) : snapshot.space.all,
    destination: to ? pointOf(snapshot, to.address) : snapshot.space.all,
  })
  // A NAT gateway forwards, and drops what is addressed to itself.
  const nat = to && snapshot.natInterfaces.get(to.id)
  if (nat !== undefined) throw new Blocked('UNSUPPORTED_COMPONENT', nat)
  if (endpoint) {
    if (!from) throw new Blocked('NO_POSSIBLE_DESTINATION', endpoint.id)
    return toEndpoint(snapshot, from, endpoint, [start])
  }
  if (question.from === question.to) return { there: () => [start], back: (arrived) => arrived }
  if (from && to)
    return {
      there: (hops) => between(snapshot, from, to, [start], 'request', hops),
      back: (arrived, hops) => between(snapshot, to, from, arrived, 'answer', hops),
    }
  if (to)
    return {
      there: (hops) => inwards(snapshot, to, outside(snapshot, to, [start]), 'request', hops),
      back: (arrived, hops) => answerOutwards(snapshot, to, arrived, hops),
    }
  return new OutwardWay(snapshot, from!, [start])
}

/** Undefined for the internet. */
function interfaceOf(snapshot: Snapshot, id: string): Interface | undefined {
  if (id === INTERNET) return undefined
  const found = snapshot.interfaces.get(id)
  if (found) return found
  if (snapshot.withoutAddress.has(id)) throw new Blocked('NO_POSSIBLE_DESTINATION', id)
  throw new RangeError(`The network has no interface ${id}.`)
}
