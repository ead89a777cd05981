/**
 * Whether findings can be written to a destination: the policies of the bucket and of the key decide, by real calls of
 * GuardDuty's service principal. It is looked at again for as long as the destination exists.
 */
import type * as KMS from '@aws-sdk/client-kms'
import type * as S3 from '@aws-sdk/client-s3'
import type { ActAs, ServiceCaller } from '../../kernel/gate/service-caller.ts'
import { lifecycle } from '../../kernel/jobs/lifecycle.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { JobContext } from '../../kernel/service/service.ts'
import type { Key, Unit } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { type DestinationRow, type DestinationState, destination, PRINCIPAL } from './resources.ts'

const s3: Api<typeof S3> = { id: 's3' }
const kms: Api<typeof KMS> = { id: 'kms' }

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const detectorArn = ({ partition, region, account, detector }: DestinationRow): string =>
  `arn:${partition}:guardduty:${region}:${account}:detector/${detector}`

const actingFor = (row: DestinationRow): ServiceCaller => ({
  service: PRINCIPAL,
  account: row.account,
  region: row.region,
  source: detectorArn(row),
})

export const bucketOf = ({ bucketArn }: Pick<DestinationRow, 'bucketArn'>): string =>
  bucketArn.slice(bucketArn.lastIndexOf(':') + 1).split('/')[0]!

/** `PREFIX/AWSLogs/ACCOUNT/GuardDuty/REGION/` */
export const folderOf = (row: DestinationRow, account: string): string =>
  `${row.prefix === '' ? '' : `${row.prefix}/`}AWSLogs/${account}/GuardDuty/${row.region}/`

/** The key has to let GuardDuty encrypt with it, each time. Throws the refusal. */
const requireKey = (actAs: ActAs, row: DestinationRow) =>
  actAs(actingFor(row), kms, 'GenerateDataKey', { KeyId: row.keyArn, KeySpec: 'AES_256' })

/** Throws the refusal of KMS or S3. */
export async function writeFile(
  actAs: ActAs,
  row: DestinationRow,
  { Key, Body }: { readonly Key: string; readonly Body: Buffer },
): Promise<void> {
  await requireKey(actAs, row)
  await actAs(actingFor(row), s3, 'PutObject', {
    Bucket: bucketOf(row),
    Key,
    // The gate reads bytes where the client's type wants a stream.
    Body: Body as never,
    ContentType: 'application/x-gzip',
  })
}

/**
 * Asks for the permissions that a file needs. The write is one that cannot succeed: it replaces an object that is not there,
 * and learns so only once it is allowed.
 */
async function canPublish(actAs: ActAs, row: DestinationRow): Promise<boolean> {
  const acting = actingFor(row)
  const Bucket = bucketOf(row)
  const refusal = async (call: Promise<unknown>): Promise<string | undefined> => {
    try {
      await call
      return undefined
    } catch (error) {
      if (error instanceof Fault) return error.code
      throw error
    }
  }
  if ((await refusal(actAs(acting, s3, 'GetBucketLocation', { Bucket }))) !== undefined) return false
  const Key = `${folderOf(row, row.account)}verification`
  const written = await refusal(actAs(acting, s3, 'PutObject', { Bucket, Key, IfMatch: '"no object"' }))
  if (written !== 'NoSuchKey') return false
  return (await refusal(requireKey(actAs, row))) === undefined
}

async function verified({ actAs, now }: JobContext, row: DestinationRow) {
  if (await canPublish(actAs, row)) return { to: 'PUBLISHING' as const, row: { failingSince: undefined } }
  return {
    to: 'UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY' as const,
    row: { failingSince: row.failingSince ?? now },
  }
}

const isLooked = (everyMs: number) => ({ everyMs, step: verified })

export const verification = lifecycle<DestinationState, DestinationRow>('guardduty.destination', {
  PENDING_VERIFICATION: isLooked(MINUTE_MS),
  PUBLISHING: isLooked(HOUR_MS),
  UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY: isLooked(MINUTE_MS),
})

export const destinationKey = (row: Pick<DestinationRow, 'account' | 'region' | 'detector' | 'id'>): Key =>
  destination.key(row, { DetectorId: row.detector, PublishingDestinationId: row.id })

export async function removeDestinations(
  unit: Unit,
  place: { readonly account: string; readonly region: string },
): Promise<void> {
  for (const { key: at, document } of await destination.list(unit, place)) verification.leave(unit, at, document)
}
