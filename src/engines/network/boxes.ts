/** Sets of packets of one family of addresses, as unions of boxes: a range in each of five dimensions. */

export type Range = readonly [first: number, last: number]

export const DIMENSIONS = ['source', 'destination', 'protocol', 'sourcePort', 'destinationPort'] as const
export type Dimension = (typeof DIMENSIONS)[number]

/** ICMP has no ports: its type and code are the destination port, `type * 256 + code`. */
export type Box = Readonly<Record<Dimension, Range>>
export type Packets = readonly Box[]

export const ADDRESSES: Range = [0, 0xff_ff_ff_ff]
export const PORTS: Range = [0, 65_535]
export const PROTOCOLS: Range = [0, 255]

/** A packet of every kind, but for what is said. */
export const box = (said: Partial<Box> = {}): Box => ({
  source: said.source ?? ADDRESSES,
  destination: said.destination ?? ADDRESSES,
  protocol: said.protocol ?? PROTOCOLS,
  sourcePort: said.sourcePort ?? PORTS,
  destinationPort: said.destinationPort ?? PORTS,
})

const overlap = (a: Range, b: Range): Range | undefined => {
  if (a[0] >= b[0] && a[1] <= b[1]) return a
  const first = a[0] > b[0] ? a[0] : b[0]
  const last = a[1] < b[1] ? a[1] : b[1]
  return first > last ? undefined : [first, last]
}

/** Written out: most of an analysis is spent here. */
export function intersection(a: Box, b: Box): Box | undefined {
  const destinationPort = overlap(a.destinationPort, b.destinationPort)
  if (!destinationPort) return undefined
  const source = overlap(a.source, b.source)
  if (!source) return undefined
  const destination = overlap(a.destination, b.destination)
  if (!destination) return undefined
  const protocol = overlap(a.protocol, b.protocol)
  if (!protocol) return undefined
  const sourcePort = overlap(a.sourcePort, b.sourcePort)
  return sourcePort && { source, destination, protocol, sourcePort, destinationPort }
}

const areApart = (a: Range, b: Range): boolean => a[0] > b[1] || b[0] > a[1]
const isMet = (a: Box, b: Box): boolean =>
  !(
    areApart(a.destinationPort, b.destinationPort) ||
    areApart(a.source, b.source) ||
    areApart(a.destination, b.destination) ||
    areApart(a.protocol, b.protocol) ||
    areApart(a.sourcePort, b.sourcePort)
  )

/** Whether one of the packets is in the box. */
export const meets = (packets: Packets, by: Box): boolean => packets.some((each) => isMet(each, by))

/** Of one step of an analysis: 60 rules in each of 5 groups need 300. */
const BOXES_MAX = 10_000
const COMPARED_MAX = 1_000

/** The network has more rules than an analysis takes. */
export class TooManyBoxesError extends Error {
  override readonly name = 'TooManyBoxesError'
}

/** Throws a {@link TooManyBoxesError}. */
export function assertFew(packets: Packets): void {
  if (packets.length > BOXES_MAX) throw new TooManyBoxesError(`More than ${BOXES_MAX} kinds of packets pass.`)
}

const isWithin = (inner: Range, outer: Range): boolean => outer[0] <= inner[0] && inner[1] <= outer[1]
const covers = (outer: Box, inner: Box): boolean =>
  isWithin(inner.destinationPort, outer.destinationPort) &&
  isWithin(inner.source, outer.source) &&
  isWithin(inner.destination, outer.destination) &&
  isWithin(inner.protocol, outer.protocol) &&
  isWithin(inner.sourcePort, outer.sourcePort)

/** What of `from` is not in `gone`: at most two boxes a dimension. */
export function difference(from: Box, gone: Box): Packets {
  if (!isMet(from, gone)) return [from]
  const left: Box[] = []
  let rest = from
  for (const dimension of DIMENSIONS) {
    const [first, last] = rest[dimension]
    const [low, high] = gone[dimension]
    if (low <= first && last <= high) continue
    if (first < low) left.push({ ...rest, [dimension]: [first, low - 1] })
    if (high < last) left.push({ ...rest, [dimension]: [high + 1, last] })
    rest = { ...rest, [dimension]: [Math.max(first, low), Math.min(last, high)] }
  }
  return left
}

export const within = (packets: Packets, by: Box): Packets => packets.flatMap((each) => intersection(each, by) ?? [])
export const without = (packets: Packets, gone: Box): Packets => packets.flatMap((each) => difference(each, gone))

/**
 * What of the packets is in one of the boxes. The results may overlap: to take each packet once would cut them into many more.
 */
export function withinAny(packets: Packets, boxes: readonly Box[]): Packets {
  const found: Box[] = []
  for (const [index, each] of boxes.entries()) {
    assertFew(found)
    // A box within another one adds nothing. Among very many, looking for it would take longer.
    if (
      boxes.length <= COMPARED_MAX &&
      boxes.some((other, at) => at !== index && covers(other, each) && (at < index || !covers(each, other)))
    )
      continue
    found.push(...within(packets, each))
  }
  return found
}

/** The answers to these packets: their ends exchanged. ICMP keeps its type, because groups and tables follow the request. */
export const answers = (packets: Packets): Packets =>
  packets.map(({ source, destination, protocol, sourcePort, destinationPort }) => ({
    source: destination,
    destination: source,
    protocol,
    sourcePort: destinationPort,
    destinationPort: sourcePort,
  }))
