/** Signed calls to the API: Signature Version 4 with session credentials, by `aws4fetch` and WebCrypto. */
import { AwsV4Signer } from 'aws4fetch'
import type { OperationShape } from '../../../src/wire/shape.ts'
import { type Model, modelWith } from './model.ts'
import { listMemberOf, pagingOf } from './paging.ts'
import { type ApiError, errorOf, outputOf, requestOf } from './protocol.ts'
import type { Input, OperationName, Output, ServiceId } from './sdk.ts'
import { parseWithDom, type XmlParser } from './xml.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Empty for a long-term key. */
  readonly sessionToken: string
}

export interface ClientOptions {
  /** The origin of the API: `http://127.0.0.1:4566`. */
  readonly endpoint: string
  readonly region: () => string
  readonly credentials: () => Promise<Credentials>
  /** Recorded with each call. */
  readonly reason?: string
  readonly fetch?: typeof globalThis.fetch
  readonly parseXml?: XmlParser
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** The server records it as `additionalEventData.merlonReason`. */
const REASON_HEADER = 'x-amz-merlon-reason'
/** What a table of a page can show. */
const ITEMS_MAX = 2_000
/** The one endpoint of a partition's global services. */
const GLOBAL_REGION = 'us-east-1'

export class Client {
  readonly #options: ClientOptions
  /** The server's clock minus this one, once a difference was noticed. */
  #skewMs = 0

  constructor(options: ClientOptions) {
    this.#options = options
  }

  /** The same client; its calls are recorded in the audit log with a reason. */
  withReason(reason: string): Client {
    return new Client({ ...this.#options, reason })
  }

  /** Rejects with an `ApiError` for an answer that is none, a `TypeError` where the network fails. */
  call<S extends ServiceId, N extends OperationName<S>>(
    service: S,
    name: N,
    input: Input<S, N>,
    region?: string,
  ): Promise<Output<S, N>> {
    return this.callByName(service, name, input as object, region) as Promise<Output<S, N>>
  }

  /** The items of all pages, up to `max`. */
  async list<S extends ServiceId, N extends OperationName<S>, K extends keyof Output<S, N>>(
    service: S,
    name: N,
    input: Input<S, N>,
    _member: K,
    max = ITEMS_MAX,
  ): Promise<NonNullable<Output<S, N>[K]>> {
    const { items } = await this.listByName(service, name, input as object, max)
    return items as NonNullable<Output<S, N>[K]>
  }

  /** `isWhole`: there are no more items than these. */
  async listByName(
    service: string,
    name: string,
    input: object,
    max = ITEMS_MAX,
  ): Promise<{ readonly items: readonly unknown[]; readonly isWhole: boolean }> {
    const operation = (await modelWith(service, name)).operations.get(name)
    const member = operation && listMemberOf(operation)
    if (!operation || !member) throw new Error(`${service}:${name} answers no list.`)
    const paging = pagingOf(operation)
    const items: unknown[] = []
    for (let token: unknown; ; ) {
      const page = (await this.callByName(
        service,
        name,
        token === undefined ? input : { ...input, [paging!.input]: token },
      )) as Record<string, unknown>
      items.push(...((page[member.name] as readonly unknown[] | undefined) ?? []))
      token = paging && page[paging.output]
      if (token === undefined || token === '') return { items, isWhole: true }
      if (items.length >= max) return { items, isWhole: false }
    }
  }

  async callByName(service: string, name: string, input: object, region?: string): Promise<object> {
    const model = await modelWith(service, name)
    const operation = model.operations.get(name)
    if (!operation) throw new Error(`The service ${service} has no operation ${name}.`)
    const whole = withTokens(operation, input)
    const parse = this.#options.parseXml ?? parseWithDom
    const response = await this.#send(model, requestOf(model, operation, whole), region)
    if (response.status < 300) return outputOf(model, operation, response, parse)
    const error = errorOf(response, parse)
    if (!this.#noticeSkew(error, response.headers.get('date'))) throw error
    const again = await this.#send(model, requestOf(model, operation, whole), region)
    if (again.status < 300) return outputOf(model, operation, again, parse)
    throw errorOf(again, parse)
  }

  /** Whether a call that failed because of the clocks can succeed with the server's time. */
  #noticeSkew({ code, message }: ApiError, date: string | null): boolean {
    if (this.#skewMs !== 0 || date === null) return false
    if (!/RequestTimeTooSkewed|RequestExpired/.test(code) && !/Signature (expired|not yet current)/.test(message))
      return false
    this.#skewMs = Date.parse(date) - this.#now()
    return Number.isFinite(this.#skewMs) && this.#skewMs !== 0
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }

  async #send({ row }: Model, request: ReturnType<typeof requestOf>, region: string | undefined) {
    const { endpoint, credentials, reason } = this.#options
    const url = new URL(request.path, endpoint)
    for (const [name, value] of request.query) url.searchParams.append(name, value)
    // A form writes a blank as `+`; a signature counts it as `%20`.
    url.search = url.search.replaceAll('+', '%20')
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials()
    const signer = new AwsV4Signer({
      method: request.method,
      url: url.href,
      headers: { ...request.headers, ...(reason !== undefined && { [REASON_HEADER]: encodeURIComponent(reason) }) },
      ...(request.body !== undefined && { body: request.body as BodyInit }),
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== '' && { sessionToken }),
      service: row.signingNames[0] ?? row.id,
      region: row.global ? GLOBAL_REGION : (region ?? this.#options.region()),
      datetime: new Date(this.#now() + this.#skewMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    })
    const signed = await signer.sign()
    const send = this.#options.fetch ?? fetch
    const response = await send(signed.url, {
      method: signed.method,
      headers: signed.headers,
      ...(request.body !== undefined && { body: request.body as BodyInit }),
      credentials: 'omit',
      cache: 'no-store',
    })
    return { status: response.status, headers: response.headers, body: new Uint8Array(await response.arrayBuffer()) }
  }
}

/** A call that is sent again has the same token, so that it is done once. */
function withTokens({ input }: OperationShape, given: object): object {
  const missing = input.members.filter(({ name, traits }) => traits.idempotencyToken && !(name in given))
  return missing.length === 0
    ? given
    : { ...given, ...Object.fromEntries(missing.map(({ name }) => [name, crypto.randomUUID()])) }
}
