/** Passwords: what is required of them, which users may change them, which may not be reused. */
import { beforeEach, describe, expect, test } from 'vitest'
import { hashPassword, passwordMatches, passwordProblem } from '../../../kernel/passwords.ts'
import { account, type Desk, desk } from '../desk.fixture.ts'
import {
  changePassword,
  createLoginProfile,
  deleteLoginProfile,
  getLoginProfile,
  updateLoginProfile,
} from './login-profiles.ts'
import {
  deleteAccountPasswordPolicy,
  getAccountPasswordPolicy,
  updateAccountPasswordPolicy,
} from './password-policy.ts'

let it: Desk
beforeEach(async () => {
  it = await desk()
  await it.addUser('ana')
})

const password = 'Correct-horse-1'

describe('what is demanded', () => {
  test.each([
    ['Abcdefg1', undefined],
    ['abcdef1!', undefined],
    ['Abcdef1', 'Password should have a minimum length of 8'],
    ['abcdefgh1', /uppercase letter or at least one of the following symbols/],
    ['abcdefghé', /uppercase/],
  ])('without rules, of %s', (given, problem) => {
    const said = passwordProblem(given, undefined, [])
    if (problem instanceof RegExp) expect(said).toMatch(problem)
    else expect(said).toBe(problem)
  })

  const rules = { lengthMin: 6, symbols: false, numbers: false, uppercase: false, lowercase: false }
  test.each([
    ['aaaaaa', {}, undefined],
    ['aaaaa', {}, 'Password should have a minimum length of 6'],
    ['aaaaaa', { uppercase: true }, 'Password should have at least one uppercase letter'],
    ['AAAAAA', { lowercase: true }, 'Password should have at least one lowercase letter'],
    ['aaaaaa', { numbers: true }, 'Password should have at least one number'],
    ['aaaaa?', { symbols: true }, "Password should have at least one of the following symbols: !@#$%^&*()_+-=[]{}|'"],
    ['aaaaa]', { symbols: true }, undefined],
    ['aaaaa-', { symbols: true }, undefined],
  ])('with rules, of %s under %o', (given, more, problem) => {
    expect(passwordProblem(given, { ...rules, ...more }, [])).toBe(problem)
  })

  test("a password is not the account's number", () => {
    expect(passwordProblem(account, rules, [account])).toBe('Password should not be the same as the account name')
  })
})

test('a hash knows its password, in either Unicode form, and no other; no two are alike', async () => {
  const hash = await hashPassword('caf\u00e9')

  expect(await passwordMatches(hash, 'cafe\u0301')).toBe(true)
  expect(await passwordMatches(hash, 'cafe')).toBe(false)
  expect((await hashPassword('caf\u00e9')).hash).not.toBe(hash.hash)
})

describe('the password policy', () => {
  test('none until one is made, and none after it is deleted', async () => {
    const none = {
      code: 'NoSuchEntityException',
      message: `The Password Policy with domain name ${account} cannot be found.`,
    }
    await expect(it.run(getAccountPasswordPolicy, {})).rejects.toMatchObject(none)
    await expect(it.run(deleteAccountPasswordPolicy, {})).rejects.toMatchObject({
      code: 'NoSuchEntityException',
      message: 'The account policy with name PasswordPolicy cannot be found.',
    })

    await it.run(updateAccountPasswordPolicy, { MaxPasswordAge: 90, RequireSymbols: true })
    expect(await it.run(getAccountPasswordPolicy, {})).toEqual({
      PasswordPolicy: {
        MinimumPasswordLength: 6,
        RequireSymbols: true,
        RequireNumbers: false,
        RequireUppercaseCharacters: false,
        RequireLowercaseCharacters: false,
        AllowUsersToChangePassword: false,
        ExpirePasswords: true,
        MaxPasswordAge: 90,
      },
    })

    await it.run(deleteAccountPasswordPolicy, {})
    await expect(it.run(getAccountPasswordPolicy, {})).rejects.toMatchObject(none)
  })

  test('what an update does not say goes back to its default', async () => {
    await it.run(updateAccountPasswordPolicy, { MaxPasswordAge: 90, MinimumPasswordLength: 20 })
    await it.run(updateAccountPasswordPolicy, { RequireNumbers: true })

    const { PasswordPolicy: policy } = await it.run<{ PasswordPolicy: object }>(getAccountPasswordPolicy, {})
    expect(policy).toMatchObject({ MinimumPasswordLength: 6, ExpirePasswords: false, RequireNumbers: true })
    expect(policy).not.toHaveProperty('MaxPasswordAge')
  })
})

describe('a login profile', () => {
  test('is made once, shown without its password, and deleted', async () => {
    await it.run(createLoginProfile, { UserName: 'ana', Password: password, PasswordResetRequired: true })

    expect(await it.run(getLoginProfile, { UserName: 'ana' })).toEqual({
      LoginProfile: { UserName: 'ana', CreateDate: new Date(it.now), PasswordResetRequired: true },
    })
    expect(await it.stored()).not.toContain(password)
    await expect(it.run(createLoginProfile, { UserName: 'ana', Password: password })).rejects.toMatchObject({
      code: 'EntityAlreadyExistsException',
    })
    await it.run(deleteLoginProfile, { UserName: 'ana' })
    await expect(it.run(getLoginProfile, { UserName: 'ana' })).rejects.toMatchObject({
      code: 'NoSuchEntityException',
      message: 'Login Profile for User ana cannot be found.',
    })
  })

  test('with a weak password is refused', async () => {
    await it.run(updateAccountPasswordPolicy, { MinimumPasswordLength: 30 })

    await expect(it.run(createLoginProfile, { UserName: 'ana', Password: password })).rejects.toMatchObject({
      code: 'PasswordPolicyViolationException',
      message: 'Password should have a minimum length of 30',
    })
  })

  test('is changed by the user with the old password, which ends the forced reset', async () => {
    await it.run(createLoginProfile, { UserName: 'ana', Password: password, PasswordResetRequired: true })
    const change = { OldPassword: password, NewPassword: 'Other-horse-2' }

    await expect(it.run(changePassword, { ...change, OldPassword: 'Wrong-horse-1' }, 'ana')).rejects.toMatchObject({
      code: 'AccessDenied',
    })
    await it.run(changePassword, change, 'ana')

    await expect(it.run(changePassword, change, 'ana')).rejects.toMatchObject({ code: 'AccessDenied' })
    expect(await it.run(getLoginProfile, {}, 'ana')).toMatchObject({ LoginProfile: { PasswordResetRequired: false } })
  })

  test('of root is not changed here', async () => {
    const change = { OldPassword: password, NewPassword: 'Other-horse-2' }

    await expect(it.run(changePassword, change)).rejects.toMatchObject({ code: 'InvalidUserTypeException' })
  })

  test('does not take back a password the policy remembers, and takes one it has forgotten', async () => {
    await it.run(updateAccountPasswordPolicy, { PasswordReusePrevention: 2 })
    await it.run(createLoginProfile, { UserName: 'ana', Password: 'first-one' })
    await it.run(updateLoginProfile, { UserName: 'ana', Password: 'second-one' })

    for (const old of ['first-one', 'second-one']) {
      await expect(it.run(updateLoginProfile, { UserName: 'ana', Password: old })).rejects.toMatchObject({
        code: 'PasswordPolicyViolationException',
      })
    }
    await it.run(updateLoginProfile, { UserName: 'ana', Password: 'third-one' })
    await it.run(updateLoginProfile, { UserName: 'ana', Password: 'first-one' })
  })
})
