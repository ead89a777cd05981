/** Threat protection: the risk of a sign-in, its consequences, notices, feedback, leaked passwords, and the logs of a pool. */
import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import {
  type AccountTakeoverActionsType,
  AdminCreateUserCommand,
  AdminInitiateAuthCommand,
  AdminListUserAuthEventsCommand,
  AdminSetUserPasswordCommand,
  AdminUpdateAuthEventFeedbackCommand,
  CognitoIdentityProviderClient,
  ConfirmForgotPasswordCommand,
  CreateUserPoolDomainCommand,
  ForgotPasswordCommand,
  GetLogDeliveryConfigurationCommand,
  InitiateAuthCommand,
  SetLogDeliveryConfigurationCommand,
  SetRiskConfigurationCommand,
  SignUpCommand,
  UpdateAuthEventFeedbackCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { Browser } from '../signin/browser.fixture.ts'
import { PASSWORD, type PoolFixture, type PoolOptions, poolFixture, signInBySrp } from './user-pool.fixture.ts'

const LEAKED = 'Leaked-Pw-2019!'
const BERLIN = '192.0.2.10'
const SYDNEY = '198.51.100.10'
const PARIS = '203.0.113.10'

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'threats-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  vi.stubEnv('MERLON_GEOGRAPHY', file('geography.csv', '192.0.2.0/24,DE\n198.51.100.0/24,AU\n203.0.113.0/24,FR\n'))
  const digest = createHash('sha1').update(LEAKED).digest('hex').toUpperCase()
  vi.stubEnv('MERLON_COGNITO_COMPROMISED_PASSWORDS', file('leaked.txt', `${digest}:17\n`))
  return () => vi.unstubAllEnvs()
})

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const EDGE = 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0'

async function protectedPool(mode: 'AUDIT' | 'ENFORCED', options: PoolOptions = {}) {
  const it = await poolFixture({ UserPoolAddOns: { AdvancedSecurityMode: mode }, ...options })
  const { idp, UserPoolId, ClientId } = it
  const person = async (Username: string, Password = PASSWORD) => {
    const UserAttributes = [
      { Name: 'email', Value: `${Username}@corp.test` },
      { Name: 'email_verified', Value: 'true' },
    ]
    await idp.send(new AdminCreateUserCommand({ UserPoolId, Username, UserAttributes, MessageAction: 'SUPPRESS' }))
    await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password, Permanent: true }))
  }
  await person('ana')
  // Clients sign with the time at which they were made.
  const admin = () => it.client(CognitoIdentityProviderClient)
  const signIn = (IpAddress: string, agent = FIREFOX, PASSWORD_ = PASSWORD, USERNAME = 'ana') =>
    admin().send(
      new AdminInitiateAuthCommand({
        UserPoolId,
        ClientId,
        AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME, PASSWORD: PASSWORD_ },
        ContextData: {
          IpAddress,
          ServerName: 'app.corp.test',
          ServerPath: '/',
          HttpHeaders: [{ headerName: 'User-Agent', headerValue: agent }],
        },
      }),
    )
  const events = async (Username = 'ana') =>
    (await admin().send(new AdminListUserAuthEventsCommand({ UserPoolId, Username }))).AuthEvents!
  const configure = (Actions: AccountTakeoverActionsType, more: object = {}) =>
    admin().send(
      new SetRiskConfigurationCommand({
        UserPoolId,
        AccountTakeoverRiskConfiguration: { Actions },
        CompromisedCredentialsRiskConfiguration: { Actions: { EventAction: 'BLOCK' } },
        ...more,
      }),
    )
  return { ...it, admin, person, signIn, events, configure }
}

const BLOCK = { EventAction: 'BLOCK', Notify: false } as const
const PASS = { EventAction: 'NO_ACTION', Notify: false } as const
const DAY_MS = 24 * 60 * 60_000

