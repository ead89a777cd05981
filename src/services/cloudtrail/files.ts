/**
 * The files of a trail, named and written as AWS does.
 * Sources: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html#cloudtrail-log-filename-format
 * and https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 */
import { createHash } from 'node:crypto'
import { folderOf } from './bucket.ts'
import type { Digested, Pending } from './journal.ts'
import { type TrailRow, trailArn } from './resources.ts'

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** `2026-11-24T12:05:09Z` */
export const isoTime = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
/** `20261124T120509Z` */
const basicTime = (ms: number): string => isoTime(ms).replace(/[-:]/g, '')
/** `2026/11/24` */
const dayOf = (ms: number): string => isoTime(ms).slice(0, 10).replaceAll('-', '/')

/** The same for a delivery that is done again: its letters come from where in the log it begins and ends. */
export function logFileKey(trail: TrailRow, region: string, plannedAt: number, extent: string): string {
  const unique = createHash('sha256')
    .update(`${trailArn(trail)} ${region} ${extent}`)
    .digest('base64')
  const letters = unique.replace(/[^A-Za-z0-9]/g, '').slice(0, 16)
  const minute = basicTime(plannedAt).replace(/\d\dZ$/, 'Z')
  const { account } = trail
  return `${folderOf(trail)}CloudTrail/${region}/${dayOf(plannedAt)}/${account}_CloudTrail_${region}_${minute}_${letters}.json.gz`
}

export function digestKeyOf(trail: TrailRow, region: string, endMs: number): string {
  const { account, name, region: home } = trail
  const file = `${account}_CloudTrail-Digest_${region}_${name}_${home}_${basicTime(endMs)}.json.gz`
  return `${folderOf(trail)}CloudTrail-Digest/${region}/${dayOf(endMs)}/${file}`
}

export interface DigestFacts {
  readonly trail: TrailRow
  readonly region: string
  readonly key: string
  readonly fromMs: number
  readonly endMs: number
  readonly fingerprint: string
  readonly previous: Digested | undefined
  readonly files: readonly Pending[]
}

/** What is signed, with the signature of the digest before: none can be left out. */
export const signedText = (facts: DigestFacts, digest: string): string =>
  [
    isoTime(facts.endMs),
    `${facts.trail.bucket}/${facts.key}`,
    sha256(digest),
    facts.previous?.signature ?? 'null',
  ].join('\n')

export function digestText(facts: DigestFacts): string {
  const { trail, key, fromMs, endMs, fingerprint, previous, files } = facts
  const times = files.flatMap(({ oldest, newest }) => [oldest, newest])
  return JSON.stringify({
    awsAccountId: trail.account,
    digestStartTime: isoTime(fromMs),
    digestEndTime: isoTime(endMs),
    digestS3Bucket: trail.bucket,
    digestS3Object: key,
    digestPublicKeyFingerprint: fingerprint,
    digestSignatureAlgorithm: 'SHA256withRSA',
    newestEventTime: times.length > 0 ? isoTime(Math.max(...times)) : null,
    oldestEventTime: times.length > 0 ? isoTime(Math.min(...times)) : null,
    previousDigestS3Bucket: previous?.bucket ?? null,
    previousDigestS3Object: previous?.key ?? null,
    previousDigestHashValue: previous?.hash ?? null,
    previousDigestHashAlgorithm: previous ? 'SHA-256' : null,
    previousDigestSignature: previous?.signature ?? null,
    logFiles: files.map((file) => ({
      s3Bucket: file.bucket,
      s3Object: file.key,
      hashValue: file.hash,
      hashAlgorithm: 'SHA-256',
      newestEventTime: isoTime(file.newest),
      oldestEventTime: isoTime(file.oldest),
    })),
  })
}
