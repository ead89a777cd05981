/** Publishing destinations: the bucket that findings are written to as files, encrypted under a key. */
import { pageOf } from '../../kernel/service/page.ts'
import { withClientToken } from './client-tokens.ts'
import { destinationKey, verification } from './destination-lifecycle.ts'
import { badRequest, badToken, guardduty, invalidParameter } from './faults.ts'
import { type DestinationRow, destination, newId, ofDetector, requireDetector } from './resources.ts'

const BUCKET_ARN = /^arn:[a-z-]+:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^/].{0,511}?))?\/?$/
const KEY_ARN = /^arn:[a-z-]+:kms:([a-z0-9-]+):\d{12}:key\/[A-Za-z0-9-]{1,64}$/

/** Throws for ARNs that name no bucket, or no key of this Region. */
function readProperties(
  region: string,
  properties: { readonly DestinationArn?: string | undefined; readonly KmsKeyArn?: string | undefined } | undefined,
  before?: DestinationRow,
): Pick<DestinationRow, 'bucketArn' | 'prefix' | 'keyArn'> {
  const bucketArn = properties?.DestinationArn ?? before?.bucketArn ?? ''
  const keyArn = properties?.KmsKeyArn ?? before?.keyArn ?? ''
  const bucket = BUCKET_ARN.exec(bucketArn)
  if (!bucket) throw invalidParameter('destinationArn')
  if (KEY_ARN.exec(keyArn)?.[1] !== region) throw invalidParameter('kmsKeyArn')
  return { bucketArn, prefix: bucket[2] ?? '', keyArn }
}

export const createPublishingDestination = guardduty
  .operation('CreatePublishingDestination')
  .on(
    destination.created(({ DetectorId }, call) => ({ DetectorId: DetectorId!, PublishingDestinationId: newId(call) }), {
      generated: true,
      authorizedOn: '*',
    }),
  )
  .run(async (call, input, { id, tags, create }) => {
    await requireDetector(call, input.DetectorId)
    return withClientToken(
      call,
      input,
      async ({ DestinationId }: { readonly DestinationId: string }) =>
        (await destination.get(call.unit, call, { ...id, PublishingDestinationId: DestinationId })) !== undefined,
      async () => {
        if ((await destination.list(call.unit, call, { limit: 1 })).length > 0)
          throw badRequest(
            'The request is rejected because a publishing destination of this type already exists for the detector.',
          )
        const row: Omit<DestinationRow, 'progress'> = {
          ...readProperties(call.region, input.DestinationProperties),
          detector: id.DetectorId,
          id: id.PublishingDestinationId,
          account: call.account,
          region: call.region,
          partition: call.partition,
          createdAt: call.now,
          tags,
        }
        create({ ...row, progress: { state: 'PENDING_VERIFICATION', since: call.now, turn: 0 } })
        verification.enter(call.unit, destinationKey(row), row, 'PENDING_VERIFICATION', call.now)
        return { DestinationId: row.id }
      },
    )
  })

export const describePublishingDestination = guardduty
  .operation('DescribePublishingDestination')
  .on(destination.named('DestinationId'))
  .run((_call, _input, { row }) => ({
    DestinationId: row.id,
    DestinationType: 'S3',
    Status: row.progress.state,
    PublishingFailureStartTimestamp: row.failingSince ?? 0,
    DestinationProperties: { DestinationArn: row.bucketArn, KmsKeyArn: row.keyArn },
    Tags: { ...row.tags },
  }))

export const listPublishingDestinations = guardduty
  .operation('ListPublishingDestinations')
  .on(ofDetector)
  .run(async (call, input) => {
    const rows = (await destination.list(call.unit, call)).map(({ document }) => document)
    const { items, next } = await pageOf(call, rows, ({ id }) => id, {
      token: input.NextToken,
      size: input.MaxResults ?? 50,
      query: input.DetectorId,
      bad: badToken,
    })
    return {
      Destinations: items.map(({ id, progress }) => ({
        DestinationId: id,
        DestinationType: 'S3' as const,
        Status: progress.state,
      })),
      ...(next !== undefined && { NextToken: next }),
    }
  })

export const updatePublishingDestination = guardduty
  .operation('UpdatePublishingDestination')
  .on(destination.named('DestinationId'))
  .run((call, input, { row, remove }) => {
    const changed = { ...row, ...readProperties(call.region, input.DestinationProperties, row) }
    verification.leave(call.unit, destinationKey(row), row)
    remove()
    verification.enter(call.unit, destinationKey(row), changed, 'PENDING_VERIFICATION', call.now)
    return {}
  })

export const deletePublishingDestination = guardduty
  .operation('DeletePublishingDestination')
  .on(destination.named('DestinationId'))
  .run((call, _input, { row }) => {
    verification.leave(call.unit, destinationKey(row), row)
    return {}
  })
