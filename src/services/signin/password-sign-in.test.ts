/** Signing in with a password and a second factor, as a browser without scripts does it. */
import { createHook } from 'node:async_hooks'
import {
  CreateAccountAliasCommand,
  CreateLoginProfileCommand,
  CreateUserCommand,
  DeleteLoginProfileCommand,
  DeleteUserCommand,
  GetUserCommand,
  IAMClient,
  UpdateAccountPasswordPolicyCommand,
  UpdateLoginProfileCommand,
} from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { beforeEach, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, type Keys } from '../../../test/cloud.ts'
import type { Unit } from '../../store/store.ts'
import { Browser, type Cloud, codeOf, enableTotp, eventsOf, iamOf, setRoot } from './browser.fixture.ts'

const PASSWORD = 'Correct-Horse-7'
const WRONG = 'Your authentication information is incorrect. Please try again.'

let opened: Cloud
let browser: Browser

beforeEach(async () => {
  opened = await cloud()
  browser = new Browser(opened)
  await opened.user('ada', allowing({ Action: ['iam:GetUser', 'iam:ChangePassword'], Resource: '*' }))
  await iamOf(opened).send(new CreateLoginProfileCommand({ UserName: 'ada', Password: PASSWORD }))
})

const asAda = (password = PASSWORD, account = ACCOUNT) => browser.asUser(account, 'ada', password)