describe('The risk of a sign-in', () => {
  test('is its device, network, country and way from the sign-in before it', async () => {
    const it = await protectedPool('AUDIT')
    const risk = async () => (await it.events())[0]!.EventRisk!
    await it.signIn(BERLIN)
    expect(await risk()).toEqual({ RiskDecision: 'NoRisk', CompromisedCredentialsDetected: false })
    await it.signIn('192.0.2.99')
    expect(await risk()).toMatchObject({ RiskDecision: 'NoRisk' })
    await it.signIn(BERLIN, EDGE)
    expect(await risk()).toMatchObject({ RiskDecision: 'AccountTakeover', RiskLevel: 'Low' })
    it.clock.advance(DAY_MS)
    await it.signIn(PARIS)
    expect(await risk()).toMatchObject({ RiskLevel: 'High' })
    // Australia is not reached in a minute.
    await it.signIn(BERLIN)
    it.clock.advance(60_000)
    await it.signIn(SYDNEY)
    expect((await it.events())[0]).toMatchObject({
      EventRisk: { RiskDecision: 'AccountTakeover', RiskLevel: 'High' },
      EventResponse: 'Pass',
      EventContextData: { IpAddress: SYDNEY, Country: 'AU', DeviceName: 'Firefox, Linux' },
      ChallengeResponses: [{ ChallengeName: 'Password', ChallengeResponse: 'Success' }],
    })
    it.clock.advance(2 * DAY_MS)
    await it.signIn(SYDNEY)
    expect(await risk()).toMatchObject({ RiskDecision: 'NoRisk' })
  })

  test('counts wrong passwords, which are events too, and of unknown users nothing', async () => {
    const it = await protectedPool('AUDIT')
    await it.signIn(BERLIN)
    for (let n = 0; n < 5; n++) await it.signIn(PARIS, EDGE, 'Wr0ng-Pw!').catch(() => undefined)
    await signInBySrp(it, { username: 'ana', password: 'Wr0ng-Pw!' }).catch(() => undefined)
    expect((await it.events())[0]).toMatchObject({
      EventResponse: 'Fail',
      ChallengeResponses: [{ ChallengeName: 'Password', ChallengeResponse: 'Failure' }],
    })
    it.clock.advance(60_000)
    await it.signIn(BERLIN, EDGE)
    expect((await it.events())[0]!.EventRisk).toMatchObject({ RiskLevel: 'Medium' })
    await expect(it.signIn(BERLIN, FIREFOX, PASSWORD, 'unknown')).rejects.toMatchObject({
      name: 'UserNotFoundException',
    })
  })

  test('stops a sign-in where it is enforced, with the event kept; exempt addresses are left alone', async () => {
    const it = await protectedPool('ENFORCED')
    await it.configure({ LowAction: PASS, MediumAction: BLOCK, HighAction: BLOCK })
    await it.signIn(BERLIN)
    await it.signIn(BERLIN, EDGE)
    await expect(it.signIn(SYDNEY)).rejects.toMatchObject({
      name: 'NotAuthorizedException',
      message: 'Unable to login because of security reasons.',
    })
    expect((await it.events())[0]).toMatchObject({ EventRisk: { RiskDecision: 'Block' }, EventResponse: 'Fail' })
    await it.configure({ HighAction: BLOCK }, { RiskExceptionConfiguration: { SkippedIPRangeList: [`${SYDNEY}/32`] } })
    expect((await it.signIn(SYDNEY)).AuthenticationResult).toBeDefined()
    expect((await it.events())[0]!.EventRisk).toMatchObject({ RiskDecision: 'NoRisk' })
  })

  test('demands a second factor, and stops users that have none', async () => {
    const it = await protectedPool('ENFORCED')
    await it.configure({ LowAction: { EventAction: 'MFA_IF_CONFIGURED', Notify: false }, HighAction: BLOCK })
    await it.signIn(BERLIN)
    expect((await it.signIn(BERLIN, EDGE)).AuthenticationResult).toBeDefined()
    await it.configure({ LowAction: { EventAction: 'MFA_REQUIRED', Notify: false } })
    await expect(it.signIn(BERLIN, 'curl/8')).rejects.toMatchObject({ name: 'NotAuthorizedException' })
  })
})

