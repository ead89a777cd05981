/** What IAM offers the sign-in pages: people, their passwords and their second factors. */
import { createHash } from 'node:crypto'
import { HASHING, hashPassword, passwordMatches, passwordProblem } from '../../kernel/passwords.ts'
import type { IdentityPort } from '../../kernel/ports/ports.ts'
import type {
  PasswordState,
  SecretCaller,
  SignInDevice,
  SignInIdentitiesPort,
  SignInPerson,
} from '../../kernel/ports/sign-in-identities.ts'
import {
  type CheckSecret,
  type FailurePolicy,
  type GuessableSecret,
  resetFailures,
} from '../../kernel/state/failure-budget.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { endSignIns, personOf } from '../../kernel/state/sign-in-sessions.ts'
import { type Key, key, under } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import type { AccountRow } from './account/bootstrap.ts'
import { accountKey } from './account/bootstrap.ts'
import { changedPassword, type LoginProfileRow, profileKey } from './credentials/login-profiles.ts'
import { devicesOf } from './credentials/mfa.ts'
import { addPasskey, passkeysOf, recordPasskeyUse } from './credentials/passkeys.ts'
import { passwordPolicyOf } from './credentials/password-policy.ts'
import { type UserRow, user } from './resources.ts'
import { iam } from './words.ts'

/** Five wrong passwords, or five wrong codes of a device, lock a person out for a minute; each further one for twice as long, up to an hour. */
export const signInGuessing: FailurePolicy = { free: 4, delayMs: 60_000, maxMs: 60 * 60_000 }

/**
 * Budgets of names that do not exist are shared by hash, so that unauthenticated clients cannot fill the store with
 * them.
 */
const UNKNOWN_NAMES = 65_536

const DAY_MS = 24 * 60 * 60_000
const USER = 'AWS::IAM::User'
const ROOT_PASSWORD_LENGTH_MAX = 128
const USER_NAME = /^[\w+=,.@-]{1,64}$/
const ALIAS = /^[a-z0-9-]{3,63}$/
const EMAIL = /^[^\s@<>"(),:;\\[\]]{1,64}@[^\s@<>"(),:;\\[\]]{1,190}$/

const scopeOf = (account: string) => ({ partition: 'aws', region: '', account })
const emailKey = (email: string): Key =>
  key('iam', 'root-of-email', createHash('sha256').update(email.toLowerCase()).digest('hex'))
const rootEmailKey = (account: string): Key => key('iam', 'root-email', account)

interface EmailRow {
  readonly account: string
}
interface RootEmailRow {
  readonly email: string
}

const rootOf = (account: string): SignInPerson => ({
  account,
  id: account,
  kind: 'root',
  name: 'root',
  arn: `arn:aws:iam::${account}:root`,
})

const secretOf = ({ account, id, arn }: SignInPerson): GuessableSecret => ({
  account,
  kind: 'password',
  id,
  arn,
  type: USER,
  policy: signInGuessing,
})

function unknownSecret(account: string, name: string): GuessableSecret {
  const hash = createHash('sha256')
    .update(JSON.stringify([account, name.toLowerCase()]))
    .digest()
  const id = `unknown-${hash.readUInt32BE() % UNKNOWN_NAMES}`
  return { account: 'unknown', kind: 'password', id, arn: '', type: USER, policy: signInGuessing }
}

const profileOf = ({ get }: Pick<Reader, 'get'>, { account, id }: SignInPerson) =>
  get<LoginProfileRow>(profileKey(account, id))

async function stateOf(
  call: Pick<SecretCaller, 'unit' | 'now'>,
  person: SignInPerson,
  row: LoginProfileRow,
): Promise<PasswordState> {
  const { changedAt } = row
  if (person.kind === 'root') return { mustChange: undefined, isLocked: false, changedAt }
  const policy = await passwordPolicyOf({ unit: call.unit, account: person.account })
  const isExpired = policy?.ageMaxDays !== undefined && changedAt + policy.ageMaxDays * DAY_MS <= call.now
  return {
    mustChange: isExpired ? 'expired' : row.resetRequired ? 'reset-required' : undefined,
    isLocked: isExpired && policy?.hardExpiry === true,
    changedAt,
  }
}

