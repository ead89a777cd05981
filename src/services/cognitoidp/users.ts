/** Users as administrators manage them. */
import { randomInt } from 'node:crypto'
import type { AttributeType, MFAOptionType, UserType } from '@aws-sdk/client-cognito-identity-provider'
import { resetFailures } from '../../kernel/state/failure-budget.ts'
import { changeAttributes, withoutAttributes } from './attribute-changes.ts'
import { sendCode } from './codes.ts'
import { idFrom, LOWER } from './ids.ts'
import { type Medium, send } from './messages.ts'
import { isMfaEnabled, mfaSettings } from './mfa-settings.ts'
import { guessable, withPassword } from './passwords.ts'
import { recoveryOf } from './recovery.ts'
import { cognito, type Flow, invalidParameter, notAuthorized, type PoolRow, poolNamed } from './resources.ts'
import { type Attributes, attributeList, attributesOf, checkAttributes, checkRequired } from './schema.ts'
import { endSessions } from './sessions.ts'
import { checkUserName, preSignUp } from './sign-up.ts'
import { trigger } from './triggers.ts'
import { findUser, newUser, removeUser, requireUser, saveUser, type UserRow } from './user-rows.ts'

/** What an administrator's request counts as, where a client would be named. */
export const ADMIN_CLIENT = 'CLIENT_ID_NOT_APPLICABLE'

export const attributesShown = (user: UserRow): AttributeType[] => [
  { Name: 'sub', Value: user.sub },
  ...attributeList(user.attributes),
  ...(user.identities.length > 0
    ? [
        {
          Name: 'identities',
          Value: JSON.stringify(
            user.identities.map(({ provider, type, userId, issuer, isPrimary, linkedAt }) => ({
              userId,
              providerName: provider,
              providerType: type,
              issuer: issuer ?? null,
              primary: isPrimary,
              dateCreated: linkedAt,
            })),
          ),
        },
      ]
    : []),
]

export const describedUser = (user: UserRow, only?: readonly string[]): UserType => ({
  Username: user.username,
  Attributes: attributesShown(user).filter(({ Name }) => only === undefined || only.includes(Name!)),
  UserCreateDate: new Date(user.createdAt),
  UserLastModifiedDate: new Date(user.modifiedAt),
  Enabled: user.isEnabled,
  UserStatus: user.status,
})

/** The older shape of what MFA settings say. */
export const mfaOptions = (user: UserRow): { MFAOptions?: MFAOptionType[] } =>
  user.factors.sms?.isEnabled ? { MFAOptions: [{ DeliveryMedium: 'SMS', AttributeName: 'phone_number' }] } : {}

/** A password that fits every policy: of the requested length, with all four kinds of characters. */
export function temporaryPassword({ settings }: PoolRow): string {
  const length = Math.max(12, settings.Policies?.PasswordPolicy?.MinimumLength ?? 0)
  const parts = ['ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnopqrstuvwxyz', '23456789', '!@#$%*-+=?'].map((each) =>
    idFrom(each, 1),
  )
  const characters = [...parts, ...idFrom(`${LOWER}ABCDEFGHJKLMNPQRSTUVWXYZ`, length - parts.length)]
  for (let index = characters.length - 1; index > 0; index--) {
    const other = randomInt(index + 1)
    ;[characters[index], characters[other]] = [characters[other]!, characters[index]!]
  }
  return characters.join('')
}

/** The channels of an invitation: those that were requested and that the user has. */
function invitationWays(user: UserRow, desired: readonly string[] | undefined): readonly (readonly [Medium, string])[] {
  const { email, phone_number: phone } = user.attributes
  const has: Readonly<Record<Medium, string | undefined>> = { EMAIL: email, SMS: phone }
  const wanted = (desired?.length ? desired : ['SMS', 'EMAIL']) as readonly Medium[]
  const ways = wanted.flatMap((medium) => (has[medium] === undefined ? [] : [[medium, has[medium]] as const]))
  return desired?.length ? ways : ways.slice(0, 1)
}

