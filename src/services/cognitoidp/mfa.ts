/** Second factors: set up by the user, preferred by the user or an administrator. */
import { randomBytes } from 'node:crypto'
import { base32, SEED_BYTES } from '../../engines/totp/totp.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { accessToken, BY_TOKEN, holderOf, self, verifyAccessToken } from './access-token.ts'
import { openState, readState, type SignInState, sealState } from './challenge-state.ts'
import { spentTotp, totpPlace } from './challenges.ts'
import { tooManyCodes } from './codes.ts'
import { mfaSettings, withPreference } from './mfa-settings.ts'
import { guessable } from './passwords.ts'
import {
  at,
  clientById,
  cognito,
  type Flow,
  invalidParameter,
  notAuthorized,
  type PoolRow,
  poolArn,
  poolNamed,
  userPool,
} from './resources.ts'
import { requireUser, saveUser, type TotpRow, type UserRow } from './user-rows.ts'
import { withSmsOption } from './users.ts'

const PENDING_MS = 60 * 60_000

const BY_TOKEN_OR_SESSION = 'the access token, or the session of a sign-in, authorizes its user'

interface SetUp {
  readonly pool: PoolRow
  readonly user: UserRow
  /** Of a sign-in that requires the set-up. */
  readonly state: SignInState | undefined
}

/** Whose token is set up: the holder of an access token, or of a sign-in that stopped at MFA_SETUP. */
async function setUpOf(
  call: Call,
  input: { readonly AccessToken?: string | undefined; readonly Session?: string | undefined },
): Promise<SetUp> {
  if (input.AccessToken !== undefined) {
    const { claims, identity } = await verifyAccessToken(input.AccessToken, { reader: call.unit, now: call.now })
    const { pool, user } = await holderOf(call, claims)
    call.event.userIdentity = identity
    await record(call, pool)
    return { pool, user, state: undefined }
  }
  const read = readState(call.vault, input.Session)
  const found = read && (await clientById(call.unit, read.client))
  if (!found) throw notAuthorized('Invalid session for the user.')
  await record(call, found.pool)
  const state = await openState(call, found, input.Session)
  const user = state.sub === undefined ? undefined : await call.unit.get<UserRow>(at.user(found.pool.id, state.sub))
  if (state.challenge !== 'MFA_SETUP' || !user?.isEnabled) throw notAuthorized('Invalid session for the user.')
  return { pool: found.pool, user, state }
}

async function record(call: Call, pool: PoolRow): Promise<void> {
  call.event.region = pool.region
  call.event.resources = [await userPool.facts(call, { scope: pool, arn: poolArn(pool), row: pool })]
}

const pendingKey = (pool: PoolRow, user: UserRow) => at.spent(pool.id, user.sub, 'pending-totp')

interface PendingTotp {
  readonly seed: TotpRow['seed']
  readonly endsAt: number
}

/** A new seed that waits for its first code, in base 32. */
export async function startTotp(
  call: Pick<Flow, 'unit' | 'vault' | 'now'>,
  pool: PoolRow,
  user: UserRow,
): Promise<string> {
  if (!pool.isTotpEnabled)
    throw cognito.fail('SoftwareTokenMFANotFoundException', 'Software Token MFA has not been enabled by the userPool')
  const seed = randomBytes(SEED_BYTES)
  const pending: PendingTotp = { seed: call.vault.seal(totpPlace(pool, user), seed), endsAt: call.now + PENDING_MS }
  call.unit.put(pendingKey(pool, user), pending)
  return base32(seed)
}

/** Takes the seed into use. Throws for a wrong code. */
export async function completeTotp(
  call: Flow,
  pool: PoolRow,
  user: UserRow,
  code: string,
  name?: string,
): Promise<UserRow> {
  const pending = await call.unit.get<PendingTotp>(pendingKey(pool, user))
  if (!pending || pending.endsAt <= call.now) throw invalidParameter('No software token is being set up for the user.')
  const fresh: TotpRow = { seed: pending.seed, drift: 0, spent: 0, name }
  const checked = await call.checkSecret(guessable(pool, user.sub, 'totp'), () =>
    spentTotp(call, pool, user, fresh, code),
  )
  if (checked.outcome === 'refused') throw tooManyCodes()
  if (checked.outcome === 'wrong') throw cognito.fail('EnableSoftwareTokenMFAException', 'Code mismatch')
  call.unit.delete(pendingKey(pool, user))
  return saveUser(call.unit, pool, user, { ...user, totp: checked.value, modifiedAt: call.now })
}

export const associateSoftwareToken = cognito
  .operation('AssociateSoftwareToken')
  .anonymous()
  .withoutPermission(BY_TOKEN_OR_SESSION)
  .run(async (call, input) => {
    const { pool, user, state } = await setUpOf(call, input)
    const SecretCode = await startTotp(call, pool, user)
    return { SecretCode, ...(state && { Session: sealState(call.vault, { ...state, id: call.newId() }) }) }
  })

export const verifySoftwareToken = cognito
  .operation('VerifySoftwareToken')
  .anonymous()
  .withoutPermission(BY_TOKEN_OR_SESSION)
  .run(async (call, input) => {
    const { pool, user, state } = await setUpOf(call, input)
    await completeTotp(call, pool, user, input.UserCode, input.FriendlyDeviceName)
    return {
      Status: 'SUCCESS' as const,
      ...(state && { Session: sealState(call.vault, { ...state, id: call.newId(), isSetUp: true }) }),
    }
  })

export const setUserMfaPreference = cognito
  .operation('SetUserMFAPreference')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, user } = await self(call)
    await saveUser(call.unit, pool, user, withPreference(pool, user, input, call.now))
    return {}
  })

export const adminSetUserMfaPreference = cognito
  .operation('AdminSetUserMFAPreference')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    await saveUser(call.unit, pool, user, withPreference(pool, user, input, call.now))
    return {}
  })

export const setUserSettings = cognito
  .operation('SetUserSettings')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, user } = await self(call)
    await saveUser(call.unit, pool, user, withSmsOption(user, input.MFAOptions, call.now))
    return {}
  })

const factorsOf = (pool: PoolRow, user: UserRow) => {
  const allowed = pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? ['PASSWORD']
  const has = {
    PASSWORD: user.password !== undefined,
    EMAIL_OTP: user.attributes['email_verified'] === 'true',
    SMS_OTP: user.attributes['phone_number_verified'] === 'true',
    WEB_AUTHN: user.passkeys.length > 0,
  }
  return {
    Username: user.username,
    ...mfaSettings(user),
    ConfiguredUserAuthFactors: (['PASSWORD', 'EMAIL_OTP', 'SMS_OTP', 'WEB_AUTHN'] as const).filter(
      (factor) => allowed.includes(factor) && has[factor],
    ),
  }
}

export const getUserAuthFactors = cognito
  .operation('GetUserAuthFactors')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call) => {
    const { pool, user } = await self(call)
    return factorsOf(pool, user)
  })

export const adminGetUserAuthFactors = cognito
  .operation('AdminGetUserAuthFactors')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => factorsOf(pool, await requireUser(call.unit, pool, input.Username)))

export const adminDeleteSoftwareToken = cognito
  .operation('AdminDeleteSoftwareToken')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    const { totp: _factor, ...factors } = user.factors
    await saveUser(call.unit, pool, user, { ...user, totp: undefined, factors, modifiedAt: call.now })
    return {}
  })
