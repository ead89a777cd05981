/** The network of an account in a Region, as reachability is computed on: read from the rows, with the VPCs of peers. */
import { networkFrom, type PublicAccess, protocolNumber } from '../../engines/network/described.ts'
import { compileBoth, type Snapshots } from '../../engines/network/families.ts'
import type { GroupRule, Network } from '../../engines/network/network.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { entriesOf } from './prefix-lists.ts'
import {
  egressOnlyGateway,
  internetGateway,
  natGateway,
  natState,
  networkAcl,
  networkInterface,
  peering,
  prefixList,
  publicAccessExclusion,
  routeTable,
  securityGroup,
  subnet,
  vpcEndpoint,
} from './resources.ts'
import { publicAccess } from './settings.ts'

async function networkOf(call: Call): Promise<Network> {
  const dataOf = <S>(rows: readonly { readonly data: S }[]): readonly S[] => rows.map(({ data }) => data)
  const [groups, nats, lists] = await Promise.all([securityGroup.all(call), natGateway.all(call), prefixList.all(call)])
  return networkFrom({
    subnets: dataOf(await subnet.all(call)),
    interfaces: dataOf(await networkInterface.all(call)),
    acls: dataOf(await networkAcl.all(call)),
    routeTables: dataOf(await routeTable.all(call)),
    internetGateways: dataOf(await internetGateway.all(call)),
    egressOnlyGateways: dataOf(await egressOnlyGateway.all(call)),
    endpoints: dataOf(await vpcEndpoint.all(call)),
    natGateways: nats.map((row) => ({ ...row.data, State: natState(row, call.now) })),
    peerings: dataOf(await peering.all(call)),
    prefixLists: lists.map((row) => ({ id: row.id, cidrs: entriesOf(row).flatMap(({ Cidr }) => Cidr ?? []) })),
    groups: groups.map(({ id, rules }) => ({
      id,
      rules: rules.map(
        (rule): GroupRule => ({
          id: rule.id,
          egress: rule.egress,
          protocol: protocolNumber(rule.protocol),
          from: rule.from,
          to: rule.to,
          cidr: rule.cidr ?? rule.cidr6,
          prefixList: rule.prefixList,
          group: rule.group?.id,
        }),
      ),
    })),
    publicAccess: await publicAccessOf(call),
  })
}

async function publicAccessOf(call: Call): Promise<PublicAccess | undefined> {
  const options = await publicAccess(call)
  if (!options) return undefined
  const exclusions = await publicAccessExclusion.all(call)
  return { mode: options.mode, exclusions: exclusions.map(({ data }) => data) }
}

export const snapshotsOf = async (call: Call): Promise<Snapshots> => compileBoth(await networkOf(call))
