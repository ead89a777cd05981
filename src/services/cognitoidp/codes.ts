/** Codes that are sent to users: made, kept as digests, compared within a failure budget, spent once. */
import { timingSafeEqual } from 'node:crypto'
import type { CodeDeliveryDetailsType } from '@aws-sdk/client-cognito-identity-provider'
import type { Vault } from '../../vault/vault.ts'
import { newCode } from './ids.ts'
import { deliveryDetails, type Medium, type MessageKind, send } from './messages.ts'
import { budgetName, guessable } from './passwords.ts'
import { cognito, type Flow, type PoolRow } from './resources.ts'
import type { CodeKind, CodeRow, UserRow } from './user-rows.ts'

const HOUR_MS = 60 * 60_000
const LIFETIME_MS: Readonly<Record<CodeKind, number>> = {
  'sign-up': 24 * HOUR_MS,
  forgot: HOUR_MS,
  email: 24 * HOUR_MS,
  phone_number: 24 * HOUR_MS,
}

export const codeMismatch = () =>
  cognito.fail('CodeMismatchException', 'Invalid verification code provided, please try again.')
export const codeExpired = () =>
  cognito.fail('ExpiredCodeException', 'Invalid code provided, please request a code again.')
export const tooManyCodes = () =>
  cognito.fail('LimitExceededException', 'Attempt limit exceeded, please try after some time.')

export const digestOf = (vault: Pick<Vault, 'mac'>, pool: PoolRow, sub: string, kind: string, code: string): string =>
  vault.mac('user-pool', `code ${pool.id} ${sub} ${kind} ${code}`).toString('base64')

export const isSame = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

export const mediumOf = (attribute: 'email' | 'phone_number'): Medium => (attribute === 'email' ? 'EMAIL' : 'SMS')

interface Sent {
  readonly kind: CodeKind
  readonly message: MessageKind
  readonly attribute: 'email' | 'phone_number'
  readonly to: string
  readonly clientId: string
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
}

/** Sends a new code and puts it into the user's row, which is not yet saved. The one before it is void. */
export async function sendCode(
  call: Flow,
  pool: PoolRow,
  user: UserRow,
  { kind, message, attribute, to, clientId, clientMetadata }: Sent,
): Promise<{ readonly user: UserRow; readonly details: CodeDeliveryDetailsType }> {
  const code = newCode()
  const medium = mediumOf(attribute)
  await send(call, pool, user, { kind: message, medium, to, code, clientId, clientMetadata })
  const row: CodeRow = {
    digest: digestOf(call.vault, pool, user.sub, kind, code),
    expiresAt: call.now + LIFETIME_MS[kind],
    attribute,
    value: to,
  }
  return { user: { ...user, codes: { ...user.codes, [kind]: row } }, details: deliveryDetails(medium, to) }
}

/**
 * The code's row. Throws for a wrong or expired one, and while the budget is spent; for a user that does not exist, the
 * same as for a wrong code.
 */
export async function checkCode(
  call: Flow,
  pool: PoolRow,
  user: UserRow | undefined,
  claimed: string,
  kind: CodeKind,
  code: string,
): Promise<CodeRow> {
  const row = user?.codes[kind]
  const id = user?.sub ?? budgetName(call.vault, pool, claimed)
  const digest = digestOf(call.vault, pool, user?.sub ?? claimed, kind, code)
  const checked = await call.checkSecret(guessable(pool, id, `code-${kind}`), () =>
    isSame(digest, row?.digest ?? '') ? row : undefined,
  )
  if (checked.outcome === 'refused') throw tooManyCodes()
  if (checked.outcome === 'wrong') throw row && row.expiresAt <= call.now ? codeExpired() : codeMismatch()
  if (checked.value.expiresAt <= call.now) throw codeExpired()
  return checked.value
}

export const withoutCode = (user: UserRow, kind: CodeKind): UserRow => ({
  ...user,
  codes: Object.fromEntries(Object.entries(user.codes).filter(([name]) => name !== kind)),
})
