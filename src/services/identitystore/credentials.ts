/** Passwords and second factors of people in a directory. */
import { createHash, randomUUID } from 'node:crypto'
import { stepOf } from '../../engines/totp/totp.ts'
import { HASHING, hashPassword, type PasswordHash, passwordMatches } from '../../kernel/passwords.ts'
import type { IdentityStorePort, StorePasskey } from '../../kernel/ports/identity-store.ts'
import { type FailurePolicy, type GuessableSecret, onlineGuessing } from '../../kernel/state/failure-budget.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { endSignIns } from '../../kernel/state/sign-in-sessions.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import type { SealContext, Sealed } from '../../vault/sealed-value.ts'

/** Five wrong passwords lock a person out for a minute; each further one for twice as long, up to an hour. */
const GUESSING: FailurePolicy = { free: 4, delayMs: 60_000, maxMs: 60 * 60_000 }
const DEVICES_MAX = 8
/** Source: https://docs.aws.amazon.com/singlesignon/latest/userguide/password-requirements.html */
const LENGTH = { min: 8, max: 64 }
const REMEMBERED = 3
const CLASSES = [
  { has: /[a-z]/, word: 'a lowercase letter' },
  { has: /[A-Z]/, word: 'an uppercase letter' },
  { has: /[0-9]/, word: 'a number' },
  { has: /[^a-zA-Z0-9]/, word: 'a character that is neither letter nor number' },
]
/** Budgets of names that do not exist are shared by hash, so that callers cannot fill the store with them. */
const UNKNOWN_NAMES = 65_536
const TYPE = 'AWS::IdentityStore::User'

interface PasswordRow {
  readonly hash: PasswordHash
  readonly previous: readonly PasswordHash[]
  readonly changedAt: number
  readonly mustChange: boolean
}

interface DeviceRow {
  readonly id: string
  readonly name: string
  readonly addedAt: number
  readonly totp?: { readonly seed: Sealed; readonly drift: number; readonly spent: number }
  readonly passkey?: Omit<StorePasskey, 'id' | 'name'>
}

const passwordKey = (storeId: string, userId: string): Key => key('identitystore', 'password', storeId, userId)
const deviceKey = (storeId: string, userId: string, id: string): Key => key('identitystore', 'mfa', storeId, userId, id)
const devicesOf = (storeId: string, userId: string): Key => under('identitystore', 'mfa', storeId, userId)

const seedPlace = (account: string, storeId: string, id: string): SealContext => ({
  table: 'identitystore/mfa',
  key: `${storeId}/${id}`,
  column: 'seed',
  account,
})

const userArn = (userId: string): string => `arn:aws:identitystore:::user/${userId}`

const passwordSecret = (account: string, storeId: string, userId: string): GuessableSecret => ({
  account,
  kind: 'password',
  id: `${storeId}/${userId}`,
  arn: userArn(userId),
  type: TYPE,
  policy: GUESSING,
})

function unknownSecret(account: string, storeId: string, name: string): GuessableSecret {
  const hash = createHash('sha256')
    .update(JSON.stringify([storeId, name.toLowerCase()]))
    .digest()
  return {
    ...passwordSecret(account, storeId, `unknown-${hash.readUInt32BE() % UNKNOWN_NAMES}`),
    arn: `arn:aws:identitystore::${account}:identitystore/${storeId}`,
  }
}

/** In the unit that deletes the person. */
export async function deleteCredentials(unit: Unit, storeId: string, userId: string): Promise<void> {
  unit.delete(passwordKey(storeId, userId))
  for (const { key: at } of await unit.range(devicesOf(storeId, userId))) unit.delete(at)
}

/** What is wrong with a password, in a sentence. */
function problemOf(password: string, userName: string): string | undefined {
  if (password.length < LENGTH.min || password.length > LENGTH.max)
    return `A password has ${LENGTH.min} to ${LENGTH.max} characters.`
  const lacking = CLASSES.filter(({ has }) => !has.test(password)).map(({ word }) => word)
  if (lacking.length > 0) return `The password needs ${lacking.join(', ')}.`
  if (password.toLowerCase().includes(userName.toLowerCase()) && userName.length >= 3)
    return 'The password must not contain the user name.'
  return undefined
}

const rows = async (reader: Pick<Reader, 'range'>, storeId: string, userId: string): Promise<readonly DeviceRow[]> =>
  (await reader.range<DeviceRow>(devicesOf(storeId, userId))).map(({ document }) => document)

type Credentials = Pick<
  IdentityStorePort,
  | 'checkPassword'
  | 'passwordState'
  | 'setPassword'
  | 'devices'
  | 'passkeys'
  | 'addTotp'
  | 'addPasskey'
  | 'checkCode'
  | 'recordPasskeyUse'
  | 'removeDevice'
