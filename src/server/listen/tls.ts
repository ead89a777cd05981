/** TLS for listeners: the certificate is chosen anew for each handshake, so that it can change without a restart. */
import { constants, createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { Logger } from '../compose/log.ts'
import { InstallationError } from '../compose/operator-errors.ts'

/** A certificate with its key, ready for handshakes. */
export interface TlsIdentity {
  /** PEM; the certificates of its issuers may follow. */
  readonly cert: string
  readonly key: string
  readonly context: SecureContext
  /** Whether the certificate covers a name that a client requests. */
  covers(serverName: string): boolean
}

export interface TlsSource {
  /** Called for each handshake. */
  current(): TlsIdentity
  /** For the name that a client requests, where there are more certificates than one; undefined for a name that has none. Never throws. */
  named?(serverName: string): Promise<TlsIdentity | undefined>
}

/** TLS 1.2 only with forward secrecy and authenticated encryption (RFC 9325 §4.2). */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

export const TLS_OPTIONS = {
  minVersion: 'TLSv1.2',
  ciphers: CIPHERS,
  honorCipherOrder: true,
  // A client could make the server pay for one handshake after the other.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const satisfies SecureContextOptions

export function tlsIdentity(cert: string, key: string): TlsIdentity {
  const certificate = new X509Certificate(cert)
  return {
    cert,
    key,
    context: createSecureContext({ ...TLS_OPTIONS, cert, key }),
    covers: (serverName) => certificate.checkHost(serverName, { subject: 'never' }) !== undefined,
  }
}

/** How often the files are looked at, at most. */
const LOOK_MS = 1_000
const DAY_MS = 24 * 60 * 60 * 1000
const EXPIRES_SOON_MS = 14 * DAY_MS

/**
 * A certificate and a key in files. Both are read again when one has changed. While they do not belong together, or cannot
 * be read, the last good pair is used: of two files one is always replaced first.
 */
export class TlsFiles implements TlsSource {
  readonly #files: { readonly cert: string; readonly key: string }
  readonly #logger: Logger
  readonly #now: () => number
  #identity: TlsIdentity
  #seen: string
  #lookedAt: number

  /** Throws an {@link InstallationError} when the files cannot be used. `now` is monotone, in milliseconds. */
  constructor(files: { readonly cert: string; readonly key: string }, logger: Logger, now = () => performance.now()) {
    this.#files = files
    this.#logger = logger
    this.#now = now
    this.#seen = this.#state()
    this.#lookedAt = now()
    this.#identity = this.#read()
  }

  current(): TlsIdentity {
    const now = this.#now()
    if (now - this.#lookedAt < LOOK_MS) return this.#identity
    this.#lookedAt = now
    try {
      const seen = this.#state()
      if (seen === this.#seen) return this.#identity
      this.#seen = seen
      this.#identity = this.#read()
      this.#logger.log('info', 'the TLS certificate was read again', { ...this.#files })
    } catch (error) {
      this.#logger.log('error', 'the TLS certificate cannot be used; the last good one stays in use', { error })
    }
    return this.#identity
  }

  /** Also changes when a link leads elsewhere, as with mounted secrets of Kubernetes. */
  #state(): string {
    return JSON.stringify(
      [this.#files.cert, this.#files.key].map((file) => {
        const { ino, size, mtimeMs, ctimeMs } = statSync(file)
        return [ino, size, mtimeMs, ctimeMs]
      }),
    )
  }

  #read(): TlsIdentity {
    const { cert: certFile, key: keyFile } = this.#files
    const [cert, key] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')]
    try {
      const certificate = new X509Certificate(cert)
      if (!certificate.checkPrivateKey(createPrivateKey(key))) throw new Error('the key does not belong to it')
      const validMs = Date.parse(certificate.validTo) - Date.now()
      if (validMs < EXPIRES_SOON_MS)
        this.#logger.log('warn', 'the TLS certificate expires soon, or has expired', { validTo: certificate.validTo })
      return tlsIdentity(cert, key)
    } catch (error) {
      throw new InstallationError(
        `The certificate ${certFile} with the key ${keyFile} cannot be used (${(error as Error).message}). Both are PEM; the certificate of the server comes first.`,
        'MERLON_TLS_INVALID',
        { cause: error },
      )
    }
  }
}
