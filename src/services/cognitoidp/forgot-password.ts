/** Forgotten passwords: a code to a verified address or number, and a new password for the code. */
import type { CodeDeliveryDetailsType } from '@aws-sdk/client-cognito-identity-provider'
import { resetFailures } from '../../kernel/state/failure-budget.ts'
import { Fault } from '../../wire/fault.ts'
import { checkCode, sendCode, withoutCode } from './codes.ts'
import { isConcealing, simulatedDelivery } from './existence.ts'
import { migrated } from './migration.ts'
import { checkPolicy, guessable, withPassword } from './passwords.ts'
import { recoveryOf } from './recovery.ts'
import {
  type ClientRow,
  clientNamed,
  cognito,
  type Flow,
  invalidParameter,
  notAuthorized,
  type PoolRow,
} from './resources.ts'
import { checkSecretHash } from './secret-hash.ts'
import { postConfirmation, UNSIGNED } from './sign-up.ts'
import { assertNotLeaked, recordOther } from './threats.ts'
import { findUser, saveUser, type UserRow, userMissing } from './user-rows.ts'

const NO_CONTACT = 'Cannot reset password for the user as there is no registered/verified email or phone_number'

/** Why this user cannot recover the password; undefined when nothing is wrong. */
function problemOf(user: UserRow): Fault | undefined {
  if (!user.isEnabled) return notAuthorized('User is disabled.')
  if (user.status === 'FORCE_CHANGE_PASSWORD' || user.status === 'EXTERNAL_PROVIDER')
    return notAuthorized('User password cannot be reset in the current state.')
  return undefined
}

export async function startRecovery(
  call: Flow,
  pool: PoolRow,
  client: ClientRow,
  username: string,
  clientMetadata?: Readonly<Record<string, string>>,
): Promise<CodeDeliveryDetailsType> {
  const user =
    (await findUser(call.unit, pool, username)) ??
    (await migrated(call, pool, client, { username, source: 'UserMigration_ForgotPassword', clientMetadata }))
  const conceals = isConcealing(client)
  if (user || conceals)
    await recordOther(call, { pool, client }, user, { type: 'ForgotPassword', response: 'InProgress' })
  if (!user) {
    if (!conceals) throw userMissing()
    return simulatedDelivery(call, pool, username)
  }
  const problem = problemOf(user)
  const way = recoveryOf(pool, user)
  if (problem || !way) {
    if (conceals) return simulatedDelivery(call, pool, username)
    throw problem ?? invalidParameter(NO_CONTACT)
  }
  try {
    const sent = await sendCode(call, pool, user, {
      kind: 'forgot',
      message: 'forgot',
      attribute: way.attribute,
      to: way.to,
      clientId: client.id,
      clientMetadata,
    })
    await saveUser(call.unit, pool, user, sent.user)
    return sent.details
  } catch (error) {
    // Only addresses that receive messages run into their quota.
    if (conceals && error instanceof Fault && error.code === 'LimitExceededException')
      return simulatedDelivery(call, pool, username)
    throw error
  }
}

export const forgotPassword = cognito
  .operation('ForgotPassword')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(clientNamed)
  .run(async (call, input, { pool, client }) => {
    checkSecretHash(call.vault, client, input.SecretHash, [input.Username])
    return { CodeDeliveryDetails: await startRecovery(call, pool, client, input.Username, input.ClientMetadata) }
  })

interface Recovery {
  readonly username: string
  readonly code: string
  readonly password: string
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
}

export async function recover(
  call: Flow,
  pool: PoolRow,
  client: ClientRow,
  { username, code, password, clientMetadata }: Recovery,
): Promise<void> {
  // The policy is public, the user is not: it comes first.
  checkPolicy(pool, password)
  await assertNotLeaked(call, { pool, client }, password, 'PASSWORD_CHANGE')
  const user = await findUser(call.unit, pool, username)
  if (!user && !isConcealing(client)) throw userMissing()
  const { attribute, value } = await checkCode(call, pool, user, username, 'forgot', code)
  const renewed = withPassword(call, pool, withoutCode(user!, 'forgot'), { password })
  resetFailures(call.unit, guessable(pool, renewed.sub))
  const recovered: UserRow = {
    ...renewed,
    status: 'CONFIRMED',
    attributes: {
      ...renewed.attributes,
      ...(renewed.attributes[attribute] === value && { [`${attribute}_verified`]: 'true' }),
    },
  }
  await saveUser(call.unit, pool, user, recovered)
  await recordOther(call, { pool, client }, recovered, { type: 'ForgotPassword', response: 'Pass' })
  await postConfirmation(call, pool, recovered, client.id, 'PostConfirmation_ConfirmForgotPassword', clientMetadata)
}

export const confirmForgotPassword = cognito
  .operation('ConfirmForgotPassword')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(clientNamed)
  .run(async (call, input, { pool, client }) => {
    checkSecretHash(call.vault, client, input.SecretHash, [input.Username])
    await recover(call, pool, client, {
      username: input.Username,
      code: input.ConfirmationCode,
      password: input.Password,
      clientMetadata: input.ClientMetadata,
    })
    return {}
  })
