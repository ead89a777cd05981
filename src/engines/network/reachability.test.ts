/** Reachability: sets of packets against a model that follows one packet at a time. */
import { describe, expect, test } from 'vitest'
import { numberOf, passes, randomFrom, randomNetwork } from './naive.fixture.ts'
import type { Network } from './network.ts'
import { CLIENT_PORTS, compile, INTERNET, reach, whoReaches } from './reachability.ts'

const NETWORKS = 500
const PACKETS = 20

const holds = ([first, last]: readonly [number, number], value: number): boolean => first <= value && value <= last

describe('In random networks', () => {
  test('a packet is among those that arrive exactly when the model lets it and its answer through', () => {
    const random = randomFrom(7)
    const wrong: unknown[] = []
    let arrived = 0
    for (let n = 0; n < NETWORKS; n++) {
      const network = randomNetwork(random)
      const snapshot = compile(network)
      const ends = [INTERNET, ...network.interfaces.map(({ id }) => id)]
      for (let m = 0; m < PACKETS; m++) {
        const [from, to] = [ends[random(ends.length)]!, ends[random(ends.length)]!]
        if (from === to) continue
        const addressOf = (id: string) =>
          id === INTERNET
            ? numberOf(['198.51.100.7', '203.0.113.9', '8.8.8.8'][random(3)]!)
            : numberOf(network.interfaces.find((each) => each.id === id)!.address)
        const protocol = [6, 17, 1][random(3)]!
        const packet = {
          source: addressOf(from),
          destination: addressOf(to),
          protocol,
          sourcePort: protocol === 1 ? 0 : CLIENT_PORTS[0] + random(CLIENT_PORTS[1] - CLIENT_PORTS[0]),
          destinationPort: protocol === 1 ? 0 : [22, 80, 443, 5432, 33_000][random(5)]!,
        }
        const { packets } = reach(snapshot, {
          from,
          to,
          protocol,
          ...(protocol !== 1 && { port: packet.destinationPort }),
        })
        const isAmong = packets.some(
          (box) =>
            holds(box.source, packet.source) &&
            holds(box.destination, packet.destination) &&
            holds(box.sourcePort, packet.sourcePort) &&
            holds(box.destinationPort, packet.destinationPort),
        )
        const isExpected = passes(network, from, to, packet)
        if (isExpected) arrived++
        if (isAmong !== isExpected) wrong.push({ n, from, to, packet, isExpected })
      }
    }

    expect(wrong).toEqual([])
    expect(arrived).toBeGreaterThan(100)
  })
})

/** A web server and a database behind it. */
const network: Network = {
  subnets: [
    { id: 'subnet-web', vpc: 'vpc-1', cidr: '10.0.1.0/24', routeTable: 'rtb-public', acl: 'acl-open' },
    { id: 'subnet-db', vpc: 'vpc-1', cidr: '10.0.2.0/24', routeTable: 'rtb-private', acl: 'acl-db' },
  ],
  interfaces: [
    {
      id: 'eni-web',
      subnet: 'subnet-web',
      vpc: 'vpc-1',
      address: '10.0.1.10',
      publicAddress: '198.18.0.1',
      groups: ['sg-web'],
    },
    { id: 'eni-db', subnet: 'subnet-db', vpc: 'vpc-1', address: '10.0.2.10', groups: ['sg-db'] },
  ],
  groups: [
    {
      id: 'sg-web',
      rules: [
        { id: 'sgr-in', egress: false, protocol: 6, from: 443, to: 443, cidr: '0.0.0.0/0' },
        { id: 'sgr-out', egress: true, protocol: -1, from: -1, to: -1, cidr: '0.0.0.0/0' },
      ],
    },
    { id: 'sg-db', rules: [{ id: 'sgr-db', egress: false, protocol: 6, from: 5432, to: 5432, group: 'sg-web' }] },
  ],
  acls: [
    {
      id: 'acl-open',
      entries: [true, false].map((egress) => ({
        number: 100,
        egress,
        allow: true,
        protocol: -1,
        from: -1,
        to: -1,
        cidr: '0.0.0.0/0',
      })),
    },
    {
      id: 'acl-db',
      entries: [
        { number: 100, egress: false, allow: true, protocol: 6, from: 5432, to: 5432, cidr: '10.0.0.0/16' },
        { number: 90, egress: true, allow: false, protocol: 6, from: 1024, to: 65_535, cidr: '10.0.1.0/24' },
        { number: 100, egress: true, allow: true, protocol: -1, from: -1, to: -1, cidr: '0.0.0.0/0' },
      ],
    },
  ],
  routeTables: [
    {
      id: 'rtb-public',
      routes: [
        { destination: '10.0.0.0/16', target: 'local', isBlackhole: false },
        { destination: '0.0.0.0/0', target: 'igw-1', isBlackhole: false },
      ],
    },
    { id: 'rtb-private', routes: [{ destination: '10.0.0.0/16', target: 'local', isBlackhole: false }] },
  ],
  internetGateways: [{ id: 'igw-1', vpc: 'vpc-1' }],
  natGateways: [],
  peerings: [],
  prefixLists: [],
}
const withOpenReturn: Network = {
  ...network,
  acls: network.acls.map((acl) => ({ ...acl, entries: acl.entries.filter(({ number }) => number !== 90) })),
}
const database = { protocol: 6, port: 5432 }

describe('A verdict', () => {
  test('shows each component on the way, and what matched in it', () => {
    const { isReachable, forward } = reach(compile(network), { from: INTERNET, to: 'eni-web', protocol: 6, port: 443 })

    expect(isReachable).toBe(true)
    expect(forward).toEqual([
      { component: 'internet', kind: 'internet' },
      { component: 'igw-1', kind: 'internet-gateway' },
      { component: 'acl-open', kind: 'network-acl', by: ['100'] },
      { component: 'sg-web', kind: 'security-group', by: ['sgr-in'] },
      { component: 'eni-web', kind: 'interface' },
    ])
  })

  test('names the entry of a network ACL that stops the answers', () => {
    const blocked = reach(compile(network), { ...database, from: 'eni-web', to: 'eni-db' })
    expect(blocked).toMatchObject({
      isReachable: false,
      blocked: [{ code: 'SUBNET_ACL_RESTRICTION', component: 'acl-db', direction: 'return', by: '90' }],
    })

    expect(reach(compile(withOpenReturn), { ...database, from: 'eni-web', to: 'eni-db' }).isReachable).toBe(true)
  })

  test.each([
    [
      'no public address',
      { from: INTERNET, to: 'eni-db', ...database },
      'IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS',
      'igw-1',
    ],
    [
      'no rule of the group',
      { from: INTERNET, to: 'eni-web', protocol: 6, port: 22 },
      'ENI_SG_RULES_MISMATCH',
      'sg-web',
    ],
    ['no rule to leave by', { from: 'eni-db', to: INTERNET, protocol: 6, port: 443 }, 'ENI_SG_RULES_MISMATCH', 'sg-db'],
  ])('says what is missing: %s', (_name, question, code, component) => {
    expect(reach(compile(network), question).blocked).toMatchObject([{ code, component }])
  })

  test('lists what reaches a database', () => {
    expect([...whoReaches(compile(withOpenReturn), 'eni-db', database)].map(({ from }) => from)).toEqual(['eni-web'])
    expect([...whoReaches(compile(network), 'eni-db', database)]).toEqual([])
  })
})
