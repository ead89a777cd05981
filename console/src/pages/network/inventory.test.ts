import { expect, test } from 'vitest'
import { type Inventory, isExposed, openPorts, ruleText, wayOut } from './inventory.ts'

const inventory: Inventory = {
  vpcs: [],
  subnets: [
    { SubnetId: 'open', VpcId: 'v' },
    { SubnetId: 'nat', VpcId: 'v' },
    { SubnetId: 'dead', VpcId: 'v' },
    { SubnetId: 'main', VpcId: 'v' },
  ],
  tables: [
    { VpcId: 'v', Associations: [{ SubnetId: 'open' }], Routes: [{ GatewayId: 'igw-1', State: 'active' }] },
    { VpcId: 'v', Associations: [{ SubnetId: 'nat' }], Routes: [{ NatGatewayId: 'nat-1', State: 'active' }] },
    { VpcId: 'v', Associations: [{ SubnetId: 'dead' }], Routes: [{ GatewayId: 'igw-1', State: 'blackhole' }] },
    { VpcId: 'v', Associations: [{ Main: true }], Routes: [{ GatewayId: 'local', State: 'active' }] },
  ],
  interfaces: [],
  rules: [
    { GroupId: 'web', IsEgress: false, IpProtocol: 'tcp', FromPort: 443, ToPort: 443, CidrIpv4: '0.0.0.0/0' },
    { GroupId: 'web', IsEgress: false, IpProtocol: 'tcp', FromPort: 22, ToPort: 22, CidrIpv4: '10.0.0.0/8' },
    { GroupId: 'web', IsEgress: true, IpProtocol: '-1', CidrIpv4: '0.0.0.0/0' },
    { GroupId: 'other', IsEgress: false, IpProtocol: '-1', CidrIpv6: '::/0' },
  ],
}

test('a subnet is public by a route to an internet gateway that exists; without a table of its own the main one counts', () => {
  expect(inventory.subnets.map((subnet) => wayOut(inventory, subnet).kind)).toEqual([
    'public',
    'private',
    'isolated',
    'isolated',
  ])
})

test('an interface is exposed by a public address in a public subnet', () => {
  const at = (SubnetId: string, PublicIp?: string) =>
    isExposed(inventory, { SubnetId, ...(PublicIp && { Association: { PublicIp } }) })
  expect([at('open', '198.18.0.1'), at('open'), at('nat', '198.18.0.1')]).toEqual([true, false, false])
})

test('open ports are those that every address may enter', () => {
  expect(openPorts(inventory, { Groups: [{ GroupId: 'web' }] })).toEqual(['tcp 443'])
  expect(openPorts(inventory, { Groups: [{ GroupId: 'web' }, { GroupId: 'other' }] })).toEqual([
    'tcp 443',
    'all traffic',
  ])
  expect(ruleText(inventory.rules[1]!)).toBe('tcp 22 from 10.0.0.0/8')
})
