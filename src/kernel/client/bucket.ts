/** A bucket of any S3-compatible store that the operator configured, accessed with signed requests. */
import { childrenOf, parseXml, type XmlElement } from '../../engines/xml/xml.ts'
import { sign } from '../../wire/sigv4/index.ts'

export interface BucketKeys {
  readonly accessKeyId: string
  readonly secret: string
  readonly sessionToken?: string
}

interface BucketRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  /** A key below the prefix; undefined addresses the bucket itself. */
  readonly name?: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Buffer
  readonly contentType?: string
  readonly signal?: AbortSignal
}

export interface Listed {
  /** Below the prefix. */
  readonly name: string
  /** Epoch milliseconds. */
  readonly changedAt: number
  /** The length. */
  readonly bytes: number
}

const TIMEOUT_MS = 30_000

/** The store refused, or was not reached. */
export class BucketError extends Error {
  override readonly name = 'BucketError'
  readonly status: number
  /** The value of the `Retry-After` header. */
  readonly retryAfter: string | null

  constructor(status: number, retryAfter: string | null) {
    super(`it answered ${status}`)
    this.status = status
    this.retryAfter = retryAfter
  }
}

const textOf = (element: XmlElement, name: string): string | undefined =>
  childrenOf(element, element.namespace, name)[0]?.text

/** RFC 3986, as signatures have it. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

export class Bucket {
  readonly #endpoint: URL
  readonly #region: string
  readonly #bucket: string
  /** Empty, or ending in a slash. */
  readonly #prefix: string
  readonly #keys: BucketKeys

  /** `s3://bucket/prefix?endpoint=https://…&region=…`; without an endpoint AWS's own. */
  constructor(target: URL, keys: BucketKeys) {
    this.#region = target.searchParams.get('region') ?? 'us-east-1'
    this.#endpoint = new URL(target.searchParams.get('endpoint') ?? `https://s3.${this.#region}.amazonaws.com`)
    this.#bucket = target.hostname
    const prefix = decodeURIComponent(target.pathname).replace(/^\/+|\/+$/g, '')
    this.#prefix = prefix === '' ? '' : `${prefix}/`
    this.#keys = keys
  }

  async put(name: string, body: Buffer, contentType: string, signal?: AbortSignal): Promise<void> {
    const answer = await this.#send({ method: 'PUT', name, body, contentType, ...(signal && { signal }) })
    await answer.body?.cancel()
  }

  /** undefined when it is not there. */
  async get(name: string): Promise<Buffer | undefined> {
    try {
      return Buffer.from(await (await this.#send({ method: 'GET', name })).arrayBuffer())
    } catch (error) {
      if (error instanceof BucketError && error.status === 404) return undefined
      throw error
    }
  }

  async delete(name: string): Promise<void> {
    const answer = await this.#send({ method: 'DELETE', name })
    await answer.body?.cancel()
  }

  async *list(): AsyncGenerator<Listed> {
    let token: string | undefined
    do {
      const query = { 'list-type': '2', prefix: this.#prefix, ...(token && { 'continuation-token': token }) }
      const list = parseXml(await (await this.#send({ method: 'GET', query })).text())
      for (const content of childrenOf(list, list.namespace, 'Contents')) {
        const name = textOf(content, 'Key')!.slice(this.#prefix.length)
        const bytes = Number(textOf(content, 'Size') ?? 0)
        yield { name, changedAt: Date.parse(textOf(content, 'LastModified')!), bytes }
      }
      token = textOf(list, 'NextContinuationToken')
    } while (token)
  }

  async #send({
    method,
    name,
    query = {},
    body = Buffer.alloc(0),
    contentType,
    signal,
  }: BucketRequest): Promise<Response> {
    const key = name === undefined ? [] : `${this.#prefix}${name}`.split('/')
    const path = `/${[this.#bucket, ...key].map(encoded).join('/')}`
    const parameters = Object.entries(query).map(([member, value]) => `${encoded(member)}=${encoded(value)}`)
    const request = {
      method,
      path,
      query: parameters.join('&'),
      rawHeaders: ['Host', this.#endpoint.host, ...(contentType ? ['Content-Type', contentType] : [])],
      body,
      remoteAddress: '',
      secure: this.#endpoint.protocol === 'https:',
    }
    const { rawHeaders } = sign(request, this.#keys, { region: this.#region, service: 's3', nowMs: Date.now() })
    const headers: Record<string, string> = {}
    for (let i = 0; i < rawHeaders.length; i += 2)
      // `fetch` writes the Host header itself, as it was signed.
      if (rawHeaders[i]!.toLowerCase() !== 'host') headers[rawHeaders[i]!] = rawHeaders[i + 1]!
    const timeout = AbortSignal.timeout(TIMEOUT_MS)
    const answer = await fetch(`${this.#endpoint.origin}${path}${request.query && `?${request.query}`}`, {
      method,
      headers,
      ...(method === 'PUT' && { body: new Uint8Array(body) }),
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    })
    if (answer.ok) return answer
    await answer.body?.cancel()
    throw new BucketError(answer.status, answer.headers.get('retry-after'))
  }
}

/** Of the usual variables. Throws with a sentence for the operator. */
export function bucketOf(target: URL, environment: Readonly<Record<string, string | undefined>>): Bucket {
  const accessKeyId = environment['AWS_ACCESS_KEY_ID']
  const secret = environment['AWS_SECRET_ACCESS_KEY']
  const sessionToken = environment['AWS_SESSION_TOKEN']
  if (!accessKeyId || !secret)
    throw new Error(`s3://${target.host}${target.pathname} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`)
  return new Bucket(target, { accessKeyId, secret, ...(sessionToken && { sessionToken }) })
}