test('A notice tells the user, whose answer makes the device a risk or none', async () => {
  const it = await protectedPool('ENFORCED')
  const notify = {
    SourceArn: `arn:aws:ses:us-east-1:${ACCOUNT}:identity/corp.test`,
    BlockEmail: { Subject: 'Stopped', TextBody: 'Stopped {username} from {ip-address}, {country}: {feedback-token}' },
  }
  await it.configure(
    { HighAction: { EventAction: 'BLOCK', Notify: true } },
    {
      AccountTakeoverRiskConfiguration: {
        NotifyConfiguration: notify,
        Actions: { HighAction: { EventAction: 'BLOCK', Notify: true }, LowAction: BLOCK },
      },
    },
  )
  await it.signIn(BERLIN)
  await expect(it.signIn(SYDNEY)).rejects.toThrow()
  await it.jobs.runDue()
  const mail = it.mailer.delivered().findLast(({ to }) => to === 'ana@corp.test')!
  expect(mail.subject).toBe('Stopped')
  expect(mail.text).toContain(`Stopped ana from ${SYDNEY}, AU:`)
  const FeedbackToken = mail.text.split(': ')[1]!
  const [{ EventId }] = (await it.events()) as [{ EventId: string }]
  const { UserPoolId } = it
  const anonymous = it.client(CognitoIdentityProviderClient)
  const answer = (more: object) =>
    anonymous.send(
      new UpdateAuthEventFeedbackCommand({
        UserPoolId,
        Username: 'ana',
        EventId,
        FeedbackToken,
        FeedbackValue: 'Invalid',
        ...more,
      }),
    )
  for (const wrong of [{ FeedbackToken: `${FeedbackToken}A` }, { Username: 'bob' }, { EventId: 'other' }])
    await expect(answer(wrong)).rejects.toMatchObject({ name: 'NotAuthorizedException' })
  await answer({})
  expect((await it.events())[0]!.EventFeedback).toMatchObject({ FeedbackValue: 'Invalid', Provider: 'User' })
  // What the user disowned is a risk for ever, however long ago.
  it.clock.advance(2 * DAY_MS)
  await expect(it.signIn(SYDNEY)).rejects.toThrow('security reasons')
  const feedback = { UserPoolId, Username: 'ana', FeedbackValue: 'Valid' } as const
  for (const { EventId } of await it.events())
    await it.admin().send(new AdminUpdateAuthEventFeedbackCommand({ ...feedback, EventId }))
  it.clock.advance(8 * DAY_MS)
  await expect(answer({})).rejects.toMatchObject({ name: 'NotAuthorizedException' })
})

test('The link of a notice leads to a page, whose button is the answer', async () => {
  const it = await protectedPool('ENFORCED')
  const { UserPoolId } = it
  await it.idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  await it.configure({ HighAction: { EventAction: 'NO_ACTION', Notify: true } })
  await it.signIn(BERLIN)
  await it.signIn(SYDNEY)
  await it.jobs.runDue()
  const { text } = it.mailer.delivered().at(-1)!
  const [, invalid] = [...text.matchAll(/https:\S+/g)].map(([link]) => new URL(link))
  const browser = new Browser(it, invalid!.hostname)
  const page = await browser.open(`${invalid!.pathname}${invalid!.search}`)
  expect(page.text).toContain(SYDNEY)
  expect((await it.events())[0]!.EventFeedback).toBeUndefined()
  await browser.submit('/authEventFeedback')
  expect(browser.page.text).toContain('Thank you')
  expect((await it.events())[0]!.EventFeedback).toMatchObject({ FeedbackValue: 'Invalid', Provider: 'User' })
  const forged = await browser.open(`${invalid!.pathname}?token=AAAA&value=Valid`)
  expect(forged.status).toBe(400)
})

