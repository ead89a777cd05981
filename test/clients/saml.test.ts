/** Single sign-on by SAML with the stock `aws` command: no key, only the response of an identity provider. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Idp, responseOf, samlIdp } from '../../src/engines/saml/idp.fixture.ts'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { installation, type Running, startMerlon } from '../process.ts'
import { cleanEnvironment, run } from './command.ts'

let merlon: Running
let idp: Idp
beforeAll(async () => {
  idp = samlIdp()
  merlon = await startMerlon(installation())
})
afterAll(() => merlon.stop())

test('A signed response becomes credentials that work, once', async () => {
  const { accountId, accessKeyId, secretAccessKey } = merlon.accounts[0]!
  const root = new Client({ credential: { accessKeyId, secret: secretAccessKey }, transport: overHttp(merlon.url) })
  await root.query('iam', 'CreateSAMLProvider', { Name: 'corp', SAMLMetadataDocument: idp.metadata })
  const provider = `arn:aws:iam::${accountId}:saml-provider/corp`
  const role = `arn:aws:iam::${accountId}:role/staff`
  const statement = {
    Effect: 'Allow',
    Principal: { Federated: provider },
    Action: 'sts:AssumeRoleWithSAML',
    Condition: { StringEquals: { 'saml:sub_type': 'persistent' } },
  }
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  await root.query('iam', 'CreateRole', { RoleName: 'staff', AssumeRolePolicyDocument })

  const response = Buffer.from(idp.sign(responseOf({ now: Date.now(), roles: [`${role},${provider}`] }))).toString(
    'base64',
  )
  const environment = {
    ...cleanEnvironment(),
    AWS_ENDPOINT_URL: merlon.url,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
  }
  const assume = () =>
    run(
      'aws',
      ['sts', 'assume-role-with-saml', '--role-arn', role, '--principal-arn', provider, '--saml-assertion', response],
      environment,
    )
  const first = await assume()
  expect(first.stderr).toBe('')
  const { Credentials: c } = JSON.parse(first.stdout)
  const me = await run('aws', ['sts', 'get-caller-identity'], {
    ...environment,
    AWS_ACCESS_KEY_ID: c.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: c.SecretAccessKey,
    AWS_SESSION_TOKEN: c.SessionToken,
  })

  expect(JSON.parse(me.stdout).Arn).toBe(`arn:aws:sts::${accountId}:assumed-role/staff/ann`)
  expect((await assume()).stderr).toContain('(InvalidIdentityToken)')
})
