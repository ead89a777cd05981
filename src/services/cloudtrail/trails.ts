/** Trails: made, changed, shown, removed. */
import type { CreateTrailRequest, Trail } from '@aws-sdk/client-cloudtrail'
import type { Call } from '../../kernel/call.ts'
import { pageOf } from '../../kernel/page.ts'
import { pairsIn, tagAuthorization } from '../../kernel/resource/tag-rules.ts'
import { anything, type Target } from '../../kernel/resource.ts'
import { requireBucket } from './bucket.ts'
import {
  at,
  cloudtrail,
  requireHome,
  requireName,
  type TrailRow,
  trailArn,
  trailNamed,
  trailOf,
  trailsSeen,
  unbuilt,
} from './resources.ts'
import { isCustom } from './selectors.ts'
import { mergedTags } from './tagging.ts'

const TRAILS_MAX = 5
const PREFIX_MAX = 200
const PAGE = 100

type Wishes = Partial<CreateTrailRequest>

/** What a trail would have to do and cannot must not be taken for done. */
function refuseUnbuilt(input: Wishes): void {
  if (input.SnsTopicName) throw unbuilt('notifications of trails (SnsTopicName)')
  if (input.CloudWatchLogsLogGroupArn ?? input.CloudWatchLogsRoleArn)
    throw unbuilt('the delivery of trails to CloudWatch Logs')
  if (input.KmsKeyId) throw unbuilt('log files under a KMS key: the vault seals them as it does every object')
  if (input.IsOrganizationTrail) throw unbuilt('trails of organizations')
}

/** The row as the wishes leave it, checked. */
function wished(before: Omit<TrailRow, 'bucket'> & { readonly bucket?: string }, input: Wishes): TrailRow {
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
  const { prefix: _before, ...rest } = before
  return {
    ...rest,
    bucket,
    multiRegion,
    globalEvents,
    validation: input.EnableLogFileValidation ?? before.validation,
    ...(prefix !== undefined && { prefix }),
  }
}

const told = (trail: TrailRow) => ({
  Name: trail.name,
  S3BucketName: trail.bucket,
  ...(trail.prefix !== undefined && { S3KeyPrefix: trail.prefix }),
  IncludeGlobalServiceEvents: trail.globalEvents,
  IsMultiRegionTrail: trail.multiRegion,
  TrailARN: trailArn(trail),
  LogFileValidationEnabled: trail.validation,
  IsOrganizationTrail: false,
})

const shown = (trail: TrailRow): Trail => ({
  ...told(trail),
  HomeRegion: trail.region,
  HasCustomEventSelectors: isCustom(trail.selectors),
  HasInsightSelectors: false,
})

interface NewTrail {
  readonly Name?: string | undefined
  readonly TagsList?: unknown
}

const coming: Target<NewTrail, undefined> = {
  find: ({ account, region }, { Name = '', TagsList }) => ({
    acted: { arn: trailArn({ account, region, name: Name }), type: 'AWS::CloudTrail::Trail', account },
    row: undefined,
    tagging: tagAuthorization({ action: 'cloudtrail:AddTags' }, pairsIn(TagsList)),
  }),
}

export const createTrail = cloudtrail
  .operation('CreateTrail')
  .on(coming)
  .run(async (call, input) => {
    const name = input.Name ?? ''
    requireName(name)
    const tags = mergedTags(undefined, input.TagsList ?? [])
    const trail = wished(
      {
        name,
        account: call.account,
        region: call.region,
        multiRegion: false,
        globalEvents: true,
        validation: false,
        logging: false,
        ...(Object.keys(tags).length > 0 && { tags }),
      },
      input,
    )
    const seen = await trailsSeen(call)
    if (seen.some((other) => other.name === name))
      throw cloudtrail.fail('TrailAlreadyExistsException', `Trail ${name} already exists for customer: ${call.account}`)
    if (seen.length >= TRAILS_MAX)
      throw cloudtrail.fail(
        'MaximumNumberOfTrailsExceededException',
        `User: ${call.account} already has ${TRAILS_MAX} trails in ${call.region}.`,
      )
    await requireBucket(call, trail)
    call.unit.put(at.trail(trail), trail)
    return told(trail)
  })

export const updateTrail = cloudtrail
  .operation('UpdateTrail')
  .on(trailNamed)
  .run(async (call, input, before) => {
    requireHome(call, before)
    const trail = wished(before, input)
    if (trail.bucket !== before.bucket || trail.prefix !== before.prefix) await requireBucket(call, trail)
    call.unit.put(at.trail(trail), trail)
    return told(trail)
  })

/** What it delivered stays in its bucket. */
export const deleteTrail = cloudtrail
  .operation('DeleteTrail')
  .on(trailNamed)
  .run((call, _input, trail) => {
    requireHome(call, trail)
    call.unit.delete(at.trail(trail))
    call.unit.delete(at.journal(trail))
    return {}
  })

export const getTrail = cloudtrail
  .operation('GetTrail')
  .on(trailNamed)
  .run((_call, _input, trail) => ({ Trail: shown(trail) }))

/** Names nobody has are passed over. */
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
    const trail = await trailOf(call, name)
    if (trail) found.push(trail)
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
