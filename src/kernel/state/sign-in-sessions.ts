/**
 * Sign-ins with a password: which of them are still valid. A person's sign-ins all carry the person's generation; raising
 * it ends them everywhere. One sign-in ends by a row of its own. Cookies and the credentials made from them are refused
 * from the next request on, on every node.
 */
import { key, type Store, type Unit } from '../../store/store.ts'
import { scheduleJob } from '../jobs/jobs.ts'
import { DerivedCache } from './derived.ts'
import type { Reader } from './reader.ts'

/** What a session that began with a sign-in carries. */
export interface SignIn {
  /** `account/unique ID of the user`; the account's number twice for its root user. */
  readonly person: string
  readonly generation: number
  /** Names this sign-in. */
  readonly id: string
}

/** A sign-in lasts as long: AWS's console sessions do, too. */
export const SIGN_IN_MS = 12 * 60 * 60_000

export const FORGET_SIGN_IN = 'signin.forget-session'

export const personOf = (account: string, ownerId: string): string => `${account}/${ownerId}`

const generationKey = (person: string) => key('kernel', 'sign-in-generation', person)
const endedKey = (id: string) => key('kernel', 'sign-in-ended', id)

export async function signInGeneration(reader: Pick<Reader, 'get'>, person: string): Promise<number> {
  return (await reader.get<{ readonly generation: number }>(generationKey(person)))?.generation ?? 0
}

/** Ends every sign-in of a person: for passwords that change, and for users that are deleted. Returns the new generation. */
export async function endSignIns(unit: Unit, person: string): Promise<number> {
  const generation = (await signInGeneration(unit, person)) + 1
  unit.put(generationKey(person), { generation })
  return generation
}

/** Ends one sign-in, in every tab. `lifetimeMs`: after which nothing carries it any more. */
export function endSignIn(unit: Unit, { id }: SignIn, now: number, lifetimeMs: number = SIGN_IN_MS): void {
  unit.put(endedKey(id), { endedAt: now })
  scheduleJob(unit, { id: `${FORGET_SIGN_IN}/${id}`, kind: FORGET_SIGN_IN, dueAt: now + lifetimeMs, payload: { id } })
}

/** Once no cookie carries it any more. */
export const forgetEndedSignIn = (unit: Unit, id: string): void => unit.delete(endedKey(id))

export async function isSignInValid(reader: Pick<Reader, 'get'>, { person, generation, id }: SignIn): Promise<boolean> {
  if ((await signInGeneration(reader, person)) !== generation) return false
  return (await reader.get(endedKey(id))) === undefined
}

/** The same from memory: for every call with credentials that a sign-in gave. */
export class SignIns {
  readonly #valid: DerivedCache<boolean>

  constructor(store: Store) {
    this.#valid = new DerivedCache(store, (reader, argument) => isSignInValid(reader, JSON.parse(argument) as SignIn))
  }

  isValid({ person, generation, id }: SignIn): Promise<boolean> {
    return this.#valid.get(JSON.stringify({ person, generation, id }))
  }
}