test('A password that has leaked is refused to new users and for changes, and stops sign-ins until it is reset', async () => {
  const it = await protectedPool('ENFORCED')
  const { idp, ClientId } = it
  await it.configure({})
  const signUp = (Username: string, Password: string) => idp.send(new SignUpCommand({ ClientId, Username, Password }))
  await expect(signUp('eve', LEAKED)).rejects.toMatchObject({
    name: 'InvalidPasswordException',
    message: 'Provided password cannot be used for security reasons.',
  })
  await signUp('eve', PASSWORD)
  await it.person('bea', LEAKED)
  const signIn = (PASSWORD_: string) =>
    idp.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'bea', PASSWORD: PASSWORD_ },
      }),
    )
  await expect(signIn(LEAKED)).rejects.toMatchObject({ name: 'PasswordResetRequiredException' })
  expect((await it.events('bea'))[0]).toMatchObject({
    EventResponse: 'Fail',
    EventRisk: { CompromisedCredentialsDetected: true },
  })
  await idp.send(new ForgotPasswordCommand({ ClientId, Username: 'bea' }))
  const ConfirmationCode = await it.codeFor('bea@corp.test')
  const recover = (Password: string) =>
    idp.send(new ConfirmForgotPasswordCommand({ ClientId, Username: 'bea', ConfirmationCode, Password }))
  await expect(recover(LEAKED)).rejects.toMatchObject({ name: 'InvalidPasswordException' })
  await recover(PASSWORD)
  expect((await signIn(PASSWORD)).AuthenticationResult).toBeDefined()

  // In audit mode it is recorded, no more.
  const audit = await protectedPool('AUDIT')
  await audit.configure({})
  await audit.person('bea', LEAKED)
  await audit.signIn(BERLIN, FIREFOX, LEAKED, 'bea')
  expect((await audit.events('bea'))[0]).toMatchObject({
    EventResponse: 'Pass',
    EventRisk: { CompromisedCredentialsDetected: true },
  })
})

