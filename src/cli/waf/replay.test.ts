/** `merlon waf replay`: what a change would decide differently, and logs that cannot be read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { waf } from '../waf.ts'

const folder = mkdtempSync(join(tmpdir(), 'merlon-waf-replay-'))
const file = (name: string, content: string | Buffer): string => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

const VISIBILITY = { SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false, MetricName: 'm' }
const admin = (Action: object) => ({
  Name: 'admin',
  Priority: 0,
  Statement: {
    ByteMatchStatement: {
      SearchString: '/admin',
      FieldToMatch: { UriPath: {} },
      TextTransformations: [{ Priority: 0, Type: 'LOWERCASE' }],
      PositionalConstraint: 'STARTS_WITH',
    },
  },
  Action,
  VisibilityConfig: VISIBILITY,
})
const rate = {
  Name: 'rate',
  Priority: 1,
  Statement: { RateBasedStatement: { Limit: 10, EvaluationWindowSec: 60, AggregateKeyType: 'IP' } },
  Action: { Block: {} },
  VisibilityConfig: VISIBILITY,
}
const acl = (name: string, Rules: object[]) => file(name, JSON.stringify({ DefaultAction: { Allow: {} }, Rules }))

const START = 1_700_000_000_000
const record = (uri: string, action: string, seconds = 0, headers: object[] = []) => ({
  timestamp: START + seconds * 1_000,
  formatVersion: 1,
  terminatingRuleId: action === 'ALLOW' ? 'Default_Action' : 'old',
  action,
  httpRequest: {
    clientIp: '192.0.2.7',
    country: '-',
    headers,
    uri,
    args: 'a=1',
    httpVersion: 'HTTP/1.1',
    httpMethod: 'GET',
  },
})
const lines = (records: readonly object[]) => `${records.map((each) => JSON.stringify(each)).join('\n')}\n`

let printed = ''
beforeAll(() => {
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((printed += text)) || true)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((printed += text)) || true)
})
afterEach(() => {
  printed = ''
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const replay = (...words: string[]) => waf.run(['replay', ...words])

test('Requests that a change decides differently are counted and shown, of plain and gzipped logs', async () => {
  const one = file('one.log', lines([record('/', 'ALLOW'), record('/Admin/x', 'ALLOW', 1)]))
  const two = file('two.log.gz', gzipSync(lines([record('/shop', 'BLOCK', 2)])))
  const blocking = acl('blocking.json', [admin({ Block: {} })])

  expect(await replay('--acl', blocking, '--log', one, '--log', two)).toBe(1)
  expect(printed).toContain('3 requests, 2 decided differently.')
  expect(printed).toMatch(/ALLOW by Default_Action +BLOCK by admin +192\.0\.2\.7 +GET \/Admin\/x\?a=1/)
  expect(printed).toMatch(/BLOCK by old +ALLOW by Default_Action/)

  printed = ''
  const counting = acl('counting.json', [admin({ Count: {} })])
  expect(await replay('--acl', counting, '--log', one)).toBe(0)
  expect(printed).toMatch(/1 +admin/)
})

test('Rates count by the time at which requests came', async () => {
  const close = Array.from({ length: 12 }, (_, n) => record('/', 'ALLOW', n))
  const apart = Array.from({ length: 12 }, (_, n) => record('/', 'ALLOW', n * 10))
  const limited = acl('rate.json', [rate])
  // Out of order in the file.
  await replay('--acl', limited, '--log', file('close.log', lines(close.toReversed())), '--json')
  expect(JSON.parse(printed)).toMatchObject({ requests: 12, changed: 2, changes: { 'ALLOW → BLOCK': 2 } })
  expect(await replay('--acl', limited, '--log', file('apart.log', lines(apart)))).toBe(0)
})

test('Requests with bodies or redacted fields are said to be incomplete', async () => {
  const posted = record('/', 'ALLOW', 0, [{ name: 'Content-Length', value: '5' }])
  const redacted = record('/', 'ALLOW', 0, [{ name: 'Authorization', value: 'REDACTED' }])
  await replay(
    '--acl',
    acl('none.json', []),
    '--log',
    file('hidden.log', lines([posted, redacted, record('/', 'ALLOW')])),
  )
  expect(printed).toContain('2 requests had a body or redacted fields')
})

test('Logs that are none are named with their line', async () => {
  const none = acl('none.json', [])
  expect(await replay('--acl', none, '--log', join(folder, 'absent'))).toBe(2)
  expect(await replay('--acl', none, '--log', file('bad.log', `${lines([record('/', 'ALLOW')])}{}\n`))).toBe(2)
  expect(printed).toContain('bad.log: line 2 is not a log record of AWS WAF.')
  await expect(replay('--acl', none)).rejects.toThrow('--log is missing')
})
