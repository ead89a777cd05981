/** Client tokens: a request that is sent again with its token gets the first answer again, for a day. */
import { createHash } from 'node:crypto'
import type { Call } from '../../kernel/gate/call.ts'
import { type Expiring, putExpiring } from '../../kernel/jobs/expiring-rows.ts'
import { clientTokenKey } from './resources.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** In documents that wait: never change it. */
export const FORGET_TOKENS = 'guardduty.forget-tokens'

interface TokenRow extends Expiring {
  readonly hash: string
  readonly answer: object
}

/**
 * The first answer, while what it names exists; else what `make` returns.
 *
 * @example
 * return withClientToken(call, input, ({ Name }) => exists(Name), async () => ({ Name: create(input) }))
 */
export async function withClientToken<A extends object>(
  call: Call,
  input: { readonly ClientToken?: string | undefined },
  exists: (answer: A) => Promise<boolean>,
  make: () => Promise<A>,
): Promise<A> {
  const { ClientToken: token, ...request } = input
  if (token === undefined || token === '') return make()
  const at = clientTokenKey(call.account, call.region, call.operation, token)
  const hash = createHash('sha256').update(JSON.stringify(request)).digest('hex')
  const before = await call.unit.get<TokenRow>(at)
  if (before && before.expiresAt > call.now && before.hash === hash && (await exists(before.answer as A)))
    return before.answer as A
  const answer = await make()
  putExpiring<TokenRow>(call.unit, FORGET_TOKENS, at, { hash, answer, expiresAt: call.now + DAY_MS })
  return answer
}
