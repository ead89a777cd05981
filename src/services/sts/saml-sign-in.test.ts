/** A response posted to the sign-in page: the roles it allows, and the session of the one that is chosen. */
import {
  CreateAccountAliasCommand,
  CreateRoleCommand,
  CreateSAMLProviderCommand,
  GetSAMLProviderCommand,
  IAMClient,
} from '@aws-sdk/client-iam'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { beforeAll, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, keysOf, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { encryptedResponse, type Idp, responseOf, type Statement, samlIdp } from '../../engines/saml/idp.fixture.ts'
import { samlSignInPort } from './saml-sign-in.ts'
import { sts } from './words.ts'

const PROVIDER = `arn:aws:iam::${ACCOUNT}:saml-provider/corp`
const role = (name: string, account = ACCOUNT) => `arn:aws:iam::${account}:role/${name}`
const pair = (name: string) => `${role(name)},${PROVIDER}`
const CLIENT = { remoteAddress: '192.0.2.7', userAgent: 'Firefox', isSecure: true }
const ORIGIN = 'https://merlon.example'

let idp: Idp
let other: Idp
beforeAll(() => {
  idp = samlIdp()
  other = samlIdp()
})

async function signIn(condition: object = {}, origins: readonly string[] = [ORIGIN]) {
  const it = await cloud()
  const iam = it.client(IAMClient)
  await iam.send(
    new CreateSAMLProviderCommand({
      Name: 'corp',
      SAMLMetadataDocument: idp.metadata,
      AssertionEncryptionMode: 'Allowed',
      AddPrivateKey: other.privateKeyPem,
    }),
  )
  for (const RoleName of ['staff', 'admin']) {
    const trust = allowing({
      Principal: { Federated: PROVIDER },
      Action: 'sts:AssumeRoleWithSAML',
      Condition: condition,
    })
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }))
  }
  const port = samlSignInPort({
    reader: it.store.reader,
    identities: () => it.ports.identity,
    accounts: () => it.ports.accounts,
    now: () => it.clock.now(),
    origins: () => origins,
  })
  const response = (statement: Partial<Statement> = {}, by = idp) =>
    by.sign(responseOf({ now: it.clock.now(), roles: [pair('staff'), pair('admin')], ...statement }))
  const inspect = (xml: string, providerId?: string, webOrigin = ORIGIN) =>
    port.inspect({ response: Buffer.from(xml).toString('base64'), webOrigin, providerId })
  const choose = (xml: string, name: string) =>
    it.gate.actAs(
      { service: 'signin.amazonaws.com', account: ACCOUNT, region: 'eu-west-1', source: '', client: CLIENT },
      sts.api,
      'AssumeRoleWithSAML',
      { RoleArn: role(name), PrincipalArn: PROVIDER, SAMLAssertion: Buffer.from(xml).toString('base64') },
    )
  return { ...it, iam, response, inspect, choose }
}

test('Of the providers that a response names, only those of its issuer are verified', async () => {
  const it = await signIn()
  const elsewhere = `arn:aws:iam::${ACCOUNT}:saml-provider/elsewhere`
  const SAMLMetadataDocument = samlIdp('https://other.test/saml').metadata
  await it.iam.send(new CreateSAMLProviderCommand({ Name: 'elsewhere', SAMLMetadataDocument }))
  const pairs = [`${role('staff')},${elsewhere}`, pair('staff')]

  const found = await it.inspect(it.response({ roles: pairs }))
  expect(found).toMatchObject({ outcome: 'verified', roles: [{ roleArn: role('staff'), providerArn: PROVIDER }] })
  // It is not even a signature that is looked at: the issuer alone passes the provider over.
  const unsigned = responseOf({ now: it.clock.now(), roles: [`${role('staff')},${elsewhere}`] })
  expect(await it.inspect(unsigned)).toMatchObject({
    outcome: 'refused',
    message: 'Issuer not present in specified provider',
  })
})

