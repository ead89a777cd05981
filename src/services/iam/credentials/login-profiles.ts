/** Passwords of users: set by an administrator, changed by the user, never shown again. */
import type { Call } from '../../../kernel/gate/call.ts'
import { hashPassword, type PasswordHash, passwordMatches, passwordProblem } from '../../../kernel/passwords.ts'
import type { Target } from '../../../kernel/resource/target.ts'
import { type GuessableSecret, onlineGuessing, resetFailures, retryText } from '../../../kernel/state/failure-budget.ts'
import { endSignIns, personOf } from '../../../kernel/state/sign-in-sessions.ts'
import { Fault } from '../../../wire/fault.ts'
import { type UserRow, user } from '../resources.ts'
import { userOnly } from '../users/owners.ts'
import { noUser, rowNamed, userNamedOrSelf } from '../users/self.ts'
import { date, iam } from '../words.ts'
import { passwordPolicyOf } from './password-policy.ts'
import { subordinateKey } from './subordinates.ts'

export interface LoginProfileRow {
  readonly createdAt: number
  readonly changedAt: number
  readonly resetRequired: boolean
  readonly password: PasswordHash
  /** Newest first, without the current one. */
  readonly previous: readonly PasswordHash[]
}

/** No account may remember more: the maximum of `PasswordReusePrevention`. */
const REMEMBERED_MAX = 24

export const profileKey = (account: string, userId: string) =>
  subordinateKey(account, userId, 'login-profile', 'password')

const guessable = (account: string, owner: UserRow): GuessableSecret => ({
  account,
  kind: 'password',
  id: owner.id,
  arn: user.arnOf({ partition: 'aws', region: '', account }, owner),
  type: user.spec.type,
  policy: onlineGuessing,
})

export const createLoginProfile = iam
  .operation('CreateLoginProfile')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const owner = userOnly(self)
    if (await profileOf(call, owner)) throw exists(owner)
    if (input.Password === undefined) throw new Fault('ValidationError', 'Must specify a password for a user')

    await refuseWeak(call, input.Password)
    const row: LoginProfileRow = {
      createdAt: call.now,
      changedAt: call.now,
      resetRequired: input.PasswordResetRequired ?? false,
      password: await hashPassword(input.Password),
      previous: [],
    }
    call.unit.put(profileKey(call.account, owner.id), row)
    return { LoginProfile: shown(owner, row) }
  })

export const getLoginProfile = iam
  .operation('GetLoginProfile')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, _input, self) => {
    const owner = userOnly(self)
    return { LoginProfile: shown(owner, await required(call, owner)) }
  })

export const updateLoginProfile = iam
  .operation('UpdateLoginProfile')
  .on(user.named('UserName'))
  .run(async (call, input, { row: owner }) => {
    const row = await required(call, owner)
    const changed = input.Password === undefined ? row : await changedPassword(call, row, input.Password)
    if (input.Password !== undefined) await endPassword(call, owner)
    const resetRequired = input.PasswordResetRequired ?? row.resetRequired
    call.unit.put(profileKey(call.account, owner.id), { ...changed, resetRequired } satisfies LoginProfileRow)
    return {}
  })

export const deleteLoginProfile = iam
  .operation('DeleteLoginProfile')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, _input, self) => {
    const owner = userOnly(self)
    await required(call, owner)
    call.unit.delete(profileKey(call.account, owner.id))
    await endPassword(call, owner)
    return {}
  })

/** The caller itself, which must be a user. */
const callingUser: Target<unknown, UserRow> = {
  find: (call) => {
    const { principal } = call.caller
    if (principal.kind === 'user') return rowNamed(call, principal.name)
    return {
      acted: noUser(call),
      row: undefined,
      missing: () => iam.fail('InvalidUserTypeException', 'Only IAM Users can change their own password'),
    }
  },
}

export const changePassword = iam
  .operation('ChangePassword')
  .on(callingUser)
  .run(async (call, input, owner) => {
    const row = await required(call, owner)
    const secret = guessable(call.account, owner)
    const checked = await call.checkSecret(secret, async () =>
      (await passwordMatches(row.password, input.OldPassword)) ? true : undefined,
    )
    if (checked.outcome === 'refused') throw new Fault('AccessDenied', retryText(checked.retryAfterMs))
    if (checked.outcome === 'wrong') throw new Fault('AccessDenied', 'The old password was incorrect.')

    const changed = await changedPassword(call, row, input.NewPassword)
    await endSignIns(call.unit, personOf(call.account, owner.id))
    call.unit.put(profileKey(call.account, owner.id), { ...changed, resetRequired: false } satisfies LoginProfileRow)
    return {}
  })

type PasswordCall = Pick<Call, 'unit' | 'now' | 'account'>

/** What a password's failures and sign-ins leave behind does not outlive it. */
async function endPassword(call: Call, owner: UserRow): Promise<void> {
  resetFailures(call.unit, guessable(call.account, owner))
  await endSignIns(call.unit, personOf(call.account, owner.id))
}

/** The row with a new password. Throws IAM's fault for one that breaks the account's policy. */
export async function changedPassword(
  call: PasswordCall,
  row: LoginProfileRow,
  password: string,
): Promise<LoginProfileRow> {
  await refuseWeak(call, password)
  const used = [row.password, ...row.previous]
  const policy = await passwordPolicyOf(call)
  for (const old of used.slice(0, policy?.reusePrevention ?? 0)) {
    if (await passwordMatches(old, password)) {
      throw violation('Policy constraint violation with password reuse prevention during password change.')
    }
  }
  return {
    ...row,
    changedAt: call.now,
    password: await hashPassword(password),
    previous: used.slice(0, REMEMBERED_MAX),
  }
}

async function refuseWeak(call: PasswordCall, password: string): Promise<void> {
  const problem = passwordProblem(password, await passwordPolicyOf(call), [call.account])
  if (problem) throw violation(problem)
}

function profileOf(call: Call, owner: UserRow): Promise<LoginProfileRow | undefined> {
  return call.unit.get<LoginProfileRow>(profileKey(call.account, owner.id))
}

async function required(call: Call, owner: UserRow): Promise<LoginProfileRow> {
  const row = await profileOf(call, owner)
  if (row) return row
  throw iam.fail('NoSuchEntityException', `Login Profile for User ${owner.name} cannot be found.`)
}

function shown(owner: UserRow, row: LoginProfileRow) {
  return { UserName: owner.name, CreateDate: date(row.createdAt), PasswordResetRequired: row.resetRequired }
}

function violation(message: string) {
  return iam.fail('PasswordPolicyViolationException', message)
}

function exists(owner: UserRow) {
  return iam.fail('EntityAlreadyExistsException', `Login Profile for user ${owner.name} already exists.`)
}
