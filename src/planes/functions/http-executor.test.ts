/** Functions behind HTTPS: a real server, a real certificate, and what it may answer. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/process.ts'
import type { HttpRequest } from '../../wire/http.ts'
import { present, SigningKeys, verify } from '../../wire/sigv4/index.ts'
import { Egress, readEgress } from './egress.ts'
import { runHttp } from './http-executor.ts'
import { answerOf, runOf } from './runs.fixture.ts'

let server: Server
let port: number
let ca: string
const asked: HttpRequest[] = []
const now = Date.UTC(2030, 0, 1)

beforeAll(async () => {
  const folder = temporaryFolder()
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=functions.test', '-addext', 'subjectAltName=DNS:functions.test']
  const words = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ]
  execFileSync('openssl', words, { stdio: 'ignore' })
  ca = readFileSync(cert, 'utf8')
  server = createServer({ key: readFileSync(key), cert: ca }, async (request, response) => {
    asked.push(await received(request))
    const answers: Readonly<Record<string, () => void>> = {
      '/fine?v=1': () => response.end('{"done":true}'),
      '/empty': () => response.writeHead(204).end(),
      '/words': () => response.end('done'),
      '/failed': () => response.writeHead(500).end('{"errorType":"Mine","errorMessage":"broken"}'),
      '/broken': () => response.writeHead(502).end('<html>'),
      '/away': () => response.writeHead(307, { location: 'https://169.254.169.254/' }).end(),
      '/big': () => response.end('x'.repeat(6_400_000)),
      '/slow': () => undefined,
    }
    answers[request.url!]!()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

async function received(request: IncomingMessage): Promise<HttpRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const [path = '', query = ''] = request.url!.split('?')
  const { rawHeaders } = request
  return { method: 'POST', path, query, rawHeaders, body: Buffer.concat(chunks), remoteAddress: '', secure: true }
}

async function ran(path: string, { list = `functions.test:${port}`, trust = ca, timeoutMs = 10_000 } = {}) {
  const egress = new Egress(readEgress(list), async () => ['127.0.0.1'])
  const run = runOf({ payload: Buffer.from('{"Step":"createSecret"}'), timeoutMs })
  return answerOf(await runHttp(`https://functions.test:${port}${path}`, run, { egress, now: () => now, ca: trust }))
}

test('the event is posted, signed by the role, and the answer is the answer', async () => {
  const { answer, error } = await ran('/fine?v=1')

  expect([error, answer]).toEqual([undefined, { done: true }])
  const request = asked.at(-1)!
  expect(request.body.toString()).toBe('{"Step":"createSecret"}')
  const key = { secret: 'of-the-role', version: '' }
  const options = { skewMs: 1000, serviceNames: ['lambda'] }
  expect(() => verify(request, present(request)!, key, new SigningKeys(10), now, options)).not.toThrow()
  const tampered = { ...request, body: Buffer.from('{"Step":"finishSecret"}') }
  expect(() => verify(tampered, present(tampered)!, key, new SigningKeys(10), now, options)).toThrow()
})

test.each([
  ['/empty', undefined, null],
  ['/words', 'Unhandled', { errorType: 'Runtime.MarshalError' }],
  ['/failed', 'Handled', { errorType: 'Mine', errorMessage: 'broken' }],
  ['/broken', 'Handled', { errorMessage: expect.stringContaining('answered 502') }],
  ['/away', 'Handled', { errorMessage: expect.stringContaining('answered 307') }],
  ['/big', 'Unhandled', { errorMessage: expect.stringContaining('answers too much') }],
])('%s ends with %s', async (path, error, answer) => {
  const outcome = await ran(path)

  expect(outcome.error).toBe(error)
  if (answer === null) expect(outcome.answer).toBeNull()
  else expect(outcome.answer).toMatchObject(answer)
})

test('what does not answer in time has timed out', async () => {
  const { answer, error } = await ran('/slow', { timeoutMs: 300 })

  expect(error).toBe('Unhandled')
  expect(answer.errorMessage).toMatch(/Task timed out after 0\.30 seconds$/)
})

test('hosts that the operator has not named are not called', async () => {
  const before = asked.length

  const { answer, error } = await ran('/fine?v=1', { list: '' })

  expect(error).toBe('Unhandled')
  expect(answer.errorMessage).toContain('MERLON_FUNCTION_EGRESS')
  expect(asked).toHaveLength(before)
})

test('a certificate without a trusted signature is refused', async () => {
  const before = asked.length

  const { answer, error } = await ran('/fine?v=1', { trust: undefined as never })

  // Undefined means the usual authorities, of which none knows this server.
  expect(error ?? answer).toBeDefined()
  const egress = new Egress(readEgress(`functions.test:${port}`), async () => ['127.0.0.1'])
  const outcome = await runHttp(`https://functions.test:${port}/fine?v=1`, runOf(), { egress, now: () => now })
  expect(answerOf(outcome).answer.errorMessage).toContain('self-signed certificate')
  expect(asked.length).toBe(before + 1)
})
