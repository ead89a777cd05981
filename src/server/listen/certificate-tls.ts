/**
 * The server's TLS certificate out of its own ACM: read anew while handshakes come, so that a renewal is served without a restart,
 * and connections that are open stay open. Until the certificate is issued, and while the server is sealed, another source is used.
 */
import type { UsableCertificate } from '../../kernel/ports/certificates.ts'
import type { Logger } from '../compose/log.ts'
import { type TlsIdentity, type TlsSource, tlsIdentity } from './tls.ts'

/** How often the certificate is read, at most. */
const LOOK_MS = 5_000

export interface CertificateTlsOptions {
  readonly arn: string
  /** Used until the certificate can be read. */
  readonly fallback: TlsSource
  /** undefined while it is not issued, or the server is sealed. */
  readonly read: () => Promise<UsableCertificate | undefined>
  readonly logger: Logger
  /** Monotone, in milliseconds. */
  readonly now?: () => number
}

export class CertificateTls implements TlsSource {
  readonly #options: CertificateTlsOptions
  readonly #now: () => number
  #identity: TlsIdentity | undefined
  #serial: string | undefined
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(options: CertificateTlsOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  current(): TlsIdentity {
    // A handshake waits for nothing: it is the next ones that get what is read now.
    if (this.#now() - this.#lookedAt >= LOOK_MS) void this.refresh()
    return this.#identity ?? this.#options.fallback.current()
  }

  /** Never throws: the last good certificate stays in use. */
  async refresh(): Promise<void> {
    const { arn, read, logger } = this.#options
    this.#lookedAt = this.#now()
    try {
      const found = await read()
      if (!found || found.serial === this.#serial) return
      this.#identity = tlsIdentity(found.chain, found.privateKey)
      this.#serial = found.serial
      logger.log('info', 'the TLS certificate of ACM is in use', { arn, serial: found.serial })
    } catch (error) {
      logger.log('error', 'the TLS certificate of ACM cannot be used; the last good one stays in use', { arn, error })
    }
  }
}
