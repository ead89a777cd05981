/** Second factors and first ones that are codes: by text message, by mail, and the choice among them. */
import {
  AdminCreateUserCommand,
  AdminSetUserPasswordCommand,
  AssociateSoftwareTokenCommand,
  type ChallengeNameType,
  InitiateAuthCommand,
  RespondToAuthChallengeCommand,
  SetUserMFAPreferenceCommand,
  SetUserPoolMfaConfigCommand,
  VerifySoftwareTokenCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { expect, test } from 'vitest'
import { codeAt, stepAt } from '../../engines/totp/totp.ts'
import { PASSWORD, poolFixture } from './user-pool.fixture.ts'

const PHONE = '+4912345678'
/** Where text messages go without a webhook. */
const SMS = `${PHONE}@sms.merlon.internal`
const MAIL = 'ana@corp.test'

const bytesOf = (base32: string): Buffer => {
  const bits = [...base32]
    .map((char) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(char).toString(2).padStart(5, '0'))
    .join('')
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
}

async function pool(MfaConfiguration: 'ON' | 'OPTIONAL') {
  const it = await poolFixture({
    Policies: { SignInPolicy: { AllowedFirstAuthFactors: ['PASSWORD', 'SMS_OTP', 'EMAIL_OTP'] } },
    EmailConfiguration: {
      EmailSendingAccount: 'DEVELOPER',
      SourceArn: 'arn:aws:ses:us-east-1:111122223333:identity/a.test',
    },
  })
  const { idp, UserPoolId, ClientId } = it
  await idp.send(
    new SetUserPoolMfaConfigCommand({
      UserPoolId,
      MfaConfiguration,
      SoftwareTokenMfaConfiguration: { Enabled: true },
      SmsMfaConfiguration: {
        SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::111122223333:role/sms', ExternalId: 'x' },
      },
      EmailMfaConfiguration: { Subject: 'Your code', Message: 'Code: {####}' },
    }),
  )
  const person = async (Username: string, attributes: Record<string, string>) => {
    const UserAttributes = Object.entries(attributes).flatMap(([Name, Value]) => [
      { Name, Value },
      { Name: `${Name}_verified`, Value: 'true' },
    ])
    await idp.send(new AdminCreateUserCommand({ UserPoolId, Username, UserAttributes, MessageAction: 'SUPPRESS' }))
    await idp.send(new AdminSetUserPasswordCommand({ UserPoolId, Username, Password: PASSWORD, Permanent: true }))
  }
  const initiate = (USERNAME: string, more: Record<string, string> = { PASSWORD }) =>
    idp.send(
      new InitiateAuthCommand({
        ClientId,
        AuthFlow: more['PASSWORD'] === undefined ? 'USER_AUTH' : 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME, ...more },
      }),
    )
  const respond = (
    ChallengeName: ChallengeNameType,
    Session: string | undefined,
    USERNAME: string,
    responses: Record<string, string>,
  ) =>
    idp.send(
      new RespondToAuthChallengeCommand({
        ClientId,
        ChallengeName,
        Session,
        ChallengeResponses: { USERNAME, ...responses },
      }),
    )
  return { ...it, person, initiate, respond }
}

test('A pool that requires a second factor sends a code to the phone, or to the mailbox where there is no number', async () => {
  const it = await pool('ON')
  await it.person('ana', { email: MAIL, phone_number: PHONE })
  await it.person('bea', { email: 'bea@corp.test' })

  const byPhone = await it.initiate('ana')
  expect(byPhone).toMatchObject({
    ChallengeName: 'SMS_MFA',
    ChallengeParameters: { CODE_DELIVERY_DELIVERY_MEDIUM: 'SMS', CODE_DELIVERY_DESTINATION: '+*******5678' },
  })
  const code = await it.codeFor(SMS)
  const wrong = code === '000000' ? '000001' : '000000'
  await expect(it.respond('SMS_MFA', byPhone.Session, 'ana', { SMS_MFA_CODE: wrong })).rejects.toMatchObject({
    name: 'CodeMismatchException',
  })
  // The code of one person, or of another challenge, is good for no other.
  await expect(it.respond('SMS_MFA', byPhone.Session, 'bea', { SMS_MFA_CODE: code })).rejects.toMatchObject({
    name: 'NotAuthorizedException',
  })
  await expect(it.respond('EMAIL_OTP', byPhone.Session, 'ana', { EMAIL_OTP_CODE: code })).rejects.toMatchObject({
    name: 'InvalidParameterException',
  })
  expect(
    (await it.respond('SMS_MFA', byPhone.Session, 'ana', { SMS_MFA_CODE: code })).AuthenticationResult,
  ).toBeDefined()
  await expect(it.respond('SMS_MFA', byPhone.Session, 'ana', { SMS_MFA_CODE: code })).rejects.toMatchObject({
    name: 'NotAuthorizedException',
  })

  const byMail = await it.initiate('bea')
  expect(byMail).toMatchObject({ ChallengeName: 'EMAIL_OTP' })
  const EMAIL_OTP_CODE = await it.codeFor('bea@corp.test')
  expect((await it.respond('EMAIL_OTP', byMail.Session, 'bea', { EMAIL_OTP_CODE })).AuthenticationResult).toBeDefined()
})

