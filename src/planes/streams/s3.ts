/** Batches as objects of JSON lines in a bucket of any S3-compatible store. */
import { type Bucket, BucketError } from '../../kernel/client/bucket.ts'
import { laterOf } from './http.ts'
import { RetryLaterError, type Sink } from './sink.ts'

export function s3Sink(bucket: Bucket): Sink {
  return {
    send: async (lines, signal) => {
      const name = `${lines[0]!.position}-${lines.at(-1)!.position}.jsonl`
      const body = Buffer.from(lines.map((line) => `${line.body}\n`).join(''))
      try {
        await bucket.put(name, body, 'application/x-ndjson', signal)
      } catch (error) {
        const waitMs = error instanceof BucketError ? laterOf(error.retryAfter) : undefined
        throw waitMs === undefined ? error : new RetryLaterError((error as Error).message, waitMs)
      }
    },
    close: async () => undefined,
  }
}
