/**
 * Managed rule sets: what a vendor publishes to the accounts of its customers. AWS enrolls vendors by hand, and so does an
 * installation: no operation creates a rule set.
 */
import { invalidOperation, invalidParameter, nonexistent, wafv2 } from './faults.ts'
import { listed } from './lists.ts'
import {
  assertUnchanged,
  entity,
  type ManagedRuleSetRow,
  type ManagedRuleSetVersionRow,
  managedRuleSet,
  ruleGroup,
  summaryOf,
} from './resources.ts'

const namespaceOf = ({ account, name }: ManagedRuleSetRow): string => `awswaf:managed:${account}:${name}:`

const shownVersion = (version: ManagedRuleSetVersionRow) => ({
  AssociatedRuleGroupArn: version.ruleGroupArn,
  Capacity: version.capacity,
  ...(version.forecastedDays !== undefined && { ForecastedLifetime: version.forecastedDays }),
  PublishTimestamp: new Date(version.publishedAt),
  LastUpdateTimestamp: new Date(version.updatedAt),
  ...(version.expiresAt !== undefined && { ExpiryTimestamp: new Date(version.expiresAt) }),
})

export const listManagedRuleSets = wafv2
  .operation('ListManagedRuleSets')
  .on(managedRuleSet.collection())
  .run(async (call, input, sets) => {
    const { items, next } = await listed(call, input, sets)
    return {
      ManagedRuleSets: items.map((row) => ({
        ...summaryOf(row, managedRuleSet.arnOf(row, row)),
        LabelNamespace: namespaceOf(row),
      })),
      ...next,
    }
  })

export const getManagedRuleSet = wafv2
  .operation('GetManagedRuleSet')
  .on(entity(managedRuleSet))
  .run((_call, _input, { row, arn }) => ({
    ManagedRuleSet: {
      Name: row.name,
      Id: row.id,
      ARN: arn,
      ...(row.description !== undefined && { Description: row.description }),
      PublishedVersions: Object.fromEntries(
        Object.entries(row.versions).map(([name, version]) => [name, shownVersion(version)]),
      ),
      ...(row.recommended !== undefined && { RecommendedVersion: row.recommended }),
      LabelNamespace: namespaceOf(row),
    },
    LockToken: row.lockToken,
  }))

export const putManagedRuleSetVersions = wafv2
  .operation('PutManagedRuleSetVersions')
  .on(entity(managedRuleSet))
  .run(async (call, input, { row, save }) => {
    assertUnchanged(row, input.LockToken)
    const versions: Record<string, ManagedRuleSetVersionRow> = { ...row.versions }
    for (const [name, published] of Object.entries(input.VersionsToPublish ?? {})) {
      const arn = published.AssociatedRuleGroupArn ?? ''
      const { acted, row: group } = await ruleGroup.find(call, arn, {}, { ownAccount: true })
      if (acted) await call.authorize('wafv2:PutManagedRuleSetVersions', acted)
      if (!group) throw nonexistent()
      versions[name] = {
        ruleGroupArn: arn,
        capacity: group.row.capacity,
        forecastedDays: published.ForecastedLifetime,
        publishedAt: row.versions[name]?.publishedAt ?? call.now,
        updatedAt: call.now,
      }
    }
    const recommended = input.RecommendedVersion ?? row.recommended
    if (recommended !== undefined && !versions[recommended])
      throw invalidParameter('MANAGED_RULE_SET', recommended, 'The recommended version is not published.')
    const lockToken = call.newId()
    save({ ...row, versions, ...(recommended !== undefined && { recommended }), lockToken })
    return { NextLockToken: lockToken }
  })

export const updateManagedRuleSetVersionExpiryDate = wafv2
  .operation('UpdateManagedRuleSetVersionExpiryDate')
  .on(entity(managedRuleSet))
  .run((call, { VersionToExpire, ExpiryTimestamp, LockToken }, { row, save }) => {
    assertUnchanged(row, LockToken)
    const version = row.versions[VersionToExpire]
    if (!version) throw nonexistent()
    if (row.recommended === VersionToExpire) throw invalidOperation('The recommended version cannot expire.')
    const expiresAt = ExpiryTimestamp.getTime()
    if (expiresAt <= call.now)
      throw invalidParameter('EXPIRE_TIMESTAMP', ExpiryTimestamp.toISOString(), 'The time must lie in the future.')
    const lockToken = call.newId()
    const versions = { ...row.versions, [VersionToExpire]: { ...version, expiresAt, updatedAt: call.now } }
    save({ ...row, versions, lockToken })
    return { ExpiringVersion: VersionToExpire, ExpiryTimestamp, NextLockToken: lockToken }
  })
