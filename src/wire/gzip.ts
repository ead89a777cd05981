/** Compressed request bodies: of the operations whose model allows it, within limits of size and ratio. */
import { gunzipSync } from 'node:zlib'
import { Fault } from './fault.ts'
import { type HttpRequest, header } from './http.ts'
import { serializationFault } from './serialization.ts'

/** The largest request of CloudWatch's PutMetricData, which is the only one that clients compress. */
const INFLATED_BYTES_MAX = 1024 * 1024
/** Metrics shrink to a tenth or a twentieth. A ratio beyond this is an attack. */
const RATIO_MAX = 100
/** Small bodies of repeated text may exceed the ratio. */
const INFLATED_BYTES_FREE = 64 * 1024

export function isGzip(request: HttpRequest): boolean {
  const encodings = header(request, 'content-encoding') ?? ''
  return encodings.split(',').some((name) => name.trim().toLowerCase() === 'gzip')
}

/** The body as its operation reads it. The caller is authenticated, and the operation allows compression. */
export function inflate(request: HttpRequest): Buffer {
  if (!isGzip(request)) return request.body
  const maxOutputLength = Math.min(INFLATED_BYTES_MAX, INFLATED_BYTES_FREE + RATIO_MAX * request.body.length)
  try {
    return gunzipSync(request.body, { maxOutputLength })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      const message = `The request grows beyond ${maxOutputLength} bytes when inflated. Send less data in one request.`
      throw new Fault('RequestEntityTooLarge', message)
    }
    throw serializationFault('The request body is not valid gzip')
  }
}
