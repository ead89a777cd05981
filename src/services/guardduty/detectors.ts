/** Detectors: one for an account in a Region, which turns GuardDuty on there. */
import type { Call, Scope } from '../../kernel/gate/call.ts'
import { serviceLinkedRoles } from '../../kernel/ports/service-linked-roles.ts'
import { withClientToken } from './client-tokens.ts'
import { removeDestinations } from './destination-lifecycle.ts'
import { removeEngine } from './engines.ts'
import { badRequest, badToken, guardduty } from './faults.ts'
import { changedFeatures, initialFeatures, shownDataSources, shownFeatures } from './features.ts'
import { removeFilters } from './filter-rows.ts'
import { removeFindings, scheduleSweep } from './finding-rows.ts'
import { removeLists } from './list-activation.ts'
import { administratorOf, hasMembers } from './member-rows.ts'
import { type DetectorRow, detector, detectorIn, newId, PRINCIPAL } from './resources.ts'

export const roleOf = (call: Pick<Call, 'use'>, account: string): string =>
  call.use(serviceLinkedRoles).arnOf({ account, service: PRINCIPAL })

const alreadyExists = () =>
  badRequest('The request is rejected because a detector already exists for the current account.')

export const createDetector = guardduty
  .operation('CreateDetector')
  .on(detector.created((_input, call) => ({ DetectorId: newId(call) }), { generated: true, authorizedOn: '*' }))
  .run(async (call, input, { id, tags, create }) => {
    return withClientToken(
      call,
      input,
      async ({ DetectorId }: { readonly DetectorId: string }) => (await detectorIn(call.unit, call))?.id === DetectorId,
      async () => {
        if (await detectorIn(call.unit, call)) throw alreadyExists()
        await ensureRole(call)
        const row = newDetector(call, {
          id: id.DetectorId,
          isEnabled: input.Enable ?? true,
          frequency: input.FindingPublishingFrequency ?? 'SIX_HOURS',
          tags,
          now: call.now,
          features: changedFeatures(initialFeatures(call.now), input.Features, input.DataSources, call.now),
        })
        create(row)
        scheduleSweep(call.unit, row, call.now)
        return { DetectorId: row.id }
      },
    )
  })

/** Creates the role where it is missing: as in AWS, the caller needs the permission for it. */
async function ensureRole(call: Call): Promise<void> {
  const roles = call.use(serviceLinkedRoles)
  const role = { account: call.account, service: PRINCIPAL }
  if (await roles.exists(call.unit, role)) return
  await call.authorize('iam:CreateServiceLinkedRole', roles.arnOf(role), { 'iam:AWSServiceName': PRINCIPAL })
  await roles.ensure(call, role)
}

export const newDetector = (
  { partition, account, region }: Scope,
  made: Pick<DetectorRow, 'id' | 'isEnabled' | 'frequency' | 'features'> & {
    readonly tags?: DetectorRow['tags']
    readonly now: number
  },
): DetectorRow => ({
  id: made.id,
  account,
  region,
  partition,
  isEnabled: made.isEnabled,
  enabledAt: made.now,
  createdAt: made.now,
  updatedAt: made.now,
  frequency: made.frequency,
  features: made.features,
  tags: made.tags ?? {},
})

export const getDetector = guardduty
  .operation('GetDetector')
  .on(detector.named('DetectorId'))
  .run((call, _input, { row }) => ({
    CreatedAt: new Date(row.createdAt).toISOString(),
    UpdatedAt: new Date(row.updatedAt).toISOString(),
    Status: row.isEnabled ? 'ENABLED' : 'DISABLED',
    ServiceRole: roleOf(call, row.account),
    FindingPublishingFrequency: row.frequency,
    DataSources: shownDataSources(row, roleOf(call, row.account)),
    Features: shownFeatures(row),
    Tags: { ...row.tags },
  }))

export const listDetectors = guardduty
  .operation('ListDetectors')
  .on(detector.collection())
  .run(async (_call, input, detectors) => {
    const { items, next } = await detectors.page({
      token: input.NextToken,
      size: input.MaxResults ?? 50,
      bad: badToken,
    })
    return { DetectorIds: items.map(({ id }) => id), ...(next !== undefined && { NextToken: next }) }
  })

export const updateDetector = guardduty
  .operation('UpdateDetector')
  .on(detector.named('DetectorId'))
  .run(async (call, input, { row, save }) => {
    const features = changedFeatures(row.features, input.Features, input.DataSources, call.now)
    const isEnabled = input.Enable ?? row.isEnabled
    if ((await administratorOf(call.unit, row)) !== undefined && changesMembership(row, features, isEnabled))
      throw badRequest(
        'The request is rejected because member accounts cannot change features or suspend GuardDuty; only the administrator account can.',
      )
    save({
      ...row,
      features,
      isEnabled,
      enabledAt: isEnabled && !row.isEnabled ? call.now : row.enabledAt,
      frequency: input.FindingPublishingFrequency ?? row.frequency,
      updatedAt: call.now,
    })
    return {}
  })

const changesMembership = (row: DetectorRow, features: DetectorRow['features'], isEnabled: boolean): boolean =>
  isEnabled !== row.isEnabled ||
  Object.entries(features).some(
    ([name, { status, additional }]) =>
      status !== row.features[name]?.status ||
      Object.entries(additional ?? {}).some(
        ([each, to]) => to.status !== row.features[name]?.additional?.[each]?.status,
      ),
  )

export const deleteDetector = guardduty
  .operation('DeleteDetector')
  .on(detector.named('DetectorId'))
  .run(async (call, _input, { row, remove }) => {
    if ((await administratorOf(call.unit, row)) !== undefined)
      throw badRequest(
        'The request is rejected because the account is a member; it must be disassociated from its administrator first.',
      )
    if (await hasMembers(call.unit, row))
      throw badRequest(
        'The request is rejected because the detector has member accounts associated with it; disassociate or delete them first.',
      )
    await removeFilters(call.unit, row)
    await removeLists(call, row)
    await removeDestinations(call.unit, row)
    await removeFindings(call.unit, row)
    await removeEngine(call.unit, row)
    remove()
    return {}
  })
