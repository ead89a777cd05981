/** Built-in functions: their input, and how they end. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'
import { header } from '../../wire/http.ts'
import type { Builtin } from './builtin.ts'
import { type BuiltinHost, runBuiltin } from './builtin-executor.ts'
import { Egress, readEgress } from './egress.ts'
import { answerOf, runOf } from './runs.fixture.ts'

const host = (more: Partial<BuiltinHost> = {}): BuiltinHost => ({
  egress: new Egress(readEgress('')),
  transport: { host: 'localhost', send: () => Promise.reject(new Error('is not called')) },
  now: () => Date.UTC(2030, 0, 1),
  ...more,
})
const ran = async (builtin: Builtin, run = runOf(), more: Partial<BuiltinHost> = {}) =>
  answerOf(await runBuiltin(builtin, run, host(more)))

test('a function receives the event and its variables, and answers JSON', async () => {
  const run = runOf({ payload: Buffer.from('{"n":1}'), environment: { COLOUR: 'red' } })

  const { answer, error, log } = await ran(async (event, { environment, log, now }) => {
    log('at work')
    return { event, environment, now: now() }
  }, run)

  expect(error).toBeUndefined()
  expect(answer).toEqual({ event: { n: 1 }, environment: { COLOUR: 'red' }, now: Date.UTC(2030, 0, 1) })
  expect(log).toBe('at work\n')
  expect((await ran(async () => undefined)).answer).toBeNull()
})

test('what it throws is its error', async () => {
  const { answer, error } = await ran(async () => {
    throw new RangeError('too far')
  })

  expect([error, answer]).toEqual(['Handled', { errorType: 'RangeError', errorMessage: 'too far' }])
})

test('what runs too long is stopped, and its connections end', async () => {
  const server = createServer((socket) => void socket.on('error', () => undefined)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let ended: Promise<unknown> | undefined
  let aborted: AbortSignal | undefined

  const { answer, error } = await ran(
    async (_event, { dial, signal }) => {
      const socket = await dial('127.0.0.1', port)
      ended = new Promise((resolve) => socket.once('error', resolve))
      aborted = signal
      return new Promise(() => undefined)
    },
    runOf({ timeoutMs: 200 }),
    { egress: new Egress(readEgress(`127.0.0.1:${port}`)) },
  )

  expect(error).toBe('Unhandled')
  expect(answer).toEqual({
    errorType: 'Sandbox.Timedout',
    errorMessage: 'RequestId: 6f3d5a0e-7b1c-4a57-9a0e-0f6a4c1f2b3d Error: Task timed out after 0.20 seconds',
  })
  expect(aborted?.aborted).toBe(true)
  expect(await ended).toMatchObject({ message: expect.stringContaining('run out') })
  server.close()
})

test('it calls the API as its role, and AWS errors keep their code', async () => {
  const { answer } = await ran(
    async (_event, { secretsmanager }) =>
      secretsmanager('GetSecretValue', { SecretId: 'none' }).catch((error) => [error.code, error.message]),
    runOf(),
    {
      transport: {
        host: 'localhost',
        send: async (request) => {
          expect(header(request, 'x-amz-security-token')).toBe('token-of-the-role')
          expect(header(request, 'authorization')).toContain(
            'Credential=ASIAEXAMPLE/20300101/us-east-1/secretsmanager/',
          )
          expect(header(request, 'x-amz-target')).toBe('secretsmanager.GetSecretValue')
          return { status: 400, headers: {}, body: '{"__type":"ResourceNotFoundException","Message":"no such secret"}' }
        },
      },
    },
  )

  expect(answer).toEqual(['ResourceNotFoundException', 'no such secret'])
})

test('it goes nowhere that the operator has not named', async () => {
  const { answer } = await ran(async (_event, { dial }) => dial('127.0.0.1', 22))

  expect(answer.errorMessage).toContain('MERLON_FUNCTION_EGRESS')
})

test('an answer beyond 6 MB is an error', async () => {
  const { answer, error } = await ran(async () => 'x'.repeat(6_291_557))

  expect([error, answer.errorType]).toEqual(['Unhandled', 'Function.ResponseSizeTooLarge'])
})
