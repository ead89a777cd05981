/** Sign-up: people register themselves, and confirm the address or number that they gave. */
import { checkCode, sendCode, withoutCode } from './codes.ts'
import { isConcealing, simulatedDelivery } from './existence.ts'
import { checkPolicy, withPassword } from './passwords.ts'
import {
  type ClientRow,
  clientNamed,
  cognito,
  type Flow,
  invalidParameter,
  notAuthorized,
  type PoolRow,
} from './resources.ts'
import { type Attributes, attributesOf, checkAttributes, checkRequired } from './schema.ts'
import { checkSecretHash } from './secret-hash.ts'
import { assertNotLeaked, recordOther } from './threats.ts'
import { functionOf, trigger } from './triggers.ts'
import { findUser, newUser, saveUser, type UserRow } from './user-rows.ts'

export const UNSIGNED =
  'AWS documents it as unauthenticated: the app client is named, and a secret proved by SECRET_HASH'

const EMAIL_FORM = /^[^\s@]+@[^\s@]+$/
const PHONE_FORM = /^\+\d{5,15}$/

export interface UserName {
  /** What the user signs in with. */
  readonly login: string
  /** undefined where the pool names users by their `sub`. */
  readonly username: string | undefined
  readonly attributes: Attributes
}

/** How a pool reads the user name of a request. */
export function checkUserName({ settings }: PoolRow, login: string, attributes: Attributes): UserName {
  const { UsernameAttributes = [], AliasAttributes = [] } = settings
  const attribute = EMAIL_FORM.test(login) ? 'email' : PHONE_FORM.test(login) ? 'phone_number' : undefined
  if (UsernameAttributes.length > 0) {
    if (attribute === undefined || !UsernameAttributes.includes(attribute))
      throw invalidParameter(
        UsernameAttributes.length > 1
          ? 'Username should be either an email or a phone number.'
          : `Username should be ${UsernameAttributes[0] === 'email' ? 'an email' : 'a phone number'}.`,
      )
    if (attributes[attribute] !== undefined && attributes[attribute] !== login)
      throw invalidParameter(`User ${attribute} and username must be the same.`)
    return { login, username: undefined, attributes: { ...attributes, [attribute]: login } }
  }
  if (attribute !== undefined && AliasAttributes.includes(attribute))
    throw invalidParameter(
      `Username cannot be of ${attribute === 'email' ? 'email' : 'phone number'} format, since user pool is configured for ${attribute === 'email' ? 'email' : 'phone number'} alias.`,
    )
  return { login, username: login, attributes }
}

/** Attributes that a client may write. Without a list of its own: the standard ones. */
export function writable({ settings }: ClientRow, { schema }: PoolRow): readonly string[] {
  const list = settings.WriteAttributes
  if (list && list.length > 0) return list
  return schema.map(({ Name = '' }) => Name).filter((name) => !name.includes(':'))
}

interface PreSignUpRequest {
  readonly source: string
  readonly userName: string
  readonly clientId: string
  readonly attributes: Attributes
  readonly validationData: Attributes
  readonly clientMetadata: Readonly<Record<string, string>> | undefined
}

interface PreSignUpAnswer {
  readonly isConfirmed: boolean
  readonly isEmailVerified: boolean
  readonly isPhoneVerified: boolean
}

export async function preSignUp(call: Flow, pool: PoolRow, of: PreSignUpRequest): Promise<PreSignUpAnswer> {
  const answer = await trigger(call, pool, 'PreSignUp', {
    source: of.source,
    userName: of.userName,
    clientId: of.clientId,
    request: {
      userAttributes: of.attributes,
      validationData: Object.keys(of.validationData).length > 0 ? of.validationData : null,
      clientMetadata: of.clientMetadata ?? {},
    },
    response: { autoConfirmUser: false, autoVerifyEmail: false, autoVerifyPhone: false },
  })
  return {
    isConfirmed: answer?.['autoConfirmUser'] === true,
    isEmailVerified: answer?.['autoVerifyEmail'] === true,
    isPhoneVerified: answer?.['autoVerifyPhone'] === true,
  }
}

