/** A client of ACME (RFC 8555) for one step of an order: signed requests, each with a new nonce. */
import { createHmac } from 'node:crypto'
import type { AcmeAuthorityPort, AcmeAuthoritySettings, AcmeResponse } from '../../../kernel/ports/acme-authority.ts'
import type { Vault } from '../../../vault/vault.ts'
import { thumbprintOf } from '../acme-jws.ts'
import { signAsAccount, type UpstreamAccountRow } from './account.ts'

const ATTEMPTS = 5
/** Directories and addresses of accounts are requested once an hour. */
const KNOWN_MS = 60 * 60 * 1000
const DETAIL_LENGTH_MAX = 300

/** The authority refused. `type` is the last part of the problem's URN. */
export class AcmeProblemError extends Error {
  override readonly name = 'AcmeProblemError'
  readonly type: string

  constructor(type: string, detail: string) {
    super(detail)
    this.type = type
  }
}

export interface Directory {
  readonly newNonce: string
  readonly newAccount: string
  readonly newOrder: string
  readonly renewalInfo?: string
}

interface Known {
  readonly directory: Directory
  readonly kid: string
  readonly readAt: number
}

/** By the address of the directory and the account's key. */
const known = new Map<string, Known>()

export interface Answer<T> {
  readonly json: T
  readonly headers: AcmeResponse['headers']
  readonly text: string
}

const base64url = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

export class AcmeClient {
  readonly #port: AcmeAuthorityPort
  readonly #settings: AcmeAuthoritySettings
  readonly #vault: Pick<Vault, 'materials'>
  readonly #account: UpstreamAccountRow
  readonly #now: number
  #nonce: string | undefined
  #known: Known | undefined

  constructor(options: {
    readonly port: AcmeAuthorityPort
    readonly settings: AcmeAuthoritySettings
    readonly vault: Pick<Vault, 'materials'>
    readonly account: UpstreamAccountRow
    readonly now: number
  }) {
    this.#port = options.port
    this.#settings = options.settings
    this.#vault = options.vault
    this.#account = options.account
    this.#now = options.now
  }

  /** RFC 7638, of the account's key: part of what a challenge expects. */
  get thumbprint(): string {
    return thumbprintOf(this.#account.jwk)
  }

  async directory(): Promise<Directory> {
    return (await this.#ready()).directory
  }

  /** POST-as-GET without a payload. Throws an {@link AcmeProblemError}, or an error of the transport. */
  async post<T>(url: string, payload?: object): Promise<Answer<T>> {
    const { kid, directory } = await this.#ready()
    return this.#signed<T>(directory, url, { kid }, payload)
  }

  /** A document that needs no signature. */
  async get<T>(url: string): Promise<T> {
    return answerOf<T>(await this.#port.send({ method: 'GET', url })).json
  }

  /** The directory, and the account, which is created when it is new: with a key that has one, its address comes back. */
  async #ready(): Promise<Known> {
    if (this.#known) return this.#known
    const at = `${this.#settings.directory} ${this.thumbprint}`
    const found = known.get(at)
    if (found && this.#now >= found.readAt && this.#now < found.readAt + KNOWN_MS) {
      this.#known = found
      return found
    }
    const directory = await this.get<Directory>(this.#settings.directory)
    const { jwk } = this.#account
    const { headers } = await this.#signed(directory, directory.newAccount, { jwk }, this.#newAccount(directory))
    const kid = headers['location']
    if (!kid) throw new AcmeProblemError('malformed', 'The answer to newAccount has no address.')
    this.#known = { directory, kid, readAt: this.#now }
    known.set(at, this.#known)
    return this.#known
  }

  #newAccount({ newAccount }: Directory): object {
    const { contacts, binding } = this.#settings
    return {
      termsOfServiceAgreed: true,
      ...(contacts.length > 0 && { contact: contacts.map((each) => `mailto:${each}`) }),
      ...(binding && { externalAccountBinding: this.#bound(binding, newAccount) }),
    }
  }

  /** RFC 8555 §7.3.4. */
  #bound({ keyId, macKey }: NonNullable<AcmeAuthoritySettings['binding']>, url: string): object {
    const head = base64url({ alg: 'HS256', kid: keyId, url })
    const payload = base64url(this.#account.jwk)
    const signature = createHmac('sha256', macKey).update(`${head}.${payload}`).digest('base64url')
    return { protected: head, payload, signature }
  }

  async #signed<T>(directory: Directory, url: string, by: object, payload?: object): Promise<Answer<T>> {
    for (let attempt = 1; ; attempt++) {
      const nonce = this.#nonce ?? (await this.#newNonce(directory))
      this.#nonce = undefined
      const head = base64url({ alg: 'ES256', nonce, url, ...by })
      const text = payload === undefined ? '' : base64url(payload)
      const signature = await signAsAccount(this.#vault, this.#account, Buffer.from(`${head}.${text}`))
      const body = JSON.stringify({ protected: head, payload: text, signature: signature.toString('base64url') })
      const response = await this.#port.send({ method: 'POST', url, body })
      this.#nonce = response.headers['replay-nonce']
      try {
        return answerOf<T>(response)
      } catch (error) {
        // RFC 8555 §6.5: what was refused for its nonce alone is sent again.
        if (!(error instanceof AcmeProblemError) || error.type !== 'badNonce' || attempt >= ATTEMPTS) throw error
      }
    }
  }

  async #newNonce({ newNonce }: Directory): Promise<string> {
    const { headers } = await this.#port.send({ method: 'HEAD', url: newNonce })
    const nonce = headers['replay-nonce']
    if (!nonce) throw new AcmeProblemError('malformed', 'The authority sent no nonce.')
    return nonce
  }
}

function answerOf<T>({ status, headers, body }: AcmeResponse): Answer<T> {
  const isJson = /json/.test(headers['content-type'] ?? '')
  let json: unknown
  try {
    json = isJson && body !== '' ? JSON.parse(body) : undefined
  } catch {
    throw new AcmeProblemError('malformed', 'The answer of the authority is not JSON.')
  }
  if (status >= 200 && status < 300) return { json: json as T, headers, text: body }
  const { type = '', detail = '' } = (json ?? {}) as { readonly type?: unknown; readonly detail?: unknown }
  throw problemOf({ type, detail: detail || `The authority answered with status ${status}.` })
}

/** The text comes from another server: it is cut, and its control characters are left out. */
export function problemOf({ type, detail }: { readonly type?: unknown; readonly detail?: unknown }): AcmeProblemError {
  const text = String(detail ?? '').replace(/\p{C}/gu, ' ')
  return new AcmeProblemError(String(type).replace(/^.*:/, '').slice(0, 64), text.slice(0, DETAIL_LENGTH_MAX))
}
