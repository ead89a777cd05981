/** Lists of addresses out of the operator's files: read, read again, and refused. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openAddressData } from './address-data.ts'
import { AddressLists } from './address-lists.ts'

function directory() {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-address-lists-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  let second = 0
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    // Within the resolution of any file system.
    utimesSync(join(folder, name), ++second, second)
  }
  return { folder, write }
}
const unexpected = (file: string, error: Error) => {
  throw new Error(`${file}: ${error.message}`)
}

test('Networks and single addresses of both families are listed, without comments', () => {
  const { folder, write } = directory()
  write('anonymous.txt', '# proxies\n192.0.2.0/24 ; SBL1\n\n198.51.100.7\n2001:db8::/32\n2001:db9::1 # one\n')
  const lists = new AddressLists(folder, unexpected)
  for (const address of ['192.0.2.255', '198.51.100.7', '2001:db8::9', '2001:db9::1'])
    expect([address, lists.isListed('anonymous', address)]).toEqual([address, true])
  for (const address of ['192.0.3.0', '198.51.100.8', '2001:db9::2', 'x'])
    expect([address, lists.isListed('anonymous', address)]).toEqual([address, false])
  expect([lists.hasList('anonymous'), lists.hasList('hosting')]).toEqual([true, false])
  expect(lists.isListed('hosting', '192.0.2.1')).toBe(false)
})

test('A file that changes is read again; one that is not valid then is reported, and the one before counts', async () => {
  const { folder, write } = directory()
  const reported: string[] = []
  const lists = new AddressLists(folder, (file, { message }) =>
    reported.push(`${file.slice(folder.length)} ${message}`),
  )
  write('ip-reputation.txt', '192.0.2.1\n')
  await lists.refresh()
  expect(lists.isListed('ip-reputation', '192.0.2.1')).toBe(true)
  write('ip-reputation.txt', '192.0.2.2\n192.0.2.300\n')
  await lists.refresh()
  expect(reported).toEqual(['/ip-reputation.txt line 2: expected NETWORK'])
  expect(lists.isListed('ip-reputation', '192.0.2.1')).toBe(true)
  write('ip-reputation.txt', '192.0.2.2\n')
  await lists.refresh()
  expect(['1', '2'].map((last) => lists.isListed('ip-reputation', `192.0.2.${last}`))).toEqual([false, true])
  rmSync(join(folder, 'ip-reputation.txt'))
  await lists.refresh()
  expect(lists.hasList('ip-reputation')).toBe(false)
})

test('Addresses of bots have the name of the bot', () => {
  const { folder, write } = directory()
  write('verified-bots.txt', '192.0.2.0/24 googlebot\n198.51.100.0/24 bingbot\n')
  const lists = new AddressLists(folder, unexpected)
  const googlebots = ['192.0.2.1', '198.51.100.1', '203.0.113.1'].filter((each) => lists.isBot(each, 'googlebot'))
  expect([googlebots, lists.isBot('198.51.100.1', 'bingbot')]).toEqual([['192.0.2.1'], true])
})

test.each([
  ['hosting.txt', '192.0.2.0/33', 'hosting.txt: line 1: expected NETWORK'],
  ['hosting.txt', 'a\n', 'line 1'],
  ['verified-bots.txt', '192.0.2.0/24', 'line 1: expected NETWORK BOT'],
])('%s with %j is refused at the start', (name, text, message) => {
  const { folder, write } = directory()
  write(name, text)
  expect(() => openAddressData({ lists: folder }, unexpected)).toThrow(message)
})

test('Directories and files that are absent are named', () => {
  expect(() => openAddressData({ lists: '/nowhere' }, unexpected)).toThrow('/nowhere')
  expect(() => openAddressData({ geography: '/nowhere.csv' }, unexpected)).toThrow('MERLON_GEOGRAPHY: /nowhere.csv')
  expect(openAddressData({}, unexpected).facts.placeOf('192.0.2.1')).toBeUndefined()
})
