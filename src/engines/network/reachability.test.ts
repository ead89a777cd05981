/** Reachability: sets of packets against a model that follows one packet at a time. */
import { describe, expect, test } from 'vitest'
import type { Family } from './address-space.ts'
import type { Range } from './boxes.ts'
import { compileBoth, reachEither, whoReaches } from './families.ts'
import { addressOf, addressValue, type Packet, passes } from './naive.fixture.ts'
import type { Network } from './network.ts'
import { randomFrom, randomNetwork, randomWideNetwork } from './random-network.fixture.ts'
import { CLIENT_PORTS, compile, INTERNET, reach, type Snapshot } from './reachability.ts'

const NETWORKS = 500
const PACKETS = 20

const holds = ([first, last]: Range, value: number): boolean => first <= value && value <= last

/** Packets whose verdicts differ from the model's, and how many arrive. */
function compared(networkOf: (random: (n: number) => number) => Network, family: Family, seed: number) {
  const random = randomFrom(seed)
  const wrong: unknown[] = []
  let arrived = 0
  for (let n = 0; n < NETWORKS; n++) {
    const network = networkOf(random)
    const snapshot = compile(network, family)
    const sources = [INTERNET, ...network.interfaces.filter((each) => !each.isUnfiltered).map(({ id }) => id)]
    const ends = [INTERNET, ...[...network.interfaces, ...network.gatewayEndpoints].map(({ id }) => id)]
    for (let m = 0; m < PACKETS; m++) {
      const [from, to] = [sources[random(sources.length)]!, ends[random(ends.length)]!]
      if (from === to) continue
      const protocol = [6, 17, family === 4 ? 1 : 58][random(3)]!
      const hasPorts = protocol === 6 || protocol === 17
      const [source, destination] = [from, to].map((id) => addressFor(snapshot, id, random))
      const packet: Packet = {
        source: addressValue(source!),
        destination: addressValue(destination!),
        protocol,
        sourcePort: hasPorts ? CLIENT_PORTS[0] + random(CLIENT_PORTS[1] - CLIENT_PORTS[0]) : 0,
        destinationPort: hasPorts ? [22, 80, 443, 5432, 33_000][random(5)]! : 0,
      }
      const question = { from, to, protocol, ...(hasPorts && { port: packet.destinationPort }) }
      const { packets, isReachable } = reach(snapshot, question)
      const isAmong = packets.some(
        (box) =>
          holds(box.source, numberOf(snapshot, source!)) &&
          holds(box.destination, numberOf(snapshot, destination!)) &&
          holds(box.sourcePort, packet.sourcePort) &&
          holds(box.destinationPort, packet.destinationPort),
      )
      const isExpected = passes(network, family, from, to, packet)
      if (isExpected) arrived++
      if (isAmong !== isExpected || (isAmong && !isReachable))
        wrong.push({ n, from, to, source, destination, packet: { ...packet, source: '', destination: '' }, isExpected })
    }
  }
  return { wrong, arrived }
}

/** Of an interface, or one that the internet or a service may have. */
function addressFor({ network, space }: Snapshot, id: string, random: (n: number) => number): string {
  const eni = network.interfaces.find((each) => each.id === id)
  const own = eni && addressOf(eni, space.family)
  if (own !== undefined) return own
  if (space.family === 4) return ['198.51.100.7', '203.0.113.9', '8.8.8.8'][random(3)]!
  // Any run of addresses that is no VPC's.
  for (;;) {
    const at = random(space.all[1] + 1)
    const [first] = space.print([at, at])
    if (!first.startsWith('fd00:')) return first
  }
}

/** Of IPv6, of the run that begins with the address. */
function numberOf({ space }: Snapshot, text: string): number {
  if (space.family === 4) return Number(addressValue(text))
  return Array.from({ length: space.all[1] + 1 }, (_, at) => at).find((at) => {
    const [first, last] = space.print([at, at]).map(addressValue)
    return first! <= addressValue(text) && addressValue(text) <= last!
  })!
}

