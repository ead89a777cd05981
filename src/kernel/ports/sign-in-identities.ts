/**
 * The sign-in identities port: the people of accounts and how they prove who they are, provided by IAM and used by the
 * sign-in pages. Passwords and codes pass through and are recorded nowhere.
 *
 * @example
 * const person = await use(signInIdentities).user(unit, account, 'ada')
 * const checked = await use(signInIdentities).checkPassword(call, person, { account, name: 'ada' }, password)
 */
import type { Call } from '../gate/call.ts'
import type { Subject } from '../gate/session.ts'
import type { CheckSecret, SecretCheck } from '../state/failure-budget.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface SignInAccount {
  readonly id: string
  readonly alias: string | undefined
}

/** The root user of an account, or an IAM user. */
export interface SignInPerson {
  readonly account: string
  /** The unique ID; the account's number for the root user. */
  readonly id: string
  readonly kind: 'root' | 'user'
  /** `root` for the root user. */
  readonly name: string
  readonly arn: string
}

export interface PasswordState {
  /** Why the person must choose another password before the sign-in is complete. */
  readonly mustChange: 'reset-required' | 'expired' | undefined
  /** Expired, and the account's policy lets only an administrator set another. */
  readonly isLocked: boolean
  /** Epoch milliseconds; a sign-in that waits for its second factor is bound to it. */
  readonly changedAt: number
}

export interface SignInDevice {
  readonly serialNumber: string
  readonly kind: 'totp' | 'passkey'
  /** Epoch milliseconds. */
  readonly enabledAt: number
}

/** A public key that an authenticator made: WebAuthn, "credential record". */
export interface Passkey {
  readonly serialNumber: string
  readonly name: string
  /** base64url */
  readonly credentialId: string
  /** COSE, base64url. */
  readonly publicKey: string
  readonly counter: number
  readonly transports: readonly string[]
  /** Epoch milliseconds. */
  readonly enabledAt: number
}

/** What checks of secrets need of a route's call. */
export type SecretCaller = Pick<Call, 'unit' | 'now'> & { readonly checkSecret: CheckSecret }

export interface SignInIdentitiesPort {
  /** An open account, by its number or its alias. */
  account(reader: Reader, idOrAlias: string): Promise<SignInAccount | undefined>
  /** The account whose root user signs in with this e-mail address. */
  rootOf(reader: Reader, email: string): Promise<SignInPerson | undefined>
  root(account: string): SignInPerson
  /** The root user of any account: work for an unknown address is done on it, so that the time it takes shows nothing. */
  standIn(reader: Reader): Promise<SignInPerson>
  user(reader: Reader, account: string, name: string): Promise<SignInPerson | undefined>
  /** Whether the subject still exists, and its account is open. */
  exists(account: string, subject: Subject): Promise<boolean>
  /**
   * Checks a password within the failure budget of the person. An unknown person, or one without a password, costs the
   * same time, has the same budget under `claimed`, and is answered `wrong`.
   */
  checkPassword(
    call: SecretCaller,
    person: SignInPerson | undefined,
    claimed: { readonly account: string; readonly name: string },
    password: string,
  ): Promise<SecretCheck<PasswordState>>
  /** undefined for a person without a password. */
  passwordState(call: Pick<SecretCaller, 'unit' | 'now'>, person: SignInPerson): Promise<PasswordState | undefined>
  /**
   * Sets a password and ends every sign-in of the person; returns the new generation. Throws IAM's fault for a password
   * that breaks the account's policy. The first password of a root user is set the same way.
   */
  setPassword(call: Pick<SecretCaller, 'unit' | 'now'>, person: SignInPerson, password: string): Promise<number>
  /** Gives the root user an e-mail address, which no other root user may have. Throws a fault for one that is taken. */
  setRootEmail(call: Pick<SecretCaller, 'unit' | 'now'>, account: string, email: string): Promise<void>
  rootEmail(reader: Reader, account: string): Promise<string | undefined>
  devices(reader: Reader, person: SignInPerson): Promise<readonly SignInDevice[]>
  checkCode(call: SecretCaller, person: SignInPerson, serialNumber: string, code: string): Promise<SecretCheck<true>>
  passkeys(reader: Reader, person: SignInPerson): Promise<readonly Passkey[]>
  /** Throws IAM's fault beyond the quota, or for a name that is in use. Returns the serial number. */
  addPasskey(
    call: Pick<SecretCaller, 'unit' | 'now'>,
    person: SignInPerson,
    passkey: Omit<Passkey, 'serialNumber' | 'enabledAt'>,
    max: number,
  ): Promise<string>
  /** Records the authenticator's counter after a sign-in. */
  recordPasskeyUse(call: Pick<SecretCaller, 'unit'>, person: SignInPerson, passkey: Passkey, counter: number): void
}

export const signInIdentities = port<SignInIdentitiesPort>('sign-in-identities')