describe('The logs of a pool', () => {
  const GROUP = '/people/cognito'
  const groupArn = `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:${GROUP}`

  async function logging(it: PoolFixture) {
    const logs = it.client(CloudWatchLogsClient)
    await logs.send(new CreateLogGroupCommand({ logGroupName: GROUP }))
    const { idp, UserPoolId } = it
    const set = (...LogConfigurations: object[]) =>
      idp.send(new SetLogDeliveryConfigurationCommand({ UserPoolId, LogConfigurations: LogConfigurations as never }))
    const messages = async () =>
      (await logs.send(new FilterLogEventsCommand({ logGroupName: GROUP }))).events!.map(({ message }) =>
        JSON.parse(message!),
      )
    return { logs, set, messages }
  }
  const toGroup = {
    EventSource: 'userAuthEvents',
    LogLevel: 'INFO',
    CloudWatchLogsConfiguration: { LogGroupArn: groupArn },
  }

  test('go to a log group, once its policy allows it, and wait where it refuses them', async () => {
    const it = await protectedPool('AUDIT')
    const { logs, set, messages } = await logging(it)
    expect((await set(toGroup)).LogDeliveryConfiguration).toEqual({
      UserPoolId: it.UserPoolId,
      LogConfigurations: [toGroup],
    })
    await it.signIn(BERLIN)
    await it.signIn(BERLIN, FIREFOX, 'Wr0ng-Pw!').catch(() => undefined)
    await it.pass(6_000)
    const found = await messages()
    expect(found.map(({ message }) => message.eventResponse).sort()).toEqual(['Fail', 'InProgress', 'Pass'])
    expect(found[0]).toMatchObject({
      eventSource: 'USER_ACTIVITY',
      logLevel: 'INFO',
      logSourceId: { userPoolId: it.UserPoolId },
      message: { eventType: 'SignIn', userName: 'ana', ipAddress: BERLIN, country: 'DE', riskDecision: 'NoRisk' },
    })
    expect(JSON.stringify(found)).not.toContain(PASSWORD)

    await logs.send(new DeleteLogGroupCommand({ logGroupName: GROUP }))
    await it.signIn(BERLIN)
    await it.pass(6_000)
    await logs.send(new CreateLogGroupCommand({ logGroupName: GROUP }))
    await it.pass(61_000)
    expect(await messages()).toHaveLength(2)

    await set()
    await it.signIn(BERLIN)
    await it.pass(6_000)
    expect(await messages()).toHaveLength(2)
    const { LogDeliveryConfiguration } = await it.idp.send(
      new GetLogDeliveryConfigurationCommand({ UserPoolId: it.UserPoolId }),
    )
    expect(LogDeliveryConfiguration!.LogConfigurations).toEqual([])
  })

  test('go to a bucket, by the hour', async () => {
    const it = await protectedPool('AUDIT')
    const { set } = await logging(it)
    const s3 = it.client(S3Client)
    await s3.send(new CreateBucketCommand({ Bucket: 'auth-logs' }))
    await set({
      EventSource: 'userAuthEvents',
      LogLevel: 'INFO',
      S3Configuration: { BucketArn: 'arn:aws:s3:::auth-logs' },
    })
    await it.signIn(BERLIN)
    await it.pass(6_000)
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'auth-logs' }))
    const [{ Key }] = Contents as [{ Key: string }]
    expect(Key).toMatch(
      new RegExp(`^AWSLogs/${ACCOUNT}/cognito-user-pools/us-east-1/${it.UserPoolId}/\\d{4}/\\d\\d/\\d\\d/\\d\\d/`),
    )
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'auth-logs', Key }))
    const lines = gunzipSync(await Body!.transformToByteArray())
      .toString()
      .trim()
      .split('\n')
    expect(lines.map((line) => JSON.parse(line).message.eventResponse)).toEqual(['InProgress', 'Pass'])
  })

  test('are configured by callers that may change the policy of the destination, to destinations that fit', async () => {
    const it = await protectedPool('AUDIT')
    const { set } = await logging(it)
    const { UserPoolId } = it
    const keys = await it.user('limited', allowing({ Action: 'cognito-idp:*', Resource: '*' }))
    const limited = it.client(CognitoIdentityProviderClient, keys)
    const LogConfigurations = [toGroup] as never
    await expect(
      limited.send(new SetLogDeliveryConfigurationCommand({ UserPoolId, LogConfigurations })),
    ).rejects.toMatchObject({ name: 'InvalidParameterException' })
    const wrong: readonly object[] = [
      { ...toGroup, LogLevel: 'ERROR' },
      { ...toGroup, CloudWatchLogsConfiguration: { LogGroupArn: groupArn.replace('us-east-1', 'eu-west-1') } },
      { ...toGroup, CloudWatchLogsConfiguration: { LogGroupArn: `${groupArn}-missing` } },
      { ...toGroup, CloudWatchLogsConfiguration: undefined },
      { ...toGroup, S3Configuration: { BucketArn: 'arn:aws:s3:::auth-logs' } },
      {
        EventSource: 'userNotification',
        LogLevel: 'ERROR',
        S3Configuration: { BucketArn: 'arn:aws:s3:::auth-logs' },
      },
    ]
    for (const each of wrong) await expect(set(each)).rejects.toMatchObject({ name: 'InvalidParameterException' })
    await expect(set(toGroup, toGroup)).rejects.toMatchObject({ name: 'InvalidParameterException' })
    const StreamArn = `arn:aws:firehose:us-east-1:${ACCOUNT}:deliverystream/logs`
    await expect(
      set({ ...toGroup, CloudWatchLogsConfiguration: undefined, FirehoseConfiguration: { StreamArn } }),
    ).rejects.toMatchObject({ name: 'NotImplemented' })
  })
})
