/**
 * A plane works on real traffic from its last good snapshot of intent. It declares its listeners; the server opens them,
 * so that privileges, limits and draining are in one place.
 */
import type { Duplex } from 'node:stream'

export interface Peer {
  readonly address: string
  readonly port: number
}

export type Responder = (message: Buffer, peer: Peer) => Promise<Buffer | undefined> | Buffer | undefined

export type ListenerSpec =
  | {
      /** UDP: one message, at most one response. */
      readonly kind: 'datagram'
      readonly name: string
      readonly bytesMax: number
      /** Messages that are answered at the same time; more are dropped. */
      readonly runningMax: number
      readonly respond: Responder
    }
  | {
      /** TCP with a length of two bytes before each message: DNS (RFC 1035 §4.2.2). */
      readonly kind: 'framed'
      readonly name: string
      readonly bytesMax: number
      readonly connectionsMax: number
      readonly idleMs: number
      readonly respond: Responder
    }
  | {
      /** TCP, raw. */
      readonly kind: 'stream'
      readonly name: string
      readonly connectionsMax: number
      readonly handle: (socket: Duplex, peer: Peer) => void
    }

export interface Plane {
  readonly name: string
  /** Listeners of one name share a port. */
  readonly listeners: readonly ListenerSpec[]
  start(): Promise<void>
  /** `closed` until the plane has a snapshot. */
  health(): 'open' | 'closed'
  /** Of the snapshot that it works from; -1 without one. */
  snapshotNumber(): number
  close(): Promise<void>
}
