/** The official client's own codec, driven without a network: what it would send, and what it makes of an answer. */
import { Readable } from 'node:stream'
import { AwsQueryProtocol, AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols'
import type { HttpRequest, HttpResponse } from '../../src/wire/http.ts'
import type { Protocol, ServiceRow } from '../../src/wire/services.ts'

// biome-ignore-start lint/suspicious/noExplicitAny: the clients' protocols are driven below their public types.
type SdkProtocol = any
type Schema = any
// biome-ignore-end lint/suspicious/noExplicitAny: see above

interface ClientConfig {
  readonly protocol: SdkProtocol
  readonly protocolSettings: { readonly xmlNamespace: string; readonly serviceTarget: string }
  readonly apiVersion: string
  readonly defaultSigningName: string
}

export interface SdkCodec {
  readonly protocol: Protocol
  request(operation: string, input: object): Promise<HttpRequest>
  /** The output; throws the client's own error for an error answer. */
  answer(operation: string, response: HttpResponse): Promise<object>
  readonly config: ClientConfig
}

const protocols: Readonly<Record<string, Protocol>> = {
  'aws.protocols#awsQuery': 'query',
  'aws.protocols#ec2Query': 'ec2',
  'aws.protocols#awsJson1_0': 'json10',
  'aws.protocols#awsJson1_1': 'json11',
  'aws.protocols#restJson1': 'restjson',
  'aws.protocols#restXml': 'restxml',
  'smithy.protocols#rpcv2Cbor': 'cbor',
}

const context = {
  endpoint: async () => ({ protocol: 'http:', hostname: 'localhost', path: '/', port: 1 }),
  base64Encoder: (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64'),
  base64Decoder: (text: string) => new Uint8Array(Buffer.from(text, 'base64')),
  utf8Encoder: (bytes: Uint8Array | string) =>
    typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'),
  utf8Decoder: (text: string) => new Uint8Array(Buffer.from(text)),
  streamCollector: async (stream: AsyncIterable<Uint8Array>) => {
    const chunks = []
    for await (const chunk of stream) chunks.push(chunk)
    return new Uint8Array(Buffer.concat(chunks))
  },
  disableHostPrefix: true,
}

/** One codec for each protocol that the client can be made to speak. Undefined for services without an official client. */
export async function sdkCodecs(service: ServiceRow): Promise<readonly SdkCodec[]> {
  const module = (await service.load()) as Record<string, unknown>
  const exported = { ...module, ...(module['default'] as object | undefined) } as Record<string, Schema>
  const found = Object.entries(exported).find(
    ([name, value]) =>
      name.endsWith('Client') && name !== '__Client' && typeof value === 'function' && value.prototype?.destroy,
  )
  if (!found) return []
  const client = new found[1]({
    region: 'us-east-1',
    endpoint: 'http://localhost:1',
    credentials: { accessKeyId: 'AK', secretAccessKey: 'SK' },
  })
  const { config } = client
  const own: SdkProtocol = config.protocol
  const all: SdkProtocol[] = [own]
  if (service.id === 'monitoring') {
    const settings = {
      defaultNamespace: 'com.amazonaws.cloudwatch',
      xmlNamespace: service.xmlns,
      version: service.apiVersion,
    }
    all.push(new AwsQueryProtocol(settings as Schema), new AwsSmithyRpcV2CborProtocol(settings as Schema))
  }
  const operations = new Map<string, Schema>(
    Object.values(exported)
      .filter((value) => Array.isArray(value) && value[0] === 9)
      .map((schema: Schema) => [
        schema[2],
        { namespace: schema[1], name: schema[2], traits: schema[3], input: schema[4], output: schema[5] },
      ]),
  )
  return all.map((protocol) => codec(protocol, service, operations, config))
}

function codec(
  protocol: SdkProtocol,
  service: ServiceRow,
  operations: ReadonlyMap<string, Schema>,
  config: SdkCodec['config'],
): SdkCodec {
  protocol.setSerdeContext?.(context)
  return {
    protocol: protocols[protocol.getShapeId()]!,
    config,
    async request(operation, input) {
      const bucket = service.id === 's3' ? (input as { Bucket?: string }).Bucket : undefined
      const __smithy_context = { service: service.targets[0], operation }
      return toOurs(
        await protocol.serializeRequest(operations.get(operation), input, { ...context, __smithy_context }),
        service,
        bucket,
      )
    },
    answer: (operation, { status, headers, body }) => {
      const bytes = Buffer.from(body as string)
      const response = {
        statusCode: status,
        headers: { ...headers },
        body: Readable.from(bytes.length > 0 ? [bytes] : []),
      }
      return protocol.deserializeResponse(operations.get(operation), context, response)
    },
  }
}

/** `bucket`: path style, as the client's endpoint rules would have put it there. */
function toOurs(sent: Schema, service: ServiceRow, bucket: string | undefined): HttpRequest {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(sent.query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, one ?? '')
  }
  const scope = `AK/20260101/us-east-1/${service.signingNames[0]}/aws4_request`
  const rawHeaders = Object.entries(sent.headers).flatMap(([name, value]) => [name, String(value)])
  rawHeaders.push('Authorization', `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`)
  return {
    method: sent.method,
    path: bucket === undefined ? sent.path : `/${encodeURIComponent(bucket)}${sent.path}`,
    query: query.toString(),
    rawHeaders,
    body: sent.body === undefined || sent.body === null ? Buffer.alloc(0) : Buffer.from(sent.body),
    remoteAddress: '127.0.0.1',
    secure: false,
  }
}
