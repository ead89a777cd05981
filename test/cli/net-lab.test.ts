/** `merlon net lab`: packets between namespaces of this machine agree with the analysis, and are counted to the byte. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Network } from '../../src/engines/network/network.ts'
import { randomFrom, randomNetwork } from '../../src/engines/network/random-network.fixture.ts'
import { merlonAlone, temporaryFolder } from '../process.ts'
import { describedOf } from './described-network.ts'

const isPossible =
  spawnSync('unshare', ['--user', '--map-root-user', '--net', '--mount', 'true']).status === 0 &&
  spawnSync('nft', ['--version']).status === 0

function fileOf(network: Network): string {
  const file = join(temporaryFolder(), 'network.json')
  writeFileSync(file, JSON.stringify(describedOf(network)))
  return file
}

const lab = (network: Network, ...words: readonly string[]) =>
  merlonAlone(['net', 'lab', '--files', fileOf(network), ...words])

const all = { protocol: -1, from: -1, to: -1 }
const tcp = (port: number) => ({ protocol: 6, from: port, to: port })
const anywhere = '0.0.0.0/0'

/** Two VPCs that are peered: a web server with a public address, a worker behind a NAT gateway, and a database. */
const office: Network = {
  subnets: [
    { id: 'subnet-public', vpc: 'vpc-a', cidr: '10.0.1.0/24', routeTable: 'rtb-public', acl: 'acl-open' },
    { id: 'subnet-private', vpc: 'vpc-a', cidr: '10.0.2.0/24', routeTable: 'rtb-private', acl: 'acl-open' },
    { id: 'subnet-data', vpc: 'vpc-b', cidr: '10.1.1.0/24', routeTable: 'rtb-data', acl: 'acl-data' },
  ],
  interfaces: [
    {
      id: 'eni-web',
      subnet: 'subnet-public',
      vpc: 'vpc-a',
      address: '10.0.1.10',
      publicAddress: '198.18.0.10',
      groups: ['sg-web'],
    },
    {
      id: 'eni-nat',
      subnet: 'subnet-public',
      vpc: 'vpc-a',
      address: '10.0.1.20',
      publicAddress: '198.18.0.20',
      groups: [],
      isUnfiltered: true,
    },
    { id: 'eni-worker', subnet: 'subnet-private', vpc: 'vpc-a', address: '10.0.2.10', groups: ['sg-worker'] },
    { id: 'eni-db', subnet: 'subnet-data', vpc: 'vpc-b', address: '10.1.1.10', groups: ['sg-db'] },
  ],
  groups: [
    {
      id: 'sg-web',
      rules: [
        { id: 'sgr-1', egress: false, ...tcp(443), cidr: anywhere },
        { id: 'sgr-2', egress: true, ...all, cidr: '10.0.0.0/8' },
      ],
    },
    {
      id: 'sg-worker',
      rules: [
        { id: 'sgr-3', egress: false, ...tcp(8_080), group: 'sg-web' },
        { id: 'sgr-4', egress: true, ...all, cidr: anywhere },
      ],
    },
    { id: 'sg-db', rules: [{ id: 'sgr-5', egress: false, ...tcp(5_432), prefixList: 'pl-workers' }] },
  ],
  acls: [
    {
      id: 'acl-open',
      entries: [true, false].map((egress) => ({ number: 100, egress, allow: true, ...all, cidr: anywhere })),
    },
    {
      id: 'acl-data',
      entries: [
        { number: 100, egress: false, allow: true, ...tcp(5_432), cidr: '10.0.0.0/16' },
        { number: 100, egress: true, allow: true, protocol: 6, from: 1_024, to: 49_151, cidr: '10.0.0.0/16' },
      ],
    },
  ],
  routeTables: [
    {
      id: 'rtb-public',
      routes: [
        { destination: '10.0.0.0/16', target: 'local', isBlackhole: false },
        { destination: anywhere, target: 'igw-a', isBlackhole: false },
      ],
    },
    {
      id: 'rtb-private',
      routes: [
        { destination: '10.0.0.0/16', target: 'local', isBlackhole: false },
        { destination: '10.1.0.0/16', target: 'pcx-ab', isBlackhole: false },
        { destination: anywhere, target: 'nat-a', isBlackhole: false },
      ],
    },
    {
      id: 'rtb-data',
      routes: [
        { destination: '10.1.0.0/16', target: 'local', isBlackhole: false },
        { destination: '10.0.2.0/24', target: 'pcx-ab', isBlackhole: false },
      ],
    },
  ],
  internetGateways: [{ id: 'igw-a', vpc: 'vpc-a' }],
  egressOnlyGateways: [],
  gatewayEndpoints: [],
  natGateways: [{ id: 'nat-a', interface: 'eni-nat', isAvailable: true }],
  peerings: [{ id: 'pcx-ab', vpcs: ['vpc-a', 'vpc-b'], isActive: true }],
  prefixLists: [{ id: 'pl-workers', cidrs: ['10.0.2.0/25'] }],
}

