/** The beginning of a body, read before a request is forwarded; the rest is streamed. */
import type { Readable } from 'node:stream'

export interface BodyStart {
  /** A little more than was wanted, or all of it. */
  readonly bytes: Buffer
  readonly isWhole: boolean
}

/** What a client has to send the wanted bytes in. */
const WAIT_MS = 30_000

/**
 * Reads until there are more than `wanted` bytes, or the end has come. What was read is put back where the body goes on: it is
 * streamed from its beginning. undefined when the client is gone, too slow, or its body is malformed.
 */
export function startOf(body: Readable, wanted: number): Promise<BodyStart | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    const timer = setTimeout(() => finish(undefined), WAIT_MS)
    const finish = (start: BodyStart | undefined) => {
      clearTimeout(timer)
      body
        .off('data', onData)
        .off('end', onEnd)
        .off('error', onFailure)
        .off('close', onFailure)
        .off('aborted', onFailure)
      // Later errors have a listener where the body is streamed.
      body.on('error', () => undefined)
      resolve(start)
    }
    const onData = (chunk: Buffer) => {
      chunks.push(chunk)
      length += chunk.length
      if (length <= wanted) return
      body.pause()
      const bytes = Buffer.concat(chunks)
      finish({ bytes, isWhole: false })
      body.unshift(bytes)
    }
    const onEnd = () => finish({ bytes: Buffer.concat(chunks), isWhole: true })
    const onFailure = () => finish(undefined)
    body.on('data', onData).on('end', onEnd).on('error', onFailure).on('close', onFailure).on('aborted', onFailure)
  })
}