test('A person without a phone or a mailbox sets up an authenticator app before the first tokens', async () => {
  const it = await pool('ON')
  await it.person('cid', {})
  const first = await it.initiate('cid')
  expect(first.ChallengeName).toBe('MFA_SETUP')
  // Nothing is set up yet.
  await expect(it.respond('MFA_SETUP', first.Session, 'cid', {})).rejects.toMatchObject({
    name: 'InvalidParameterException',
  })
  const { SecretCode, Session } = await it.idp.send(new AssociateSoftwareTokenCommand({ Session: first.Session }))
  const UserCode = codeAt(bytesOf(SecretCode!), stepAt(it.clock.now()))
  const verified = await it.idp.send(new VerifySoftwareTokenCommand({ Session, UserCode }))
  expect((await it.respond('MFA_SETUP', verified.Session, 'cid', {})).AuthenticationResult).toBeDefined()
  expect((await it.initiate('cid')).ChallengeName).toBe('SOFTWARE_TOKEN_MFA')
})

test('A person with two second factors and no preference chooses one, and only one of them', async () => {
  const it = await pool('OPTIONAL')
  await it.person('ana', { email: MAIL, phone_number: PHONE })
  const { AccessToken } = (await it.initiate('ana')).AuthenticationResult!
  await it.idp.send(
    new SetUserMFAPreferenceCommand({
      AccessToken,
      SMSMfaSettings: { Enabled: true },
      EmailMfaSettings: { Enabled: true },
    }),
  )
  const choice = await it.initiate('ana')
  expect(choice).toMatchObject({
    ChallengeName: 'SELECT_MFA_TYPE',
    ChallengeParameters: { MFAS_CAN_CHOOSE: '["SMS_MFA","EMAIL_OTP"]' },
  })
  await expect(
    it.respond('SELECT_MFA_TYPE', choice.Session, 'ana', { ANSWER: 'SOFTWARE_TOKEN_MFA' }),
  ).rejects.toMatchObject({ name: 'InvalidParameterException' })
  const chosen = await it.respond('SELECT_MFA_TYPE', choice.Session, 'ana', { ANSWER: 'EMAIL_OTP' })
  expect(chosen.ChallengeName).toBe('EMAIL_OTP')
  const EMAIL_OTP_CODE = await it.codeFor(MAIL)
  expect((await it.respond('EMAIL_OTP', chosen.Session, 'ana', { EMAIL_OTP_CODE })).AuthenticationResult).toBeDefined()
})

test('A code to the phone is a first factor, and proves nothing twice', async () => {
  const it = await pool('OPTIONAL')
  await it.person('ana', { email: MAIL, phone_number: PHONE })
  const signIn = async () => {
    const first = await it.initiate('ana', { PREFERRED_CHALLENGE: 'SMS_OTP' })
    expect(first.ChallengeName).toBe('SMS_OTP')
    return it.respond('SMS_OTP', first.Session, 'ana', { SMS_OTP_CODE: await it.codeFor(SMS) })
  }
  const { AccessToken } = (await signIn()).AuthenticationResult!
  const SMSMfaSettings = { Enabled: true, PreferredMfa: true }
  await it.idp.send(new SetUserMFAPreferenceCommand({ AccessToken, SMSMfaSettings }))
  expect((await signIn()).AuthenticationResult).toBeDefined()
})
