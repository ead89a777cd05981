import { describe, expect, test } from 'vitest'
import type { HttpRequest } from '../../wire/http.ts'
import { Cors } from './cors.ts'
import { Origins } from './origins.ts'

const CONSOLE = 'http://localhost:4567'
const origins = new Origins({})
origins.listening({ url: 'http://127.0.0.1:4566', port: 4566 }, { url: 'http://127.0.0.1:4567', port: 4567 })
const cors = new Cors(new Set(['https://app.example']), (origin, request) => origins.isWeb(origin, request))

const request = (method: string, headers: Readonly<Record<string, string>>): HttpRequest => ({
  method,
  path: '/',
  query: '',
  rawHeaders: Object.entries({ Host: 'localhost:4566', ...headers }).flat(),
  body: Buffer.alloc(0),
  remoteAddress: '127.0.0.1',
  secure: false,
})
const preflight = (origin: string, names = 'authorization,x-amz-date') =>
  cors.preflight(
    request('OPTIONS', {
      Origin: origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': names,
    }),
  )

describe('A preflight', () => {
  test.each([CONSOLE, 'https://app.example'])('of %s is answered, with what SDKs send', (origin) => {
    const answer = preflight(origin, 'authorization, X-Amz-Date,x-amz-content-sha256,amz-sdk-request,content-type')

    expect(answer).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': origin } })
    expect(answer!.headers['access-control-allow-headers']).toBe(
      'authorization, x-amz-date, x-amz-content-sha256, amz-sdk-request, content-type',
    )
    expect(answer!.headers).not.toHaveProperty('access-control-allow-credentials')
  })

  test.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'https://app.example:8443',
    'http://app.example',
    'null',
    'http://localhost:4568',
    'https://localhost:4567',
    'http://127.0.0.1:4567',
  ])('of %s is not: it goes the way of any call', (origin) => {
    expect(preflight(origin)).toBeUndefined()
  })

  test('allows no header that SDKs do not send', () => {
    expect(preflight(CONSOLE, 'cookie,x-forwarded-for,authorization')!.headers['access-control-allow-headers']).toBe(
      'authorization',
    )
  })

  test('is what carries the method that is to come', () => {
    expect(cors.preflight(request('OPTIONS', { Origin: CONSOLE }))).toBeUndefined()
  })
})

describe('A response', () => {
  const response = { status: 400, headers: { 'x-amzn-errortype': 'AccessDenied' }, body: '' }

  test('can be read by a page of an allowed origin, the error type included', () => {
    const { headers } = cors.allow(request('POST', { Origin: CONSOLE }), response)

    expect(headers).toMatchObject({ 'access-control-allow-origin': CONSOLE, vary: 'origin' })
    expect(headers['access-control-expose-headers']).toContain('x-amzn-errortype')
  })

  test('stays as it is for all others', () => {
    expect(cors.allow(request('POST', { Origin: 'https://evil.example' }), response)).toBe(response)
    expect(cors.allow(request('POST', {}), response)).toBe(response)
  })
})

test('an origin that is configured is the only one of the console', () => {
  const behindProxy = new Origins({ webUrl: 'https://console.example' })
  behindProxy.listening({ url: 'http://127.0.0.1:4566', port: 4566 }, { url: 'http://127.0.0.1:4567', port: 4567 })

  expect(behindProxy.isWeb('https://console.example', request('POST', {}))).toBe(true)
  expect(behindProxy.isWeb(CONSOLE, request('POST', {}))).toBe(false)
})

test('a server without pages has no console whose origin could be allowed', () => {
  const closed = new Origins({})
  closed.listening({ url: 'http://127.0.0.1:4566', port: 4566 }, undefined)

  expect(closed.isWeb(CONSOLE, request('POST', {}))).toBe(false)
  expect(closed.web()).toBeUndefined()
})
