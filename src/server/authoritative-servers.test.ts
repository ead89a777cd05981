/** Which servers of a domain are queried directly. The network is simulated: no test can reach public addresses. */
import { describe, expect, test } from 'vitest'
import { AuthoritativeServers } from './authoritative-servers.ts'
import { type DnsAnswer, type DnsServer, printServer, type query } from './dns-query.ts'

const RESOLVER: DnsServer = { address: '192.0.2.53', port: 53 }

/** Records by `NAME TYPE`; what is absent does not exist. `servers`: what they answer to a direct query. */
function network(
  records: Readonly<Record<string, readonly string[]>>,
  servers: Readonly<Record<string, Partial<DnsAnswer> | 'silent'>> = {},
) {
  const sent: string[] = []
  const clock = { ms: 0 }
  const simulated: typeof query = async (server, name, type, { recursive }) => {
    sent.push(`${printServer(server)} ${name} ${type}`)
    if (recursive) {
      const data = records[`${name} ${type}`] ?? []
      return { rcode: 'NOERROR', isAuthoritative: false, records: data.map((each) => ({ name, type, data: each })) }
    }
    const answer = servers[server.address]
    if (answer === undefined || answer === 'silent') throw new Error('no answer in time')
    return { rcode: 'NOERROR', isAuthoritative: true, records: [], ...answer }
  }
  const at = (hosts = new Map<string, DnsServer>()) =>
    new AuthoritativeServers({ resolvers: () => [RESOLVER], hosts, now: () => clock.ms, query: simulated })
  const direct = () => sent.filter((each) => !each.startsWith('192.0.2.53'))
  return { at, sent, direct, clock }
}

const record = (data: string) => [{ name: '_a.corp.test', type: 'CNAME', data }]

describe('The name servers of a domain', () => {
  test('are found above the name, and each is queried without recursion', async () => {
    const records = {
      'corp.test NS': ['ns1.corp.test', 'ns2.example.'],
      'ns1.corp.test A': ['8.8.4.1'],
      'ns2.example AAAA': ['2606:4700::2'],
    }
    const { at, direct } = network(records, {
      '8.8.4.1': { records: record('right') },
      '2606:4700::2': { rcode: 'NXDOMAIN' },
    })

    expect(await at().lookup('_a.www.corp.test', 'CNAME')).toEqual([
      { resolver: 'ns1.corp.test (8.8.4.1:53)', rcode: 'NOERROR', records: record('right') },
      { resolver: 'ns2.example ([2606:4700::2]:53)', rcode: 'NXDOMAIN', records: [] },
    ])
    expect(direct()).toEqual(['8.8.4.1:53 _a.www.corp.test CNAME', '[2606:4700::2]:53 _a.www.corp.test CNAME'])
  })

  test.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '192.168.1.1', '100.64.0.1', '0.0.0.0', '224.0.0.1'])(
    'are not queried at the internal address %s',
    async (address) => {
      const { at, direct } = network({ 'corp.test NS': ['ns.corp.test'], 'ns.corp.test A': [address] })

      expect(await at().lookup('_a.corp.test', 'CNAME')).toEqual([])
      expect(direct()).toEqual([])
    },
  )

  test.each(['::1', 'fe80::1', 'fd00:ec2::254', '::ffff:127.0.0.1', '64:ff9b::7f00:1'])(
    'are not queried at the internal address %s',
    async (address) => {
      const { at, direct } = network({ 'corp.test NS': ['ns.corp.test'], 'ns.corp.test AAAA': [address] })

      expect(await at().lookup('_a.corp.test', 'CNAME')).toEqual([])
      expect(direct()).toEqual([])
    },
  )

  test('are queried inside where the operator says where to find the host', async () => {
    const { at, direct } = network({ 'corp.test NS': ['NS.corp.test.'] }, { '10.0.0.53': {} })
    const hosts = new Map([['ns.corp.test', { address: '10.0.0.53', port: 5353 }]])

    expect(await at(hosts).lookup('_a.corp.test', 'CNAME')).toHaveLength(1)
    expect(direct()).toEqual(['10.0.0.53:5353 _a.corp.test CNAME'])
  })

  test('count when they answer with authority; when none does, there is no answer', async () => {
    const records = {
      'corp.test NS': ['a.example', 'b.example'],
      'a.example A': ['8.8.4.1'],
      'b.example A': ['8.8.4.2'],
    }
    const lame = network(records, { '8.8.4.1': { isAuthoritative: false, records: record('forged') }, '8.8.4.2': {} })
    const none = network(records, { '8.8.4.1': 'silent', '8.8.4.2': { isAuthoritative: false } })

    expect(await lame.at().lookup('_a.corp.test', 'CNAME')).toMatchObject([{ resolver: 'b.example (8.8.4.2:53)' }])
    expect(await none.at().lookup('_a.corp.test', 'CNAME')).toEqual([
      { resolver: 'the name servers of corp.test', rcode: undefined, records: [] },
    ])
  })

  test('are few, are found in few queries, and none of them gets many in a minute', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `ns${index}.example`)
    const records = Object.fromEntries(many.map((host, index) => [`${host} A`, [`8.8.4.${index}`, `8.8.5.${index}`]]))
    const { at, sent, direct, clock } = network({ 'corp.test NS': many, ...records })
    const servers = at()
    await servers.lookup(`${'a.'.repeat(100)}corp.test`, 'CNAME')
    expect(sent.length).toBeLessThanOrEqual(8)
    await servers.lookup('_a.corp.test', 'CNAME')
    expect(direct()).toHaveLength(4)
    for (let each = 0; each < 500; each++) await servers.lookup('_a.corp.test', 'CNAME')
    expect(direct()).toHaveLength(4 * 120)
    clock.ms += 61_000
    await servers.lookup('_a.corp.test', 'CNAME')
    expect(direct()).toHaveLength(4 * 120 + 4)
  })

  test('of a top-level domain are not queried', async () => {
    const { at, sent } = network({ 'test NS': ['a.example'], 'a.example A': ['8.8.4.1'] })

    expect(await at().lookup('test', 'CAA')).toEqual([])
    expect(sent).toEqual([])
  })
})
