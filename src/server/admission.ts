/** How much is taken in at a time: requests, and the bytes of their bodies, whoever sends them. Nothing here waits. */
import type { BodyRoom } from '../wire/node-http.ts'

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

/** The part of the room that one body takes. */
export interface Held extends BodyRoom {
  readonly bytes: number
  release(): void
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

  /** By what has come, not by what was announced: who only announces holds nothing. */
  hold(of: 'bodies' | 'uploads'): Held {
    const max = of === 'bodies' ? this.limits.bodyBytesMax : this.limits.uploadBytesMax
    const all = this.#bytes
    const refuse = () => this.refuse(of)
    let mine = 0
    return {
      get bytes() {
        return mine
      },
      take(bytes) {
        if (all[of] + bytes > max) {
          refuse()
          return false
        }
        all[of] += bytes
        mine += bytes
        return true
      },
      release() {
        all[of] -= mine
        mine = 0
      },
    }
  }
}
