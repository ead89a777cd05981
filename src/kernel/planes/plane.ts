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
      /** Where the snapshot says the port; else the operator does. */
      readonly port?: number
      readonly handle: (socket: Duplex, peer: Peer) => void
    }

export interface Plane {
  readonly name: string
  /** Listeners of one name share a port. */
  readonly listeners: readonly ListenerSpec[]
  /** Present where the snapshot says which listeners there are: called by the server with what to do when they change. */
  onListeners?(changed: () => void): void
  /** A listener of this name could not be opened. */
  onListenError?(name: string, error: Error): void
  start(): Promise<void>
  /** Ends connections at the next response and waits for those in flight, for a short while. */
  drain?(): Promise<void>
  /** `closed` until the plane has a snapshot. */
  health(): 'open' | 'closed'
  /** Of the snapshot that it works from; -1 without one. */
  snapshotNumber(): number
  /** Lines in the Prometheus text format. */
  metrics?(): readonly string[]
  close(): Promise<void>
}