async function invite(
  call: Flow,
  pool: PoolRow,
  user: UserRow,
  password: string,
  input: {
    readonly DesiredDeliveryMediums?: readonly string[] | undefined
    readonly ClientMetadata?: Readonly<Record<string, string>> | undefined
  },
): Promise<void> {
  for (const [medium, to] of invitationWays(user, input.DesiredDeliveryMediums))
    await send(call, pool, user, {
      kind: 'invite',
      medium,
      to,
      code: password,
      clientId: ADMIN_CLIENT,
      clientMetadata: input.ClientMetadata,
    })
}

export const adminCreateUser = cognito
  .operation('AdminCreateUser')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    if (input.MessageAction === 'RESEND') {
      const user = await requireUser(call.unit, pool, input.Username)
      if (user.status !== 'FORCE_CHANGE_PASSWORD')
        throw cognito.fail(
          'UnsupportedUserStateException',
          `Resend not possible. ${user.username} status is not FORCE_CHANGE_PASSWORD`,
        )
      const password = input.TemporaryPassword ?? temporaryPassword(pool)
      const renewed = await saveUser(
        call.unit,
        pool,
        user,
        withPassword(call, pool, user, { password, isTemporary: true }),
      )
      await invite(call, pool, renewed, password, input)
      return { User: describedUser(renewed) }
    }
    const given = attributesOf(input.UserAttributes)
    const named = checkUserName(pool, input.Username, given)
    const attributes: Attributes = named.attributes
    checkAttributes(pool, attributes, { before: undefined, isAdmin: true })
    checkRequired(pool, attributes)
    if (await findUser(call.unit, pool, named.login))
      throw cognito.fail('UsernameExistsException', 'User account already exists')
    const answer = await preSignUp(call, pool, {
      source: 'PreSignUp_AdminCreateUser',
      userName: named.username ?? named.login,
      clientId: ADMIN_CLIENT,
      attributes,
      validationData: attributesOf(input.ValidationData),
      clientMetadata: input.ClientMetadata,
    })
    void answer
    const sub = call.newId()
    const bare: UserRow = { ...newUser(sub, named.username ?? sub, call.now), attributes }
    const factors = pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? []
    const isPasswordless = input.TemporaryPassword === undefined && factors.some((factor) => factor !== 'PASSWORD')
    if (isPasswordless) {
      const user = await saveUser(
        call.unit,
        pool,
        undefined,
        { ...bare, status: 'CONFIRMED' },
        { force: input.ForceAliasCreation },
      )
      return { User: describedUser(user) }
    }
    const password = input.TemporaryPassword ?? temporaryPassword(pool)
    const user = await saveUser(
      call.unit,
      pool,
      undefined,
      withPassword(call, pool, { ...bare, status: 'FORCE_CHANGE_PASSWORD' }, { password, isTemporary: true }),
      { force: input.ForceAliasCreation },
    )
    if (input.MessageAction !== 'SUPPRESS') await invite(call, pool, user, password, input)
    return { User: describedUser(user) }
  })

export const adminGetUser = cognito
  .operation('AdminGetUser')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const user = await requireUser(call.unit, row, input.Username)
    return {
      Username: user.username,
      UserAttributes: attributesShown(user),
      UserCreateDate: new Date(user.createdAt),
      UserLastModifiedDate: new Date(user.modifiedAt),
      Enabled: user.isEnabled,
      UserStatus: user.status,
      ...mfaOptions(user),
      ...mfaSettings(user),
    }
  })

export const adminDeleteUser = cognito
  .operation('AdminDeleteUser')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    await removeUser(call.unit, row, await requireUser(call.unit, row, input.Username))
    return {}
  })

export const adminUpdateUserAttributes = cognito
  .operation('AdminUpdateUserAttributes')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    const changes = attributesOf(input.UserAttributes)
    const changed = await changeAttributes(call, pool, user, changes, {
      isAdmin: true,
      clientId: ADMIN_CLIENT,
      clientMetadata: input.ClientMetadata,
    })
    await saveUser(call.unit, pool, user, changed.user)
    return {}
  })

