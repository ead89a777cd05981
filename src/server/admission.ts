/** How much is taken in at a time: requests, and the bytes of their bodies, whoever sends them. Nothing here waits. */
import type { BodyRoom } from '../wire/node-http.ts'
import type { ArrivingBody } from './slow-bodies.ts'

export interface AdmissionLimits {
  /** Requests from their heads until their answers are out. */
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

/** Whoever asks whether the server lives, and how it does, is answered when it does badly: so many at once. */
const VITAL_MORE = 16

/** Why somebody was turned away, or cut off. */
export type Refusal = 'requests' | 'bodies' | 'uploads' | 'slow_body' | 'slow_reader' | 'connections'

export interface Load {
  readonly requests: number
  readonly bodyBytes: number
  readonly answerBytes: number
  readonly refused: Readonly<Record<Refusal, number>>
}

/** The room that a body takes: by what has come, not by what was announced. Who only announces holds nothing. */
export class HeldBody implements ArrivingBody, BodyRoom {
  readonly announced: number | undefined
  readonly msMax: number
  readonly startedAt = performance.now()
  bytes = 0
  isComplete = false
  abort?: (error: Error) => void
  readonly #take: (bytes: number) => boolean

  constructor(announced: number | undefined, msMax: number, take: (bytes: number) => boolean) {
    this.announced = announced
    this.msMax = msMax
    this.#take = take
  }

  take(bytes: number): boolean {
    if (!this.#take(bytes)) return false
    this.bytes += bytes
    return true
  }

  complete(): void {
    this.isComplete = true
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
  #requests = 0
  readonly #bytes = { bodies: 0, uploads: 0 }

  constructor(limits: AdmissionLimits, onRefused: (why: Refusal) => void = () => undefined) {
    this.limits = limits
    this.#onRefused = onRefused
  }

  get load(): Omit<Load, 'answerBytes'> {
    const { bodies, uploads } = this.#bytes
    return { requests: this.#requests, bodyBytes: bodies + uploads, refused: this.#refused }
  }

  /** False: one too many. True must be followed by {@link leave}. */
  enter(vital: boolean): boolean {
    if (this.#requests >= this.limits.requestsMax + (vital ? VITAL_MORE : 0)) {
      this.refuse('requests')
      return false
    }
    this.#requests++
    return true
  }

  refuse(why: Refusal): void {
    this.#refused[why]++
    this.#onRefused(why)
  }

  leave(): void {
    this.#requests--
  }

  readonly #takeOf = {
    bodies: (bytes: number) => this.#take('bodies', 'bodyBytesMax', bytes),
    uploads: (bytes: number) => this.#take('uploads', 'uploadBytesMax', bytes),
  }

  hold(of: 'bodies' | 'uploads', announced: number | undefined, msMax: number): HeldBody {
    return new HeldBody(announced, msMax, this.#takeOf[of])
  }

  release(of: 'bodies' | 'uploads', body: HeldBody): void {
    this.#bytes[of] -= body.bytes
  }

  #take(of: 'bodies' | 'uploads', max: 'bodyBytesMax' | 'uploadBytesMax', bytes: number): boolean {
    if (this.#bytes[of] + bytes > this.limits[max]) {
      this.refuse(of)
      return false
    }
    this.#bytes[of] += bytes
    return true
  }
}
