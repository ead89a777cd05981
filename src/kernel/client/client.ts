/** A small client of the signed API, for Merlon's own calls: seeds and the guided demonstration. */
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import { type SigningCredential, sign } from '../../wire/sigv4/index.ts'

export interface ClientOptions {
  readonly credential: SigningCredential
  readonly region?: string
  readonly now?: () => number
  readonly transport: Transport
}

/** Where requests go: a gate in this process, or a socket (`overHttp`). */
export interface Transport {
  /** For the Host header, which is signed. */
  readonly host: string
  send(request: HttpRequest): Promise<HttpResponse>
}

/** What the services answered instead of a success. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

type Parameters = Readonly<Record<string, string | number | readonly object[] | readonly string[] | undefined>>

interface Outgoing extends Pick<HttpRequest, 'method' | 'path' | 'query'> {
  /** In whose name it is signed. */
  readonly service: string
  readonly body: string
  readonly headers: readonly string[]
}

const VERSIONS = { iam: '2010-05-08', sts: '2011-06-15' } as const

export class Client {
  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    this.#options = options
  }

  get accessKeyId(): string {
    return this.#options.credential.accessKeyId
  }

  /** An operation of the Query protocol; returns the answer's XML. */
  async query(service: keyof typeof VERSIONS, action: string, parameters: Parameters = {}): Promise<string> {
    const form = new URLSearchParams({ Action: action, Version: VERSIONS[service] })
    flatten(form, '', parameters)
    const answer = await this.#post(service, 'application/x-www-form-urlencoded; charset=utf-8', form.toString())
    const text = Buffer.from(answer.body).toString('utf8')
    if (answer.status >= 400)
      throw new ApiError(element(text, 'Code') ?? String(answer.status), element(text, 'Message') ?? text)
    return text
  }

  /** An operation of the JSON protocol; returns the answer as an object. */
  async json<T>(service: string, target: string, input: object = {}): Promise<T> {
    const body = JSON.stringify(input)
    const answer = await this.#post(service, 'application/x-amz-json-1.1', body, ['X-Amz-Target', target])
    const output = JSON.parse(Buffer.from(answer.body).toString('utf8') || '{}')
    if (answer.status >= 400)
      throw new ApiError(output.__type ?? String(answer.status), output.message ?? output.Message ?? '')
    return output as T
  }

  /** An operation of a REST protocol, such as S3's; `path` may carry a query. Returns the answer's body. */
  async rest(service: string, method: string, path: string, body = ''): Promise<string> {
    const [bare = '', query = ''] = path.split('?')
    const answer = await this.#send({ service, method, path: bare, query, body, headers: [] })
    const text = Buffer.from(answer.body).toString('utf8')
    if (answer.status >= 400)
      throw new ApiError(element(text, 'Code') ?? String(answer.status), element(text, 'Message') ?? text)
    return text
  }

  #post(service: string, contentType: string, body: string, headers: readonly string[] = []): Promise<HttpResponse> {
    return this.#send({
      service,
      method: 'POST',
      path: '/',
      query: '',
      body,
      headers: ['Content-Type', contentType, ...headers],
    })
  }

  #send({ service, method, path, query, body, headers }: Outgoing): Promise<HttpResponse> {
    const { credential, transport, region = 'us-east-1', now = Date.now } = this.#options
    const request: HttpRequest = {
      method,
      path,
      query,
      rawHeaders: ['Host', transport.host, ...headers],
      body: Buffer.from(body),
      remoteAddress: '127.0.0.1',
      secure: false,
    }
    return transport.send(sign(request, credential, { region, service, nowMs: now() }))
  }
}

/** Lists become `Name.member.1…`, as the Query protocol writes them. */
function flatten(form: URLSearchParams, prefix: string, parameters: object): void {
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue
    const at = prefix + name
    if (Array.isArray(value)) {
      value.forEach((item: unknown, index) => {
        const place = `${at}.member.${index + 1}`
        if (typeof item === 'object' && item !== null) flatten(form, `${place}.`, item)
        else form.append(place, String(item))
      })
    } else form.append(at, String(value))
  }
}

/** The text of the first element of a name; our own answers only, whose shape is known. */
export function element(xml: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1]
  return found?.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: keyof typeof ENTITIES) => ENTITIES[entity])
}

const ENTITIES = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' } as const

/** Nothing answers at an endpoint. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'

  /** `fetch` says why only in its error's cause. */
  constructor(url: string, error: unknown) {
    const { cause } = error as { cause?: unknown }
    const why = cause instanceof AggregateError ? cause.errors[0] : cause
    super(`${url} cannot be reached (${why instanceof Error ? why.message : String(error)})`, { cause: error })
  }
}

/** Sends to a listener. */
export function overHttp(url: string): Transport {
  return {
    host: new URL(url).host,
    send: async ({ method, path, query, rawHeaders, body }) => {
      const headers: [string, string][] = []
      for (let i = 0; i < rawHeaders.length; i += 2) {
        // `fetch` writes the Host header itself, as it was signed.
        if (rawHeaders[i]!.toLowerCase() !== 'host') headers.push([rawHeaders[i]!, rawHeaders[i + 1]!])
      }
      const answer = await fetch(url + path + (query && `?${query}`), {
        method,
        headers,
        // `fetch` refuses even an empty one with GET.
        ...(body.length > 0 && { body: new Uint8Array(body) }),
      }).catch((error: unknown) => {
        throw new UnreachableError(url, error)
      })
      const bytes = Buffer.from(await answer.arrayBuffer())
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: bytes }
    },
  }
}
