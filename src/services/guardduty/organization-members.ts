/**
 * The accounts of an organization as members of its delegated administrator: enabled as the administrator configures, at once
 * when that changes and when an account joins.
 */

import { randomUUID } from 'node:crypto'
import type { OrgFeature } from '@aws-sdk/client-guardduty'
import { serviceEvent } from '../../kernel/events/event.ts'
import { organizations } from '../../kernel/ports/organizations.ts'
import type { Use } from '../../kernel/ports/port.ts'
import { serviceLinkedRoles } from '../../kernel/ports/service-linked-roles.ts'
import type { Quotas } from '../../kernel/service/quota.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { newDetector } from './detectors.ts'
import { type FeatureStates, initialFeatures } from './features.ts'
import { scheduleSweep } from './finding-rows.ts'
import { administratorOf, allMembers, isAssociated, type MemberRow, memberKey, putMember } from './member-rows.ts'
import { detector, detectorIn, PRINCIPAL } from './resources.ts'

export type AutoEnable = 'NEW' | 'ALL' | 'NONE'

export interface FeatureConfiguration {
  readonly autoEnable: AutoEnable
  readonly additional?: Readonly<Record<string, AutoEnable>>
}

/** Of the delegated administrator in a Region. */
export interface ConfigurationRow {
  readonly administrator: string
  readonly region: string
  readonly organization: string
  readonly members: AutoEnable
  /** Since when new accounts are enabled; epoch milliseconds. */
  readonly since: number
  readonly features: Readonly<Partial<Record<OrgFeature, FeatureConfiguration>>>
}

export const configurationKey = (organization: string, region: string): Key =>
  key('guardduty', 'organization', organization, region)
export const configurationsOf = (organization: string): Key => under('guardduty', 'organization', organization)
export const ALL_CONFIGURATIONS = under('guardduty', 'organization')

/** What enabling an account needs of a call, or of what follows the audit log. */
export interface Enabling {
  readonly unit: Unit
  readonly now: number
  readonly quotas: Quotas
  readonly use: Use
}

export async function configurationOf(
  context: { readonly unit: Reader; readonly use: Use },
  { account, region }: { readonly account: string; readonly region: string },
): Promise<ConfigurationRow | undefined> {
  const membership = await context.use(organizations).membership(context.unit, account)
  const row = membership && (await context.unit.get<ConfigurationRow>(configurationKey(membership.id, region)))
  return row?.administrator === account ? row : undefined
}

export const isOrganizationAdministrator = async (
  call: { readonly unit: Reader; readonly use: Use; readonly region: string },
  account: string,
): Promise<boolean> => (await configurationOf(call, { account, region: call.region })) !== undefined

/** A detector that watches, and the role of GuardDuty, in an account that has none yet. */
async function detecting(
  context: Enabling,
  place: { readonly account: string; readonly region: string },
  features: FeatureStates,
) {
  const { unit, now } = context
  await context.use(serviceLinkedRoles).ensure(context, { account: place.account, service: PRINCIPAL })
  const before = await detectorIn(unit, place)
  const row = before
    ? { ...before, isEnabled: true, enabledAt: before.isEnabled ? before.enabledAt : now, updatedAt: now }
    : newDetector(
        { ...place, partition: 'aws' },
        { id: randomUUID().replaceAll('-', ''), isEnabled: true, frequency: 'SIX_HOURS', now, features },
      )
  detector.put(unit, place, row)
  if (!before) scheduleSweep(unit, row, now)
  return row
}

/** Of an administrator: everything that needs no agent is watched. */
export const enableAdministrator = (context: Enabling, place: { readonly account: string; readonly region: string }) =>
  detecting(context, place, initialFeatures(context.now))

/** What the configuration wants of a member; what it does not mention stays. */
function featuresFor(
  before: FeatureStates,
  { features }: ConfigurationRow,
  now: number,
  isNew: boolean,
): FeatureStates {
  const wanted = (autoEnable: AutoEnable | undefined) => autoEnable === 'ALL' || (isNew && autoEnable === 'NEW')
  return Object.fromEntries(
    Object.entries(before).map(([name, state]) => {
      const configured = features[name as OrgFeature]
      const enabled = wanted(configured?.autoEnable)
      const additional =
        state.additional &&
        Object.fromEntries(
          Object.entries(state.additional).map(([each, known]) => [
            each,
            wanted(configured?.additional?.[each]) && known.status !== 'ENABLED'
              ? { status: 'ENABLED' as const, updatedAt: now }
              : known,
          ]),
        )
      const status = enabled ? ('ENABLED' as const) : state.status
      return [
        name,
        {
          ...state,
          status,
          updatedAt: status === state.status ? state.updatedAt : now,
          ...(additional && { additional }),
        },
      ]
    }),
  )
}

const allOff = (now: number): FeatureStates =>
  Object.fromEntries(
    Object.entries(initialFeatures(now)).map(([name, state]) => [name, { ...state, status: 'DISABLED' as const }]),
  )

/** Makes the account a member that is watched. Returns why not, undefined when it is done. */
export async function watchAccount(
  context: Enabling,
  administrator: { readonly account: string; readonly region: string },
  { account, email }: { readonly account: string; readonly email: string },
): Promise<string | undefined> {
  const { unit, now } = context
  const { region } = administrator
  const place = { account, region }
  const known = await administratorOf(unit, place)
  if (known && known.administrator !== administrator.account)
    return 'The request is rejected because the account is a member of another administrator account.'
  const configuration = await configurationOf(context, administrator)
  const before = await unit.get<MemberRow>(memberKey(administrator, account))
  const isNew = before === undefined || !isAssociated(before)
  const row = await detecting(context, place, allOff(now))
  if (configuration)
    detector.put(unit, place, { ...row, features: featuresFor(row.features, configuration, now, isNew) })
  if (!isNew) return undefined
  const member: MemberRow = {
    account,
    administrator: administrator.account,
    region,
    email,
    relationship: 'Enabled',
    updatedAt: now,
    invitedAt: now,
    isOfOrganization: true,
  }
  putMember(unit, member, before)
  unit.append(
    serviceEvent({
      account,
      region,
      timeMs: now,
      eventSource: PRINCIPAL,
      eventName: 'MemberEnabled',
      resources: [],
      details: { administrator: administrator.account, detectorId: row.id },
    }),
  )
  return undefined
}

/** Brings the members in line with the accounts of the organization, and with what the administrator configured. */
export async function reconcile(context: Enabling, configuration: ConfigurationRow): Promise<void> {
  const { unit, now, use, quotas } = context
  const administrator = { account: configuration.administrator, region: configuration.region }
  const accounts = await use(organizations).accountsOf(unit, configuration.organization)
  const members = new Map((await allMembers(unit, administrator)).map((row) => [row.account, row]))
  const present = new Set(accounts.map(({ account }) => account))
  let count = members.size
  for (const { account, email, joinedAt } of accounts) {
    if (account === administrator.account) continue
    const member = members.get(account)
    const isWanted =
      configuration.members === 'ALL' || (configuration.members === 'NEW' && !member && joinedAt >= configuration.since)
    const isWatched = member !== undefined && isAssociated(member)
    if (isWatched ? member.relationship === 'Enabled' : isWanted) {
      if (!member && count >= quotas['guardduty/MembersPerAdministrator']!) continue
      if (!member) count += 1
      await watchAccount(context, administrator, { account, email })
    }
  }
  for (const member of members.values())
    if (member.isOfOrganization && isAssociated(member) && !present.has(member.account))
      putMember(unit, { ...member, relationship: 'Removed', updatedAt: now }, member)
}
