/** Every operation of every service, both ways, between botocore's own models and codecs and ours. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Fault } from '../../src/wire/fault.ts'
import type { HttpRequest, HttpResponse } from '../../src/wire/http.ts'
import { type Protocol, type ServiceRow, services } from '../../src/wire/services.ts'
import type { OperationShape, Shape } from '../../src/wire/shape.ts'
import {
  type Detected,
  decode,
  detect,
  encode,
  encodeFault,
  loadService,
  type ServiceModel,
} from '../../src/wire/wire.ts'
import { botocorePython } from './botocore.ts'
import { randomOf, randomStruct } from './random.ts'

const FAILURES_SHOWN_MAX = 8
const random = randomOf()
console.log(`botocore round trips with SEED=${random.seed}`)

const botocoreNames: Readonly<Record<Protocol, string>> = {
  query: 'query',
  ec2: 'ec2',
  json10: 'json',
  json11: 'json',
  restjson: 'rest-json',
  restxml: 'rest-xml',
  cbor: 'smithy-rpc-v2-cbor',
}

interface Result {
  readonly id: number
  readonly unknown?: true
  readonly problem?: string
  readonly kept?: unknown
  readonly request?: { method: string; path: string; query: string; headers: Record<string, string>; body: string }
  readonly read?: unknown
  readonly expected?: unknown
  readonly error?: { Code: string; Message: string }
}

/** Where the two official models differ, one of them must be left aside. */
const apart: ReadonlySet<string> = new Set([
  // Part number markers: texts in the official client, integers in botocore.
  's3:GetObjectAttributes',
  's3:ListParts',
  // botocore distinguishes it from ListBuckets by its host alone.
  's3:ListDirectoryBuckets',
  // A document that is bare text: boto3 reads it by a handler of its own (test/clients/s3.test.ts).
  's3:GetBucketLocation',
  // A host of its own.
  's3:WriteGetObjectResponse',
])

const streams = (shape: Shape) =>
  shape.members.some(
    ({ shape: { kind, traits: own }, traits }) => kind === 'stream' || traits.streaming || own.streaming,
  )

describe.skipIf(!botocorePython)('botocore', () => {
  for (const service of services) {
    for (const protocol of [service.protocol, ...service.also]) {
      describe(`${service.id} in ${protocol}`, async () => {
        const model = await loadService(service)
        const operations = [...model.operations.values()].filter(
          ({ name, input, output }) => !streams(input) && !streams(output) && !apart.has(`${service.id}:${name}`),
        )

        const alike = alikeIn(protocol)

        it('is understood and understands', async () => {
          const inputs = operations.map(({ input }) => (input.kind === 'unit' ? {} : randomStruct(input, random)))
          const outputs = operations.map(outputOf)
          const detectedOf = (operation: OperationShape): Detected => ({ service, protocol, operation: operation.name })
          const cases = operations.map((operation, id) => ({
            id,
            service: service.id,
            protocol: botocoreNames[protocol],
            operation: operation.name,
            input: portable(inputs[id]),
            output: portable(outputs[id]),
            answer: portableAnswer(encode(detectedOf(operation), operation, outputs[id]!, 'request-id')),
          }))

          const failures: string[] = []
          for (const result of peer(cases)) {
            if (result.unknown) continue
            const operation = operations[result.id]!
            try {
              assert.equal(result.problem, undefined)
              if (result.request) {
                const request = requestOf(result.request, service, inputs[result.id]!)
                const detected = await detect(request)
                const decoded = decode(detected, model, request)
                assert.equal(decoded.operation.name, operation.name)
                assert.deepEqual(withoutEmpty(alike(portable(decoded.input))), withoutEmpty(alike(result.kept)))
              }
              assert.deepEqual(withoutEmpty(result.read), withoutEmpty(result.expected))
            } catch (error) {
              failures.push(
                `${operation.name}: ${(error as Error).message.split('\n').slice(0, 16).join(' | ').slice(0, 500)}`,
              )
            }
          }
          expect(failures.slice(0, FAILURES_SHOWN_MAX)).toEqual([])
        })

        it('knows its errors by code and message', () => {
          const faults = [...model.errors].filter(([, shape]) => shape.traits.error).map(([name]) => name)
          const detected: Detected = { service, protocol, operation: operations[0]!.name }
          const cases = faults.map((name, id) => ({
            id,
            service: service.id,
            protocol: botocoreNames[protocol],
            operation: operations[0]!.name,
            error: portableAnswer(
              encodeFault(noRequest, detected, model, new Fault(name, 'told <é> & all'), 'request-id'),
            ),
          }))

          const failures: string[] = []
          for (const { id, error, problem } of peer(cases)) {
            const name = faults[id]!
            const ok = error?.Message === 'told <é> & all' && codesOf(model, protocol, name).includes(error.Code)
            if (!ok) failures.push(`${name}: ${problem ?? JSON.stringify(error)}`)
          }
          expect(failures.slice(0, FAILURES_SHOWN_MAX)).toEqual([])
        })
      })
    }
  }
})

