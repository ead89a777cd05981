/** A client of ACME (RFC 8555) for one step of an order: signed requests, each with a new nonce. */
import { createHmac } from 'node:crypto'
import type {
  AcmeAuthorityPort,
  AcmeAuthoritySettings,
  AcmeRequest,
  AcmeResponse,
} from '../../../kernel/ports/acme-authority.ts'
import type { Vault } from '../../../vault/vault.ts'
import { thumbprintOf } from '../acme-jws.ts'
import { signAsAccount, type UpstreamAccountRow } from './account.ts'
import { AcmeProblemError, type Directory, type Problem, problemOf, readDirectory, readLocation } from './answers.ts'

const ATTEMPTS = 5
/** Directories and addresses of accounts are requested once an hour. */
const KNOWN_MS = 60 * 60 * 1000
/** Of one step: an authority that answers slowly, or leads from one address to the next, holds up no other work for longer. */
const STEP_MS_MAX = 60_000
const REQUESTS_MAX = 500
/** RFC 8555 §6.5.1: others are ignored. */
const NONCE = /^[\w-]{1,1024}$/

interface Known {
  readonly directory: Directory
  readonly kid: string
  readonly readAt: number
}

/** By the address of the directory and the account's key. */
const known = new Map<string, Known>()

/** `json` comes from another server: see `answers.ts`. */
export interface Answer {
  readonly json: unknown
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
  readonly #startedAt = performance.now()
  #requests = 0

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
  async post(url: string, payload?: object): Promise<Answer> {
    const { kid, directory } = await this.#ready()
    try {
      return await this.#signed(directory, url, { kid }, payload)
    } catch (error) {
      // The authority forgot the account: the next step creates it again.
      if (error instanceof AcmeProblemError && error.type === 'accountDoesNotExist') known.delete(this.#at)
      throw error
    }
  }

  /** A document that needs no signature. */
  async get(url: string): Promise<unknown> {
    return answerOf(await this.#send({ method: 'GET', url })).json
  }

  get #at(): string {
    return `${this.#settings.directory} ${this.thumbprint}`
  }

  /** The directory, and the account, which is created when it is new: with a key that has one, its address comes back. */
  async #ready(): Promise<Known> {
    if (this.#known) return this.#known
    const found = known.get(this.#at)
    if (found && this.#now >= found.readAt && this.#now < found.readAt + KNOWN_MS) {
      this.#known = found
      return found
    }
    const directory = readDirectory(await this.get(this.#settings.directory))
    const { jwk } = this.#account
    const { headers } = await this.#signed(directory, directory.newAccount, { jwk }, this.#newAccount(directory))
    this.#known = { directory, kid: readLocation(headers['location'], 'an account'), readAt: this.#now }
    known.set(this.#at, this.#known)
    return this.#known
  }

  /** To the origin of the directory alone, within the budget of the step. */
  async #send(request: AcmeRequest): Promise<AcmeResponse> {
    if (!URL.canParse(request.url) || new URL(request.url).origin !== new URL(this.#settings.directory).origin)
      throw new AcmeProblemError('malformed', 'it answered an address that is not its own')
    if (++this.#requests > REQUESTS_MAX || performance.now() - this.#startedAt > STEP_MS_MAX)
      throw new Error('it takes too long')
    return this.#port.send(request)
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

  async #signed(directory: Directory, url: string, by: object, payload?: object): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const nonce = this.#nonce ?? (await this.#newNonce(directory))
      this.#nonce = undefined
      const head = base64url({ alg: 'ES256', nonce, url, ...by })
      const text = payload === undefined ? '' : base64url(payload)
      const signature = await signAsAccount(this.#vault, this.#account, Buffer.from(`${head}.${text}`))
      const body = JSON.stringify({ protected: head, payload: text, signature: signature.toString('base64url') })
      const response = await this.#send({ method: 'POST', url, body })
      this.#nonce = nonceIn(response)
      try {
        return answerOf(response)
      } catch (error) {
        // RFC 8555 §6.5: what was refused for its nonce alone is sent again.
        if (!(error instanceof AcmeProblemError) || error.type !== 'badNonce' || attempt >= ATTEMPTS) throw error
      }
    }
  }

  async #newNonce({ newNonce }: Directory): Promise<string> {
    const nonce = nonceIn(await this.#send({ method: 'HEAD', url: newNonce }))
    if (!nonce) throw new AcmeProblemError('malformed', 'it sent no nonce')
    return nonce
  }
}

function nonceIn({ headers }: AcmeResponse): string | undefined {
  const nonce = headers['replay-nonce']
  return nonce !== undefined && NONCE.test(nonce) ? nonce : undefined
}

function answerOf({ status, headers, body }: AcmeResponse): Answer {
  const isJson = /json/.test(headers['content-type'] ?? '')
  let json: unknown
  try {
    json = isJson && body !== '' ? JSON.parse(body) : undefined
  } catch {
    throw new AcmeProblemError('malformed', 'it answered what is not JSON')
  }
  if (status >= 200 && status < 300) return { json, headers, text: body }
  // Without a type, what the authority has trouble with may pass; a redirect or a missing page does not.
  const { type = status < 500 ? 'malformed' : '', detail = '' } = (json ?? {}) as Problem
  throw problemOf({ type, detail: detail || `The authority answered with status ${status}.` })
}
