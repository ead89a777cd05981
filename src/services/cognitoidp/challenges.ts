/** Answers to the challenges of a sign-in. */
import { randomUUID } from 'node:crypto'
import type { ChallengeNameType } from '@aws-sdk/client-cognito-identity-provider'
import { type DeviceClock, stepOf } from '../../engines/totp/totp.ts'
import { changeAttributes } from './attribute-changes.ts'
import { openState, type SignInState, spend } from './challenge-state.ts'
import { codeMismatch, digestOf, isSame } from './codes.ts'
import { answerCustom, nextCustom } from './custom-auth.ts'
import { deviceMissing, deviceOf, deviceVerifier } from './devices.ts'
import { firstFactor, passwordVerifier, signInWithPassword, srpOwner } from './first-factor.ts'
import type { Mfa } from './mfa-settings.ts'
import { verifyPasskey } from './passkeys.ts'
import {
  attemptsExceeded,
  budgetName,
  guessable,
  simulatedVerifier,
  srpIdentity,
  verifierOf,
  withPassword,
  wrongPassword,
} from './passwords.ts'
import { at, cognito, type Flow, invalidParameter, notAuthorized, type PoolRow, sealedAt } from './resources.ts'
import { assertNotBlocked } from './risk.ts'
import { checkRequired } from './schema.ts'
import { afterFirstFactor, chooseMfa, mfaChallenge, secondFactor } from './second-factor.ts'
import { checkAnswer, countResult } from './secret-answer.ts'
import { checkSecretHash } from './secret-hash.ts'
import {
  challenged,
  deviceGroup,
  finish,
  type KnownPerson,
  type Parameters,
  type Person,
  required,
  type SignIn,
  type SignInAnswer,
} from './sign-in.ts'
import { writable } from './sign-up.ts'
import { firstStep, openBlock } from './srp-steps.ts'
import { assertNotLeaked, recordWrongPassword } from './threats.ts'
import { findUser, saveUser, type TotpRow, type UserRow } from './user-rows.ts'

export interface ChallengeAnswer {
  readonly name: ChallengeNameType
  readonly session: string | undefined
  readonly responses: Parameters
}

type Answered = (of: SignIn, person: Person, state: SignInState, responses: Parameters) => Promise<SignInAnswer>

export async function respond(of: SignIn, { name, session, responses }: ChallengeAnswer): Promise<SignInAnswer> {
  const { call, pool, client } = of
  // Clients of SRP need not send the session: the block carries all of it.
  const state = await stateOf(of, name, session, responses)
  if (state.challenge !== name && !(name === 'PASSWORD_VERIFIER' && state.challenge === 'PASSWORD_VERIFIER'))
    throw invalidParameter(`Challenge ${name} does not match the session.`)
  if (state.isAdmin && !of.isAdmin) throw notAuthorized('Invalid session for the user.')
  const login = required(responses, 'USERNAME')
  const named = await findUser(call.unit, pool, login)
  // The session's user, named again: by another name of the same user, or as before.
  if (named?.sub !== state.sub || (!named && login !== state.login && state.login !== ''))
    throw notAuthorized('Invalid session for the user.')
  await assertNotBlocked(call.unit, of, call.remoteAddress)
  if (!of.isPage)
    checkSecretHash(call.vault, client, responses['SECRET_HASH'], [
      login,
      ...(named ? [named.username, named.sub] : []),
    ])
  if (named && !named.isEnabled) throw notAuthorized('User is disabled.')
  const person: Person = { login: state.login || login, user: named }
  const answer = ANSWERS[name]
  if (!answer) throw invalidParameter(`Invalid challenge: ${name}`)
  return answer(of, person, state, responses)
}

async function stateOf(
  of: SignIn,
  name: ChallengeNameType,
  session: string | undefined,
  responses: Parameters,
): Promise<SignInState> {
  const { call, pool, client, isAdmin } = of
  const isStateless = (name === 'PASSWORD_VERIFIER' || name === 'DEVICE_PASSWORD_VERIFIER') && session === undefined
  if (!isStateless) return openState(call, of, session)
  const login = required(responses, 'USERNAME')
  const user = await findUser(call.unit, pool, login)
  return {
    id: '',
    pool: pool.id,
    client: client.id,
    login,
    sub: user?.sub,
    challenge: name,
    expiresAt: call.now,
    isAdmin,
    deviceKey: responses['DEVICE_KEY'],
  }
}

const known = (person: Person): KnownPerson => {
  if (!person.user) throw wrongPassword()
  return person as KnownPerson
}

