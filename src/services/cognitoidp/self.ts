/** What users do for themselves, with an access token. */
import { resetFailures } from '../../kernel/state/failure-budget.ts'
import { accessToken, BY_TOKEN, self } from './access-token.ts'
import { changeAttributes, isContact, verified, withoutAttributes } from './attribute-changes.ts'
import { checkCode, sendCode } from './codes.ts'
import { mfaSettings } from './mfa-settings.ts'
import { checkPassword, guessable, withPassword } from './passwords.ts'
import { cognito, invalidParameter, notAuthorized } from './resources.ts'
import { attributesOf } from './schema.ts'
import { endSessions } from './sessions.ts'
import { writable } from './sign-up.ts'
import { assertNotLeaked, recordOther } from './threats.ts'
import { readable } from './tokens.ts'
import { removeUser, saveUser } from './user-rows.ts'
import { attributesShown, mfaOptions } from './users.ts'

export const getUser = cognito
  .operation('GetUser')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call) => {
    const { client, user } = await self(call)
    const open = readable(client, { sub: user.sub, ...user.attributes, identities: '' })
    return {
      Username: user.username,
      UserAttributes: attributesShown(user).filter(({ Name }) => open[Name!] !== undefined),
      ...mfaOptions(user),
      ...mfaSettings(user),
    }
  })

export const updateUserAttributes = cognito
  .operation('UpdateUserAttributes')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, client, user } = await self(call)
    const changed = await changeAttributes(call, pool, user, attributesOf(input.UserAttributes), {
      isAdmin: false,
      writable: writable(client, pool),
      clientId: client.id,
      clientMetadata: input.ClientMetadata,
    })
    await saveUser(call.unit, pool, user, changed.user)
    return { CodeDeliveryDetailsList: [...changed.details] }
  })

export const deleteUserAttributes = cognito
  .operation('DeleteUserAttributes')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, client, user } = await self(call)
    const allowed = writable(client, pool)
    if (input.UserAttributeNames.some((name) => !allowed.includes(name)))
      throw notAuthorized('A client attempted to write unauthorized attribute')
    await saveUser(call.unit, pool, user, withoutAttributes(pool, user, input.UserAttributeNames, call.now))
    return {}
  })

export const getUserAttributeVerificationCode = cognito
  .operation('GetUserAttributeVerificationCode')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, client, user } = await self(call)
    const name = input.AttributeName
    const to = isContact(name) ? (user.pending?.[name] ?? user.attributes[name]) : undefined
    if (!isContact(name) || to === undefined)
      throw invalidParameter(`Invalid attribute: the user has no ${name} to verify.`)
    const sent = await sendCode(call, pool, user, {
      kind: name,
      message: 'attribute',
      attribute: name,
      to,
      clientId: client.id,
      clientMetadata: input.ClientMetadata,
    })
    await saveUser(call.unit, pool, user, sent.user)
    return { CodeDeliveryDetails: sent.details }
  })

export const verifyUserAttribute = cognito
  .operation('VerifyUserAttribute')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, user } = await self(call)
    const name = input.AttributeName
    if (!isContact(name)) throw invalidParameter(`Invalid attribute: ${name} cannot be verified.`)
    const { value } = await checkCode(call, pool, user, user.username, name, input.Code)
    await saveUser(call.unit, pool, user, verified(user, name, value, call.now))
    return {}
  })

export const changePassword = cognito
  .operation('ChangePassword')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, client, user } = await self(call)
    // Users without a password set their first one.
    if (user.password !== undefined) {
      if (input.PreviousPassword === undefined) throw invalidParameter('PreviousPassword is required.')
      await checkPassword(call, pool, user, user.username, input.PreviousPassword)
    }
    await assertNotLeaked(call, { pool, client }, input.ProposedPassword, 'PASSWORD_CHANGE')
    resetFailures(call.unit, guessable(pool, user.sub))
    await recordOther(call, { pool, client }, user, { type: 'PasswordChange', response: 'Pass' })
    await saveUser(call.unit, pool, user, withPassword(call, pool, user, { password: input.ProposedPassword }))
    return {}
  })

export const deleteUser = cognito
  .operation('DeleteUser')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call) => {
    const { pool, user } = await self(call)
    await removeUser(call.unit, pool, user)
    return {}
  })

export const globalSignOut = cognito
  .operation('GlobalSignOut')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call) => {
    const { pool, user } = await self(call)
    await endSessions(call.unit, pool, user)
    await saveUser(call.unit, pool, user, { ...user, signedOutAt: call.now })
    return {}
  })
