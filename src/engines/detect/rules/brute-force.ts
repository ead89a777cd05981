/** Passwords guessed over the network: many short connections to a port where people sign in. */
import { NONE, type Rule, type RuleFactory } from '../rule.ts'
import { flowParts } from './flow-parts.ts'
import { addValue, type Window, windowAt } from './windows.ts'

const TYPES: Readonly<Record<number, string>> = {
  22: 'UnauthorizedAccess:EC2/SSHBruteForce',
  3389: 'UnauthorizedAccess:EC2/RDPBruteForce',
  5985: 'Impact:EC2/WinRMBruteForce',
  5986: 'Impact:EC2/WinRMBruteForce',
}
const WINDOW_MS = 5 * 60_000
const CONNECTIONS_MIN = 10
/** A failed sign-in: longer than a probe, shorter than a session. */
const PACKETS = { least: 4, most: 80 }
const BYTES_MAX = 30_000
const SEVERITY = { target: 2, actor: 8 }

export const bruteForce: RuleFactory = ({ state, lookups, endsOf }): Rule => {
  const windows = state.table<Window>('sign-in-attempts')
  return {
    name: 'sign-in-brute-force',
    types: [...new Set(Object.values(TYPES))],
    source:
      'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html#unauthorizedaccess-ec2-sshbruteforce',
    flow: (event) => {
      if (event.protocol !== 6 || !event.accepted || event.bytes > BYTES_MAX) return NONE
      if (event.packets < PACKETS.least || event.packets > PACKETS.most) return NONE
      const ends = endsOf(event)
      if (!ends || ends.isAnswer) return NONE
      const isActor = ends.direction === 'OUTBOUND'
      const port = isActor ? ends.remotePort : ends.localPort
      if (!Object.hasOwn(TYPES, port)) return NONE
      const key = `${ends.instance} ${ends.remoteAddress} ${port} ${isActor}`
      const window = windowAt(windows, key, event.start, WINDOW_MS)
      addValue(window, `${isActor ? ends.localPort : ends.remotePort}`, event.id, CONNECTIONS_MIN)
      const isFound = window.values.length >= CONNECTIONS_MIN && !window.done
      if (isFound) window.done = true
      windows.put(key, window)
      if (!isFound) return NONE
      return [
        {
          type: TYPES[port]!,
          detail: `${CONNECTIONS_MIN} short connections in ${Math.ceil((event.start - window.from) / 1_000)} seconds`,
          severity: isActor ? SEVERITY.actor : SEVERITY.target,
          resourceRole: isActor ? 'ACTOR' : 'TARGET',
          aggregate: isActor ? 'ACTOR' : 'TARGET',
          eventIds: window.ids,
          firstSeen: window.from,
          ...flowParts(event, ends, lookups),
        },
      ]
    },
  }
}