const ANSWERS: Readonly<Partial<Record<ChallengeNameType, Answered>>> = {
  PASSWORD_VERIFIER: async (of, person, state, responses) => {
    const { call, pool } = of
    const { user, login } = person
    const block = openBlock(call, srpOwner(of, person), responses)
    if (user && (await call.unit.get(at.spent(pool.id, user.sub, block.id))))
      throw notAuthorized('Invalid session for the user.')
    const verifier = (user && verifierOf(call, pool, user)) ?? simulatedVerifier(call.vault, pool, login)
    const secret = guessable(pool, user?.sub ?? budgetName(call.vault, pool, login))
    const checked = await call.checkSecret(secret, async (unit) => {
      const isRight = block.proves(srpIdentity(pool, user ?? { username: login }), verifier)
      if (isRight && user?.password !== undefined) return true
      await recordWrongPassword(of, user, unit)
      return undefined
    })
    countResult(call, checked.outcome)
    if (checked.outcome === 'refused') throw attemptsExceeded()
    if (checked.outcome === 'wrong') throw wrongPassword()
    spend(call, { pool: pool.id, sub: user!.sub, id: block.id, expiresAt: block.expiresAt })
    if (state.id !== '' && state.id !== block.id) spend(call, state)
    const { rounds = [] } = state.custom ?? {}
    const proved = { challengeName: 'PASSWORD_VERIFIER', challengeResult: true, challengeMetadata: null }
    return afterFirstFactor(of, person, {
      factor: 'PASSWORD',
      deviceKey: responses['DEVICE_KEY'] ?? state.deviceKey,
      next: state.isCustom ? (known) => nextCustom(of, known, [...rounds, proved]) : undefined,
    })
  },

  SELECT_CHALLENGE: (of, person, state, responses) => {
    spend(of.call, state)
    return firstFactor(of, person, required(responses, 'ANSWER'), responses)
  },

  PASSWORD: (of, person, state, responses) => {
    const password = required(responses, 'PASSWORD')
    return signInWithPassword(of, person, password, responses['DEVICE_KEY'] ?? state.deviceKey)
  },

  PASSWORD_SRP: async (of, person, state, responses) =>
    passwordVerifier(of, person, responses, { deviceKey: state.deviceKey }),

  EMAIL_OTP: (of, person, state, responses) => codeAnswer(of, person, state, required(responses, 'EMAIL_OTP_CODE')),
  SMS_OTP: (of, person, state, responses) => codeAnswer(of, person, state, required(responses, 'SMS_OTP_CODE')),
  SMS_MFA: (of, person, state, responses) => codeAnswer(of, person, state, required(responses, 'SMS_MFA_CODE')),

  SOFTWARE_TOKEN_MFA: async (of, person, state, responses) => {
    const code = required(responses, 'SOFTWARE_TOKEN_MFA_CODE')
    await checkTotp(of, person, code)
    spend(of.call, state)
    // The spent code is in the row: the user is read again.
    const user = await reread(of, person)
    return finish(of, { ...person, user }, { deviceKey: state.provedDevice, isMfa: true })
  },

  WEB_AUTHN: async (of, person, state, responses) => {
    const credential = required(responses, 'CREDENTIAL')
    const { user } = known(person)
    const passkey = await of.call.once(() => verifyPasskey(of.pool, user, state.webAuthn ?? '', credential))
    if (!passkey) throw notAuthorized('Incorrect credential.')
    spend(of.call, state)
    const passkeys = user.passkeys.map((each) => (each.credentialId === passkey.credentialId ? passkey : each))
    const saved = await saveUser(of.call.unit, of.pool, user, { ...user, passkeys })
    return afterFirstFactor(of, { ...person, user: saved }, { factor: 'WEB_AUTHN', deviceKey: state.deviceKey })
  },

  SELECT_MFA_TYPE: (of, person, state, responses) => {
    const chosen = required(responses, 'ANSWER')
    if (!state.choices?.includes(chosen)) throw invalidParameter(`Invalid MFA type: ${chosen}`)
    spend(of.call, state)
    return mfaChallenge(of, known(person), chosen as Mfa, state)
  },

  MFA_SETUP: async (of, person, state) => {
    const { user } = known(person)
    if (!state.isSetUp || !user.totp) throw invalidParameter('Software token has not been verified.')
    spend(of.call, state)
    const saved = await saveUser(of.call.unit, of.pool, user, {
      ...user,
      factors: { ...user.factors, totp: { isEnabled: true, isPreferred: true } },
    })
    return finish(of, { ...person, user: saved }, { deviceKey: state.provedDevice, isMfa: true })
  },

  NEW_PASSWORD_REQUIRED: async (of, person, state, responses) => {
    const { call, pool, client } = of
    const { user } = known(person)
    if (user.status !== 'FORCE_CHANGE_PASSWORD') throw notAuthorized('Invalid session for the user.')
    const password = required(responses, 'NEW_PASSWORD')
    await assertNotLeaked(call, of, password, 'PASSWORD_CHANGE')
    const changes = Object.fromEntries(
      Object.entries(responses).flatMap(([name, value]) =>
        name.startsWith('userAttributes.') && value !== undefined
          ? [[name.slice('userAttributes.'.length), value]]
          : [],
      ),
    )
    const changed = await changeAttributes(call, pool, user, changes, {
      isAdmin: false,
      writable: writable(client, pool),
      clientId: client.id,
      clientMetadata: of.clientMetadata,
    })
    checkRequired(pool, changed.user.attributes)
    const renewed: UserRow = { ...withPassword(call, pool, changed.user, { password }), status: 'CONFIRMED' }
    spend(call, state)
    const saved = await saveUser(call.unit, pool, user, renewed)
    return secondFactor(of, { ...person, user: saved }, { factor: 'PASSWORD', deviceKey: state.deviceKey })
  },

  DEVICE_SRP_AUTH: async (of, person, state, responses) => {
    const { call, pool } = of
    const { user } = known(person)
    const key = state.deviceKey ?? ''
    const device = await deviceOf(call.unit, pool, user, key)
    if (!device || responses['DEVICE_KEY'] !== key) throw deviceMissing()
    const step = firstStep(
      call,
      { owner: deviceOwner(of, person, key), id: randomUUID() },
      responses['SRP_A'],
      deviceVerifier(call.vault, pool, user, device),
    )
    spend(call, state)
    return challenged(
      of,
      person,
      'DEVICE_PASSWORD_VERIFIER',
      { ...step, DEVICE_KEY: key, USERNAME: user.username },
      {
        factor: state.factor,
        deviceKey: key,
        // Without it, no device replaces the first factor.
        isSetUp: true,
      },
    )
  },

  DEVICE_PASSWORD_VERIFIER: async (of, person, state, responses) => {
    const { call, pool } = of
    const { user } = known(person)
    const key = state.deviceKey ?? ''
    const device = state.isSetUp ? await deviceOf(call.unit, pool, user, key) : undefined
    if (!device || responses['DEVICE_KEY'] !== key) throw notAuthorized('Incorrect username or password.')
    const block = openBlock(call, deviceOwner(of, person, key), responses)
    const verifier = deviceVerifier(call.vault, pool, user, device)
    const isRight = await checkAnswer(of, person, 'device', () =>
      block.proves({ group: deviceGroup(pool), user: key }, verifier) ? true : undefined,
    )
    if (!isRight) throw notAuthorized('Incorrect username or password.')
    spend(call, state)
    call.unit.put(at.device(pool.id, user.sub, key), { ...device, usedAt: call.now })
    // A device that the user did not choose to remember spares no second factor.
    if (!device.isRemembered || pool.settings.DeviceConfiguration?.ChallengeRequiredOnNewDevice !== true)
      return chooseMfa(of, { ...person, user }, state.factor ?? 'PASSWORD', key)
    return finish(of, { ...person, user }, { deviceKey: key })
  },

  CUSTOM_CHALLENGE: (of, person, state, responses) => answerCustom(of, person, state, responses),
}