/** The older model of a machine's botocore may know an error by its shape only. */
function codesOf(model: ServiceModel, protocol: Protocol, name: string): readonly string[] {
  const wireCode = model.errors.get(name)!.traits.awsQueryError?.[0]
  const codes =
    protocol === 'query' || protocol === 'restxml' || model.row.also.includes('query') ? [wireCode ?? name] : [name]
  return codes
}

function peer(cases: readonly object[]): readonly Result[] {
  const script = fileURLToPath(new URL('botocore_peer.py', import.meta.url))
  const input = cases.map((one) => `${JSON.stringify(one)}\n`).join('')
  const { stdout, stderr, status } = spawnSync(botocorePython!, [script], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  if (status !== 0) throw new Error(stderr)
  const results = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Result)
  assert.equal(results.length, cases.length)
  return results
}

function outputOf({ output }: OperationShape): Record<string, unknown> {
  if (output.kind === 'unit') return {}
  const value = randomStruct(output, random)
  for (const { name, shape, traits } of output.members) {
    if (traits.httpResponseCode) value[name] = 200
    if (!traits.httpPayload || value[name] !== undefined) continue
    value[name] =
      shape.kind === 'blob' ? new Uint8Array([1]) : shape.kind === 'string' ? 's' : randomStruct(shape, random)
  }
  return value
}

function requestOf(sent: NonNullable<Result['request']>, service: ServiceRow, input: { Bucket?: string }): HttpRequest {
  const scope = `AK/20260101/us-east-1/${service.signingNames[0]}/aws4_request`
  return {
    method: sent.method,
    path:
      service.id === 's3' && !sent.path.startsWith(`/${encodeURIComponent(input.Bucket ?? '')}`)
        ? `/${encodeURIComponent(input.Bucket ?? '')}${sent.path}`
        : sent.path,
    query: sent.query,
    rawHeaders: [
      ...Object.entries(sent.headers).flat(),
      'Authorization',
      `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
    ],
    body: Buffer.from(sent.body, 'base64'),
    remoteAddress: '127.0.0.1',
    secure: false,
  }
}

const noRequest: HttpRequest = {
  method: 'POST',
  path: '/',
  query: '',
  rawHeaders: [],
  body: Buffer.alloc(0),
  remoteAddress: '',
  secure: false,
}

/** Numbers and texts are one in XML: the models disagree on the types of a few. */
function alikeIn(protocol: Protocol) {
  const alike = (value: unknown): unknown => {
    if (typeof value === 'number') return String(value)
    if (Array.isArray(value)) return value.map(alike)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, alike(item)]))
  }
  return protocol === 'restxml' ? alike : (value: unknown) => value
}

function portableAnswer({ status, headers, body }: HttpResponse): object {
  return { status, headers, body: Buffer.from(body as string).toString('base64') }
}

function portable(value: unknown): unknown {
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') }
  if (value instanceof Date) return { $date: value.getTime() / 1000 }
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(portable)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, portable(item)]))
}

/** Dropping the members that one model lacks may leave hollow structures, which clients write or not as they like. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty).filter((item) => JSON.stringify(item) !== '{}')
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).map(([name, item]) => [name, withoutEmpty(item)] as const)
  const kept = entries.filter(
    ([, item]) => item !== undefined && JSON.stringify(item) !== '{}' && JSON.stringify(item) !== '[]',
  )
  return Object.fromEntries(kept)
}
