/** What an instance never did before: connections to new ports, more data than ever, mail to many servers. */

import type { ConnectionEnds } from '../flow-ends.ts'
import { isPrivate } from '../flow-ends.ts'
import { type Detection, NONE, type Rule, type RuleFactory } from '../rule.ts'
import type { FlowEvent } from '../types.ts'
import { flowParts } from './flow-parts.ts'
import { addValue, type Window, windowAt } from './windows.ts'

const EC2 = 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html'
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LEARNING_MS = 14 * DAY_MS
/** Fewer say nothing about what is usual. */
const FLOWS_MIN = 500
const PORTS_MAX = 64
const PACKETS_MIN = 10
const VOLUME_BYTES_MIN = 1e9
const TIMES_USUAL = 10
const MAIL_WINDOW_MS = 10 * 60_000
const MAIL_SERVERS_MIN = 20
const MAIL_PORT = 25

/** What the outbound connections of an instance usually are. */
interface Usual {
  first: number
  flows: number
  /** `port` → when it was first used. */
  ports: [port: number, first: number][]
  hourFrom: number
  hourBytes: number
  /** The most in an hour so far. */
  mostBytes: number
}

const PORT_TYPES: Readonly<Record<number, string>> = {
  53: 'DefenseEvasion:EC2/UnusualDNSResolver',
  853: 'DefenseEvasion:EC2/UnusualDoTActivity',
}

export const unusualTraffic: RuleFactory = ({ state, lookups, endsOf }): Rule => {
  const instances = state.table<Usual>('instance-traffic')
  const mail = state.table<Window>('mail-servers')
  const learningMs = lookups.configuration.learningMs ?? LEARNING_MS
  return {
    name: 'unusual-traffic',
    types: [
      'Behavior:EC2/NetworkPortUnusual',
      'Behavior:EC2/TrafficVolumeUnusual',
      'Backdoor:EC2/Spambot',
      ...Object.values(PORT_TYPES),
    ],
    source: EC2,
    flow: (event) => {
      const ends = endsOf(event)
      if (ends?.direction !== 'OUTBOUND' || ends.isAnswer || !event.accepted || isPrivate(ends.remoteAddress))
        return NONE
      const usual = instances.get(ends.instance) ?? {
        first: event.time,
        flows: 0,
        ports: [],
        hourFrom: event.time,
        hourBytes: 0,
        mostBytes: 0,
      }
      const isKnown = usual.flows >= FLOWS_MIN && event.time - usual.first >= learningMs
      const found = [
        ...portOf(event, ends, usual, isKnown),
        ...volumeOf(event, ends, usual, isKnown),
        ...mailOf(event, ends, usual),
      ]
      usual.flows += 1
      instances.put(ends.instance, usual)
      return found
    },
  }

  function portOf(event: FlowEvent, ends: ConnectionEnds, usual: Usual, isKnown: boolean): readonly Detection[] {
    const { remotePort } = ends
    if (usual.ports.some(([port]) => port === remotePort) || event.packets < PACKETS_MIN) return NONE
    if (usual.ports.length >= PORTS_MAX) return NONE
    const ports = usual.ports.map(([port]) => port)
    usual.ports.push([remotePort, event.time])
    if (!isKnown) return NONE
    return [
      {
        type: Object.hasOwn(PORT_TYPES, remotePort) ? PORT_TYPES[remotePort]! : 'Behavior:EC2/NetworkPortUnusual',
        detail: `port ${remotePort} was never used before`,
        unusual: [
          {
            dimension: 'port',
            observed: String(remotePort),
            expected: ports.slice(0, 5).map(String),
            surpriseBits: Math.round(Math.log2(usual.flows) * 10) / 10,
            scope: 'principal',
          },
        ],
        ...flowParts(event, ends, lookups),
      },
    ]
  }

  function volumeOf(event: FlowEvent, ends: ConnectionEnds, usual: Usual, isKnown: boolean): readonly Detection[] {
    if (event.time - usual.hourFrom >= HOUR_MS) {
      usual.mostBytes = Math.max(usual.mostBytes, usual.hourBytes)
      usual.hourFrom = event.time
      usual.hourBytes = 0
    }
    const before = usual.hourBytes
    usual.hourBytes += event.bytes
    const least = Math.max(VOLUME_BYTES_MIN, TIMES_USUAL * usual.mostBytes)
    if (!isKnown || before >= least || usual.hourBytes < least) return NONE
    return [
      {
        type: 'Behavior:EC2/TrafficVolumeUnusual',
        detail: `${Math.round(usual.hourBytes / 1e6)} MB in an hour, at most ${Math.round(usual.mostBytes / 1e6)} MB before`,
        ...flowParts(event, ends, lookups),
      },
    ]
  }

  /** A server that has sent mail for more than a day is a mail server. */
  function mailOf(event: FlowEvent, ends: ConnectionEnds, usual: Usual): readonly Detection[] {
    if (ends.remotePort !== MAIL_PORT || event.protocol !== 6) return NONE
    const first = usual.ports.find(([port]) => port === MAIL_PORT)?.[1] ?? event.time
    const window = windowAt(mail, ends.instance, event.start, MAIL_WINDOW_MS)
    addValue(window, ends.remoteAddress, event.id, MAIL_SERVERS_MIN)
    const isFound = window.values.length >= MAIL_SERVERS_MIN && !window.done && event.time - first < DAY_MS
    if (isFound) window.done = true
    mail.put(ends.instance, window)
    if (!isFound) return NONE
    return [
      {
        type: 'Backdoor:EC2/Spambot',
        detail: `${MAIL_SERVERS_MIN} mail servers in ${MAIL_WINDOW_MS / 60_000} minutes`,
        eventIds: window.ids,
        firstSeen: window.from,
        ...flowParts(event, ends, lookups),
      },
    ]
  }
}
