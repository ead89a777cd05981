/** A network as `merlon net import` writes it: lists of outputs of `aws ec2 describe-…`. */
import type { Match, Network } from '../../src/engines/network/network.ts'

const named = ({ protocol, from, to }: Match) => ({ IpProtocol: String(protocol), FromPort: from, ToPort: to })

export const describedOf = (network: Network): object => ({
  Subnets: network.subnets.map(({ id, vpc, cidr }) => ({ SubnetId: id, VpcId: vpc, CidrBlock: cidr })),
  NetworkInterfaces: network.interfaces.map((eni) => ({
    NetworkInterfaceId: eni.id,
    OwnerId: '111122223333',
    SubnetId: eni.subnet,
    VpcId: eni.vpc,
    PrivateIpAddress: eni.address,
    Groups: eni.groups.map((GroupId) => ({ GroupId })),
    ...(eni.publicAddress !== undefined && { Association: { PublicIp: eni.publicAddress } }),
    ...(eni.isUnfiltered && { InterfaceType: 'nat_gateway' }),
  })),
  SecurityGroups: network.groups.map(({ id }) => ({ GroupId: id })),
  SecurityGroupRules: network.groups.flatMap(({ id, rules }) =>
    rules.map((rule) => ({
      SecurityGroupRuleId: rule.id,
      GroupId: id,
      IsEgress: rule.egress,
      ...named(rule),
      ...(rule.cidr !== undefined && { CidrIpv4: rule.cidr }),
      ...(rule.prefixList !== undefined && { PrefixListId: rule.prefixList }),
      ...(rule.group !== undefined && { ReferencedGroupInfo: { GroupId: rule.group } }),
    })),
  ),
  NetworkAcls: network.acls.map(({ id, entries }) => ({
    NetworkAclId: id,
    Associations: network.subnets.filter(({ acl }) => acl === id).map((subnet) => ({ SubnetId: subnet.id })),
    Entries: entries.map((entry) => ({
      RuleNumber: entry.number,
      Egress: entry.egress,
      RuleAction: entry.allow ? 'allow' : 'deny',
      Protocol: String(entry.protocol),
      CidrBlock: entry.cidr,
      ...(entry.from >= 0 && { PortRange: { From: entry.from, To: entry.to } }),
    })),
  })),
  RouteTables: network.routeTables.map(({ id, routes }) => ({
    RouteTableId: id,
    Associations: network.subnets
      .filter(({ routeTable }) => routeTable === id)
      .map((subnet) => ({ SubnetId: subnet.id })),
    Routes: routes.map(({ destination, target, isBlackhole }) => ({
      DestinationCidrBlock: destination,
      ...(target.startsWith('nat-')
        ? { NatGatewayId: target }
        : target.startsWith('pcx-')
          ? { VpcPeeringConnectionId: target }
          : { GatewayId: target }),
      State: isBlackhole ? 'blackhole' : 'active',
    })),
  })),
  InternetGateways: network.internetGateways.map(({ id, vpc }) => ({
    InternetGatewayId: id,
    Attachments: [{ VpcId: vpc }],
  })),
  NatGateways: network.natGateways.map(({ id, interface: eni, isAvailable }) => ({
    NatGatewayId: id,
    State: isAvailable ? 'available' : 'deleted',
    NatGatewayAddresses: [{ NetworkInterfaceId: eni }],
  })),
  PrefixLists: network.prefixLists.map(({ id, cidrs }) => ({ PrefixListId: id, Cidrs: cidrs })),
  VpcPeeringConnections: network.peerings.map(({ id, vpcs: [requester, accepter], isActive }) => ({
    VpcPeeringConnectionId: id,
    RequesterVpcInfo: { VpcId: requester },
    AccepterVpcInfo: { VpcId: accepter },
    Status: { Code: isActive ? 'active' : 'deleted' },
  })),
})
