/** A network for labs, and the command that builds it out of namespaces. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Network } from '../../src/engines/network/network.ts'
import { merlonAlone, temporaryFolder } from '../process.ts'
import { describedOf } from './described-network.ts'

/** Whether this machine lets a user have namespaces with filters. */
export const isLabPossible =
  spawnSync('unshare', ['--user', '--map-root-user', '--net', '--mount', 'true']).status === 0 &&
  spawnSync('nft', ['--version']).status === 0

function fileOf(network: Network): string {
  const file = join(temporaryFolder(), 'network.json')
  writeFileSync(file, JSON.stringify(describedOf(network)))
  return file
}

export const lab = (network: Network, ...words: readonly string[]) =>
  merlonAlone(['net', 'lab', '--files', fileOf(network), ...words])

const all = { protocol: -1, from: -1, to: -1 }
const tcp = (port: number) => ({ protocol: 6, from: port, to: port })
const anywhere = '0.0.0.0/0'

/** Two VPCs that are peered: a web server with a public address, a worker behind a NAT gateway, and a database. */
export const office: Network = {
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
