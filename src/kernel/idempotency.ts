/** Idempotency tokens: the same token and input give the same answer; another input is refused. */
import { createHash } from 'node:crypto'
import { key } from '../store/store.ts'
import type { Fault } from '../wire/fault.ts'
import type { Call } from './call.ts'

interface Remembered {
  readonly inputHash: string
  readonly output: object
  readonly expiresAt: number
}

const LIFETIME_MS = 24 * 3_600_000

/** `mismatch` is the service's own error for a token that was used with other parameters. */
export async function once<T extends object>(
  call: Call,
  token: string | undefined,
  input: object,
  mismatch: () => Fault,
  run: () => Promise<T>,
): Promise<T> {
  if (token === undefined) return run()
  const at = key('kernel', 'idempotency', call.account, call.region, call.operation, token)
  const inputHash = createHash('sha256').update(JSON.stringify(input)).digest('base64')
  const earlier = await call.unit.get<Remembered>(at)
  if (earlier && earlier.expiresAt > call.now) {
    if (earlier.inputHash !== inputHash) throw mismatch()
    return earlier.output as T
  }
  const output = await run()
  call.unit.put(at, { inputHash, output, expiresAt: call.now + LIFETIME_MS } satisfies Remembered)
  return output
}
