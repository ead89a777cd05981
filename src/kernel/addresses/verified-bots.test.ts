/** Bots verified by DNS: by a server on loopback that knows some names, and says nothing about others. */
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseQuery, printResponse, UDP_BYTES } from '../../engines/dns/message.ts'
import { compileZones, lookup } from '../../engines/dns/zones.ts'
import { VerifiedBots } from './verified-bots.ts'

const GOOGLEBOT = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'
const SOA = 'ns1.test. admin.test. 1 7200 900 1209600 300'
const set = (name: string, type: 'A' | 'AAAA' | 'PTR' | 'SOA', ...values: string[]) => ({ name, type, ttl: 60, values })
const zones = compileZones([
  {
    name: '2.0.192.in-addr.arpa.',
    records: [
      set('2.0.192.in-addr.arpa.', 'SOA', SOA),
      set('1.2.0.192.in-addr.arpa.', 'PTR', 'crawl-1.googlebot.com.'),
      // The owner of an address chooses its name.
      set('66.2.0.192.in-addr.arpa.', 'PTR', 'crawl-1.googlebot.com.'),
      set('67.2.0.192.in-addr.arpa.', 'PTR', 'googlebot.com.evil.test.', 'notgooglebot.com.', 'googlebot.com.'),
      set('5.2.0.192.in-addr.arpa.', 'PTR', 'one.search.msn.com.'),
    ],
  },
  {
    name: '8.b.d.0.1.0.0.2.ip6.arpa.',
    records: [
      set('8.b.d.0.1.0.0.2.ip6.arpa.', 'SOA', SOA),
      set(`1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa.`, 'PTR', 'crawl-6.googlebot.com.'),
    ],
  },
  {
    name: 'googlebot.com.',
    records: [
      set('googlebot.com.', 'SOA', SOA),
      set('googlebot.com.', 'A', '192.0.2.67'),
      set('crawl-1.googlebot.com.', 'A', '192.0.2.1'),
      set('crawl-6.googlebot.com.', 'AAAA', '2001:db8::1'),
    ],
  },
  {
    name: 'search.msn.com.',
    records: [set('search.msn.com.', 'SOA', SOA), set('one.search.msn.com.', 'A', '192.0.2.5')],
  },
])

async function bots(domains = 'googlebot.com googlebot\n# Microsoft\nsearch.msn.com bingbot\n') {
  const queries: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (message, { port, address }) => {
    const query = parseQuery(message)!
    queries.push(`${query.type} ${query.name}`)
    // A server that does not answer.
    if (query.name.startsWith('99.')) return
    socket.send(printResponse(query, lookup(zones, `${query.name}.`, query.type), UDP_BYTES), port, address)
  })
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve)
  })
  const directory = mkdtempSync(join(tmpdir(), 'merlon-verified-bots-'))
  const file = join(directory, 'verified-bot-domains.txt')
  writeFileSync(file, domains)
  const errors: string[] = []
  const verified = new VerifiedBots({
    directory,
    servers: [`127.0.0.1:${(socket.address() as AddressInfo).port}`],
    onError: (_file, { message }) => errors.push(message),
  })
  onTestFinished(() => {
    verified.stop()
    socket.close()
    rmSync(directory, { recursive: true })
  })
  return { verified, queries, errors, file }
}

test('An address is a bot’s when its name is below the domain and has that address, in both families', async () => {
  const { verified, queries } = await bots()
  for (const [address, isBot] of [
    ['192.0.2.1', true],
    ['2001:db8::1', true],
    // Another's name; names that only look like it; the name of another bot; no name.
    ['192.0.2.66', false],
    ['192.0.2.67', false],
    ['192.0.2.5', false],
    ['192.0.2.9', false],
  ] as const) {
    await verified.learn(address, GOOGLEBOT)
    expect([address, verified.isBot(address, 'googlebot')]).toEqual([address, isBot])
  }
  expect(verified.isBot('192.0.2.5', 'bingbot')).toBe(true)
  expect(verified.isBot('192.0.2.1', 'bingbot')).toBe(false)
  const asked = queries.length
  expect(verified.learn('192.0.2.1', GOOGLEBOT)).toBeUndefined()
  expect(verified.learn('192.0.2.9', GOOGLEBOT)).toBeUndefined()
  expect(queries.length).toBe(asked)
})

test('Clients that claim no such bot cause no query', async () => {
  const { verified, queries } = await bots()
  for (const agent of ['', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0', 'AhrefsBot/7.0'])
    expect(verified.learn('192.0.2.1', agent)).toBeUndefined()
  expect(verified.learn('unknown', GOOGLEBOT)).toBeUndefined()
  expect(queries).toEqual([])
  const none = await bots('')
  expect(none.verified.learn('192.0.2.1', GOOGLEBOT)).toBeUndefined()
})

test('A server that is silent holds a request no longer than its moment, and a bounded number of lookups runs', async () => {
  const { verified, queries } = await bots()
  const waiting = Array.from({ length: 60 }, (_, at) => verified.learn(`99.0.2.${at}`.replace('99', '10'), GOOGLEBOT))
  expect(waiting.filter((each) => each !== undefined)).toHaveLength(50)
  await Promise.all(waiting)
  await verified.learn('192.0.2.99', GOOGLEBOT)
  expect(verified.isBot('192.0.2.99', 'googlebot')).toBe(false)
  expect(queries.filter((query) => query.startsWith('PTR 99.'))).toHaveLength(1)
})

test('A file that changes counts from then on; one that is not valid is reported, and keeps the start from succeeding', async () => {
  const { verified, errors, file } = await bots()
  await verified.learn('192.0.2.1', GOOGLEBOT)
  writeFileSync(file, 'googlebot.com\n')
  utimesSync(file, 1, 1)
  verified.refresh()
  expect(errors).toEqual([expect.stringContaining('verified-bot-domains.txt: line 1: expected DOMAIN BOT')])
  expect(verified.isBot('192.0.2.1', 'googlebot')).toBe(true)
  writeFileSync(file, 'search.msn.com bingbot\n')
  utimesSync(file, 2, 2)
  verified.refresh()
  expect(verified.isBot('192.0.2.1', 'googlebot')).toBe(false)
  await expect(bots('bad domain bot')).rejects.toThrow('expected DOMAIN BOT')
})