export function signInIdentitiesPort(identities: Pick<IdentityPort, 'identity' | 'verifyMfa'>): SignInIdentitiesPort {
  const isOpen = async (reader: Pick<Reader, 'get'>, account: string): Promise<boolean> => {
    const row = await reader.get<AccountRow>(accountKey(account))
    return row !== undefined && row.closedAt === undefined
  }

  return {
    account: async (reader, idOrAlias) => {
      const isNumber = /^\d{12}$/.test(idOrAlias)
      const owner = isNumber
        ? { account: idOrAlias }
        : ALIAS.test(idOrAlias) &&
          (await reader.get<{ readonly account: string }>(key('iam', 'account-of-alias', idOrAlias)))
      if (!owner || !(await isOpen(reader, owner.account))) return undefined
      const alias = await reader.get<{ readonly alias: string }>(key('iam', 'account-alias', owner.account))
      return { id: owner.account, alias: alias?.alias }
    },
    rootOf: async (reader, email) => {
      const row = EMAIL.test(email) ? await reader.get<EmailRow>(emailKey(email)) : undefined
      return row && (await isOpen(reader, row.account)) ? rootOf(row.account) : undefined
    },
    root: rootOf,
    standIn: async (reader) => {
      const [first] = await reader.range<AccountRow>(under('iam', 'account'), { limit: 1 })
      return rootOf(first!.document.id)
    },
    user: async (reader, account, name) => {
      const row = USER_NAME.test(name) ? await reader.get<UserRow>(user.key(scopeOf(account), { name })) : undefined
      if (!row || !(await isOpen(reader, account))) return undefined
      return { account, id: row.id, kind: 'user', name: row.name, arn: user.arnOf(scopeOf(account), row) }
    },
    exists: async (account, subject) => (await identities.identity(account, subject)) !== undefined,
    checkPassword: async (call, person, claimed, password) => {
      const row = person && (await profileOf({ get: (at) => call.unit.get(at) }, person))
      const secret = person && row ? secretOf(person) : unknownSecret(claimed.account, claimed.name)
      // A place in the queue comes first: an attempt that is not compared must not be charged.
      return HASHING.run(() =>
        call.checkSecret(secret, async () => {
          if (person && row && (await passwordMatches(row.password, password))) return stateOf(call, person, row)
          // Hashing takes the time, so that an unknown name is answered no sooner.
          if (!row) await hashPassword(password)
          return undefined
        }),
      )
    },
    passwordState: async (call, person) => {
      const row = await profileOf({ get: (at) => call.unit.get(at) }, person)
      return row && stateOf(call, person, row)
    },
    setPassword: async (call, person, password) => {
      const { account, id } = person
      const at = profileKey(account, id)
      const row = await call.unit.get<LoginProfileRow>(at)
      const { unit, now } = call
      if (person.kind === 'user') {
        if (!row) throw iam.fail('NoSuchEntityException', `Login Profile for User ${person.name} cannot be found.`)
        if (await passwordMatches(row.password, password))
          throw iam.fail('PasswordPolicyViolationException', 'The new password must differ from the current one.')
        const changed = await changedPassword({ unit, now, account }, row, password)
        unit.put(at, { ...changed, resetRequired: false } satisfies LoginProfileRow)
      } else {
        const email = (await unit.get<RootEmailRow>(rootEmailKey(account)))?.email ?? ''
        const problem =
          password.length > ROOT_PASSWORD_LENGTH_MAX
            ? `Password should have a maximum length of ${ROOT_PASSWORD_LENGTH_MAX}`
            : passwordProblem(password, undefined, [account, email])
        if (problem) throw iam.fail('PasswordPolicyViolationException', problem)
        const hash = await hashPassword(password)
        unit.put(at, {
          createdAt: row?.createdAt ?? now,
          changedAt: now,
          resetRequired: false,
          password: hash,
          previous: [],
        } satisfies LoginProfileRow)
      }
      resetFailures(unit, secretOf(person))
      return endSignIns(unit, personOf(account, id))
    },
    setRootEmail: async ({ unit }, account, email) => {
      if (!EMAIL.test(email)) throw new Fault('ValidationError', `Not an e-mail address: '${email}'.`)
      const owner = await unit.get<EmailRow>(emailKey(email))
      if (owner && owner.account !== account) {
        throw iam.fail('EntityAlreadyExistsException', 'Another root user signs in with this e-mail address.')
      }
      const before = await unit.get<RootEmailRow>(rootEmailKey(account))
      if (before) unit.delete(emailKey(before.email))
      unit.put(emailKey(email), { account } satisfies EmailRow)
      unit.put(rootEmailKey(account), { email } satisfies RootEmailRow)
    },
    rootEmail: async (reader, account) => (await reader.get<RootEmailRow>(rootEmailKey(account)))?.email,
    devices: async (reader, person) => {
      const virtual = await devicesOf(reader, person.account, person.id)
      const passkeys = await passkeysOf(reader, person)
      return [
        ...virtual.map((device): SignInDevice => ({ ...device, kind: 'totp' })),
        ...passkeys.map(({ serialNumber, enabledAt }): SignInDevice => ({ serialNumber, enabledAt, kind: 'passkey' })),
      ]
    },
    checkCode: (call, { account, kind, id, name }, serialNumber, code) => {
      const subject = kind === 'root' ? ({ kind } as const) : ({ kind, id, name } as const)
      // The device's count is one, here and in the API; what follows from it is what a wrong password has here.
      const checkSecret: CheckSecret = (secret, compare) =>
        call.checkSecret({ ...secret, policy: signInGuessing }, compare)
      return identities.verifyMfa({ account, caller: { subject }, now: call.now, checkSecret }, serialNumber, code)
    },
    passkeys: passkeysOf,
    addPasskey: async ({ unit, now }, person, passkey, max) => {
      const existing = await passkeysOf(unit, person)
      const devices = existing.length + (await devicesOf(unit, person.account, person.id)).length
      if (devices >= max) throw iam.fail('LimitExceededException', `Cannot exceed quota for MFADevicesPerUser: ${max}`)
      if (existing.some(({ name }) => name === passkey.name))
        throw iam.fail('EntityAlreadyExistsException', `MFADevice with the name ${passkey.name} already exists.`)
      return addPasskey(unit, person, { ...passkey, enabledAt: now })
    },
    recordPasskeyUse: ({ unit }, person, passkey, counter) => recordPasskeyUse(unit, person, passkey, counter),
  }
}
