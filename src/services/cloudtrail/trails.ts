/** Trails: created, changed, described, deleted. */
import type { CreateTrailRequest, Trail } from '@aws-sdk/client-cloudtrail'
import type { Call } from '../../kernel/gate/call.ts'
import { anything } from '../../kernel/resource/target.ts'
import { pageOf } from '../../kernel/service/page.ts'
import { requireBucket } from './bucket.ts'
import { changedLogGroup, requireLogGroup } from './log-group.ts'
import {
  at,
  cloudtrail,
  requireHome,
  requireName,
  type TrailRow,
  trailArn,
  trailNamed,
  trailsSeen,
  trailType,
  unbuilt,
} from './resources.ts'
import { isCustom } from './selectors.ts'

const TRAILS_MAX = 5
const PREFIX_MAX = 200
const PAGE = 100

type TrailSettings = Partial<CreateTrailRequest>

/** Features that are not implemented are rejected rather than ignored. */
function refuseUnbuilt(input: TrailSettings): void {
  if (input.SnsTopicName) throw unbuilt('notifications of trails (SnsTopicName)')
  if (input.KmsKeyId) throw unbuilt('log files under a KMS key: the vault seals them as it does every object')
  if (input.IsOrganizationTrail) throw unbuilt('trails of organizations')
}

/** The row with the requested changes, checked. */
function changed(before: Omit<TrailRow, 'bucket'> & { readonly bucket?: string }, input: TrailSettings): TrailRow {
  refuseUnbuilt(input)
  const bucket = input.S3BucketName ?? before.bucket ?? ''
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw cloudtrail.fail('InvalidS3BucketNameException', `Bucket name is not valid: ${bucket}`)
  const prefix = input.S3KeyPrefix === undefined ? before.prefix : input.S3KeyPrefix.replace(/\/$/, '') || undefined
  if (prefix !== undefined && prefix.length > PREFIX_MAX)
    throw cloudtrail.fail('InvalidS3PrefixException', `The S3 prefix is longer than ${PREFIX_MAX} characters.`)
  const multiRegion = input.IsMultiRegionTrail ?? before.multiRegion
  const globalEvents = input.IncludeGlobalServiceEvents ?? before.globalEvents
  if (multiRegion && !globalEvents)
    throw cloudtrail.fail(
      'InvalidParameterCombinationException',
      'Multi-Region trail must include global service events.',
    )
  const logGroup = changedLogGroup(before.logGroup, input)
  const { prefix: _before, logGroup: _group, ...rest } = before
  return {
    ...rest,
    bucket,
    multiRegion,
    globalEvents,
    validation: input.EnableLogFileValidation ?? before.validation,
    ...(prefix !== undefined && { prefix }),
    ...(logGroup && { logGroup }),
  }
}

const summary = (trail: TrailRow) => ({
  Name: trail.name,
  S3BucketName: trail.bucket,
  ...(trail.prefix !== undefined && { S3KeyPrefix: trail.prefix }),
  IncludeGlobalServiceEvents: trail.globalEvents,
  IsMultiRegionTrail: trail.multiRegion,
  TrailARN: trailArn(trail),
  LogFileValidationEnabled: trail.validation,
  IsOrganizationTrail: false,
  ...(trail.logGroup && {
    CloudWatchLogsLogGroupArn: trail.logGroup.arn,
    CloudWatchLogsRoleArn: trail.logGroup.role,
  }),
})

const shown = (trail: TrailRow): Trail => ({
  ...summary(trail),
  HomeRegion: trail.region,
  HasCustomEventSelectors: isCustom(trail.selectors),
  HasInsightSelectors: false,
})

export const createTrail = cloudtrail
  .operation('CreateTrail')
  .on(trailType.created((input: { readonly Name?: string | undefined }) => ({ TrailName: input.Name ?? '' })))
  .run(async (call, input, { id: { TrailName: name }, tags, assertAvailable, create }) => {
    requireName(name)
    const { length: tagCount } = Object.keys(tags)
    const trail = changed(
      {
        name,
        account: call.account,
        region: call.region,
        multiRegion: false,
        globalEvents: true,
        validation: false,
        logging: false,
        ...(tagCount > 0 && { tags }),
      },
      input,
    )
    const seen = await trailsSeen(call)
    assertAvailable()
    const shadow = seen.find((other) => other.name === name)
    if (shadow) throw trailType.spec.faults.alreadyExists!(trailArn(shadow), { TrailName: name })
    if (seen.length >= TRAILS_MAX)
      throw cloudtrail.fail(
        'MaximumNumberOfTrailsExceededException',
        `User: ${call.account} already has ${TRAILS_MAX} trails in ${call.region}.`,
      )
    await requireBucket(call, trail)
    await requireLogGroup(call, trail)
    return summary(create(trail))
  })

export const updateTrail = cloudtrail
  .operation('UpdateTrail')
  .on(trailNamed)
  .run(async (call, input, { row: before, save }) => {
    requireHome(call, before)
    const trail = changed(before, input)
    if (trail.bucket !== before.bucket || trail.prefix !== before.prefix) await requireBucket(call, trail)
    const { logGroup } = before
    if (trail.logGroup?.arn !== logGroup?.arn || trail.logGroup?.role !== logGroup?.role)
      await requireLogGroup(call, trail)
    return summary(save(trail))
  })

/** Delivered files stay in the bucket. */
export const deleteTrail = cloudtrail
  .operation('DeleteTrail')
  .on(trailNamed)
  .run((call, _input, { row: trail, remove }) => {
    requireHome(call, trail)
    remove()
    call.unit.delete(at.journal(trail))
    return {}
  })

export const getTrail = cloudtrail
  .operation('GetTrail')
  .on(trailNamed)
  .run((_call, _input, { row }) => ({ Trail: shown(row) }))

/** Unknown names are left out. */
export const describeTrails = cloudtrail
  .operation('DescribeTrails')
  .on(anything)
  .run(async (call, { trailNameList: names = [], includeShadowTrails = true }) => {
    const wanted = names.length === 0 ? await trailsSeen(call) : await namedTrails(call, [...new Set(names)])
    const here = includeShadowTrails ? wanted : wanted.filter(({ region }) => region === call.region)
    return { trailList: here.map(shown) }
  })

async function namedTrails(call: Call, names: readonly string[]): Promise<readonly TrailRow[]> {
  const found: TrailRow[] = []
  for (const name of names) {
    const { row: trail } = await trailType.find(call, name)
    if (trail) found.push(trail.row)
  }
  return found
}

export const listTrails = cloudtrail
  .operation('ListTrails')
  .on(anything)
  .run(async (call, { NextToken }) => {
    const all = await call.unit.range<TrailRow>(at.trailsOf(call.account))
    const rows = all.map(({ document }) => document)
    const { items, next } = await pageOf(call, rows, trailArn, {
      token: NextToken,
      size: PAGE,
      query: null,
      bad: () => cloudtrail.fail('InvalidNextTokenException', 'Invalid token provided.'),
    })
    return {
      Trails: items.map((trail) => ({ TrailARN: trailArn(trail), Name: trail.name, HomeRegion: trail.region })),
      ...(next !== undefined && { NextToken: next }),
    }
  })
