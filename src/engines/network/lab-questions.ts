/** Questions to a lab: single TCP connections with what the analysis says of each. The same seed gives the same questions. */
import { type Block, holds, parseAddress, parseBlock, printAddress } from './addresses.ts'
import type { Packets, Range } from './boxes.ts'
import { CLIENT_PORTS, INTERNET, reach, type Snapshot } from './reachability.ts'

export interface LabQuestion {
  readonly from: string
  readonly to: string
  /** Private where it is an interface's. */
  readonly source: string
  readonly sourcePort: number
  /** As the source has to name the other end: its public address where the source is on the internet. */
  readonly destination: string
  readonly destinationPort: number
  /** What the analysis says. */
  readonly isReachable: boolean
}

const TCP = 6
const PORTS_TRIED = [22, 53, 80, 443, 3_306, 5_432, 8_080, 40_000]
/** For documentation (RFC 5737), in both halves of the address space, and one of each other block that a rule names. */
const ADDRESSES_TRIED = ['198.51.100.7', '203.0.113.9', '100.20.30.40']

/** mulberry32: a number below `n`. */
export function seeded(seed: number): (n: number) => number {
  let state = seed >>> 0
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n)
  }
}

const isPrivate = (address: string): boolean =>
  /^(?:10|127|169\.254|172\.(?:1[6-9]|2\d|3[01])|192\.168)\./.test(address)

interface Inside {
  readonly blocks: readonly (Block | undefined)[]
  readonly published: ReadonlySet<string | undefined>
}

const insideOf = ({ network }: Snapshot): Inside => ({
  blocks: network.subnets.map(({ cidr }) => parseBlock(cidr)),
  published: new Set(network.interfaces.map(({ publicAddress }) => publicAddress)),
})

/** Whether a host of the internet may have it: no network of the lab, and neither private nor multicast. */
function isOutside(address: string, { blocks, published }: Inside): boolean {
  const isUsual = !isPrivate(address) && !published.has(address) && Number(address.split('.')[0]) < 224
  return isUsual && !address.startsWith('0.') && !blocks.some((block) => block && holds(block, address))
}

function outsideAddresses({ network }: Snapshot, inside: Inside): readonly string[] {
  const named = network.groups.flatMap(({ rules }) => rules.flatMap(({ cidr }) => cidr ?? []))
  const entered = network.acls.flatMap(({ entries }) => entries.map(({ cidr }) => cidr))
  const inBlocks = [...named, ...entered].flatMap((cidr) => {
    const block = parseBlock(cidr)
    return block?.family === 4 ? [printAddress(4, block.first + (block.last - block.first) / 2n)] : []
  })
  return [...new Set([...ADDRESSES_TRIED, ...inBlocks])].filter((address) => isOutside(address, inside))
}

function portsOf({ network }: Snapshot): readonly number[] {
  const rules = network.groups.flatMap((group) => group.rules).filter(({ protocol }) => protocol === TCP)
  const edges = rules.flatMap(({ from, to }) => [from, to]).filter((port) => port > 0)
  return [...new Set([...PORTS_TRIED, ...edges])]
}

/**
 * Half of them, where the analysis allows a pair anything, are chosen out of what it allows; the others at random. Otherwise most
 * would be refused.
 */
export function* questionsOf(snapshot: Snapshot, count: number, seed: number): Generator<LabQuestion> {
  const random = seeded(seed)
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!
  const ends = [INTERNET, ...snapshot.interfaces.keys()]
  if (ends.length < 2) return
  const inside = insideOf(snapshot)
  const addresses = outsideAddresses(snapshot, inside)
  const ports = portsOf(snapshot)
  const used = new Set<string>()
  for (let made = 0, tries = 0; made < count && tries < 100 * count; tries++) {
    const [from, to] = [pick(ends), pick(ends)]
    const [own, other] = [snapshot.interfaces.get(from), snapshot.interfaces.get(to)]
    if (from === to || (!own && other?.publicAddress === undefined)) continue
    const { packets } = reach(snapshot, { from, to, protocol: TCP })
    const isAllowed = random(2) === 0
    if (isAllowed && packets.length === 0 && random(10) > 0) continue
    const allowed = isAllowed && packets.length > 0 ? pick(packets) : undefined
    const outside = (range: Range | undefined): string => {
      const found = range && printAddress(4, BigInt(within(range, random)))
      return found !== undefined && isOutside(found, inside) ? found : pick(addresses)
    }
    const source = own?.address ?? outside(allowed?.source)
    const target = other?.address ?? outside(allowed?.destination)
    const sourcePort = within(allowed?.sourcePort ?? CLIENT_PORTS, random)
    const destinationPort = allowed ? Math.max(1, within(allowed.destinationPort, random)) : pick(ports)
    // A connection from a port that was used would be taken for the one before.
    const name = `${from} ${source} ${sourcePort}`
    if (used.has(name)) continue
    used.add(name)
    made++
    yield {
      from,
      to,
      source,
      sourcePort,
      destination: own ? target : other!.publicAddress!,
      destinationPort,
      isReachable: holdsPacket(packets, { source, target, sourcePort, destinationPort }),
    }
  }
}

const within = ([first, last]: Range, random: (n: number) => number): number => first + random(last - first + 1)

function holdsPacket(
  packets: Packets,
  packet: {
    readonly source: string
    readonly target: string
    readonly sourcePort: number
    readonly destinationPort: number
  },
): boolean {
  const [source, target] = [packet.source, packet.target].map((text) => Number(parseAddress(text)!.value))
  return packets.some(
    (box) =>
      isWithin(box.source, source!) &&
      isWithin(box.destination, target!) &&
      isWithin(box.protocol, TCP) &&
      isWithin(box.sourcePort, packet.sourcePort) &&
      isWithin(box.destinationPort, packet.destinationPort),
  )
}

const isWithin = ([first, last]: Range, value: number): boolean => first <= value && value <= last