const deviceOwner = ({ pool, client }: SignIn, { user }: Person, key: string): string =>
  JSON.stringify([pool.id, client.id, user?.sub, 'device', key])

async function reread({ call, pool }: SignIn, person: Person): Promise<UserRow> {
  return (await call.unit.get<UserRow>(at.user(pool.id, person.user!.sub)))!
}

/** A code that was sent: as the first factor, or as the second. */
async function codeAnswer(of: SignIn, person: Person, state: SignInState, code: string): Promise<SignInAnswer> {
  const { call, pool } = of
  const digest = digestOf(call.vault, pool, person.user?.sub ?? person.login, 'sign-in', code)
  const isRight = await checkAnswer(of, person, 'code-sign-in', () =>
    isSame(digest, state.code ?? '') && person.user ? true : undefined,
  )
  if (!isRight) throw codeMismatch()
  spend(call, state)
  if (state.factor !== undefined) return finish(of, known(person), { deviceKey: state.provedDevice, isMfa: true })
  return afterFirstFactor(of, person, { factor: state.challenge, deviceKey: state.deviceKey })
}

export const totpPlace = (pool: PoolRow, user: Pick<UserRow, 'sub'>) => sealedAt(pool, 'totp', `${pool.id}/${user.sub}`)

/** Throws for a wrong code. A right one is spent durably before the caller goes on. */
async function checkTotp(of: SignIn, person: Person, code: string): Promise<void> {
  const { call, pool } = of
  const { user } = known(person)
  if (!user.totp)
    throw cognito.fail(
      'SoftwareTokenMFANotFoundException',
      'Software token TOTP multi-factor authentication is not enabled for the user.',
    )
  const isRight = await checkAnswer(of, person, 'totp', async (unit) => {
    const row = await unit.get<UserRow>(at.user(pool.id, user.sub))
    const totp = row?.totp && spentTotp(call, pool, row, row.totp, code)
    if (!row || !totp) return undefined
    unit.put(at.user(pool.id, user.sub), { ...row, totp })
    return true
  })
  if (!isRight) throw cognito.fail('CodeMismatchException', 'Invalid code received for user')
}

/** The token with the code spent; undefined for a wrong code. */
export function spentTotp(
  call: Pick<Flow, 'vault' | 'now'>,
  pool: PoolRow,
  user: Pick<UserRow, 'sub'>,
  totp: TotpRow,
  code: string,
): TotpRow | undefined {
  const seed = call.vault.open(totpPlace(pool, user), totp.seed)
  const clock: DeviceClock = { drift: totp.drift, spent: totp.spent }
  const step = stepOf(seed, code, call.now, clock)
  seed.fill(0)
  return step === undefined ? undefined : { ...totp, spent: step }
}
