/** Compressed request bodies, with a cap: a small body must not become a large one. */
import { gunzipSync } from 'node:zlib'
import { Fault } from './fault.ts'
import { type HttpRequest, header } from './http.ts'
import { serializationFault } from './serialization.ts'

/** AWS's largest API bodies are a few MiB; objects never travel compressed. */
const INFLATED_BYTES_MAX = 16 * 1024 * 1024

export function inflate(request: HttpRequest, bytesMax = INFLATED_BYTES_MAX): Buffer {
  const stated = header(request, 'content-encoding')
  if (stated === undefined) return request.body
  const encodings = stated.split(',').map((name) => name.trim().toLowerCase())
  if (!encodings.includes('gzip')) return request.body
  try {
    return gunzipSync(request.body, { maxOutputLength: bytesMax })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new Fault('RequestEntityTooLarge', `The request grows beyond ${bytesMax} bytes when inflated.`)
    }
    throw serializationFault('The request body is not valid gzip')
  }
}
