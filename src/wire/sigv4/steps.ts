/** Work on large bodies in slices: between two slices the event loop answers other requests. */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sha256Hex } from './canonical.ts'

/** Yields where it may be interrupted. */
export type Steps<T> = Generator<undefined, T, undefined>

/** Some milliseconds of hashing. */
export const SLICE_BYTES = 2 * 1024 * 1024

/** Without interruption, where nothing else waits. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    await nextTurn()
  }
}

export function* sha256Steps(body: Buffer): Steps<string> {
  if (body.length <= SLICE_BYTES) return sha256Hex(body)
  const hash = createHash('sha256')
  for (let at = 0; at < body.length; at += SLICE_BYTES) {
    hash.update(body.subarray(at, at + SLICE_BYTES))
    yield
  }
  return hash.digest('hex')
}
