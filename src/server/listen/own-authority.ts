/**
 * The certificate authority of an installation, for `--tls auto`: made at the first start, limited to the names that the
 * server has, and kept in one file. The server's own certificate is issued at each start and renewed while it runs; its key
 * is never written.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { issueAuthority, issueServer, type Signer } from '../../engines/x509/issue.ts'
import type { Logger } from '../compose/log.ts'
import { InstallationError } from '../compose/operator-errors.ts'
import { type TlsIdentity, type TlsSource, tlsIdentity } from './tls.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const AUTHORITY_DAYS = 3_650
const SERVER_DAYS = 60
const RENEWED_BEFORE_DAYS = 20
/** Clocks of clients may be behind. */
const BACKDATED_MS = DAY_MS
const NAMES = /^# names: (.*)$/m

export const authorityFileOf = (directory: string): string => join(directory, 'authority.pem')
/** For clients: the certificate alone. */
export const authorityCertificateOf = (directory: string): string => join(directory, 'ca.pem')

/** Where an installation keeps it, below the data directory. */
export const AUTHORITY_DIRECTORY = 'tls'

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62}\.?)*$/

/** The names that a server's certificate is for: always this machine's own, and those that are listed. */
export function namesOfServer(listed: readonly string[]): readonly string[] {
  const names = ['localhost', '127.0.0.1', '::1', hostname(), ...listed].map((name) => name.toLowerCase())
  const isUsable = (name: string) => !['0.0.0.0', '::'].includes(name) && (isIP(name) !== 0 || HOST_NAME.test(name))
  return [...new Set(names.filter(isUsable))]
}

export interface Authority extends Signer {
  readonly names: readonly string[]
}

/** undefined when there is none. Throws when the file is damaged. */
export function readAuthority(directory: string): Authority | undefined {
  const file = authorityFileOf(directory)
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  try {
    const [certificateText = '', keyText = ''] = text.split(/(?=-----BEGIN PRIVATE KEY-----)/)
    const certificate = new X509Certificate(certificateText)
    const key = createPrivateKey(keyText)
    if (!certificate.checkPrivateKey(key)) throw new Error('its key does not belong to its certificate')
    return { certificate, key, names: NAMES.exec(text)![1]!.split(' ') }
  } catch (error) {
    throw new InstallationError(
      `The certificate authority ${file} cannot be used (${(error as Error).message}). Put a copy back, or remove the file: the next start makes a new authority.`,
      'MERLON_TLS_INVALID',
      { cause: error },
    )
  }
}

function createAuthority(directory: string, names: readonly string[], now: number): Authority {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const serial = randomSerial()
  const host = hostname()
    .replace(/[^\w.-]/g, '')
    .slice(0, 40)
  const certificate = issueAuthority({
    commonName: `Merlon CA ${host} ${serial.toString('hex').slice(0, 8)}`,
    names,
    key,
    publicKey,
    serial,
    notBefore: new Date(now - BACKDATED_MS),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY_MS),
  })
  const pem = key.export({ type: 'pkcs8', format: 'pem' })
  const file = authorityFileOf(directory)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  write(file, `# names: ${names.join(' ')}\n${certificate}${pem}`, 0o600)
  return { certificate, key, names }
}

/** A reader finds the old file or the new one. */
function write(file: string, text: string, mode: number): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, text, { mode })
  chmodSync(draft, mode)
  renameSync(draft, file)
}

const randomSerial = (): Buffer => {
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  return serial
}

/** A name of the list, or one below it. */
const isPermitted = (name: string, permitted: readonly string[]): boolean =>
  permitted.some((each) => name === each || (isIP(name) === 0 && isIP(each) === 0 && name.endsWith(`.${each}`)))

export class OwnAuthority implements TlsSource {
  readonly #authority: Authority
  readonly #names: readonly string[]
  readonly #now: () => number
  #identity: TlsIdentity
  #renewAt: number

  /**
   * `names`: DNS names and IP addresses that clients use. An authority that is not limited to all of them is replaced, which
   * clients notice: they must trust the new one.
   */
  constructor(directory: string, names: readonly string[], logger: Logger, now: () => number = Date.now) {
    const found = readAuthority(directory)
    const missing = found ? names.filter((name) => !isPermitted(name, found.names)) : []
    const isExpired = found !== undefined && Date.parse(found.certificate.validTo) < now() + SERVER_DAYS * DAY_MS
    const isKept = found !== undefined && missing.length === 0 && !isExpired
    this.#authority = isKept ? found : createAuthority(directory, names, now())
    const file = authorityCertificateOf(directory)
    write(file, this.#authority.certificate.toString(), 0o644)
    if (!isKept)
      logger.log(found ? 'warn' : 'info', `a certificate authority was created: clients must trust ${file}`, {
        names,
        fingerprint: this.#authority.certificate.fingerprint256,
        ...(found && {
          replaced: isExpired ? 'the last one expires' : `the last one is not for ${missing.join(', ')}`,
        }),
      })
    this.#names = names
    this.#now = now
    ;[this.#identity, this.#renewAt] = this.#issue()
  }

  /** What clients must trust. */
  get authorityPem(): string {
    return this.#authority.certificate.toString()
  }

  current(): TlsIdentity {
    if (this.#now() >= this.#renewAt) [this.#identity, this.#renewAt] = this.#issue()
    return this.#identity
  }

  #issue(): [TlsIdentity, number] {
    const now = this.#now()
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const dotted = this.#names.filter((name) => isIP(name) === 0 && name.includes('.'))
    const certificate = issueServer(
      {
        commonName: 'Merlon',
        // Buckets are names below the server's.
        names: [...this.#names, ...dotted.map((name) => `*.${name}`)],
        publicKey: createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })),
        serial: randomSerial(),
        notBefore: new Date(now - BACKDATED_MS),
        notAfter: new Date(now + SERVER_DAYS * DAY_MS),
      },
      this.#authority,
    )
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    return [tlsIdentity(certificate.toString(), key), now + (SERVER_DAYS - RENEWED_BEFORE_DAYS) * DAY_MS]
  }
}
