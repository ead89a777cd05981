/**
 * TLS for names that the server's own certificate does not cover: custom domains with certificates of ACM, chosen by the name that the
 * client requests (SNI). A renewed certificate is served to later handshakes; connections that are open stay open.
 */
import type { UsableCertificate } from '../../kernel/ports/certificates.ts'
import type { Logger } from '../compose/log.ts'
import { type TlsIdentity, type TlsSource, tlsIdentity } from './tls.ts'

/** How often the certificate of a name is read, at most. */
const LOOK_MS = 5_000
/** Names in memory: clients invent as many as they like. */
const NAMES_MAX = 1_000
/** Reads for names that are not in memory. */
const LOOKS_PER_SECOND = 100
const HOST = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/

export interface DomainTlsOptions {
  /** For clients that request no name, or one that it covers. */
  readonly own: TlsSource
  /** The certificate of a name; undefined when there is none, or the server is sealed. */
  readonly read: (serverName: string) => Promise<UsableCertificate | undefined>
  readonly logger: Logger
  /** Monotone, in milliseconds. */
  readonly now?: () => number
}

interface Known {
  readonly lookedAt: number
  readonly serial: string | undefined
  /** undefined for a name without a certificate. */
  readonly identity: TlsIdentity | undefined
}

export class DomainTls implements TlsSource {
  readonly #options: DomainTlsOptions
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  readonly #reads = new Map<string, Promise<Known>>()
  #second = 0
  #looks = 0

  constructor(options: DomainTlsOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  current(): TlsIdentity {
    return this.#options.own.current()
  }

  /** The identity for a name; undefined when there is none. Never throws. */
  async named(serverName: string): Promise<TlsIdentity | undefined> {
    const own = this.current()
    if (own.covers(serverName)) return own
    const name = serverName.toLowerCase()
    if (!HOST.test(name)) return undefined
    const known = this.#known.get(name)
    if (!known) return this.#mayLook() ? (await this.#read(name)).identity : undefined
    if (this.#now() - known.lookedAt >= LOOK_MS) {
      const read = this.#read(name)
      // What is served waits for nothing; a name that had no certificate has nothing to serve meanwhile.
      if (!known.identity) return (await read).identity
    }
    return known.identity
  }

  #mayLook(): boolean {
    const second = Math.floor(this.#now() / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#looks = 0
    }
    return ++this.#looks <= LOOKS_PER_SECOND
  }

  /** One at a time for each name. */
  #read(name: string): Promise<Known> {
    const found = this.#reads.get(name)
    if (found) return found
    const read = this.#look(name).finally(() => this.#reads.delete(name))
    this.#reads.set(name, read)
    return read
  }

  /** The last good certificate stays in use where the new one cannot be read. */
  async #look(name: string): Promise<Known> {
    const before = this.#known.get(name)
    const lookedAt = this.#now()
    try {
      const found = await this.#options.read(name)
      if (found && found.serial === before?.serial) return this.#remember(name, { ...before, lookedAt })
      const identity = found && tlsIdentity(found.chain, found.privateKey)
      if (identity)
        this.#options.logger.log('info', 'the certificate of a domain is in use', { name, serial: found.serial })
      return this.#remember(name, { lookedAt, serial: found?.serial, identity })
    } catch (error) {
      this.#options.logger.log('error', 'the certificate of a domain cannot be used', { name, error })
      return this.#remember(name, { serial: before?.serial, identity: before?.identity, lookedAt })
    }
  }

  /** Names without a certificate are forgotten first. */
  #remember(name: string, known: Known): Known {
    this.#known.delete(name)
    this.#known.set(name, known)
    if (this.#known.size > NAMES_MAX) {
      const empty = [...this.#known].find(([, { identity }]) => !identity)?.[0]
      this.#known.delete(empty ?? this.#known.keys().next().value!)
    }
    return known
  }
}
