/** What a signed-in person does: security credentials, switching roles; and consoles opened from STS credentials. */
import {
  CreateLoginProfileCommand,
  CreateRoleCommand,
  ListMFADevicesCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import { beforeEach, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, type Keys, keysOf } from '../../../test/cloud.ts'
import { type Mail, mail } from '../../kernel/ports/mail.ts'
import { provide } from '../../kernel/ports/port.ts'
import { type Unit, under } from '../../store/store.ts'
import { Browser, type Cloud, codeOf, eventsOf, iamOf, ORIGIN, setRoot } from './browser.fixture.ts'

const PASSWORD = 'Correct-Horse-7'
const ROLE = `arn:aws:iam::${ACCOUNT}:role/auditor`

let opened: Cloud
let browser: Browser
let ada: Keys

const trusting = (principal: object) => allowing({ Action: ['sts:AssumeRole', 'sts:TagSession'], Principal: principal })
const callerOf = async (keys: Keys) => (await opened.client(STSClient, keys).send(new GetCallerIdentityCommand({}))).Arn

const mails: Mail[] = []
const jobErrors: unknown[] = []
let isDown = false

const deliver = async (message: Mail) => {
  if (isDown) throw new Error('no answer')
  mails.push(message)
}

beforeEach(async () => {
  mails.length = 0
  jobErrors.length = 0
  opened = await cloud({
    provides: [provide(mail, { deliver })],
    onJobError: (job, error) => void jobErrors.push([job, String(error)]),
  })
  browser = new Browser(opened)
  ada = await opened.user('ada', allowing({ Action: ['iam:*MFA*', 'iam:ChangePassword', 'sts:*'], Resource: '*' }))
  await iamOf(opened).send(new CreateLoginProfileCommand({ UserName: 'ada', Password: PASSWORD }))
  const trust = trusting({ AWS: `arn:aws:iam::${ACCOUNT}:user/ada` })
  await iamOf(opened).send(new CreateRoleCommand({ RoleName: 'auditor', AssumeRolePolicyDocument: trust }))
  const PolicyDocument = allowing({ Action: 'iam:ListUsers', Resource: '*' })
  await iamOf(opened).send(new PutRolePolicyCommand({ RoleName: 'auditor', PolicyName: 'list', PolicyDocument }))
})

describe('Security credentials', () => {
  test('change the password: other sign-ins end, this one goes on', async () => {
    const other = new Browser(opened)
    await other.asUser(ACCOUNT, 'ada', PASSWORD)
    await browser.asUser(ACCOUNT, 'ada', PASSWORD)
    await browser.open('/signin/security')
    const next = { password: 'New-Password-8', again: 'New-Password-8' }
    await browser.submit('/signin/security/password', { current: 'wrong', ...next })
    expect(browser.problem).toBe('The old password was incorrect.')
    expect(await browser.submit('/signin/security/password', { current: PASSWORD, ...next })).toMatchObject({
      status: 303,
    })

    expect((await browser.session()).signedIn).toBe(true)
    expect((await other.session()).signedIn).toBe(false)
    expect(await eventsOf(opened, ACCOUNT, 'ChangePassword')).toHaveLength(2)
  })

  test('need the permission of IAM', async () => {
    await opened.permit('ada', allowing({ Action: 'sts:*', Resource: '*' }))
    await browser.asUser(ACCOUNT, 'ada', PASSWORD)
    await browser.open('/signin/security')
    await browser.submit('/signin/security/totp', { name: 'phone' })
    expect(browser.problem).toContain('not authorized to perform: iam:CreateVirtualMFADevice')
    expect(await eventsOf(opened, ACCOUNT, 'CreateVirtualMFADevice')).toMatchObject([{ errorCode: 'AccessDenied' }])
  })

  test('add and remove an authenticator app', async () => {
    await browser.asUser(ACCOUNT, 'ada', PASSWORD)
    await browser.open('/signin/security')
    await browser.submit('/signin/security/totp', { name: 'phone' })
    const seed = /Secret key: <code>(\w+)<\/code>/.exec(browser.page.text)![1]!
    const now = opened.clock.now()
    await browser.submit('/signin/security/totp/enable', { code1: '000000', code2: '000000' })
    expect(browser.problem).toContain('Authentication code for device is not valid.')
    await browser.submit('/signin/security/totp/enable', {
      code1: codeOf(seed, now - 30_000),
      code2: codeOf(seed, now),
    })
    const devices = async () =>
      (await iamOf(opened).send(new ListMFADevicesCommand({ UserName: 'ada' }))).MFADevices!.map(
        ({ SerialNumber }) => SerialNumber,
      )
    expect(await devices()).toEqual([`arn:aws:iam::${ACCOUNT}:mfa/phone`])

    await browser.open('/signin/security')
    await browser.submit('/signin/security/mfa/remove')
    expect(await devices()).toEqual([])
  })

  test('of the root user: the password needs the current one', async () => {
    await setRoot(opened, ACCOUNT, 'root@corp.test', PASSWORD)
    await browser.asRoot('root@corp.test', PASSWORD)
    await browser.open('/signin/security')
    const next = { password: 'New-Password-8', again: 'New-Password-8' }
    await browser.submit('/signin/security/password', { current: 'wrong', ...next })
    expect(browser.problem).toBe('The current password is incorrect.')
    expect(await browser.submit('/signin/security/password', { current: PASSWORD, ...next })).toMatchObject({
      status: 303,
    })
    expect((await browser.session()).signedIn).toBe(true)
    expect(await eventsOf(opened, ACCOUNT, 'PasswordUpdated')).toMatchObject([
      { userIdentity: { type: 'Root' }, responseElements: { PasswordUpdated: 'Success' } },
      { userIdentity: { type: 'Root' }, responseElements: { PasswordUpdated: 'Failure' } },
    ])
  })
})

describe('Switching roles', () => {
  const switchTo = async (roleName: string, account = ACCOUNT) => {
    await browser.open('/signin/switchrole')
    return browser.submit('/signin/switchrole', { account, roleName, displayName: 'Audit' })
  }

  test('acts as the role, and back again', async () => {
    await browser.asUser(ACCOUNT, 'ada', PASSWORD)
    expect(await switchTo('auditor')).toMatchObject({ status: 303, location: '/console/' })
    const session = `arn:aws:sts::${ACCOUNT}:assumed-role/auditor/ada`
    expect((await browser.session()).principal).toMatchObject({ kind: 'assumed-role', arn: session, userName: 'ada' })
    const { keys } = await browser.credentials()
    expect(await callerOf(keys)).toBe(session)

    await browser.open('/signin/security')
    await browser.submit('/signin/switchback')
    expect((await browser.session()).principal).toMatchObject({ kind: 'user', userName: 'ada' })
    expect(await eventsOf(opened, ACCOUNT, 'SwitchRole')).toMatchObject([
      {
        eventType: 'AwsConsoleSignIn',
        userIdentity: { type: 'AssumedRole', arn: session, sessionContext: { sessionIssuer: { arn: ROLE } } },
        responseElements: { SwitchRole: 'Success' },
        additionalEventData: { SwitchFrom: `arn:aws:iam::${ACCOUNT}:user/ada` },
      },
    ])
    expect(await eventsOf(opened, ACCOUNT, 'ExitRole')).toHaveLength(1)

    // The role's credentials are part of the sign-in.
    await browser.open('/signin/security')
    await browser.submit('/signin/logout')
    await expect(callerOf(keys)).rejects.toThrow()
  })

  test.each([
    ['missing', ACCOUNT],
    ['auditor', '999999999999'],
    ['../x?', ACCOUNT],
  ])('refuses %s in %s', async (role, account) => {
    await browser.asUser(ACCOUNT, 'ada', PASSWORD)
    expect(await switchTo(role, account)).toMatchObject({ status: 400 })
    expect((await browser.session()).principal.kind).toBe('user')
  })
})

describe('/federation', () => {
  const token = async (keys: Keys, more = '') => {
    const { accessKeyId: sessionId, secretAccessKey: sessionKey, sessionToken } = keys
    const session = encodeURIComponent(JSON.stringify({ sessionId, sessionKey, sessionToken }))
    const { status, text } = await browser.open(`/federation?Action=getSigninToken&Session=${session}${more}`)
    return { status, ...(JSON.parse(text) as { SigninToken?: string; message?: string }) }
  }
  const login = (signinToken: string, destination: string) =>
    browser.open(
      `/federation?Action=login&Issuer=script&Destination=${encodeURIComponent(destination)}&SigninToken=${encodeURIComponent(signinToken)}`,
    )
  const assumed = async () => {
    const input = { RoleArn: ROLE, RoleSessionName: 'script' }
    return keysOf(await opened.client(STSClient, ada).send(new AssumeRoleCommand(input)))
  }

  test('opens a console as the role', async () => {
    const { SigninToken } = await token(await assumed(), '&SessionDuration=1800')
    expect(await login(SigninToken!, `${ORIGIN}/console/iam`)).toMatchObject({ status: 303, location: '/console/iam' })
    const { principal, expiration } = await browser.session()
    expect(principal.arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/auditor/script`)
    expect(Date.parse(expiration) - opened.clock.now()).toBeLessThanOrEqual(1_800_000)
    expect(await callerOf((await browser.credentials()).keys)).toBe(principal.arn)

    expect((await login(SigninToken!, 'https://evil.test/')).location).toBe('/console/')
    opened.clock.advance(15 * 60_000)
    expect((await login(SigninToken!, '/console/')).status).toBe(400)
  })

  test('takes credentials from GetFederationToken, for as long as they live', async () => {
    const policy = allowing({ Action: '*', Resource: '*' })
    const keys = keysOf(
      await opened.client(STSClient, ada).send(new GetFederationTokenCommand({ Name: 'guest', Policy: policy })),
    )
    expect(await token(keys, '&SessionDuration=1800')).toMatchObject({ status: 400 })
    const { SigninToken } = await token(keys)
    await login(SigninToken!, '/console/')
    expect((await browser.session()).principal).toMatchObject({ kind: 'federated-user', userName: 'guest' })
  })

  test.each([
    ['a wrong secret', async () => ({ ...(await assumed()), secretAccessKey: 'x' })],
    [
      'credentials from GetSessionToken',
      async () => keysOf(await opened.client(STSClient, ada).send(new GetSessionTokenCommand({}))),
    ],
    ['a permanent key', async () => ada],
    [
      'credentials that have expired',
      async () => {
        const keys = await assumed()
        opened.clock.advance(3_600_000)
        return keys
      },
    ],
  ])('refuses %s', async (_what, keys) => {
    expect(await token(await keys())).toMatchObject({ status: 400 })
  })

  test('refuses a session that is longer than the role permits', async () => {
    expect(await token(await assumed(), '&SessionDuration=7200')).toMatchObject({ status: 400 })
    expect(await token(await assumed(), '&SessionDuration=60')).toMatchObject({ status: 400 })
  })
})

describe('/saml', () => {
  test('has metadata that name its own address, and refuses what is no response', async () => {
    const { text, headers } = await browser.open('/saml/metadata')
    expect(headers['content-type']).toBe('application/samlmetadata+xml')
    expect(text).toContain(`Location="${ORIGIN}/saml"`)
    const type = { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://idp.test' }
    expect((await browser.request('POST', '/saml', 'SAMLResponse=bm9uZQ', type)).status).toBe(403)
    expect((await browser.session()).signedIn).toBe(false)
  })
})

describe("The root user's forgotten password", () => {
  const EMAIL = 'root@corp.test'
  const ask = async (email: string) => {
    await browser.open('/signin/reset')
    await browser.submit('/signin/reset', { email })
    await opened.pass(1_000)
  }

  test('is replaced with a code from the mail, which counts once', async () => {
    await setRoot(opened, ACCOUNT, EMAIL, PASSWORD)
    await ask(EMAIL)
    const code = /\n {2}(\w{24})\n/.exec(mails.at(-1)!.text)![1]!
    expect(mails.at(-1)!.to).toBe(EMAIL)
    const next = { password: 'New-Password-8', again: 'New-Password-8' }
    const asked = browser.page
    await browser.submit('/signin/reset/password', { code: 'WRONG', ...next })
    expect(browser.problem).toContain('The code is not correct.')
    expect(await browser.submit('/signin/reset/password', { code, ...next })).toMatchObject({
      location: '/signin/root',
    })
    browser.page = asked
    await browser.submit('/signin/reset/password', { code, ...next })
    expect(browser.problem).toContain('The code was used already.')
    expect(await browser.asRoot(EMAIL, 'New-Password-8')).toMatchObject({ status: 303 })
    expect(JSON.stringify(await eventsOf(opened, ACCOUNT))).not.toContain(code)
  })

  test('is sent to the recorded address, not to one that only looks the same', async () => {
    const onRecord = 'Boss@kiosk.test'
    await setRoot(opened, ACCOUNT, onRecord, PASSWORD)

    // The Kelvin sign is a k in lower case, and another domain.
    await ask('boss@\u212aiosk.test')
    await ask('boss@kiosk.test')

    expect(mails.map(({ to }) => to)).not.toContain('boss@\u212aiosk.test')
    expect(mails.map(({ to }) => to)).toContain(onRecord)
  })

  test('shows the same page for an address that no root user has, after the same work', async () => {
    await setRoot(opened, ACCOUNT, EMAIL, PASSWORD)
    const { store } = opened
    const run = store.run
    const done: Record<string, number> = {}
    const counted = (unit: Unit) =>
      new Proxy(unit, {
        get: (target, name) => {
          const value = Reflect.get(target, name) as unknown
          if (typeof value !== 'function') return value
          return (...input: readonly unknown[]) => {
            const kind = name === 'range' ? 'get' : String(name)
            done[kind] = (done[kind] ?? 0) + 1
            return Reflect.apply(value, target, input)
          }
        },
      })
    const work = async (email: string) => {
      await browser.open('/signin/reset')
      for (const name of Object.keys(done)) delete done[name]
      store.run = ((body) => run.call(store, (unit: Unit) => body(counted(unit)))) as typeof run
      await browser.submit('/signin/reset', { email }).finally(() => {
        store.run = run
      })
      const { append: _, ...same } = done
      const shown = browser.page.text.replace(/value="([^"]*)"/g, (_all, value) => String(value.length))
      await opened.pass(1_000)
      return { same, shown }
    }
    const known = await work(EMAIL)
    expect(known.same).toMatchObject({ get: expect.any(Number), put: 3 })
    // The event in the account's log is the one thing more.
    expect(await work('nobody@corp.test')).toEqual(known)
    expect(mails).toHaveLength(1)
    expect(await eventsOf(opened, ACCOUNT, 'PasswordRecoveryRequested')).toHaveLength(1)

    await ask('nobody@corp.test')
    await browser.submit('/signin/reset/password', { code: 'A'.repeat(24), password: PASSWORD, again: PASSWORD })
    expect(browser.problem).toContain('The code is not correct.')
  })

  test('shows its code in no event, no queue and no log while the mail cannot be delivered', async () => {
    await setRoot(opened, ACCOUNT, EMAIL, PASSWORD)
    const code = /\n {2}(\w{24})\n/
    isDown = true
    await ask(EMAIL)
    isDown = false
    const waiting = await opened.store.reader.range(under('kernel', 'job'))
    const told = JSON.stringify([waiting, jobErrors, await eventsOf(opened, ACCOUNT)])
    expect(jobErrors).toHaveLength(1)
    await opened.pass(60_000)
    const [, sent = ''] = code.exec(mails.at(-1)!.text) ?? []
    expect(sent).toHaveLength(24)
    expect(told).not.toContain(sent)
    expect(told).not.toContain(Buffer.from(sent).toString('base64').slice(0, 20))
  })

  test('does the same work once a person has had the messages of a day', async () => {
    await setRoot(opened, ACCOUNT, EMAIL, PASSWORD)
    for (let n = 0; n < 51; n++) await ask(EMAIL)
    expect(mails).toHaveLength(50)
    expect(browser.page.text).toContain('Enter the code')
    const rows = await opened.store.reader.range(under('kernel', 'outbox-recipient', 'mail', 'pretended'))
    expect(rows).toHaveLength(1)
  })
})
