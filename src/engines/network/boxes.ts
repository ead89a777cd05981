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

export function intersection(a: Box, b: Box): Box | undefined {
  const result: Partial<Record<Dimension, Range>> = {}
  for (const dimension of DIMENSIONS) {
    const first = Math.max(a[dimension][0], b[dimension][0])
    const last = Math.min(a[dimension][1], b[dimension][1])
    if (first > last) return undefined
    result[dimension] = [first, last]
  }
  return result as Box
}

/** Whether one of the packets is in the box. */
export const meets = (packets: Packets, by: Box): boolean =>
  packets.some((each) =>
    DIMENSIONS.every((dimension) => each[dimension][0] <= by[dimension][1] && by[dimension][0] <= each[dimension][1]),
  )

/** What of `from` is not in `gone`: at most two boxes a dimension. */
export function difference(from: Box, gone: Box): Packets {
  if (!intersection(from, gone)) return [from]
  const left: Box[] = []
  let rest = from
  for (const dimension of DIMENSIONS) {
    const [first, last] = rest[dimension]
    const [low, high] = gone[dimension]
    if (first < low) left.push({ ...rest, [dimension]: [first, low - 1] })
    if (high < last) left.push({ ...rest, [dimension]: [high + 1, last] })
    rest = { ...rest, [dimension]: [Math.max(first, low), Math.min(last, high)] }
  }
  return left
}

export const within = (packets: Packets, by: Box): Packets => packets.flatMap((each) => intersection(each, by) ?? [])
export const without = (packets: Packets, gone: Box): Packets => packets.flatMap((each) => difference(each, gone))

const covers = (outer: Box, inner: Box): boolean =>
  DIMENSIONS.every(
    (dimension) => outer[dimension][0] <= inner[dimension][0] && inner[dimension][1] <= outer[dimension][1],
  )

/** What of the packets is in one of the boxes; each packet once. */
export function withinAny(packets: Packets, boxes: readonly Box[]): Packets {
  const found: Box[] = []
  let rest = packets
  for (const [index, each] of boxes.entries()) {
    // A box within another one would only cut the packets into more parts.
    if (boxes.some((other, at) => at !== index && covers(other, each) && (at < index || !covers(each, other)))) continue
    found.push(...within(rest, each))
    rest = without(rest, each)
    if (rest.length === 0) break
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
