/** Responses of SimpleSAMLphp: plain and encrypted ones open a session, once. */
import { CreateRoleCommand, CreateSAMLProviderCommand, IAMClient } from '@aws-sdk/client-iam'
import { AssumeRoleWithSAMLCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Idp, samlIdp } from '../../src/engines/saml/idp.fixture.ts'
import { ACCOUNT, allowing, cloud, keysOf } from '../cloud.ts'
import { type SimpleSaml, simpleSaml } from './simplesamlphp.ts'

const PORT = Number(process.env['MERLON_TEST_PORT'] ?? 46_800) + 8
const PROVIDER = `arn:aws:iam::${ACCOUNT}:saml-provider/corp`
const ROLE = `arn:aws:iam::${ACCOUNT}:role/staff`
const AWS = 'https://aws.amazon.com/SAML/Attributes/'

let idp: SimpleSaml
let receiver: Idp
beforeAll(async () => {
  receiver = samlIdp()
  const attributes = {
    uid: ['ann'],
    [`${AWS}RoleSessionName`]: ['ann@corp.test'],
    [`${AWS}Role`]: [`${ROLE},${PROVIDER}`],
    [`${AWS}SessionDuration`]: ['1800'],
  }
  idp = await simpleSaml({ port: PORT, attributes, encryptTo: receiver.certificatePem })
})
afterAll(() => idp?.stop())

async function corp() {
  const it = await cloud()
  const iam = it.client(IAMClient)
  await iam.send(
    new CreateSAMLProviderCommand({
      Name: 'corp',
      SAMLMetadataDocument: await idp.metadata(),
      AssertionEncryptionMode: 'Allowed',
      AddPrivateKey: receiver.privateKeyPem,
    }),
  )
  const trust = allowing({
    Principal: { Federated: PROVIDER },
    Action: 'sts:AssumeRoleWithSAML',
    Condition: { StringEquals: { 'saml:sub_type': 'persistent' } },
  })
  await iam.send(new CreateRoleCommand({ RoleName: 'staff', AssumeRolePolicyDocument: trust }))
  const assume = (SAMLAssertion: string) =>
    it.client(STSClient).send(new AssumeRoleWithSAMLCommand({ RoleArn: ROLE, PrincipalArn: PROVIDER, SAMLAssertion }))
  return { ...it, assume }
}

describe.each(['urn:amazon:webservices', 'encrypted'])('A response for %s', (entity) => {
  test('opens a session, and no second one', async () => {
    const it = await corp()
    const response = await idp.response(entity, 'ann', 'annpass')
    const text = Buffer.from(response, 'base64').toString()
    expect(text.includes('EncryptedAssertion')).toBe(entity === 'encrypted')

    const answer = await it.assume(response)

    expect(answer).toMatchObject({ Subject: 'ann', Issuer: 'http://idp.corp.test', SubjectType: 'persistent' })
    const me = await it.client(STSClient, keysOf(answer)).send(new GetCallerIdentityCommand({}))
    expect(me.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/staff/ann@corp.test`)
    await expect(it.assume(response)).rejects.toMatchObject({ name: 'InvalidIdentityTokenException' })
  })

  test('that was changed opens none', async () => {
    const it = await corp()
    const text = Buffer.from(await idp.response(entity, 'ann', 'annpass'), 'base64').toString()
    const changed = entity === 'encrypted' ? text.replace(/(CipherValue>)(.)/, '$1A') : text.replace('>ann<', '>root<')

    await expect(it.assume(Buffer.from(changed).toString('base64'))).rejects.toMatchObject({
      name: 'InvalidIdentityTokenException',
    })
  })
})
