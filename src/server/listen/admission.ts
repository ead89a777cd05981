/** How much is admitted at a time: requests, and the bytes of their bodies, from all clients. Nothing here waits. */
import { type BodyBudget, BodyBudgetError } from '../../wire/node-http.ts'
import type { ArrivingBody } from './slow-bodies.ts'

export interface AdmissionLimits {
  /** Requests from the ends of their bodies until their answers are out. */
  readonly requestsMax: number
  /** Bytes of all bodies but those of uploads. */
  readonly bodyBytesMax: number
  readonly uploadBytesMax: number
  /** Bytes of answers that wait for their readers. */
  readonly answerBytesMax: number
}

const MIB = 1024 * 1024

/**
 * So many requests are a sixth of a second of work on two cores; the SDKs open fifty connections a client. The bytes are
 * what such a machine can spare beside a database: twenty of the largest ordinary bodies, four of the largest uploads.
 */
export const admissionDefaults: AdmissionLimits = {
  requestsMax: 2_048,
  bodyBytesMax: 128 * MIB,
  uploadBytesMax: 280 * MIB,
  answerBytesMax: 128 * MIB,
}

/** Requests for liveness and health are answered even under overload: so many at once. */
const VITAL_MORE = 16

/** Why a client was refused or disconnected. */
export type Refusal = 'requests' | 'bodies' | 'uploads' | 'slow_body' | 'slow_reader' | 'connections'

export interface Load {
  readonly requests: number
  readonly bodyBytes: number
  readonly answerBytes: number
  readonly refused: Readonly<Record<Refusal, number>>
}

type Budget = 'bodies' | 'uploads'

const budgets = { bodies: 'bodyBytesMax', uploads: 'uploadBytesMax' } as const

/** No body is cut off in favor of another one before this. */
const EVICTABLE_AFTER_MS = 1_000

/** The bytes that a body holds: those that have come, not those that were announced. */
export class HeldBody implements ArrivingBody, BodyBudget {
  readonly of: Budget
  readonly announced: number | undefined
  readonly msMax: number
  readonly address: string
  readonly startedAt = performance.now()
  bytes = 0
  isComplete = false
  isEvicted = false
  abort?: (error: Error) => void
  readonly #take: (bytes: number) => boolean

  constructor(
    of: Budget,
    announced: number | undefined,
    msMax: number,
    address: string,
    take: (bytes: number) => boolean,
  ) {
    this.of = of
    this.announced = announced
    this.msMax = msMax
    this.address = address
    this.#take = take
  }

  /** Bytes a millisecond. */
  rate(now: number, coming = 0): number {
    return (this.bytes + coming) / Math.max(1, now - this.startedAt)
  }

  take(bytes: number): boolean {
    if (!this.#take(bytes)) return false
    this.bytes += bytes
    return true
  }

  complete(): void {
    this.isComplete = true
  }

  /** Its bytes are released: it accepts no more. */
  evict(): void {
    this.isEvicted = true
    this.bytes = 0
    this.abort?.(new BodyBudgetError())
  }
}

export class Admission {
  readonly limits: AdmissionLimits
  readonly #refused: Record<Refusal, number> = {
    requests: 0,
    bodies: 0,
    uploads: 0,
    slow_body: 0,
    slow_reader: 0,
    connections: 0,
  }
  readonly #onRefused: (why: Refusal) => void
  #arriving = 0
  #working = 0
  /** Bodies that hold bytes. */
  readonly #held = new Set<HeldBody>()
  readonly #bytes = { bodies: 0, uploads: 0 }

  constructor(limits: AdmissionLimits, onRefused: (why: Refusal) => void = () => undefined) {
    this.limits = limits
    this.#onRefused = onRefused
  }

  get load(): Omit<Load, 'answerBytes'> {
    const { bodies, uploads } = this.#bytes
    return { requests: this.#arriving + this.#working, bodyBytes: bodies + uploads, refused: this.#refused }
  }

  /** A request whose body is still to come: it holds no place, so that slow senders take none. {@link depart} follows. */
  arrive(vital: boolean): boolean {
    if (!this.#hasRoom(vital)) {
      this.refuse('requests')
      return false
    }
    this.#arriving++
    return true
  }

  depart(): void {
    this.#arriving--
  }

  /** A place for a request whose body has come. False: there are too many. True must be followed by {@link leave}. */
  enter(vital: boolean): boolean {
    if (!this.#hasRoom(vital)) {
      this.refuse('requests')
      return false
    }
    this.#working++
    return true
  }

  #hasRoom(vital: boolean): boolean {
    return this.#working < this.limits.requestsMax + (vital ? VITAL_MORE : 0)
  }

  refuse(why: Refusal): void {
    this.#refused[why]++
    this.#onRefused(why)
  }

  leave(): void {
    this.#working--
  }

  hold(of: Budget, announced: number | undefined, msMax: number, address = ''): HeldBody {
    const body: HeldBody = new HeldBody(of, announced, msMax, address, (bytes) => this.#take(of, body, bytes))
    return body
  }

  release(of: Budget, body: HeldBody): void {
    this.#held.delete(body)
    this.#bytes[of] -= body.bytes
  }

  #take(of: Budget, body: HeldBody, bytes: number): boolean {
    const max = this.limits[budgets[of]]
    if (this.#bytes[of] + bytes > max) this.#evictSlower(of, body, bytes)
    if (body.isEvicted || this.#bytes[of] + bytes > max) {
      this.refuse(of)
      return false
    }
    this.#held.add(body)
    this.#bytes[of] += bytes
    return true
  }

  /**
   * Frees space for a body: the slowest of the address that holds most ends, if it is slower than the one that comes.
   */
  #evictSlower(of: Budget, body: HeldBody, coming: number): void {
    const now = performance.now()
    const bytesOf = new Map<string, number>()
    const slow = [...this.#held].filter(
      (each) => each.of === of && !each.isComplete && each !== body && now - each.startedAt > EVICTABLE_AFTER_MS,
    )
    for (const { address, bytes } of slow) bytesOf.set(address, (bytesOf.get(address) ?? 0) + bytes)
    let victim: HeldBody | undefined
    for (const each of slow) {
      if (victim === undefined) victim = each
      else {
        const more = bytesOf.get(each.address)! - bytesOf.get(victim.address)!
        if (more > 0 || (more === 0 && each.rate(now) < victim.rate(now))) victim = each
      }
    }
    if (!victim || victim.rate(now) >= body.rate(now, coming)) return
    this.refuse(of)
    this.#held.delete(victim)
    this.#bytes[of] -= victim.bytes
    victim.evict()
  }
}
