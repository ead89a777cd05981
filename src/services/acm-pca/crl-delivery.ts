/**
 * Revocation lists in a bucket (`crl/ID.crl`): written by ACM Private CA's own principal when something is revoked and at half of their
 * time, as the bucket's policy and ownership allow. The list that this installation serves itself has the same entries.
 */
import type * as S3 from '@aws-sdk/client-s3'
import { serviceEvent } from '../../kernel/events/event.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { ServiceJob } from '../../kernel/service/service.ts'
import { type Key, key, type Unit } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { crlOf } from './crl.ts'
import { type AuthorityRow, arnOf, authority, pca, type RevocationConfiguration } from './resources.ts'

const s3: Api<typeof S3> = { id: 's3' }
const PRINCIPAL = 'acm-pca.amazonaws.com'
const DAY_MS = 24 * 60 * 60 * 1000
const RETRY_MS = 10 * 60 * 1000

export const WRITE_CRL = 'acm-pca.crl'

interface CrlJob {
  readonly at: Key
  readonly account: string
  /** Only the newest plan of an authority goes on. */
  readonly plan: string
}

const planKey = (id: string): Key => key('acm-pca', 'crl-plan', id)

type Configured = Pick<AuthorityRow, 'revocation'>
const bucketOf = ({ revocation: { CrlConfiguration: crl } }: Configured): string | undefined =>
  crl?.Enabled ? crl.S3BucketName : undefined

/** In the caller's transaction: the list is written at once, and from then on at half of its time. */
export function planCrl(unit: Unit, row: AuthorityRow, plan: string, now: number): void {
  if (bucketOf(row) === undefined || row.certificate === undefined) return
  const at = authority.key(row, { CertificateAuthorityId: row.id })
  unit.put(planKey(row.id), { plan })
  schedule(unit, { at, account: row.account, plan }, now)
}

const schedule = (unit: Unit, payload: CrlJob, dueAt: number): Key =>
  scheduleJob(unit, { id: `${WRITE_CRL}/${payload.plan}`, kind: WRITE_CRL, dueAt, payload })

type Outcome = { readonly row: AuthorityRow; readonly failure?: string } | undefined

export const writeCrl: ServiceJob<CrlJob, Outcome> = {
  effect: async (work, { at, plan }) => {
    const { reader, now, vault } = work
    const row = await reader.get<AuthorityRow>(at)
    const Bucket = row && bucketOf(row)
    const current = row && (await reader.get<{ readonly plan: string }>(planKey(row.id)))
    if (!row || Bucket === undefined || row.status === 'DELETED' || current?.plan !== plan) return undefined
    const Body = await crlOf({ reader, vault, now }, row)
    const acting = { service: PRINCIPAL, account: row.account, region: row.region, source: arnOf(row) }
    const isPrivate = row.revocation.CrlConfiguration?.S3ObjectAcl === 'BUCKET_OWNER_FULL_CONTROL'
    try {
      await work.actAs(acting, s3, 'PutObject', {
        Bucket,
        Key: `crl/${row.id}.crl`,
        // The gate reads bytes where the client's type wants a stream.
        Body: Body as never,
        ContentType: 'application/pkix-crl',
        ACL: isPrivate ? 'bucket-owner-full-control' : 'public-read',
      })
      return { row }
    } catch (error) {
      if (error instanceof Fault) return { row, failure: error.message }
      throw error
    }
  },
  run: async (unit, { now }, job, outcome) => {
    if (!outcome) return
    const { row, failure } = outcome
    const validMs = (row.revocation.CrlConfiguration?.ExpirationInDays ?? 1) * DAY_MS
    const current = await unit.get<{ readonly plan: string }>(planKey(row.id))
    if (current?.plan === job.plan) schedule(unit, job, now + (failure === undefined ? validMs / 2 : RETRY_MS))
    const arn = arnOf(row)
    unit.append(
      serviceEvent({
        account: row.account,
        region: row.region,
        timeMs: now,
        eventSource: PRINCIPAL,
        eventName: 'CrlGeneration',
        resources: [{ arn, type: authority.spec.type, account: row.account }],
        details: {
          CertificateAuthorityArn: arn,
          S3BucketName: bucketOf(row),
          Result: failure === undefined ? 'success' : 'failure',
          ...(failure !== undefined && { Reason: failure }),
        },
      }),
    )
  },
}

/** Throws InvalidPolicyException where the bucket does not let ACM Private CA in: it is checked before it is accepted. */
export async function requireCrlBucket(call: Call, arn: string, revocation: RevocationConfiguration): Promise<void> {
  const Bucket = bucketOf({ revocation })
  if (Bucket === undefined) return
  const acting = { service: PRINCIPAL, account: call.account, region: call.region, source: arn }
  try {
    await call.once(() => call.actAs(acting, s3, 'GetBucketAcl', { Bucket }))
    await call.once(() => call.actAs(acting, s3, 'GetBucketLocation', { Bucket }))
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw pca.fail(
      'InvalidPolicyException',
      `The policy of the bucket ${Bucket} does not let ${PRINCIPAL} in: allow s3:GetBucketAcl, s3:GetBucketLocation, s3:PutObject and s3:PutObjectAcl.`,
    )
  }
}
