/** Managed rule groups as their users see them: listed, described, with their versions. */

import { toJson } from '../../engines/waf/json.ts'
import { type ManagedGroup, managedGroupOf, managedGroups } from '../../engines/waf/managed/index.ts'
import { anything } from '../../kernel/resource/target.ts'
import { nonexistent, wafv2 } from './faults.ts'
import { listedOf } from './lists.ts'
import { scopeName } from './resources.ts'
import { consumedLabels, providedLabels } from './rule-contents.ts'

function groupNamed({ VendorName, Name }: { readonly VendorName: string; readonly Name: string }): ManagedGroup {
  const group = managedGroupOf(VendorName, Name)
  if (!group) throw nonexistent()
  return group
}

const idOf = ({ vendor, name }: ManagedGroup): string => `${vendor} ${name}`

/** Epoch milliseconds: the content of a version never changes after it. */
const RELEASED_AT = Date.UTC(2026, 10, 1)

export const listAvailableManagedRuleGroups = wafv2
  .operation('ListAvailableManagedRuleGroups')
  .on(anything)
  .run(async (call, input) => {
    const { items, next } = await listedOf(call, input, managedGroups, idOf)
    return {
      ManagedRuleGroups: items.map(({ vendor, name, description }) => ({
        VendorName: vendor,
        Name: name,
        VersioningSupported: true,
        Description: description,
      })),
      ...next,
    }
  })

export const listAvailableManagedRuleGroupVersions = wafv2
  .operation('ListAvailableManagedRuleGroupVersions')
  .on(anything)
  .run(async (call, input) => {
    const { versions } = groupNamed(input)
    const { items, next } = await listedOf(call, input, versions, (version) => version)
    return {
      Versions: items.map((Name) => ({ Name, LastUpdateTimestamp: new Date(RELEASED_AT) })),
      CurrentDefaultVersion: versions.at(-1)!,
      ...next,
    }
  })

export const describeManagedRuleGroup = wafv2
  .operation('DescribeManagedRuleGroup')
  .on(anything)
  .run((call, input) => {
    scopeName(call, input.Scope)
    const { rules, capacity, labelNamespace, versions } = groupNamed(input)
    const version = input.VersionName ?? versions.at(-1)!
    if (!versions.includes(version)) throw nonexistent()
    const stored = rules.map((rule) => toJson(rule))
    return {
      VersionName: version,
      Capacity: capacity,
      Rules: rules.map(({ Name, Action }) => ({ Name: Name!, Action: Action! })),
      LabelNamespace: labelNamespace,
      AvailableLabels: providedLabels(stored, labelNamespace),
      ConsumedLabels: consumedLabels(stored),
    }
  })

const productOf = (group: ManagedGroup) => ({
  VendorName: group.vendor,
  ManagedRuleSetName: group.name,
  ProductTitle: group.name,
  ProductDescription: group.description,
  IsVersioningSupported: true,
  IsAdvancedManagedRuleSet: false,
})

export const describeAllManagedProducts = wafv2
  .operation('DescribeAllManagedProducts')
  .on(anything)
  .run((call, { Scope }) => {
    scopeName(call, Scope)
    return { ManagedProducts: managedGroups.map(productOf) }
  })

export const describeManagedProductsByVendor = wafv2
  .operation('DescribeManagedProductsByVendor')
  .on(anything)
  .run((call, { Scope, VendorName }) => {
    scopeName(call, Scope)
    return { ManagedProducts: managedGroups.filter(({ vendor }) => vendor === VendorName).map(productOf) }
  })
