/** Reachability from the internet in a large network: prints milliseconds of the processor of each round as JSON. */
import { exposureOf } from '../../src/engines/network/exposure.ts'
import type { Network } from '../../src/engines/network/network.ts'

const [interfaces = 0, rules = 0, rounds = 0] = process.argv.slice(2).map(Number)
const GROUPS = 500
const SUBNETS = 50
const open = { protocol: -1, from: -1, to: -1 }
const anywhere = '0.0.0.0/0'

const range = (count: number) => Array.from({ length: count }, (_, n) => n)
const network: Network = {
  subnets: range(SUBNETS).map((n) => ({
    id: `subnet-${n}`,
    vpc: 'vpc-1',
    cidr: `10.0.${n}.0/24`,
    routeTable: `rtb-${n % 2}`,
    acl: `acl-${n % 5}`,
  })),
  interfaces: range(interfaces).map((n) => ({
    id: `eni-${n}`,
    subnet: `subnet-${n % SUBNETS}`,
    vpc: 'vpc-1',
    address: `10.0.${n % SUBNETS}.${4 + Math.floor(n / SUBNETS)}`,
    publicAddress: `198.18.${n >> 8}.${n & 255}`,
    groups: [`sg-${n % GROUPS}`, `sg-${(n * 7) % GROUPS}`],
  })),
  groups: range(GROUPS).map((group) => ({
    id: `sg-${group}`,
    rules: range(Math.ceil(rules / GROUPS)).map((n) => ({
      id: `sgr-${group}-${n}`,
      egress: n % 4 === 0,
      protocol: n % 5 === 0 ? 17 : 6,
      from: 1_000 + n * 10,
      to: 1_000 + n * 10 + (group % 9),
      ...(n % 4 === 1
        ? { group: `sg-${(group + n) % GROUPS}` }
        : { cidr: n % 4 === 2 ? anywhere : `${n + 1}.${group % 250}.0.0/16` }),
    })),
  })),
  acls: range(5).map((n) => ({
    id: `acl-${n}`,
    entries: [true, false].flatMap((egress) => [
      { number: 50, egress, allow: false, protocol: 6, from: 22, to: 22, cidr: `${100 + n}.0.0.0/8` },
      { number: 100, egress, allow: true, ...open, cidr: anywhere },
    ]),
  })),
  routeTables: range(2).map((n) => ({
    id: `rtb-${n}`,
    routes: [
      { destination: '10.0.0.0/16', target: 'local', isBlackhole: false },
      { destination: anywhere, target: 'igw-1', isBlackhole: false },
    ],
  })),
  internetGateways: [{ id: 'igw-1', vpc: 'vpc-1' }],
  egressOnlyGateways: [],
  gatewayEndpoints: [],
  natGateways: [],
  peerings: [],
  prefixLists: [],
}

const processorMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1_000
}

const all: number[] = []
const changes: number[] = []
let reachable = 0
for (let round = 0; round < rounds; round++) {
  const startedAt = process.cpuUsage()
  const before = exposureOf(network, {})
  all.push(processorMs(startedAt))
  reachable = [...before.verdicts.values()].filter(({ isReachable }) => isReachable).length
  const [first, ...others] = network.groups
  const [, ...rest] = first!.rules
  const changedAt = process.cpuUsage()
  exposureOf({ ...network, groups: [{ ...first!, rules: rest }, ...others] }, {}, before)
  changes.push(processorMs(changedAt))
}
console.log(JSON.stringify({ all, changes, reachable }))
