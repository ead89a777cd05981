/** Client tokens: a creation that is sent again gives what the first one made. Kept for a day. */
import { createHash } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import { putUntil } from '../../kernel/jobs/expiring-row.ts'
import { key } from '../../store/store.ts'
import { conflict } from './resources.ts'

const KEPT_MS = 24 * 3600 * 1000
export const FORGET_TOKEN = 'sso.forget-client-token'

interface TokenRow {
  readonly inputHash: string
  readonly arn: string
}

/** Returns the ARN of what `make` creates, or of what it has created for this token. Throws for another input. */
export async function onceByToken(
  call: Call,
  token: string | undefined,
  input: object,
  make: () => Promise<string> | string,
): Promise<string> {
  if (token === undefined) return make()
  const at = key('sso', 'client-token', call.account, call.operation, token)
  const inputHash = createHash('sha256').update(JSON.stringify(input)).digest('base64url')
  const row = await call.unit.get<TokenRow>(at)
  if (row && row.inputHash !== inputHash) throw conflict('The client token was used with other parameters.')
  if (row) return row.arn
  const arn = await make()
  putUntil(call.unit, at, { inputHash, arn } satisfies TokenRow, { until: call.now + KEPT_MS, kind: FORGET_TOKEN })
  return arn
}
