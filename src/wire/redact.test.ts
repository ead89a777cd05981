/** What the audit trail keeps of a call. */
import { expect, it } from 'vitest'
import { serviceById } from './services.ts'
import { loadService, redact } from './wire.ts'

const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS'
const shapes = async (service: string, operation: string) =>
  (await loadService(serviceById.get(service)!)).operations.get(operation)!

it('members begin with a small letter, at every depth', async () => {
  const { input } = await shapes('iam', 'CreateUser')

  expect(redact(input, { UserName: 'bob', Tags: [{ Key: 'a', Value: 'b' }] })).toEqual({
    userName: 'bob',
    tags: [{ key: 'a', value: 'b' }],
  })
})

it('a new secret key is hidden and its id is not', async () => {
  const { output } = await shapes('iam', 'CreateAccessKey')
  const AccessKey = {
    UserName: 'bob',
    AccessKeyId: 'AKIA',
    SecretAccessKey: 'wJalr',
    Status: 'Active',
    CreateDate: new Date('2026-01-02T03:04:05.678Z'),
  }

  expect(redact(output, { AccessKey })).toEqual({
    accessKey: {
      userName: 'bob',
      accessKeyId: 'AKIA',
      secretAccessKey: HIDDEN,
      status: 'Active',
      createDate: '2026-01-02T03:04:05Z',
    },
  })
})

it.each([
  ['secretsmanager', 'CreateSecret', { Name: 'n', SecretString: 'hunter2' }],
  ['secretsmanager', 'CreateSecret', { Name: 'n', SecretBinary: Buffer.from('hunter2') }],
  ['kms', 'Encrypt', { KeyId: 'k', Plaintext: Buffer.from('hunter2') }],
  ['cognito-idp', 'SignUp', { ClientId: 'c', Username: 'u', Password: 'hunter2' }],
  ['cognito-idp', 'ConfirmSignUp', { ClientId: 'c', Username: 'u', ConfirmationCode: 'hunter2' }],
  [
    'cognito-idp',
    'ConfirmForgotPassword',
    { ClientId: 'c', Username: 'u', ConfirmationCode: 'hunter2', Password: 'x' },
  ],
  ['cognito-idp', 'VerifyUserAttribute', { AccessToken: 'a', AttributeName: 'email', Code: 'hunter2' }],
  ['cognito-idp', 'ConfirmDevice', { DeviceKey: 'd', DeviceSecretVerifierConfig: { PasswordVerifier: 'hunter2' } }],
  ['sso-oidc', 'CreateToken', { clientId: 'c', clientSecret: 's', grantType: 'g', code: 'hunter2' }],
  ['sso-oidc', 'CreateToken', { clientId: 'c', clientSecret: 's', grantType: 'g', deviceCode: 'hunter2' }],
  ['iam', 'CreateLoginProfile', { UserName: 'u', Password: 'hunter2' }],
  ['iam', 'ChangePassword', { OldPassword: 'hunter2', NewPassword: 'hunter2' }],
  ['sts', 'AssumeRoleWithWebIdentity', { RoleArn: 'r', RoleSessionName: 's', WebIdentityToken: 'hunter2' }],
  ['sts', 'AssumeRoleWithSAML', { RoleArn: 'r', PrincipalArn: 'p', SAMLAssertion: 'hunter2' }],
])('no secret of %s:%s reaches the trail', async (service, operation, input) => {
  const text = JSON.stringify(redact((await shapes(service, operation)).input, input))

  expect(text).not.toContain('hunter2')
  expect(text).not.toContain(Buffer.from('hunter2').toString('base64'))
})

it.each([
  [
    'sts',
    'AssumeRole',
    {
      Credentials: {
        AccessKeyId: 'ASIA',
        SecretAccessKey: 'hunter2',
        SessionToken: 'hunter2',
        Expiration: new Date(0),
      },
    },
  ],
  ['kms', 'Decrypt', { KeyId: 'k', Plaintext: Buffer.from('hunter2') }],
  [
    'iam',
    'CreateVirtualMFADevice',
    {
      VirtualMFADevice: {
        SerialNumber: 's',
        Base32StringSeed: Buffer.from('hunter2'),
        QRCodePNG: Buffer.from('hunter2'),
      },
    },
  ],
])('no secret answered by %s:%s reaches the trail', async (service, operation, output) => {
  const text = JSON.stringify(redact((await shapes(service, operation)).output, output))

  expect(text).not.toContain('hunter2')
  expect(text).not.toContain(Buffer.from('hunter2').toString('base64'))
})

it('an operation without output leaves null', async () => {
  expect(redact((await shapes('iam', 'DeleteUser')).output, {})).toBeNull()
})
