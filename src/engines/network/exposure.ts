/**
 * What the internet reaches in a network: computed once, and after a change again for those interfaces that it concerns. Networks
 * share what has not changed: a part is the same when it is the same object.
 *
 * @example
 * const before = exposureOf(network, { protocol: 6 })
 * const after = exposureOf({ ...network, groups: changedGroups }, { protocol: 6 }, before)
 */
import type { Interface, Network } from './network.ts'
import { INTERNET, type Question, reach, type Verdict } from './reachability.ts'
import { compile, type Snapshot } from './snapshot.ts'

type Packets = Pick<Question, 'protocol' | 'port'>

export interface Exposure {
  readonly snapshot: Snapshot
  readonly what: Packets
  /** Of every interface that has an address of IPv4. */
  readonly verdicts: ReadonlyMap<string, Verdict>
  /** Interfaces whose verdict was computed, not taken over. */
  readonly computed: number
}

export function exposureOf(network: Network, what: Packets, before?: Exposure): Exposure {
  const known = before && isComparable(before, network, what) ? before : undefined
  const snapshot = known ? changedSnapshot(known.snapshot, network) : compile(network)
  const changed = known && changesBetween(known.snapshot, snapshot)
  const verdicts = new Map<string, Verdict>()
  let computed = 0
  for (const eni of snapshot.interfaces.values()) {
    const kept = changed && !concerns(snapshot, eni, changed) ? known.verdicts.get(eni.id) : undefined
    if (!kept) computed++
    verdicts.set(eni.id, kept ?? reach(snapshot, { ...what, from: INTERNET, to: eni.id }))
  }
  return { snapshot, what, verdicts, computed }
}

/** Groups, network ACLs and route tables may differ; what they refer to may not. */
const SAME = [
  'interfaces',
  'subnets',
  'prefixLists',
  'internetGateways',
  'natGateways',
  'egressOnlyGateways',
  'gatewayEndpoints',
  'peerings',
] as const

const isComparable = ({ snapshot, what: old }: Exposure, network: Network, what: Packets): boolean =>
  old.protocol === what.protocol &&
  old.port === what.port &&
  SAME.every((part) => snapshot.network[part] === network[part])

const byId = <T extends { readonly id: string }>(all: readonly T[]): ReadonlyMap<string, T> =>
  new Map(all.map((each) => [each.id, each]))

/** What was parsed of parts that are the same is taken over. */
function changedSnapshot(before: Snapshot, network: Network): Snapshot {
  const [groups, acls, tables] = [byId(network.groups), byId(network.acls), byId(network.routeTables)]
  const { rules, entries, routes } = before.parsed
  return {
    ...before,
    network,
    groups,
    acls,
    tables,
    parsed: {
      rules: withoutChanged(rules, changedIds(before.groups, groups)),
      entries: withoutChanged(entries, changedIds(before.acls, acls)),
      routes: withoutChanged(routes, changedIds(before.tables, tables)),
    },
  }
}

/** Parsed parts are named by their ID, and `true` or `false` for a direction. */
const withoutChanged = <V>(parsed: ReadonlyMap<string, V>, changed: ReadonlySet<string>): Map<string, V> =>
  changed.size === 0
    ? new Map(parsed)
    : new Map([...parsed].filter(([name]) => !changed.has(name.replace(/ (?:true|false)$/, ''))))

function changedIds<T>(before: ReadonlyMap<string, T>, after: ReadonlyMap<string, T>): ReadonlySet<string> {
  const changed = new Set<string>()
  for (const [id, part] of after) if (before.get(id) !== part) changed.add(id)
  for (const id of before.keys()) if (!after.has(id)) changed.add(id)
  return changed
}

interface Changes {
  readonly groups: ReadonlySet<string>
  readonly acls: ReadonlySet<string>
  readonly tables: ReadonlySet<string>
}

const changesBetween = (before: Snapshot, after: Snapshot): Changes => ({
  groups: changedIds(before.groups, after.groups),
  acls: changedIds(before.acls, after.acls),
  tables: changedIds(before.tables, after.tables),
})

/** From the internet, only the interface's own groups and its subnet's ACL and table decide. */
function concerns({ subnets }: Snapshot, { groups, subnet }: Interface, changes: Changes): boolean {
  const own = subnets.get(subnet)!
  return groups.some((id) => changes.groups.has(id)) || changes.acls.has(own.acl) || changes.tables.has(own.routeTable)
}
