/** S3 names its bucket in the host (virtual style) or in the first label of the path (path style). */
import { type HttpRequest, header } from './http.ts'

export interface S3Address {
  /** Still percent-encoded; undefined when the request is for the service itself. */
  readonly bucket: string | undefined
  /** The path below the bucket. */
  readonly path: string
}

const VIRTUAL = /^(.+)\.s3[.-]/

export function s3Address(request: HttpRequest): S3Address {
  const inHost = bucketInHost(request)
  if (inHost !== undefined) return { bucket: inHost, path: request.path }
  const [, bucket = '', rest = ''] = /^\/([^/]*)(.*)$/s.exec(request.path) ?? []
  return bucket === '' ? { bucket: undefined, path: request.path } : { bucket, path: rest === '' ? '/' : rest }
}

/** `bucket.s3.region.…`; undefined for every other host. */
export function bucketInHost(request: HttpRequest): string | undefined {
  return VIRTUAL.exec(header(request, 'host') ?? '')?.[1]
}
