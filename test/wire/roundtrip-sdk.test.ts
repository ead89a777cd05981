/** Every operation and error of every service, both ways, between the official clients' codecs and ours. */
import assert from 'node:assert/strict'
import { describe, expect, it } from 'vitest'
import { Fault } from '../../src/wire/fault.ts'
import type { HttpRequest } from '../../src/wire/http.ts'
import { services } from '../../src/wire/services.ts'
import type { OperationShape, Shape } from '../../src/wire/shape.ts'
import { type Detected, decode, detect, encode, encodeFault, loadService } from '../../src/wire/wire.ts'
import { comparable, plain, randomOf, randomStruct } from './random.ts'
import { sdkCodecs } from './sdk.ts'

const ROUNDS = Number(process.env['ROUNDS'] ?? 2)
const FAILURES_SHOWN_MAX = 8
const random = randomOf()
console.log(`round trips with SEED=${random.seed}`)

const streams = (shape: Shape) =>
  shape.members.some(
    (member) => member.shape.kind === 'stream' || member.traits.streaming || member.shape.traits.streaming,
  )

/** Streams need a socket; WriteGetObjectResponse is addressed by a host of its own. */
const skipped = (operation: OperationShape) =>
  streams(operation.input) || streams(operation.output) || operation.name === 'WriteGetObjectResponse'

/** Clients write an absent structure that is the whole body as `{}`, and read absent prefixed headers as `{}`. */
function withoutEmpty(shape: Shape, value: object): object {
  const vanishing = shape.members.filter(({ traits }) => traits.httpPayload || traits.httpPrefixHeaders !== undefined)
  const kept = Object.entries(value).filter(
    ([name, item]) => !(vanishing.some((member) => member.name === name) && JSON.stringify(item) === '{}'),
  )
  return Object.fromEntries(kept)
}

for (const service of services) {
  const codecs = await sdkCodecs(service)
  describe.runIf(codecs.length > 0)(service.id, async () => {
    const model = await loadService(service)
    for (const codec of codecs) {
      const detectedOf = (operation: OperationShape): Detected => ({
        service,
        protocol: codec.protocol,
        operation: operation.name,
      })
      const operations = [...model.operations.values()].filter((operation) => !skipped(operation))

      it(`reads what the client sends in ${codec.protocol}`, async () => {
        const failures: string[] = []
        for (const operation of operations) {
          for (let round = 0; round < ROUNDS; round++) {
            const input = operation.input.kind === 'unit' ? {} : randomStruct(operation.input, random)
            try {
              const request = await codec.request(operation.name, input)
              const detected = await detect(request)
              const decoded = decode(detected, model, request)
              assert.equal(detected.protocol, codec.protocol)
              assert.equal(decoded.operation.name, operation.name)
              assert.deepEqual(comparable(withoutEmpty(operation.input, decoded.input)), comparable(input))
            } catch (error) {
              failures.push(told(operation.name, error))
            }
          }
        }
        expect(failures.slice(0, FAILURES_SHOWN_MAX)).toEqual([])
      })

      it(`is read by the client in ${codec.protocol}`, async () => {
        const failures: string[] = []
        for (const operation of operations) {
          for (let round = 0; round < ROUNDS; round++) {
            const output = operation.output.kind === 'unit' ? {} : randomStruct(operation.output, random)
            fillPayload(operation, output)
            try {
              const response = encode(detectedOf(operation), operation, output, 'request-id')
              const read = withoutEmpty(operation.output, await codec.answer(operation.name, response))
              const status = operation.output.members.find(({ traits }) => traits.httpResponseCode)
              if (status) output[status.name] = response.status
              assert.deepEqual(comparable(read), comparable(withoutEmpty(operation.output, output)))
            } catch (error) {
              failures.push(told(operation.name, error))
            }
          }
        }
        expect(failures.slice(0, FAILURES_SHOWN_MAX)).toEqual([])
      })

      it(`throws its errors by name at the client in ${codec.protocol}`, async () => {
        const failures: string[] = []
        const operation = operations[0]!
        for (const [name, shape] of model.errors) {
          if (!shape.traits.error || ambiguous.has(name)) continue
          const { message: _m, Message: _M, Code: _c, Error: _e, ...members } = randomStruct(shape, random)
          const fault = new Fault(name, 'told <é> & all', { members })
          try {
            const response = encodeFault(noRequest, detectedOf(operation), model, fault, 'request-id')
            const thrown = await codec.answer(operation.name, response).then(
              () => undefined,
              (error) => error,
            )
            assert.equal(thrown?.name, name)
            assert.equal(thrown.message, 'told <é> & all')
            assert.equal(thrown.$metadata.requestId, 'request-id')
            for (const member of Object.keys(members))
              assert.deepEqual(comparable(thrown[member]), comparable(members[member]), member)
          } catch (error) {
            failures.push(told(name, error))
          }
        }
        expect(failures.slice(0, FAILURES_SHOWN_MAX)).toEqual([])
      })
    }
  })
}

/** CloudWatch has two errors by the code `ResourceNotFound`: over the wire they are one. */
const ambiguous: ReadonlySet<string> = new Set(['DashboardNotFoundError'])

const noRequest: HttpRequest = {
  method: 'POST',
  path: '/',
  query: '',
  rawHeaders: [],
  body: Buffer.alloc(0),
  remoteAddress: '',
  secure: false,
}

/** A body that is one member cannot be absent. */
function fillPayload(operation: OperationShape, output: Record<string, unknown>): void {
  for (const { name, shape, traits } of operation.output.members) {
    if (!traits.httpPayload || output[name] !== undefined) continue
    output[name] =
      shape.kind === 'blob'
        ? new Uint8Array([1])
        : shape.kind === 'string'
          ? 's'
          : randomStruct(shape, random, plain, 1)
  }
}

function told(name: string, error: unknown): string {
  return `${name}: ${(error as Error).message.split('\n').slice(0, 14).join(' | ').slice(0, 420)}`
}
