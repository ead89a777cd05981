/** Large JSON bodies: decoded as small ones are, in many turns, and with a bounded rest. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { HttpRequest } from './http.ts'
import { cutLongStrings, REST_BYTES_MAX } from './json-blobs.ts'
import { atOnce, inTurns, SLICE_BYTES } from './sigv4/steps.ts'
import { decode, decodeInTurns, detect, loadService } from './wire.ts'

const MIB = 1024 * 1024
const cut = (text: string) => atOnce(cutLongStrings(Buffer.from(text)))

/** The tree with the long strings in their places again. */
function restored(text: string): unknown {
  const { rest, strings } = cut(text)
  return JSON.parse(rest.toString(), (_name, value) => strings.get(value)?.text() ?? value)
}

const long = (bytes: number) => Buffer.alloc(bytes, 'package').toString('base64')

test('Long base64 strings are taken out and decoded', () => {
  const { rest, strings } = cut(JSON.stringify({ Code: { ZipFile: long(5 * MIB) }, Tags: { a: 'b' } }))

  expect(rest.length).toBeLessThan(100)
  expect([...strings.values()].map(({ bytes }) => bytes.equals(Buffer.alloc(5 * MIB, 'package')))).toEqual([true])
})

test.each([
  ['of every remainder', [0, 1, 2].map((more) => long(100_000 + more))],
  ['of one slice and one character more', [`${'A'.repeat(SLICE_BYTES)}`, `${'A'.repeat(SLICE_BYTES + 1)}`]],
  ['behind escapes', { ['"'.repeat(300)]: long(100_000), '\\': '\\'.repeat(100_001), a: `${'"'.repeat(99_999)}\\` }],
  [
    'that is not base64',
    [`${long(100_000)}!`, `=${long(100_000)}`, `${long(99_999).slice(0, -1)}=a`, 'é'.repeat(50_000)],
  ],
  ['alone', long(100_000)],
])('A text with a long string %s keeps its meaning', (_what, tree) => {
  // Compared here: a message with the texts would be too long.
  expect(isDeepStrictEqual(restored(JSON.stringify(tree)), tree)).toBe(true)
})

test('A text that ends within a string stays invalid', () => {
  const open = `{"ZipFile":"${long(100_000).replace(/=*$/, '')}`

  const { rest } = cut(open)
  expect(() => JSON.parse(rest.toString())).toThrow(SyntaxError)
})

test('A large body leaves turns to other work', async () => {
  const body = Buffer.from(JSON.stringify({ ZipFile: long(12 * MIB) }))
  let turns = 0
  let isDone = false
  const counting = (async () => {
    while (!isDone) {
      turns++
      await nextTurn()
    }
  })()
  await inTurns(cutLongStrings(body))
  isDone = true
  await counting

  expect(turns).toBeGreaterThan((12 * MIB) / SLICE_BYTES)
})

test.each([
  ['many short strings', '"",'],
  ['one string of escapes', '\\"'],
  ['numbers', '1,'],
  ['strings that are nearly base64', `"${'A'.repeat(70_000)}!",`],
])('A rest of %s is limited, and is read no further than that', (_what, part) => {
  const body = Buffer.from(`["${part.repeat(Math.ceil((8 * MIB) / part.length))}`)
  const steps = cutLongStrings(body)
  let turns = 0
  expect(() => {
    while (!steps.next().done) turns++
  }).toThrow('larger than')
  expect(turns).toBeGreaterThan(REST_BYTES_MAX / MIB)
  expect(turns).toBeLessThan(300)
})

describe('A large request', () => {
  const request = (service: string, method: string, path: string, body: unknown, target?: string): HttpRequest => ({
    method,
    path,
    query: '',
    rawHeaders: [
      'Content-Type',
      'application/json',
      'Authorization',
      `AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
      ...(target === undefined ? [] : ['X-Amz-Target', target]),
    ],
    body: Buffer.from(JSON.stringify(body)),
    remoteAddress: '127.0.0.1',
    secure: false,
  })
  const functions = '/2015-03-31/functions'
  const code = { ZipFile: long(3 * MIB) }
  const text = 'x'.repeat(100_000)

  test.each([
    ['with binary content', request('lambda', 'POST', functions, { FunctionName: 'f', Code: code, Tags: { a: 'b' } })],
    ['with a long text', request('lambda', 'POST', functions, { FunctionName: 'f', Code: code, Description: text })],
    ['with a long name in a map', request('lambda', 'POST', functions, { Code: code, Tags: { [text]: text } })],
    ['with content and a path', request('lambda', 'PUT', `${functions}/f/code`, code)],
    ['whose body is the payload', request('lambda', 'POST', `${functions}/f/invocations`, long(3 * MIB))],
    ['of awsJson', request('kms', 'POST', '/', { KeyId: 'k', Plaintext: long(3 * MIB) }, 'TrentService.Encrypt')],
  ])('%s is decoded like a small one', async (_what, it) => {
    const detected = await detect(it)
    const model = await loadService(detected.service)
    const { input } = await decodeInTurns(detected, model, it)

    expect(isDeepStrictEqual(input, decode(detected, model, it).input)).toBe(true)
  })
})