export const adminDeleteUserAttributes = cognito
  .operation('AdminDeleteUserAttributes')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    await saveUser(call.unit, pool, user, withoutAttributes(pool, user, input.UserAttributeNames, call.now))
    return {}
  })

export const adminEnableUser = cognito
  .operation('AdminEnableUser')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    await saveUser(call.unit, pool, user, { ...user, isEnabled: true, modifiedAt: call.now })
    return {}
  })

export const adminDisableUser = cognito
  .operation('AdminDisableUser')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    // Its tokens end, too: AWS documents that a disabled user can't sign in.
    await endSessions(call.unit, pool, user)
    await saveUser(call.unit, pool, user, { ...user, isEnabled: false, signedOutAt: call.now, modifiedAt: call.now })
    return {}
  })

export const adminSetUserPassword = cognito
  .operation('AdminSetUserPassword')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    if (user.status === 'EXTERNAL_PROVIDER') throw notAuthorized('User is an external user.')
    const isTemporary = input.Permanent !== true
    const renewed = withPassword(call, pool, user, { password: input.Password, isTemporary })
    resetFailures(call.unit, guessable(pool, user.sub))
    await saveUser(call.unit, pool, user, { ...renewed, status: isTemporary ? 'FORCE_CHANGE_PASSWORD' : 'CONFIRMED' })
    return {}
  })

export const adminResetUserPassword = cognito
  .operation('AdminResetUserPassword')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    if (!user.isEnabled) throw notAuthorized('User is disabled.')
    if (user.status === 'FORCE_CHANGE_PASSWORD' || user.status === 'EXTERNAL_PROVIDER')
      throw notAuthorized('User password cannot be reset in the current state.')
    const way = recoveryOf(pool, user)
    if (!way)
      throw invalidParameter(
        'Cannot reset password for the user as there is no registered/verified email or phone_number',
      )
    const sent = await sendCode(call, pool, user, {
      kind: 'forgot',
      message: 'forgot',
      attribute: way.attribute,
      to: way.to,
      clientId: ADMIN_CLIENT,
      clientMetadata: input.ClientMetadata,
    })
    await endSessions(call.unit, pool, user)
    await saveUser(call.unit, pool, user, { ...sent.user, status: 'RESET_REQUIRED', modifiedAt: call.now })
    return {}
  })

export const adminConfirmSignUp = cognito
  .operation('AdminConfirmSignUp')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    if (user.status !== 'UNCONFIRMED') throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`)
    const confirmed = await saveUser(call.unit, pool, user, {
      ...user,
      status: 'CONFIRMED',
      codes: {},
      modifiedAt: call.now,
    })
    await trigger(call, pool, 'PostConfirmation', {
      source: 'PostConfirmation_ConfirmSignUp',
      userName: user.username,
      clientId: ADMIN_CLIENT,
      user: confirmed,
      request: { clientMetadata: input.ClientMetadata ?? {} },
      response: {},
    })
    return {}
  })

export const adminUserGlobalSignOut = cognito
  .operation('AdminUserGlobalSignOut')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    await endSessions(call.unit, pool, user)
    await saveUser(call.unit, pool, user, { ...user, signedOutAt: call.now })
    return {}
  })

export const adminSetUserSettings = cognito
  .operation('AdminSetUserSettings')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const user = await requireUser(call.unit, pool, input.Username)
    await saveUser(call.unit, pool, user, withSmsOption(user, input.MFAOptions, call.now))
    return {}
  })

/** The older way to turn SMS MFA on and off. */
export function withSmsOption(user: UserRow, options: readonly MFAOptionType[], now: number): UserRow {
  const isEnabled = options.some(({ DeliveryMedium }) => DeliveryMedium === 'SMS')
  if (isEnabled && !user.attributes['phone_number']) throw invalidParameter('User does not have a phone number.')
  const isPreferred = isEnabled && !isMfaEnabled(user)
  return { ...user, factors: { ...user.factors, sms: { isEnabled, isPreferred } }, modifiedAt: now }
}