>

export const credentials: Credentials = {
  checkPassword: async (call, store, user, claimedName, password) => {
    const row = user && (await call.unit.get<PasswordRow>(passwordKey(store.id, user.id)))
    const secret =
      user && row
        ? passwordSecret(store.account, store.id, user.id)
        : unknownSecret(store.account, store.id, claimedName)
    // A place in the queue comes first: an attempt that is not compared must not be charged.
    return HASHING.run(() =>
      call.checkSecret(secret, async () => {
        if (row && (await passwordMatches(row.hash, password)))
          return user.isEnabled ? { mustChange: row.mustChange, changedAt: row.changedAt } : undefined
        // Hashing takes the time, so that an unknown name is answered no sooner.
        if (!row) await hashPassword(password)
        return undefined
      }),
    )
  },
  passwordState: async (reader, { storeId, id }) => {
    const row = await reader.get<PasswordRow>(passwordKey(storeId, id))
    return row && { mustChange: row.mustChange, changedAt: row.changedAt }
  },
  setPassword: async ({ unit, now }, user, password, { isOneTime }) => {
    const problem = problemOf(password, user.userName)
    if (problem) return problem
    const at = passwordKey(user.storeId, user.id)
    const before = await unit.get<PasswordRow>(at)
    const known = before ? [before.hash, ...before.previous].slice(0, REMEMBERED) : []
    for (const each of known)
      if (await passwordMatches(each, password)) return 'The password must differ from the last three.'
    unit.put(at, {
      hash: await hashPassword(password),
      previous: known,
      changedAt: now,
      mustChange: isOneTime,
    } satisfies PasswordRow)
    await endSignIns(unit, user.signInPerson)
    return undefined
  },
  devices: async (reader, { storeId, id }) =>
    (await rows(reader, storeId, id)).map(({ id, name, addedAt, totp }) => ({
      id,
      name,
      addedAt,
      kind: totp ? 'totp' : 'passkey',
    })),
  passkeys: async (reader, { storeId, id }) =>
    (await rows(reader, storeId, id)).flatMap(({ id, name, passkey }) => (passkey ? [{ ...passkey, id, name }] : [])),
  addTotp: async ({ unit, now, vault }, store, user, { name, seed, spentStep, drift }) => {
    if ((await rows(unit, user.storeId, user.id)).length >= DEVICES_MAX) return TOO_MANY
    const id = randomUUID()
    const sealed = vault.seal(seedPlace(store.account, store.id, id), seed)
    const row: DeviceRow = { id, name, addedAt: now, totp: { seed: sealed, drift, spent: spentStep } }
    unit.put(deviceKey(user.storeId, user.id, id), row)
    return undefined
  },
  addPasskey: async ({ unit, now }, user, { name, ...passkey }) => {
    if ((await rows(unit, user.storeId, user.id)).length >= DEVICES_MAX) return TOO_MANY
    const id = randomUUID()
    unit.put(deviceKey(user.storeId, user.id, id), { id, name, addedAt: now, passkey } satisfies DeviceRow)
    return undefined
  },
  checkCode: (call, store, user, deviceId, code) => {
    const at = deviceKey(user.storeId, user.id, deviceId)
    const secret: GuessableSecret = {
      account: store.account,
      kind: 'mfa-device',
      // One budget for all of a person's devices: another device is no other guess.
      id: `${store.id}/${user.id}`,
      arn: userArn(user.id),
      type: TYPE,
      policy: onlineGuessing,
    }
    return call.checkSecret(secret, async (unit) => {
      const row = await unit.get<DeviceRow>(at)
      if (!row?.totp) return undefined
      const seed = call.vault.open(seedPlace(store.account, store.id, deviceId), row.totp.seed)
      const { drift, spent } = row.totp
      const step = stepOf(seed, code, call.now, { drift, spent })
      seed.fill(0)
      if (step === undefined) return undefined
      unit.put(at, { ...row, totp: { ...row.totp, spent: step } } satisfies DeviceRow)
      return true as const
    })
  },
  recordPasskeyUse: ({ unit }, user, { id, name, ...passkey }, counter) =>
    unit.put(deviceKey(user.storeId, user.id, id), {
      id,
      name,
      addedAt: 0,
      passkey: { ...passkey, counter },
    } satisfies DeviceRow),
  removeDevice: async ({ unit }, { storeId, id }, deviceId) => unit.delete(deviceKey(storeId, id, deviceId)),
}

const TOO_MANY = `A person has at most ${DEVICES_MAX} second factors. Remove one first.`