describe('An IAM user', () => {
  test('signs in with account, name and password, and gets credentials that act as her', async () => {
    expect(await asAda()).toMatchObject({ status: 303, location: '/console/' })

    expect(await browser.session()).toMatchObject({
      signedIn: true,
      mfa: false,
      principal: { kind: 'user', account: ACCOUNT, userName: 'ada', accountAlias: null },
    })
    const credentials = await browser.credentials()
    expect(Date.parse(credentials.expiration) - opened.clock.now()).toBeLessThanOrEqual(15 * 60_000)
    const caller = await opened.client(STSClient, credentials.keys).send(new GetCallerIdentityCommand({}))
    expect(caller.Arn).toBe(`arn:aws:iam::${ACCOUNT}:user/ada`)
    // IAM takes console credentials without a second factor, unlike those of GetSessionToken.
    const { User } = await opened.client(IAMClient, credentials.keys).send(new GetUserCommand({}))
    expect(User?.UserName).toBe('ada')
  })

  test('may name the account by its alias, and is led back to the requested page', async () => {
    await iamOf(opened).send(new CreateAccountAliasCommand({ AccountAlias: 'corp' }))
    const to = '/console/kms?region=eu-west-1'
    expect(await browser.asUser('corp', 'ada', PASSWORD, to)).toMatchObject({ status: 303, location: to })
    expect((await browser.session()).principal.accountAlias).toBe('corp')
  })

  test.each(['https://evil.test/', '//evil.test/', '/\\evil.test', '/\t/evil.test', 'javascript:alert(1)'])(
    'is never led to another server: %j',
    async (redirect) => {
      expect(await browser.asUser(ACCOUNT, 'ada', PASSWORD, redirect)).toMatchObject({ location: '/console/' })
    },
  )

  test('sees the same page whether the account, the name or the password is wrong', async () => {
    const attempts = [
      ['999999999999', 'ada', 'x'],
      ['no-such-alias', 'ada', 'x'],
      [ACCOUNT, 'bob', 'x'],
      [ACCOUNT, 'ada', 'x'],
    ] as const
    for (const [account, name, password] of attempts) {
      expect(await browser.asUser(account, name, password)).toMatchObject({ status: 401 })
      expect(browser.problem).toBe(WRONG)
      expect((await browser.session()).signedIn).toBe(false)
    }
  })

  test('that does not exist has a password hashed and a failure written, as one with a wrong password has', async () => {
    const work = async (account: string, name: string) => {
      let hashed = 0
      const hashes = createHook({ init: (_id, type) => void (type === 'SCRYPTREQUEST' && hashed++) }).enable()
      const { store } = opened
      const run = store.run
      let puts = 0
      store.run = ((body) =>
        run.call(store, (unit: Unit) =>
          body(
            new Proxy(unit, {
              get: (target, at) => {
                const value = Reflect.get(target, at) as unknown
                if (at === 'put') puts++
                return typeof value === 'function' ? value.bind(target) : value
              },
            }),
          ),
        )) as typeof run
      await browser.asUser(account, name, 'wrong').finally(() => {
        store.run = run
        hashes.disable()
      })
      return { hashed, puts }
    }
    const known = await work(ACCOUNT, 'ada')
    expect(known).toMatchObject({ hashed: 1 })
    await opened.user('robot')
    expect(await work(ACCOUNT, 'nobody-of-that-name')).toEqual(known)
    expect(await work('no-such-alias', 'ada')).toEqual(known)
    expect(await work(ACCOUNT, 'robot')).toEqual(known)
  })

  test('without a password cannot sign in', async () => {
    await opened.user('robot')
    await browser.asUser(ACCOUNT, 'robot', PASSWORD)
    expect(browser.problem).toBe(WRONG)
  })

  test.each(['ada', 'nobody-of-that-name'])(
    'is locked out for a minute after five wrong passwords: %s',
    async (name) => {
      for (let attempt = 0; attempt < 5; attempt++) {
        await browser.asUser(ACCOUNT, name, 'wrong')
        expect(browser.problem).toBe(WRONG)
      }
      await browser.asUser(ACCOUNT, name, PASSWORD)
      expect(browser.problem).toMatch(/^Too many failed attempts. Try again in (60|[345]\d) seconds/)

      opened.clock.advance(60_000)
      const { status } = await browser.asUser(ACCOUNT, name, PASSWORD)
      expect(status).toBe(name === 'ada' ? 303 : 401)
    },
  )

  test('chooses a new password where an administrator requires it, or it has expired', async () => {
    await iamOf(opened).send(
      new UpdateLoginProfileCommand({ UserName: 'ada', Password: PASSWORD, PasswordResetRequired: true }),
    )
    expect(await asAda()).toMatchObject({ status: 200 })
    expect((await browser.session()).signedIn).toBe(false)
    await asAda()
    await browser.submit('/signin/new-password', { password: 'New-Password-8', again: 'Other-Password-8' })
    expect(browser.problem).toBe('The two passwords differ.')
    await browser.submit('/signin/new-password', { password: 'short', again: 'short' })
    expect(browser.problem).toBe('Password should have a minimum length of 8')
    await browser.submit('/signin/new-password', { password: PASSWORD, again: PASSWORD })
    expect(browser.problem).toBe('The new password must differ from the current one.')
    const done = await browser.submit('/signin/new-password', { password: 'New-Password-8', again: 'New-Password-8' })
    expect(done).toMatchObject({ status: 303, location: '/console/' })

    await iamOf(opened).send(new UpdateAccountPasswordPolicyCommand({ MaxPasswordAge: 30, MinimumPasswordLength: 8 }))
    opened.clock.advance(31 * 24 * 60 * 60_000)
    await browser.asUser(ACCOUNT, 'ada', 'New-Password-8')
    expect(browser.page.text).toContain('Your password has expired')
    expect(
      await browser.submit('/signin/new-password', { password: 'Third-Word-9', again: 'Third-Word-9' }),
    ).toMatchObject({
      status: 303,
    })
  })

  test('whose expired password only an administrator may replace stays out', async () => {
    const policy = { MaxPasswordAge: 30, MinimumPasswordLength: 8, HardExpiry: true }
    await iamOf(opened).send(new UpdateAccountPasswordPolicyCommand(policy))
    opened.clock.advance(31 * 24 * 60 * 60_000)
    await asAda()
    expect(browser.problem).toBe('Your password has expired. Contact your administrator.')
  })
})

