/** Instances that send floods: more packets a minute to one address than ordinary traffic has. */
import { NONE, type Rule, type RuleFactory } from '../rule.ts'
import type { FlowEvent } from '../types.ts'
import { flowParts } from './flow-parts.ts'
import { addId, type Window, windowAt } from './windows.ts'

const MINUTE_MS = 60_000
const TCP_PORTS: ReadonlySet<number> = new Set([21, 22, 23, 25, 80, 110, 143, 3306, 3389, 5432])
/** ICMP, TCP, UDP, IPv6 in IPv4, GRE, ESP, AH, ICMPv6. */
const USUAL_PROTOCOLS: ReadonlySet<number> = new Set([1, 6, 17, 41, 47, 50, 51, 58])

/** Packets a minute, by kind. Of TCP only small packets count: large ones are transfers. */
const PACKETS_MIN: Readonly<Record<string, number>> = {
  Tcp: 300_000,
  Udp: 300_000,
  Dns: 60_000,
  UdpOnTcpPorts: 60_000,
  UnusualProtocol: 60_000,
}
const SMALL_PACKET_BYTES = 120

function kindOf({ protocol, packets, bytes }: FlowEvent, port: number): string | undefined {
  if (protocol === 6) return bytes / Math.max(packets, 1) <= SMALL_PACKET_BYTES ? 'Tcp' : undefined
  if (protocol === 17) return port === 53 ? 'Dns' : TCP_PORTS.has(port) ? 'UdpOnTcpPorts' : 'Udp'
  return USUAL_PROTOCOLS.has(protocol) ? undefined : 'UnusualProtocol'
}

export const denialOfService: RuleFactory = ({ state, lookups, endsOf }): Rule => {
  const windows = state.table<Window>('floods')
  return {
    name: 'denial-of-service',
    types: Object.keys(PACKETS_MIN).map((kind) => `Backdoor:EC2/DenialOfService.${kind}`),
    source:
      'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html#backdoor-ec2-denialofservicetcp',
    flow: (event) => {
      const ends = endsOf(event)
      if (!ends || ends.localAddress !== event.sourceAddress || ends.isAnswer) return NONE
      const kind = kindOf(event, ends.remotePort)
      if (kind === undefined) return NONE
      const minutes = Math.max(1, (event.time - event.start) / MINUTE_MS)
      const key = `${ends.instance} ${ends.remoteAddress} ${kind}`
      const window = windowAt(windows, key, event.start, MINUTE_MS)
      window.amount += event.packets / minutes
      addId(window, event.id)
      const isFound = window.amount >= PACKETS_MIN[kind]! && !window.done
      if (isFound) window.done = true
      windows.put(key, window)
      if (!isFound) return NONE
      return [
        {
          type: `Backdoor:EC2/DenialOfService.${kind}`,
          detail: `${Math.round(window.amount)} packets in a minute`,
          eventIds: window.ids,
          firstSeen: window.from,
          ...flowParts(event, ends, lookups),
        },
      ]
    },
  }
}
