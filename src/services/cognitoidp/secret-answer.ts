/** Answers to challenges within the user's failure budget. */
import { userPoolCounts } from '../../kernel/ports/user-pool-counts.ts'
import type { SecretCheck } from '../../kernel/state/failure-budget.ts'
import type { Unit } from '../../store/store.ts'
import { tooManyCodes } from './codes.ts'
import { budgetName, guessable } from './passwords.ts'
import type { Flow } from './resources.ts'
import type { Person, SignIn } from './sign-in.ts'

type What = 'custom' | 'code-sign-in' | 'totp' | 'device' | 'passkey'

/** What a right answer yields; undefined for a wrong one. Throws while the budget of wrong ones is spent. */
export async function checkAnswer<T>(
  { call, pool }: SignIn,
  { user, login }: Person,
  what: What,
  compare: (unit: Unit) => Promise<T | undefined> | T | undefined,
): Promise<T | undefined> {
  const checked = await call.checkSecret(
    guessable(pool, user?.sub ?? budgetName(call.vault, pool, login), what),
    compare,
  )
  countResult(call, checked.outcome)
  if (checked.outcome === 'refused') throw tooManyCodes()
  return checked.outcome === 'correct' ? checked.value : undefined
}

/** Counts an answer that was verified elsewhere. */
export const countAnswer = async (of: SignIn, person: Person, what: What, isRight: boolean): Promise<boolean> =>
  (await checkAnswer(of, person, what, () => (isRight ? true : undefined))) === true

/** A right answer is not yet a sign-in: `finish` counts that. */
export function countResult({ use }: Pick<Flow, 'use'>, outcome: SecretCheck<unknown>['outcome']): void {
  if (outcome !== 'correct') use(userPoolCounts).count('sign_ins', { result: outcome })
}