describe('The second factor', () => {
  test('is a code that counts once, and is in the session', async () => {
    const { seed, serialNumber } = await enableTotp(opened, 'ada')
    opened.clock.advance(30_000)
    expect(await asAda()).toMatchObject({ status: 200 })
    expect((await browser.session()).signedIn).toBe(false)

    await asAda()
    await browser.submit('/signin/mfa', { code: '000000' })
    expect(browser.problem).toBe(WRONG)
    const code = codeOf(seed, opened.clock.now())
    expect(await browser.submit('/signin/mfa', { code })).toMatchObject({ status: 303 })
    expect(await browser.session()).toMatchObject({ signedIn: true, mfa: true })

    const other = new Browser(opened)
    await other.asUser(ACCOUNT, 'ada', PASSWORD)
    expect(await other.submit('/signin/mfa', { code })).toMatchObject({ status: 401 })
    expect(await eventsOf(opened, ACCOUNT, 'ConsoleLogin')).toContainEqual(
      expect.objectContaining({
        responseElements: { ConsoleLogin: 'Success' },
        additionalEventData: expect.objectContaining({ MFAUsed: 'Yes', MFAIdentifier: serialNumber }),
      }),
    )
  })

  test('is locked for a minute after five wrong codes', async () => {
    const { seed } = await enableTotp(opened, 'ada')
    const answer = async (code: string) => {
      await asAda()
      return browser.submit('/signin/mfa', { code })
    }
    opened.clock.advance(30_000)
    for (let attempt = 0; attempt < 5; attempt++) {
      await answer('not-a-code')
      expect(browser.problem).toBe(WRONG)
    }
    await answer(codeOf(seed, opened.clock.now()))
    expect(browser.problem).toMatch(/^Too many failed attempts. Try again in (60|[345]\d) seconds/)
    opened.clock.advance(60_000)
    expect(await answer(codeOf(seed, opened.clock.now()))).toMatchObject({ status: 303 })
  })

  test('is of no use in another browser, after ten minutes, or once the password has changed', async () => {
    const { seed } = await enableTotp(opened, 'ada')
    const attempt = async (between: (first: Browser, second: Browser) => Promise<unknown>) => {
      opened.clock.advance(60_000)
      const [first, second] = [new Browser(opened), new Browser(opened)]
      await first.asUser(ACCOUNT, 'ada', PASSWORD)
      await second.open('/signin')
      const csrf = /name="csrf" value="([^"]+)"/.exec(second.page.text)![1]!
      const chosen = (await between(first, second)) === 'second' ? second : first
      chosen.page = first.page
      return chosen.submit('/signin/mfa', {
        code: codeOf(seed, opened.clock.now()),
        ...(chosen === second && { csrf }),
      })
    }
    const expired = 'This page has expired. Start the sign-in again.'

    expect((await attempt(async () => 'second')).text).toContain(expired)
    expect((await attempt(async () => opened.clock.advance(10 * 60_000))).text).toContain(expired)
    const changed = new UpdateLoginProfileCommand({ UserName: 'ada', Password: `${PASSWORD}-2` })
    expect((await attempt(async () => iamOf(opened).send(changed))).text).toContain(expired)
  })
})

describe('The root user', () => {
  test('signs in by e-mail address', async () => {
    await setRoot(opened, ACCOUNT, 'root@corp.test', PASSWORD)
    await browser.asRoot('root@corp.test', 'wrong')
    expect(browser.problem).toBe(WRONG)
    await browser.asRoot('other@corp.test', PASSWORD)
    expect(browser.problem).toBe(WRONG)
    expect(await browser.asRoot('Root@Corp.test', PASSWORD)).toMatchObject({ status: 303 })

    expect((await browser.session()).principal).toMatchObject({ kind: 'root', arn: `arn:aws:iam::${ACCOUNT}:root` })
    const { keys } = await browser.credentials()
    const caller = await opened.client(STSClient, keys).send(new GetCallerIdentityCommand({}))
    expect(caller.Arn).toBe(`arn:aws:iam::${ACCOUNT}:root`)
  })

  test('needs a second factor once it has one', async () => {
    await setRoot(opened, ACCOUNT, 'root@corp.test', PASSWORD)
    const { seed } = await enableTotp(opened, 'root')
    opened.clock.advance(30_000)
    expect(await browser.asRoot('root@corp.test', PASSWORD)).toMatchObject({ status: 200 })
    expect(await browser.submit('/signin/mfa', { code: codeOf(seed, opened.clock.now()) })).toMatchObject({
      status: 303,
    })
  })
})

