/** UserMigration: a user that the pool does not have yet, as another directory knows it. */
import { Fault } from '../../wire/fault.ts'
import { withPassword } from './passwords.ts'
import type { ClientRow, Flow, PoolRow } from './resources.ts'
import { type Attributes, checkAttributes } from './schema.ts'
import { checkUserName } from './sign-up.ts'
import { functionOf, trigger } from './triggers.ts'
import { newUser, saveUser, type UserRow } from './user-rows.ts'

interface Migration {
  readonly username: string
  /** The password of a sign-in: the function verifies it. */
  readonly password?: string
  readonly source: 'UserMigration_Authentication' | 'UserMigration_ForgotPassword'
  readonly clientMetadata?: Readonly<Record<string, string>> | undefined
}

/** The user, saved; undefined where the pool has no such function, or the function knows no such user. */
export async function migrated(
  call: Flow,
  pool: PoolRow,
  client: ClientRow,
  { username, password, source, clientMetadata }: Migration,
): Promise<UserRow | undefined> {
  if (functionOf(pool, 'UserMigration') === undefined) return undefined
  let answer: Readonly<Record<string, unknown>> | undefined
  try {
    answer = await trigger(call, pool, 'UserMigration', {
      source,
      userName: username,
      clientId: client.id,
      request: { password: password ?? null, validationData: null, clientMetadata: clientMetadata ?? {} },
      response: {
        userAttributes: null,
        finalUserStatus: null,
        messageAction: null,
        desiredDeliveryMediums: null,
        forceAliasCreation: null,
      },
    })
  } catch (error) {
    // The function refuses: to the client there is no such user.
    if (error instanceof Fault && error.code === 'UserLambdaValidationException') return undefined
    throw error
  }
  const given = answer?.['userAttributes']
  if (typeof given !== 'object' || given === null) return undefined
  const attributes = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) =>
      typeof value === 'string' && name !== 'username' && name !== 'sub' ? [[name, value]] : [],
    ),
  ) as Attributes
  const named = checkUserName(pool, username, attributes)
  checkAttributes(pool, named.attributes, { before: undefined, isAdmin: true })
  const sub = call.newId()
  const isReset = answer?.['finalUserStatus'] === 'RESET_REQUIRED' || password === undefined
  const bare: UserRow = {
    ...newUser(sub, named.username ?? sub, call.now),
    attributes: named.attributes,
    status: isReset ? 'RESET_REQUIRED' : 'CONFIRMED',
  }
  const user = isReset ? bare : withPassword(call, pool, bare, { password })
  return saveUser(call.unit, pool, undefined, user, { force: answer?.['forceAliasCreation'] === true })
}