export async function postConfirmation(
  call: Flow,
  pool: PoolRow,
  user: UserRow,
  clientId: string,
  source: string,
  clientMetadata: Readonly<Record<string, string>> | undefined,
): Promise<void> {
  if (functionOf(pool, 'PostConfirmation') === undefined) return
  await trigger(call, pool, 'PostConfirmation', {
    source,
    userName: user.username,
    clientId,
    user,
    request: { clientMetadata: clientMetadata ?? {} },
    response: {},
  })
}

export interface SignUpRequest {
  readonly Username: string
  readonly Password?: string | undefined
  readonly UserAttributes?: readonly { readonly Name: string; readonly Value?: string | undefined }[] | undefined
  readonly ValidationData?: readonly { readonly Name: string; readonly Value?: string | undefined }[] | undefined
  readonly ClientMetadata?: Readonly<Record<string, string>> | undefined
}

/** The address or number that a new user confirms. A number comes first, as in AWS. */
function contactOf({ settings }: PoolRow, { attributes }: UserRow) {
  for (const attribute of ['phone_number', 'email'] as const) {
    const to = attributes[attribute]
    if (to !== undefined && settings.AutoVerifiedAttributes?.includes(attribute)) return { attribute, to }
  }
  return undefined
}

/** Registers a user: by the operation, and on the sign-up page. */
export async function register(call: Flow, pool: PoolRow, client: ClientRow, input: SignUpRequest) {
  if (pool.settings.AdminCreateUserConfig?.AllowAdminCreateUserOnly)
    throw notAuthorized('SignUp is not permitted for this user pool')
  const named = checkUserName(pool, input.Username, attributesOf(input.UserAttributes as never))
  checkAttributes(pool, named.attributes, {
    before: undefined,
    writable: [...writable(client, pool), ...(pool.settings.UsernameAttributes ?? [])],
    isAdmin: false,
  })
  checkRequired(pool, named.attributes)
  const factors = pool.settings.Policies?.SignInPolicy?.AllowedFirstAuthFactors ?? []
  if (input.Password !== undefined) {
    checkPolicy(pool, input.Password)
    await assertNotLeaked(call, { pool, client }, input.Password, 'SIGN_UP')
  } else if (!factors.some((factor) => factor !== 'PASSWORD')) throw invalidParameter('Password is required.')
  if (await findUser(call.unit, pool, named.login))
    throw cognito.fail(
      'UsernameExistsException',
      named.username === undefined ? 'An account with the given email already exists.' : 'User already exists',
    )
  const sub = call.newId()
  const answer = await preSignUp(call, pool, {
    source: 'PreSignUp_SignUp',
    userName: named.username ?? sub,
    clientId: client.id,
    attributes: named.attributes,
    validationData: attributesOf(input.ValidationData as never),
    clientMetadata: input.ClientMetadata,
  })
  const attributes: Attributes = {
    ...named.attributes,
    ...(named.attributes['email'] !== undefined && {
      email_verified: String(answer.isEmailVerified && answer.isConfirmed),
    }),
    ...(named.attributes['phone_number'] !== undefined && {
      phone_number_verified: String(answer.isPhoneVerified && answer.isConfirmed),
    }),
  }
  const bare: UserRow = {
    ...newUser(sub, named.username ?? sub, call.now),
    attributes,
    status: answer.isConfirmed ? 'CONFIRMED' : 'UNCONFIRMED',
  }
  let user = input.Password === undefined ? bare : withPassword(call, pool, bare, { password: input.Password })
  const contact = answer.isConfirmed ? undefined : contactOf(pool, user)
  const sent =
    contact &&
    (await sendCode(call, pool, user, {
      kind: 'sign-up',
      message: 'sign-up',
      ...contact,
      clientId: client.id,
      clientMetadata: input.ClientMetadata,
    }))
  if (sent) user = sent.user
  await saveUser(call.unit, pool, undefined, user)
  const response = answer.isConfirmed ? 'Pass' : 'InProgress'
  await recordOther(call, { pool, client }, user, { type: 'SignUp', response })
  if (answer.isConfirmed)
    await postConfirmation(call, pool, user, client.id, 'PostConfirmation_ConfirmSignUp', input.ClientMetadata)
  return { user, details: sent?.details }
}