describe('A session', () => {
  const identityOf = (keys: Keys) => opened.client(STSClient, keys).send(new GetCallerIdentityCommand({}))

  test.each([
    [
      'the password is changed',
      () => iamOf(opened).send(new UpdateLoginProfileCommand({ UserName: 'ada', Password: 'Another-One-9' })),
    ],
    ['the password is deleted', () => iamOf(opened).send(new DeleteLoginProfileCommand({ UserName: 'ada' }))],
    [
      'she signs out',
      async () => {
        await browser.open('/signin/security')
        await browser.submit('/signin/logout')
      },
    ],
    [
      'she signs out everywhere, in another browser',
      async () => {
        const other = new Browser(opened)
        await other.asUser(ACCOUNT, 'ada', PASSWORD)
        await other.open('/signin/security')
        await other.submit('/signin/logout-everywhere')
      },
    ],
    ['twelve hours are over', async () => opened.clock.advance(12 * 60 * 60_000)],
  ] as const)('is over when %s, and so are its credentials', async (_when, end) => {
    await asAda()
    const { keys } = await browser.credentials()
    await identityOf(keys)
    const cookies = new Map(browser.cookies)
    const { csrf } = await browser.session()

    await end()

    // The cookie that someone kept, too.
    for (const [name, value] of cookies) browser.cookies.set(name, value)
    expect((await browser.session()).signedIn).toBe(false)
    expect((await browser.credentials(csrf)).status).toBe(401)
    await expect(identityOf(keys)).rejects.toThrow()
  })

  test('is over when the user is deleted', async () => {
    const iam = iamOf(opened)
    await iam.send(new CreateUserCommand({ UserName: 'eve' }))
    await iam.send(new CreateLoginProfileCommand({ UserName: 'eve', Password: PASSWORD }))
    await browser.asUser(ACCOUNT, 'eve', PASSWORD)
    const { keys } = await browser.credentials()

    await iam.send(new DeleteLoginProfileCommand({ UserName: 'eve' }))
    await iam.send(new DeleteUserCommand({ UserName: 'eve' }))

    expect((await browser.session()).signedIn).toBe(false)
    await expect(identityOf(keys)).rejects.toThrow('security token')
    // A later user of the same name is another person.
    await iam.send(new CreateUserCommand({ UserName: 'eve' }))
    expect((await browser.session()).signedIn).toBe(false)
    await expect(identityOf(keys)).rejects.toThrow()
  })

  test('of one browser does not end with that of another', async () => {
    const other = new Browser(opened)
    await other.asUser(ACCOUNT, 'ada', PASSWORD)
    await asAda()
    await browser.open('/signin/security')
    await browser.submit('/signin/logout')
    expect((await other.session()).signedIn).toBe(true)
  })

  test('gives no credentials without its CSRF token', async () => {
    await asAda()
    const headers = { 'content-type': 'application/json' }
    expect((await browser.request('POST', '/console/credentials', '{}', headers)).status).toBe(403)
  })
})

describe('The audit log', () => {
  test('has sign-ins in the form of CloudTrail, without names that do not exist, passwords and codes', async () => {
    const { seed } = await enableTotp(opened, 'ada')
    opened.clock.advance(30_000)
    await browser.asUser(ACCOUNT, 'my-secret-password', 'typed-into-the-wrong-field')
    await asAda('Wrong-Password-1')
    await asAda()
    const code = codeOf(seed, opened.clock.now())
    await browser.submit('/signin/mfa', { code })

    const events = (await eventsOf(opened, ACCOUNT)).filter(({ eventSource }) => eventSource === 'signin.amazonaws.com')
    const ada = expect.objectContaining({ type: 'IAMUser', arn: `arn:aws:iam::${ACCOUNT}:user/ada`, userName: 'ada' })
    expect(events).toMatchObject([
      {
        eventName: 'ConsoleLogin',
        eventType: 'AwsConsoleSignIn',
        eventCategory: 'Management',
        awsRegion: 'us-east-1',
        userIdentity: ada,
        requestParameters: null,
        responseElements: { ConsoleLogin: 'Success' },
        additionalEventData: { LoginTo: 'http://merlon.test/console/', MobileVersion: 'No', MFAUsed: 'Yes' },
      },
      {
        eventName: 'CheckMfa',
        userIdentity: ada,
        responseElements: { CheckMfa: 'Success' },
        additionalEventData: { MfaType: 'Virtual MFA' },
      },
      {
        eventName: 'ConsoleLogin',
        errorMessage: 'Failed authentication',
        responseElements: { ConsoleLogin: 'Failure' },
      },
      {
        eventName: 'ConsoleLogin',
        errorMessage: 'No username found in supplied account',
        userIdentity: { userName: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
      },
    ])
    const text = JSON.stringify(events)
    for (const secret of ['my-secret-password', 'typed-into', 'Wrong-Password-1', PASSWORD, code])
      expect(text).not.toContain(secret)
  })

  test('grows by a bounded part of the names that unauthenticated clients try', async () => {
    for (let attempt = 0; attempt < 20; attempt++) await browser.asUser(ACCOUNT, `name-${attempt}`, 'x')
    expect(await eventsOf(opened, ACCOUNT, 'ConsoleLogin')).toHaveLength(1)
  })
})
