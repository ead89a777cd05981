/** Random small networks: the same sequence for the same seed. */
import type { Match, Network } from './network.ts'

/** A pseudo-random number below `n`; the same sequence for the same seed. */
export function randomFrom(seed: number): (n: number) => number {
  let state = seed >>> 0
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

const CIDRS = [
  '0.0.0.0/0',
  '10.0.0.0/16',
  '10.0.1.0/24',
  '10.0.2.0/24',
  '10.0.1.16/28',
  '198.51.100.0/24',
  '128.0.0.0/1',
]
const PORTS = [
  [22, 22],
  [80, 443],
  [0, 65_535],
  [1024, 65_535],
  [32_768, 60_999],
] as const

/** One VPC, three subnets, up to six interfaces. */
export function randomNetwork(random: (n: number) => number): Network {
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!
  const match = (): Match => {
    const protocol = pick([-1, 6, 6, 6, 17, 1])
    const [from, to] = protocol === 6 || protocol === 17 ? pick(PORTS) : [-1, -1]
    return { protocol, from, to }
  }
  const groups = ['sg-1', 'sg-2', 'sg-3'].map((id) => ({
    id,
    rules: Array.from({ length: 1 + random(4) }, (_, index) => ({
      id: `sgr-${id}-${index}`,
      egress: random(2) === 0,
      ...match(),
      ...(random(3) === 0 ? { group: pick(['sg-1', 'sg-2', 'sg-3']) } : { cidr: pick(CIDRS) }),
    })),
  }))
  const acls = ['acl-1', 'acl-2'].map((id) => ({
    id,
    entries: Array.from({ length: 2 + random(5) }, (_, index) => ({
      number: (index + 1) * 10,
      egress: random(2) === 0,
      allow: random(4) > 0,
      ...(random(2) === 0 ? { protocol: -1, from: -1, to: -1 } : match()),
      cidr: pick(CIDRS),
    })),
  }))
  const routeTables = ['rtb-1', 'rtb-2'].map((id) => ({
    id,
    routes: [
      { destination: '10.0.0.0/16', target: 'local', isBlackhole: false },
      ...(random(3) > 0
        ? [
            {
              destination: pick(['0.0.0.0/0', '198.51.100.0/24', '128.0.0.0/1']),
              target: 'igw-1',
              isBlackhole: random(5) === 0,
            },
          ]
        : []),
    ],
  }))
  const subnets = [1, 2, 3].map((number) => ({
    id: `subnet-${number}`,
    vpc: 'vpc-1',
    cidr: `10.0.${number}.0/24`,
    routeTable: pick(['rtb-1', 'rtb-2']),
    acl: pick(['acl-1', 'acl-2']),
  }))
  const interfaces = Array.from({ length: 2 + random(5) }, (_, index) => {
    const number = 1 + random(3)
    return {
      id: `eni-${index}`,
      subnet: `subnet-${number}`,
      vpc: 'vpc-1',
      address: `10.0.${number}.${10 + index}`,
      groups: [...new Set([pick(['sg-1', 'sg-2', 'sg-3']), pick(['sg-1', 'sg-2', 'sg-3'])])],
      ...(random(2) === 0 && { publicAddress: `198.18.0.${index + 1}` }),
    }
  })
  return {
    subnets,
    interfaces,
    groups,
    acls,
    routeTables,
    internetGateways: random(5) > 0 ? [{ id: 'igw-1', vpc: 'vpc-1' }] : [],
    egressOnlyGateways: [],
    gatewayEndpoints: [],
    natGateways: [],
    peerings: [],
    prefixLists: [],
  }
}

const BOTH = [
  ...CIDRS,
  '10.1.0.0/16',
  '10.1.1.0/24',
  '::/0',
  'fd00::/16',
  'fd00:0:0:1::/64',
  'fd00:1::/32',
  '2001:db8::/33',
]
const OUTSIDE = ['0.0.0.0/0', '198.51.100.0/24', '128.0.0.0/1', '::/0', '2001:db8::/33', 'pl-service']

/** Two VPCs of both families, which may be peered, with every kind of gateway, prefix lists and VPC Block Public Access. */
export function randomWideNetwork(random: (n: number) => number): Network {
  const pick = <T>(all: readonly T[]): T => all[random(all.length)]!
  const match = (): Match => {
    const protocol = pick([-1, -1, 6, 6, 17, 1, 58])
    const [from, to] = protocol === 6 || protocol === 17 ? pick(PORTS) : [-1, -1]
    return { protocol, from, to }
  }
  const peer = () =>
    [{ group: pick(['sg-1', 'sg-2', 'sg-3']) }, { prefixList: pick(['pl-service', 'pl-own']) }][random(5)] ?? {
      cidr: pick(BOTH),
    }
  const groups = ['sg-1', 'sg-2', 'sg-3'].map((id) => ({
    id,
    rules: Array.from({ length: 3 + random(5) }, (_, index) => ({
      id: `sgr-${id}-${index}`,
      egress: random(2) === 0,
      ...match(),
      ...peer(),
    })),
  }))
  const acls = ['acl-1', 'acl-2', 'acl-open'].map((id) => ({
    id,
    entries:
      id === 'acl-open'
        ? [true, false].flatMap((egress) =>
            ['0.0.0.0/0', '::/0'].map((cidr, index) => ({
              ...{ number: 100 + index, egress, allow: true },
              ...{ protocol: -1, from: -1, to: -1, cidr },
            })),
          )
        : Array.from({ length: 4 + random(6) }, (_, index) => ({
            number: (index + 1) * 10,
            egress: random(2) === 0,
            allow: random(5) > 0,
            ...(random(2) === 0 ? { protocol: -1, from: -1, to: -1 } : match()),
            cidr: pick(BOTH),
          })),
  }))
  const subnets = [0, 0, 0, 1, 1].map((vpc, index) => ({
    id: `subnet-${index}`,
    vpc: `vpc-${vpc}`,
    cidr: `10.${vpc}.${index}.0/24`,
    cidr6: `fd00:${vpc}:0:${index}::/64`,
    routeTable: `rtb-${index}`,
    acl: pick(['acl-1', 'acl-2', 'acl-open', 'acl-open']),
    ...(random(8) === 0 && { blocks: pick(['ingress', 'all'] as const) }),
  }))
  const routeTables = subnets.map(({ id, vpc }, index) => {
    const number = vpc.slice(-1)
    const targets = [
      `igw-${number}`,
      `igw-${number}`,
      'nat-0',
      'nat-1',
      `eigw-${number}`,
      `vpce-${number}`,
      'pcx-0',
      'pcx-1',
    ]
    const seen = new Set<string>()
    return {
      id: `rtb-${index}`,
      routes: [
        { destination: `10.${number}.0.0/16`, target: 'local', isBlackhole: false },
        { destination: `fd00:${number}::/32`, target: 'local', isBlackhole: false },
        {
          destination: `10.${1 - Number(number)}.0.0/16`,
          target: pick(['pcx-0', 'pcx-1', 'pcx-0']),
          isBlackhole: id === '',
        },
        {
          destination: `fd00:${1 - Number(number)}::/32`,
          target: pick(['pcx-0', 'pcx-1', 'pcx-0']),
          isBlackhole: false,
        },
        ...Array.from({ length: 1 + random(4) }, () => ({
          destination: pick(OUTSIDE),
          target: pick(targets),
          isBlackhole: random(8) === 0,
        })).filter(({ destination }) => !seen.has(destination) && seen.add(destination)),
      ],
    }
  })
  const interfaces = Array.from({ length: 4 + random(5) }, (_, index) => {
    const subnet = random(5)
    const vpc = subnet < 3 ? 0 : 1
    const families = random(4)
    return {
      id: `eni-${index}`,
      subnet: `subnet-${subnet}`,
      vpc: `vpc-${vpc}`,
      address: families === 0 ? '' : `10.${vpc}.${subnet}.${10 + index}`,
      groups: [...new Set([pick(['sg-1', 'sg-2', 'sg-3']), pick(['sg-1', 'sg-2', 'sg-3'])])],
      ...(families !== 1 && { address6: `fd00:${vpc}:0:${subnet}::${index + 1}` }),
      ...(families !== 0 && random(2) === 0 && { publicAddress: `198.18.0.${index + 1}` }),
    }
  })
  const nat = (id: number, subnet: number) => ({
    id: `eni-nat-${id}`,
    subnet: `subnet-${subnet}`,
    vpc: `vpc-${subnet < 3 ? 0 : 1}`,
    address: `10.${subnet < 3 ? 0 : 1}.${subnet}.5`,
    publicAddress: `198.18.1.${id}`,
    groups: [],
    isUnfiltered: true,
  })
  const places = [random(3), random(3)]
  return {
    subnets,
    interfaces: [...interfaces, ...places.map((subnet, id) => nat(id, subnet))],
    groups,
    acls,
    routeTables,
    internetGateways: [0, 1].filter(() => random(6) > 0).map((id) => ({ id: `igw-${id}`, vpc: `vpc-${id}` })),
    egressOnlyGateways: [0, 1].map((id) => ({ id: `eigw-${id}`, vpc: `vpc-${id}` })),
    gatewayEndpoints: [0, 1].map((id) => ({ id: `vpce-${id}`, vpc: `vpc-${id}` })),
    natGateways: [0, 1].map((id) => ({ id: `nat-${id}`, interface: `eni-nat-${id}`, isAvailable: random(6) > 0 })),
    peerings: [0, 1].map((id) => ({ id: `pcx-${id}`, vpcs: ['vpc-0', 'vpc-1'] as const, isActive: random(4) > 0 })),
    prefixLists: [
      { id: 'pl-service', cidrs: ['203.0.113.0/24', '2001:db8:8000::/33'] },
      { id: 'pl-own', cidrs: ['10.0.1.0/24', '10.1.0.0/16', 'fd00:1::/32'] },
    ],
  }
}
