/** What the routers of a lab have seen: packets and bytes of each flow at each interface, accepted and rejected, as nftables counts them. */

/** Of one interface and verdict: flows that are counted. More are carried, and not recorded. */
const FLOWS_MAX = 65_535

const VERDICTS = ['accepted', 'rejected'] as const
export type LabVerdict = (typeof VERDICTS)[number]

/** A set for each device and verdict: nftables 1.0.6 cannot list sets whose keys have a device. */
export const flowSetsOf = (devices: readonly string[]): string =>
  devices.flatMap((device) => VERDICTS.map((verdict) => setText(`${verdict}_${device}`))).join('')

const setText = (name: string): string =>
  `  set flows_${name} {
    type ipv4_addr . inet_service . ipv4_addr . inet_service . inet_proto
    size ${FLOWS_MAX}
    flags dynamic
    counter
  }
  chain ${name} {
    meta l4proto { tcp, udp } update @flows_${name} { ip saddr . th sport . ip daddr . th dport . meta l4proto }
  }
`

/** Lines that count a packet at the interface behind a device: the IP header and what follows, as flow logs do. */
export const recorded = (
  field: 'iifname' | 'oifname',
  verdict: LabVerdict,
  devices: readonly string[],
): readonly string[] =>
  devices.length === 0
    ? []
    : [`${field} vmap { ${devices.map((device) => `"${device}" : jump ${verdict}_${device}`).join(', ')} }`]

export interface LabFlow {
  readonly device: string
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
  readonly protocol: number
  readonly packets: number
  readonly bytes: number
  readonly accepted: boolean
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17 }

interface ListedElement {
  readonly elem?: {
    readonly val?: { readonly concat?: readonly (string | number)[] }
    readonly counter?: { readonly packets: number; readonly bytes: number }
  }
}

/** Out of `nft -j list table ip vpc`. */
export function flowsOf(listed: unknown): readonly LabFlow[] {
  const { nftables = [] } = (listed ?? {}) as {
    readonly nftables?: readonly {
      readonly set?: { readonly name: string; readonly elem?: readonly ListedElement[] }
    }[]
  }
  return nftables.flatMap(({ set }) => {
    const [, verdict, device] = /^flows_(accepted|rejected)_(v\d+)$/.exec(set?.name ?? '') ?? []
    if (device === undefined) return []
    return (set?.elem ?? []).flatMap(({ elem }) => {
      const [source, sourcePort, destination, destinationPort, protocol] = elem?.val?.concat ?? []
      if (protocol === undefined || !elem?.counter) return []
      return [
        {
          device,
          source: String(source),
          sourcePort: Number(sourcePort),
          destination: String(destination),
          destinationPort: Number(destinationPort),
          protocol: PROTOCOLS[String(protocol)] ?? Number(protocol),
          packets: elem.counter.packets,
          bytes: elem.counter.bytes,
          accepted: verdict === 'accepted',
        },
      ]
    })
  })
}
