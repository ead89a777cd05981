/**
 * Which refusals of callers without an account are recorded, and how much of them: sign-ins by web identity and SAML that
 * failed. Such callers cost nothing to be, so the audit log takes a bounded number of small events from them: the first of
 * a kind and network in each minute, a number for the rest, and all of it within a budget of bytes.
 */
import { isIPv6 } from 'node:net'
import type { LogRecord } from '../../store/store.ts'
import { type EventFacts, isoSeconds, MERLON_EVENT_SOURCE, serviceEvent } from '../events/event.ts'

/** What refusals are counted by. */
export interface RefusalKind {
  /** Empty where the request does not prove which account it concerns. */
  readonly account: string
  readonly region: string
  readonly eventSource: string
  readonly eventName: string
  readonly errorCode: string
  /** The resource, where the token or assertion was verified. */
  readonly resource: string | undefined
  readonly remoteAddress: string
}

/** A minute's refusals of one kind from one network, besides the first, which has an event of its own. */
export interface RefusalCount extends Omit<RefusalKind, 'remoteAddress' | 'resource'> {
  readonly network: string
  readonly since: number
  calls: number
}

/** Of one node: the log grows by no more than this in a minute. `docs/operations.md` states it. */
export const REFUSAL_BYTES_A_MINUTE = 512 * 1024
/** One refusal with its searchable attributes, and the number that follows it. */
export const REFUSAL_BYTES_MAX = 8 * 1024
const MINUTE_MS = 60_000
const OTHERS = { account: '', region: 'us-east-1', eventSource: '', eventName: '', errorCode: '', network: '' } as const

export class UnauthenticatedRefusals {
  readonly #report: (count: RefusalCount) => Promise<void>
  readonly #counts = new Map<string, RefusalCount>()
  /** Kinds beyond the budget. */
  #others: RefusalCount | undefined
  #timer: NodeJS.Timeout | undefined
  #reporting: Promise<unknown> = Promise.resolve()

  constructor(report: (count: RefusalCount) => Promise<void>) {
    this.#report = report
  }

  /** Whether this refusal gets an event. If not, it is counted. */
  admit({ remoteAddress, resource, ...kind }: RefusalKind, now: number): boolean {
    this.#timer ??= setTimeout(() => this.#endMinute(), MINUTE_MS).unref()
    const network = networkOf(remoteAddress)
    const { account, region, eventSource, eventName, errorCode } = kind
    const key = JSON.stringify([account, region, eventSource, eventName, errorCode, resource, network])
    const counted = this.#counts.get(key)
    if (counted) {
      counted.calls++
      return false
    }
    // One place is kept for the number of all others.
    if ((this.#counts.size + 2) * REFUSAL_BYTES_MAX > REFUSAL_BYTES_A_MINUTE) {
      this.#others ??= { ...OTHERS, since: now, calls: 0 }
      this.#others.calls++
      return false
    }
    this.#counts.set(key, { ...kind, network, since: now, calls: 0 })
    return true
  }

  /** Ends the minute now; returns when every number is recorded. */
  async close(): Promise<void> {
    this.#endMinute()
    await this.#reporting
  }

  #endMinute(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const ended = [...this.#counts.values(), ...(this.#others ? [this.#others] : [])].filter(({ calls }) => calls > 0)
    this.#counts.clear()
    this.#others = undefined
    // A store that accepts no writes any more ends the process.
    const reports = ended.map((count) => this.#report(count).catch(() => undefined))
    this.#reporting = Promise.all([this.#reporting, ...reports])
  }
}

/** The event that records the refusals of a minute beyond the first. */
export const refusalCountEvent = ({ account, region, since, ...counted }: RefusalCount, timeMs: number): LogRecord =>
  serviceEvent({
    account,
    region,
    timeMs,
    eventSource: MERLON_EVENT_SOURCE,
    eventName: 'RefusedCalls',
    resources: [],
    details: { ...counted, since: isoSeconds(since) },
  })

/** The network that a caller can easily have all addresses of: `203.0.113.0/24`, `2001:db8:1::/48`. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return /^[\d.]+$/.test(address) ? `${address.split('.').slice(0, 3).join('.')}.0/24` : 'unknown'
  const [head = ''] = address.split('%')
  const mapped = /^::ffff:([\d.]+)$/i.exec(head)
  if (mapped) return networkOf(mapped[1]!)
  const [front = '', back] = head.split('::')
  const groups = front === '' ? [] : front.split(':')
  const behind = back ? back.split(':') : []
  while (back !== undefined && groups.length + behind.length < 8) groups.push('0')
  const first = [...groups, ...behind].slice(0, 3).map((group) => Number.parseInt(group, 16).toString(16))
  return `${first.join(':')}::/48`
}

const TEXT_MAX = 128
const MESSAGE_MAX = 256
const ARN_MAX = 640
const MEMBERS_BYTES_MAX = 1024

/** The same facts, with every text the caller chose cut short. Ends below {@link REFUSAL_BYTES_MAX} whatever was sent. */
export function smallFacts(facts: EventFacts): EventFacts {
  const { draft } = facts
  const { userIdentity } = draft
  return {
    ...facts,
    userAgent: cut(facts.userAgent, TEXT_MAX),
    tlsHost: facts.tlsHost && cut(facts.tlsHost, TEXT_MAX),
    requestParameters: smallMembers(facts.requestParameters),
    error: facts.error && { ...facts.error, message: cut(facts.error.message, MESSAGE_MAX) },
    draft: {
      ...draft,
      resources: draft.resources.slice(0, 1).map((each) => ({ ...each, arn: cut(each.arn, ARN_MAX) })),
      // The event itself names what was refused and why.
      decided: [],
      ...(userIdentity && {
        userIdentity: {
          ...(smallMembers(userIdentity) as typeof userIdentity),
          principalId: cut(userIdentity.principalId, TEXT_MAX),
        },
      }),
    },
  }
}

/** Texts cut, lists and structures left out: none of these calls is understood by them. */
function smallMembers(members: unknown): object | null {
  if (typeof members !== 'object' || members === null) return null
  const small = Object.entries(members).flatMap(([name, value]) => {
    if (typeof value === 'string') return [[name, cut(value, TEXT_MAX)]]
    return typeof value === 'object' ? [] : [[name, value]]
  })
  const written = Object.fromEntries(small) as object
  return Buffer.byteLength(JSON.stringify(written)) <= MEMBERS_BYTES_MAX ? written : { omitted: true }
}

/** In ASCII, of which JSON makes two bytes at most. */
function cut(text: string, max: number): string {
  const plain = text.slice(0, max).replace(/[^\x20-\x7e]/g, '?')
  return text.length <= max ? plain : `${plain}...`
}
