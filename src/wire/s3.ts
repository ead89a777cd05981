/** S3 names its bucket in the host (virtual style) or in the first label of the path (path style). */
import { XML_DECLARATION } from './content.ts'
import { type HttpRequest, header } from './http.ts'
import type { RestAnswer } from './rest.ts'
import { escapeXml } from './xml.ts'

export interface S3Address {
  /** Still percent-encoded; undefined when the request is for the service itself. */
  readonly bucket: string | undefined
  /** The path below the bucket. */
  readonly path: string
}

const VIRTUAL = /^(.+)\.s3[.-]/

/** Known to be S3's: then `bucket.localhost` is one too, as clients write it for an endpoint without dots. */
const VIRTUAL_AT_HOME = /^(?!s3\.)(.+)\.localhost(?::\d+)?$/

export function s3Address(request: HttpRequest): S3Address {
  const inHost = bucketInHost(request) ?? VIRTUAL_AT_HOME.exec(header(request, 'host') ?? '')?.[1]
  if (inHost !== undefined) return { bucket: inHost, path: request.path }
  const [, bucket = '', rest = ''] = /^\/([^/]*)(.*)$/s.exec(request.path) ?? []
  return bucket === '' ? { bucket: undefined, path: request.path } : { bucket, path: rest === '' ? '/' : rest }
}

/** `bucket.s3.region.…`; undefined for every other host. */
export function bucketInHost(request: HttpRequest): string | undefined {
  return VIRTUAL.exec(header(request, 'host') ?? '')?.[1]
}

/** What no model says of S3's answers: a part has a status of its own, and a location is its document's bare text. */
export function s3Answer(operation: string, output: object, answer: RestAnswer, xmlns: string): RestAnswer {
  const values = output as { readonly ContentRange?: string; readonly LocationConstraint?: string }
  if (operation === 'GetObject' && values.ContentRange !== undefined) return { ...answer, status: 206 }
  if (operation === 'GetBucketLocation') {
    const text = escapeXml(values.LocationConstraint ?? '')
    return { ...answer, body: `${XML_DECLARATION}<LocationConstraint xmlns="${xmlns}">${text}</LocationConstraint>` }
  }
  return answer
}
