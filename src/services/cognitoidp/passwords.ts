/** Passwords of users: what a pool demands, and how they are kept. SRP verifiers, sealed, because SHA-256 alone is quick to guess. */

import { newVerifier, type SrpIdentity, type SrpVerifier, matches as verifierMatches } from '../../engines/srp/srp.ts'
import { userPoolCounts } from '../../kernel/ports/user-pool-counts.ts'
import type { GuessableSecret } from '../../kernel/state/failure-budget.ts'
import type { Unit } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { cognito, type Flow, groupOf, notAuthorized, type PoolRow, poolArn, sealedAt, userPool } from './resources.ts'
import type { UserRow } from './user-rows.ts'

/** The special characters that count as symbols. Source: https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html */
const SYMBOL = /[\^$*.[\]{}()?"!@#%&/\\,><':;|_~`=+\- ]/
const LENGTH_MAX = 256

const DAY_MS = 24 * 60 * 60_000

/** Five wrong passwords, then one second, doubling up to 15 minutes. */
export const signInGuessing = { free: 5, delayMs: 1_000, maxMs: 15 * 60_000 } as const

const invalidPassword = (why: string) =>
  cognito.fail('InvalidPasswordException', `Password did not conform with policy: ${why}`)

export function checkPolicy({ settings }: PoolRow, password: string): void {
  const policy = settings.Policies?.PasswordPolicy ?? {}
  if (password.length < (policy.MinimumLength ?? 6)) throw invalidPassword('Password not long enough')
  if (password.length > LENGTH_MAX) throw invalidPassword('Password too long')
  if (policy.RequireUppercase && !/[A-Z]/.test(password))
    throw invalidPassword('Password must have uppercase characters')
  if (policy.RequireLowercase && !/[a-z]/.test(password))
    throw invalidPassword('Password must have lowercase characters')
  if (policy.RequireNumbers && !/[0-9]/.test(password)) throw invalidPassword('Password must have numeric characters')
  if (policy.RequireSymbols && !SYMBOL.test(password)) throw invalidPassword('Password must have symbol characters')
  if (password !== password.trim()) throw invalidPassword('Password must not begin or end with a space')
}

export const srpIdentity = (pool: PoolRow, user: Pick<UserRow, 'username'>): SrpIdentity => ({
  group: groupOf(pool),
  user: user.username,
})

const placeOf = (pool: PoolRow, user: Pick<UserRow, 'sub'>) => sealedAt(pool, 'password', `${pool.id}/${user.sub}`)

type Seals = { readonly vault: Pick<Vault, 'seal' | 'open'> }

export function verifierOf({ vault }: Seals, pool: PoolRow, user: UserRow): SrpVerifier | undefined {
  return user.password && (JSON.parse(vault.open(placeOf(pool, user), user.password).toString('utf8')) as SrpVerifier)
}

interface NewPassword {
  readonly password: string
  /** Until the user sets another one. */
  readonly isTemporary?: boolean
}

/** The user with a new password, not yet saved. Throws where it breaks the policy or repeats an earlier one. */
export function withPassword(
  call: Pick<Flow, 'vault' | 'now'>,
  pool: PoolRow,
  user: UserRow,
  { password, isTemporary = false }: NewPassword,
): UserRow {
  checkPolicy(pool, password)
  const policy = pool.settings.Policies?.PasswordPolicy
  const identity = srpIdentity(pool, user)
  const size = policy?.PasswordHistorySize ?? 0
  const earlier = [...(user.password ? [user.password] : []), ...(user.history ?? [])].slice(0, size)
  const isRepeated = earlier.some((sealed) =>
    verifierMatches(identity, password, JSON.parse(call.vault.open(placeOf(pool, user), sealed).toString('utf8'))),
  )
  if (isRepeated && !isTemporary)
    throw cognito.fail('PasswordHistoryPolicyViolationException', 'Password has previously been used')
  const days = policy?.TemporaryPasswordValidityDays || 7
  return {
    ...user,
    password: call.vault.seal(placeOf(pool, user), Buffer.from(JSON.stringify(newVerifier(identity, password)))),
    history: earlier,
    passwordExpiresAt: isTemporary ? call.now + days * DAY_MS : undefined,
    modifiedAt: call.now,
  }
}

/** The failure budget of a user's password, or of a name that no user has: both behave alike. */
export const guessable = (pool: PoolRow, id: string, what = 'password'): GuessableSecret => ({
  account: pool.account,
  kind: 'user-pool',
  id: `${pool.id}/${what}/${id}`,
  arn: poolArn(pool),
  type: userPool.spec.type,
  policy: signInGuessing,
})

export const wrongPassword = () => notAuthorized('Incorrect username or password.')
export const attemptsExceeded = () => notAuthorized('Password attempts exceeded')

/**
 * Throws for a wrong password, and while the budget of wrong ones is spent. A user without a password takes as long. What `onWrong`
 * writes is committed with the count of the failure.
 */
export async function checkPassword(
  call: Pick<Flow, 'vault' | 'checkSecret' | 'use'>,
  pool: PoolRow,
  user: UserRow | undefined,
  claimed: string,
  password: string,
  onWrong?: (unit: Unit) => Promise<void>,
): Promise<void> {
  const identity = srpIdentity(pool, user ?? { username: claimed })
  const verifier = (user && verifierOf(call, pool, user)) ?? DUMMY
  const isKnown = user?.password !== undefined
  const checked = await call.checkSecret(
    guessable(pool, user?.sub ?? budgetName(call.vault, pool, claimed)),
    async (unit) => {
      if (verifierMatches(identity, password.slice(0, LENGTH_MAX + 1), verifier) && isKnown) return true
      await onWrong?.(unit)
      return undefined
    },
  )
  if (checked.outcome !== 'correct') call.use(userPoolCounts).count('sign_ins', { result: checked.outcome })
  if (checked.outcome === 'refused') throw attemptsExceeded()
  if (checked.outcome === 'wrong') throw wrongPassword()
}

/** Names that no user has are budgeted like users, under a digest: whether there is a user shows in neither. */
export const budgetName = (vault: Pick<Vault, 'mac'>, pool: PoolRow, claimed: string): string =>
  `unknown-${vault.mac('user-pool', `budget ${pool.id} ${claimed.toLowerCase()}`).toString('hex').slice(0, 24)}`

const DUMMY: SrpVerifier = newVerifier({ group: '', user: '' }, 'a password that no user has')

/** For a user that does not exist: the same salt and verifier each time, computed in the same steps. */
export function simulatedVerifier(vault: Pick<Vault, 'mac'>, pool: PoolRow, claimed: string): SrpVerifier {
  const name = claimed.toLowerCase()
  const salt = vault.mac('user-pool', `salt ${pool.id} ${name}`).subarray(0, 16)
  return { ...DUMMY, salt: BigInt(`0x${salt.toString('hex')}`).toString(16) }
}

/** The UUID shown for a user that does not exist. */
export function simulatedSub(vault: Pick<Vault, 'mac'>, pool: PoolRow, claimed: string): string {
  const hex = vault.mac('user-pool', `sub ${pool.id} ${claimed.toLowerCase()}`).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