describe('A verified response', () => {
  test('names its roles as often as it is inspected, and opens one session', async () => {
    const it = await signIn({ IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } })
    await it.iam.send(new CreateAccountAliasCommand({ AccountAlias: 'corp' }))
    const xml = it.response()

    const found = await it.inspect(xml)
    expect(found).toEqual(await it.inspect(xml))
    expect(found).toMatchObject({
      outcome: 'verified',
      subject: 'ann@corp.test',
      sessionName: 'ann',
      roles: [
        { roleArn: role('staff'), roleName: 'staff', providerArn: PROVIDER, accountId: ACCOUNT, accountAlias: 'corp' },
        { roleArn: role('admin'), roleName: 'admin', accountName: 'test' },
      ],
    })

    const session = await it.choose(xml, 'admin')
    const me = await it.client(STSClient, keysOf(session)).send(new GetCallerIdentityCommand({}))
    expect(me.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/admin/ann`)
    await expect(it.choose(xml, 'staff')).rejects.toMatchObject({ code: 'InvalidIdentityTokenException' })
    expect(await it.inspect(xml)).toEqual({
      outcome: 'refused',
      code: 'InvalidIdentityTokenException',
      message: 'The assertion has been used already.',
    })
    const [event] = (await it.store.log({ account: ACCOUNT, limit: 100 }))
      .map(({ body }) => JSON.parse(body))
      .filter(({ eventName, errorCode }) => eventName === 'AssumeRoleWithSAML' && !errorCode)
    expect(event).toMatchObject({ sourceIPAddress: '192.0.2.7', userAgent: 'Firefox', awsRegion: 'eu-west-1' })
  })

  test('may be for a configured address, and for no address that only the request names', async () => {
    const own = await signIn()
    expect(await own.inspect(own.response({ recipient: `${ORIGIN}/saml` }))).toMatchObject({ outcome: 'verified' })
    expect(await own.inspect(own.response({ recipient: `${ORIGIN}/saml/x` }))).toMatchObject({ outcome: 'refused' })

    const none = await signIn({}, [])
    expect(await none.inspect(none.response({ recipient: `${ORIGIN}/saml` }))).toMatchObject({ outcome: 'refused' })
    const local = 'http://localhost:4566'
    expect(await none.inspect(none.response({ recipient: `${local}/saml` }), undefined, local)).toMatchObject({
      outcome: 'verified',
    })
  })

  test('shows only roles of the provider that signed it, in its own account', async () => {
    const it = await signIn()
    await it.account()
    const elsewhere = `arn:aws:iam::${OTHER_ACCOUNT}:saml-provider/corp`
    const roles = [pair('staff'), `${role('x', OTHER_ACCOUNT)},${PROVIDER}`, `${role('y', OTHER_ACCOUNT)},${elsewhere}`]

    expect(await it.inspect(it.response({ roles }))).toMatchObject({ roles: [{ roleArn: role('staff') }] })
  })

  test('that is encrypted is found by the provider’s id in the address', async () => {
    const it = await signIn()
    const { SAMLProviderUUID } = await it.iam.send(new GetSAMLProviderCommand({ SAMLProviderArn: PROVIDER }))
    const recipient = `${ORIGIN}/saml/acs/${SAMLProviderUUID}`
    const xml = encryptedResponse(it.response({ recipient }), other.certificatePem)

    expect(await it.inspect(xml, SAMLProviderUUID)).toMatchObject({ outcome: 'verified', subject: 'ann@corp.test' })
    expect(await it.inspect(xml)).toMatchObject({ outcome: 'refused' })
    expect(await it.inspect(xml, 'unknown')).toMatchObject({ outcome: 'refused' })
  })
})

describe('A response is refused', () => {
  test.each<[string, (it: Awaited<ReturnType<typeof signIn>>) => string, string]>([
    ['signed by another key', (it) => it.response({}, other), 'InvalidIdentityToken'],
    [
      'without a signature',
      (it) => responseOf({ now: it.clock.now(), roles: [pair('staff')] }),
      'InvalidIdentityToken',
    ],
    ['that names no provider', (it) => it.response({ roles: [] }), 'InvalidIdentityTokenException'],
    ['that is too old', (it) => it.response({ issuedAt: it.clock.now() - 400_000 }), 'ExpiredTokenException'],
    ['that is no XML', () => 'hello', 'InvalidIdentityToken'],
  ])('%s', async (_, xml, code) => {
    const it = await signIn()

    expect(await it.inspect(xml(it))).toMatchObject({ outcome: 'refused', code })
  })
})
