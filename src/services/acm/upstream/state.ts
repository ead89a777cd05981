/** What a certificate's row holds of its order at another authority. */
import type { Sealed } from '../../../vault/sealed-value.ts'

/** A challenge that was chosen. */
export interface UpstreamChallenge {
  readonly type: 'dns-01' | 'http-01'
  readonly url: string
  /** The name that is proved, without an asterisk. */
  readonly name: string
  readonly token: string
  /** `token.thumbprint` */
  readonly keyAuthorization: string
}

export interface UpstreamOrder {
  readonly url: string
  readonly finalize: string
  readonly challenges: readonly UpstreamChallenge[]
  /** Challenges are answered in the turn after the one that published them. */
  readonly isAnswered?: true
  /** Sealed for the serial `ORDER_KEY`: the certificate's own is not known yet. */
  readonly privateKey: Sealed
  /** Epoch milliseconds. */
  readonly startedAt: number
}

export interface UpstreamState {
  /** Orders that failed, one after the other. */
  readonly attempts: number
  /** No order before this time. */
  readonly retryAt?: number
  /** Steps without an answer, one after the other. */
  readonly silences?: number
  readonly order?: UpstreamOrder
}

/** Of a certificate that another authority issued: its directory, and what it says about renewal (RFC 9773). */
export interface UpstreamIssuer {
  readonly directory: string
  /** Chosen within the window that was suggested. */
  readonly renewAt?: number
  /** When the window is read again. */
  readonly nextCheckAt?: number
}

export const ORDER_KEY = 'upstream-order'
