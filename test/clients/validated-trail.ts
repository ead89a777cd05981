/**
 * A trail with digests into a bucket, the hours that pass over it, and the stock `aws cloudtrail validate-logs`. The
 * hours are moved on the server's clock and, by faketime, on the client's.
 */
import {
  CloudTrailClient,
  CreateTrailCommand,
  GetTrailStatusCommand,
  StartLoggingCommand,
} from '@aws-sdk/client-cloudtrail'
import { CreateBucketCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3'
import type { Ended, MadeAccount } from '../process.ts'
import { environmentFor, policy, run } from './command.ts'

const Name = 'audit'

export class ValidatedTrail {
  readonly bucket = 'audit-logs'
  readonly account: MadeAccount
  /** Another one after the server was started again. */
  url: string
  /** How far the server's clock is ahead of the real time: SDK clients, curl and the CLI all live at this distance. */
  aheadSeconds = 0
  #arn = ''
  #started = new Date()

  constructor(url: string, account: MadeAccount) {
    this.url = url
    this.account = account
  }

  /** Makes the bucket and the trail, and starts it. */
  async begin(): Promise<void> {
    const Bucket = this.bucket
    await this.client(S3Client).send(new CreateBucketCommand({ Bucket }))
    const Principal = { Service: 'cloudtrail.amazonaws.com' }
    const Policy = policy(
      { Principal, Action: 's3:GetBucketAcl', Resource: `arn:aws:s3:::${Bucket}` },
      { Principal, Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*` },
    )
    await this.client(S3Client).send(new PutBucketPolicyCommand({ Bucket, Policy }))
    const made = await this.client(CloudTrailClient).send(
      new CreateTrailCommand({
        Name,
        S3BucketName: Bucket,
        S3KeyPrefix: 'trails',
        IsMultiRegionTrail: true,
        EnableLogFileValidation: true,
      }),
    )
    this.#arn = made.TrailARN!
    await this.client(CloudTrailClient).send(new StartLoggingCommand({ Name }))
    this.#started = new Date(Date.now() - 60_000)
  }

  client<C>(Client: new (config: object) => C): C {
    return new Client({
      region: 'us-east-1',
      endpoint: this.url,
      credentials: this.account,
      forcePathStyle: true,
      systemClockOffset: this.aheadSeconds * 1000,
    })
  }

  later(program: string, ...words: readonly string[]): Promise<Ended> {
    const environment = environmentFor(this.url, this.account)
    return run('faketime', ['-f', `+${this.aheadSeconds}s`, program, ...words], environment)
  }

  /** `move` brings the server's clock forward; returns when what fell due was done. */
  async pass(seconds: number, move: (aheadSeconds: number) => Promise<void>): Promise<void> {
    const attempted = async () =>
      (await this.client(CloudTrailClient).send(new GetTrailStatusCommand({ Name }))).LatestDeliveryAttemptTime
    const before = await attempted()
    await move(this.aheadSeconds + seconds)
    this.aheadSeconds += seconds
    while ((await attempted()) === before) await new Promise((done) => setTimeout(done, 100))
  }

  /** Since the trail began. What is wrong it says on standard error, which is in `stdout` here, too. */
  async validate(): Promise<Pick<Ended, 'status' | 'stdout'>> {
    const since = this.#started.toISOString()
    const words = ['cloudtrail', 'validate-logs', '--trail-arn', this.#arn, '--start-time', since, '--verbose']
    const { status, stdout, stderr } = await this.later('aws', ...words)
    return { status, stdout: stderr + stdout }
  }
}