describe('In random networks', () => {
  test.each([
    ['one VPC of IPv4', randomNetwork, 4, 7],
    ['two VPCs with every kind of gateway, IPv4', randomWideNetwork, 4, 8],
    ['two VPCs with every kind of gateway, IPv6', randomWideNetwork, 6, 9],
  ] as const)(
    'a packet is among those that arrive exactly when the model lets it and its answer through: %s',
    (_name, networkOf, family, seed) => {
      const { wrong, arrived } = compared(networkOf, family, seed)
      expect(wrong).toEqual([])
      expect(arrived).toBeGreaterThan(100)
    },
  )
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
  egressOnlyGateways: [],
  gatewayEndpoints: [],
  natGateways: [],
  peerings: [],
  prefixLists: [],
}
const withOpenReturn: Network = {
  ...network,
  acls: network.acls.map((acl) => ({ ...acl, entries: acl.entries.filter(({ number }) => number !== 90) })),
}
const database = { protocol: 6, port: 5432 }

/** The same with IPv6, which leaves the private subnet by a gateway of its own, and a gateway endpoint for a service. */
const dualStack: Network = {
  ...network,
  interfaces: network.interfaces.map((eni, index) => ({ ...eni, address6: `2001:db8:0:${index + 1}::10` })),
  groups: network.groups.map((group) => ({
    ...group,
    rules: [
      ...group.rules,
      { id: `${group.id}-6`, egress: true, protocol: -1, from: -1, to: -1, cidr: '::/0' },
      { id: `${group.id}-s`, egress: true, protocol: 6, from: 443, to: 443, prefixList: 'pl-s3' },
      ...(group.id === 'sg-web'
        ? [{ id: 'sgr-in-6', egress: false, protocol: 6, from: 443, to: 443, cidr: '::/0' }]
        : []),
    ],
  })),
  acls: network.acls.map((acl) => ({
    ...acl,
    entries: ['0.0.0.0/0', '::/0'].flatMap((cidr, index) =>
      [true, false].map((egress) => ({
        ...{ number: 100 + index, egress, allow: true },
        ...{ protocol: -1, from: -1, to: -1, cidr },
      })),
    ),
  })),
  routeTables: network.routeTables.map(({ id, routes }) => ({
    id,
    routes: [
      ...routes,
      { destination: '2001:db8::/56', target: 'local', isBlackhole: false },
      { destination: '::/0', target: id === 'rtb-public' ? 'igw-1' : 'eigw-1', isBlackhole: false },
      { destination: 'pl-s3', target: 'vpce-s3', isBlackhole: false },
    ],
  })),
  egressOnlyGateways: [{ id: 'eigw-1', vpc: 'vpc-1' }],
  gatewayEndpoints: [{ id: 'vpce-s3', vpc: 'vpc-1' }],
  prefixLists: [{ id: 'pl-s3', cidrs: ['52.216.0.0/15'] }],
}

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

  test('is that of IPv6 where IPv4 has no way: out by an egress-only gateway, and not in', () => {
    const both = compileBoth(dualStack)
    const out = reachEither(both, { from: 'eni-db', to: INTERNET, protocol: 6, port: 443 })

    expect([out.snapshot.space.family, out.verdict.isReachable]).toEqual([6, true])
    expect(out.verdict.forward.slice(-2).map(({ component }) => component)).toEqual(['eigw-1', 'internet'])
    const onlyEgress = { ...dualStack, internetGateways: [] }
    const to = { from: INTERNET, to: 'eni-web', protocol: 6, port: 443 }
    expect(reach(compile(onlyEgress, 6), to).blocked).toMatchObject([{ code: 'IGW_NOT_ATTACHED_TO_VPC' }])
    expect(reach(compile(dualStack, 6), to)).toMatchObject({ isReachable: true })
  })

  test('of an end without an address of the family says so', () => {
    const [web, db] = dualStack.interfaces
    const mixed = compileBoth({ ...dualStack, interfaces: [web!, { ...db!, address: '', address6: undefined }] })
    const { verdict } = reachEither(mixed, { from: 'eni-db', to: 'eni-web' })
    expect(verdict.blocked).toMatchObject([{ code: 'NO_POSSIBLE_DESTINATION', component: 'eni-db' }])
  })

  test('to a gateway endpoint covers the blocks of its service, which then do not go to the internet', () => {
    const snapshot = compile(dualStack)
    const https = { protocol: 6, port: 443 }
    const { isReachable, packets, forward } = reach(snapshot, { ...https, from: 'eni-db', to: 'vpce-s3' })

    expect(isReachable).toBe(true)
    expect(packets.map(({ destination }) => snapshot.space.print(destination))).toEqual([
      ['52.216.0.0', '52.217.255.255'],
    ])
    expect(forward.at(-1)).toEqual({ component: 'vpce-s3', kind: 'vpc-endpoint' })
    const service = snapshot.space.rangeOf('52.216.0.1')![0]
    const toInternet = reach(snapshot, { ...https, from: 'eni-web', to: INTERNET })
    expect(toInternet.packets.some(({ destination }) => holds(destination, service))).toBe(false)
    expect(reach(snapshot, { from: 'eni-db', to: 'vpce-s3', protocol: 6, port: 22 }).blocked).toMatchObject([
      { code: 'ENI_SG_RULES_MISMATCH' },
    ])
  })

  test('of more rules than an analysis takes is none', () => {
    const cidrs = Array.from({ length: 11_000 }, (_, n) => `100.${n >> 7}.${(n & 127) * 2}.0/24`)
    const listed = {
      ...network,
      groups: network.groups.map((group) => ({
        ...group,
        rules: group.rules.map((rule) =>
          rule.id === 'sgr-in' ? { ...rule, cidr: undefined, prefixList: 'pl-1' } : rule,
        ),
      })),
    }
    const to = { from: INTERNET, to: 'eni-web', protocol: 6, port: 443 }
    const snapshotOf = (count: number) =>
      compile({ ...listed, prefixLists: [{ id: 'pl-1', cidrs: cidrs.slice(0, count) }] })
    expect(() => reach(snapshotOf(11_000), to)).toThrow('More than 10000 kinds of packets')
    expect(reach(snapshotOf(2_000), to).isReachable).toBe(true)
  })

  test('lists what reaches a database', () => {
    expect([...whoReaches(compileBoth(withOpenReturn), 'eni-db', database)].map(({ from }) => from)).toEqual([
      'eni-web',
    ])
    expect([...whoReaches(compileBoth(network), 'eni-db', database)]).toEqual([])
  })
})