export const signUp = cognito
  .operation('SignUp')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(clientNamed)
  .run(async (call, input, { pool, client }) => {
    checkSecretHash(call.vault, client, input.SecretHash, [input.Username])
    const { user, details } = await register(call, pool, client, input)
    return {
      UserConfirmed: user.status === 'CONFIRMED',
      UserSub: user.sub,
      ...(details && { CodeDeliveryDetails: details }),
    }
  })

interface Confirmation {
  readonly username: string
  readonly code: string
  readonly force?: boolean | undefined
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
}

export async function confirm(
  call: Flow,
  pool: PoolRow,
  client: ClientRow,
  { username, code, force, clientMetadata }: Confirmation,
): Promise<UserRow> {
  const user = await findUser(call.unit, pool, username)
  if (!user && !isConcealing(client))
    throw cognito.fail('UserNotFoundException', 'Username/client id combination not found.')
  if (user && user.status !== 'UNCONFIRMED' && !isConcealing(client))
    throw notAuthorized(`User cannot be confirmed. Current status is ${user.status}`)
  const { attribute, value } = await checkCode(call, pool, user, username, 'sign-up', code)
  const confirmed: UserRow = {
    ...withoutCode(user!, 'sign-up'),
    status: 'CONFIRMED',
    modifiedAt: call.now,
    attributes: {
      ...user!.attributes,
      ...(user!.attributes[attribute] === value && { [`${attribute}_verified`]: 'true' }),
    },
  }
  await saveUser(call.unit, pool, user, confirmed, { force })
  await recordOther(call, { pool, client }, confirmed, { type: 'SignUp', response: 'Pass' })
  await postConfirmation(call, pool, confirmed, client.id, 'PostConfirmation_ConfirmSignUp', clientMetadata)
  return confirmed
}

export const confirmSignUp = cognito
  .operation('ConfirmSignUp')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(clientNamed)
  .run(async (call, input, { pool, client }) => {
    checkSecretHash(call.vault, client, input.SecretHash, [input.Username])
    await confirm(call, pool, client, {
      username: input.Username,
      code: input.ConfirmationCode,
      force: input.ForceAliasCreation,
      clientMetadata: input.ClientMetadata,
    })
    return {}
  })

export async function resend(
  call: Flow,
  pool: PoolRow,
  client: ClientRow,
  username: string,
  clientMetadata?: Readonly<Record<string, string>>,
) {
  const user = await findUser(call.unit, pool, username)
  const contact = user && contactOf(pool, user)
  if (!isConcealing(client)) {
    if (!user) throw cognito.fail('UserNotFoundException', 'Username/client id combination not found.')
    if (user.status !== 'UNCONFIRMED') throw invalidParameter('User is already confirmed.')
    if (!contact) throw invalidParameter('Auto verification not turned on.')
  }
  const isDue = user?.status === 'UNCONFIRMED' && contact !== undefined
  await recordOther(call, { pool, client }, isDue ? user : undefined, { type: 'ResendCode', response: 'Pass' })
  if (!isDue) return simulatedDelivery(call, pool, username)
  const sent = await sendCode(call, pool, user, {
    kind: 'sign-up',
    message: 'resend',
    ...contact,
    clientId: client.id,
    clientMetadata,
  })
  await saveUser(call.unit, pool, user, sent.user)
  return sent.details
}

export const resendConfirmationCode = cognito
  .operation('ResendConfirmationCode')
  .anonymous()
  .withoutPermission(UNSIGNED)
  .on(clientNamed)
  .run(async (call, input, { pool, client }) => {
    checkSecretHash(call.vault, client, input.SecretHash, [input.Username])
    return { CodeDeliveryDetails: await resend(call, pool, client, input.Username, input.ClientMetadata) }
  })
