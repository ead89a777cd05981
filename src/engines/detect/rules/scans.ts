/** Instances that probe ports of others. */
import { type Detection, NONE, type Rule, type RuleFactory } from '../rule.ts'
import { flowParts } from './flow-parts.ts'
import { addValue, type Window, windowAt } from './windows.ts'

const SOURCE = 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html#recon-ec2-portscan'
const WINDOW_MS = 60_000
/** A probe: no more packets than it takes to see whether a port is open. */
const PACKETS_MAX = 3
const PORTS_OF_HOST_MIN = 50
const PAIRS_MIN = 100
const PORTS_OF_PAIRS_MIN = 10
const HOSTS_OF_PORT_MIN = 100

const portOf = (pair: string): string => pair.slice(pair.lastIndexOf(' ') + 1)

/** Connections to one port of many hosts are a sweep; to many ports of few hosts, a scan. */
export const scans: RuleFactory = ({ state, lookups, endsOf }): Rule => {
  const hosts = state.table<Window>('scanned-hosts')
  const pairs = state.table<Window>('scanned-pairs')
  const ports = state.table<Window>('swept-ports')
  return {
    name: 'port-scans',
    types: ['Recon:EC2/Portscan', 'Impact:EC2/PortSweep'],
    source: SOURCE,
    flow: (event) => {
      const ends = endsOf(event)
      if (ends?.direction !== 'OUTBOUND' || ends.isAnswer || event.packets > PACKETS_MAX) return NONE
      if (event.protocol !== 6 && event.protocol !== 17) return NONE
      const { instance, remoteAddress, remotePort } = ends
      const found: Detection[] = []

      const host = windowAt(hosts, `${instance} ${remoteAddress}`, event.start, WINDOW_MS)
      addValue(host, String(remotePort), event.id, PORTS_OF_HOST_MIN)
      const pair = windowAt(pairs, instance, event.start, WINDOW_MS)
      addValue(pair, `${remoteAddress} ${remotePort}`, event.id, PAIRS_MIN)
      const isHost = host.values.length >= PORTS_OF_HOST_MIN && !host.done && !pair.done
      const isPairs =
        pair.values.length >= PAIRS_MIN && !pair.done && new Set(pair.values.map(portOf)).size >= PORTS_OF_PAIRS_MIN
      if (isHost || isPairs) {
        const window = isHost ? host : pair
        const what = isHost ? `${PORTS_OF_HOST_MIN} ports of a host` : `${PAIRS_MIN} ports of several hosts`
        found.push({
          type: 'Recon:EC2/Portscan',
          detail: `${what} in ${WINDOW_MS / 1_000} seconds`,
          eventIds: window.ids,
          firstSeen: window.from,
          additionalInfo: { ports: window.values.map((each) => Number(portOf(each))).sort((a, b) => a - b) },
          ...flowParts(event, ends, lookups),
        })
        host.done = true
        pair.done = true
      }
      hosts.put(`${instance} ${remoteAddress}`, host)
      pairs.put(instance, pair)

      const port = windowAt(ports, `${instance} ${remotePort}`, event.start, WINDOW_MS)
      addValue(port, remoteAddress, event.id, HOSTS_OF_PORT_MIN)
      if (port.values.length >= HOSTS_OF_PORT_MIN && !port.done) {
        port.done = true
        found.push({
          type: 'Impact:EC2/PortSweep',
          detail: `port ${remotePort} of ${HOSTS_OF_PORT_MIN} hosts in ${WINDOW_MS / 1_000} seconds`,
          eventIds: port.ids,
          firstSeen: port.from,
          additionalInfo: { port: remotePort },
          ...flowParts(event, ends, lookups),
        })
      }
      ports.put(`${instance} ${remotePort}`, port)
      return found
    },
  }
}