describe.skipIf(!isPossible)('The lab', () => {
  test.each([1, 2, 3, 4, 5, 6])('agrees with the analysis of random network %i', async (seed) => {
    const { status, stdout, stderr } = await lab(
      randomNetwork(randomFrom(seed)),
      ...['--questions', '40', '--seed', String(seed)],
    )
    expect(stdout + stderr).toMatch(/^40 connections, \d+ reachable, 0 different\n$/)
    expect(status).toBe(0)
  })

  test('agrees with the analysis of two VPCs with peering, NAT, a prefix list and a stateless way back', async () => {
    const { status, stdout, stderr } = await lab(office, '--questions', '80', '--json')
    expect(stderr).toBe('')
    const { questions, reachable, different } = JSON.parse(stdout)
    expect({ questions, different }).toEqual({ questions: 80, different: [] })
    expect(reachable).toBeGreaterThan(20)
    expect(status).toBe(0)
  })

  test('counts a connection that is carried and one that is rejected to the byte, at both interfaces', async () => {
    const script = `
      const net = require('node:net')
      const rejected = net.connect({ host: '10.1.1.10', port: 22, localAddress: '10.0.2.10', localPort: 40001 })
      rejected.on('error', () => undefined)
      setTimeout(() => rejected.destroy(), 300)
      net.connect({ host: '10.1.1.10', port: 5432, localAddress: '10.0.2.10', localPort: 40000 }).end('x'.repeat(1000)).resume()
    `
    const { status, stdout } = await lab(office, '--at', '10.0.2.10', '--flows', '--', process.execPath, '-e', script)
    expect(status).toBe(0)
    const [header, ...lines] = stdout.trim().split('\n')
    expect(header).toMatch(
      /^version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end/,
    )
    const records = lines.map((line) => line.split(' '))
    expect(records.map((parts) => [...parts.slice(0, 8), ...parts.slice(12)].join(' ')).sort()).toEqual(
      [
        '2 111122223333 eni-worker 10.0.2.10 10.1.1.10 40000 5432 6 ACCEPT OK',
        '2 111122223333 eni-worker 10.1.1.10 10.0.2.10 5432 40000 6 ACCEPT OK',
        '2 111122223333 eni-db 10.0.2.10 10.1.1.10 40000 5432 6 ACCEPT OK',
        '2 111122223333 eni-db 10.1.1.10 10.0.2.10 5432 40000 6 ACCEPT OK',
        // What the database's side refuses has left the worker.
        '2 111122223333 eni-worker 10.0.2.10 10.1.1.10 40001 22 6 ACCEPT OK',
        '2 111122223333 eni-db 10.0.2.10 10.1.1.10 40001 22 6 REJECT OK',
      ].sort(),
    )
    for (const [, , , , , sourcePort, , , packets, bytes, , , action] of records) {
      // A header of IP and TCP with a time stamp has 52 bytes, the first one of a connection 60; the text goes both ways.
      if (sourcePort === '40001') expect([packets, bytes]).toEqual(['1', '60'])
      else expect([action, Number(bytes) - 52 * Number(packets)]).toEqual(['ACCEPT', 8 + 1_000])
    }
  })

  test('refuses texts that are no addresses, and words that make no sense', async () => {
    const [first, ...others] = office.interfaces
    const broken = { ...office, interfaces: [{ ...first!, address: '10.0.1.10; reboot' }, ...others] }
    expect(await lab(broken)).toMatchObject({ status: 2, stderr: "merlon: '10.0.1.10; reboot' is no IPv4 address.\n" })
    expect((await lab(office, '--at', 'eni-web')).stderr).toContain('--at needs a command')
    expect((await lab(office, '--questions', 'many')).stderr).toContain('--questions is a number')
  })
})
