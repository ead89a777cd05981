/** SimpleSAMLphp as the SAML provider of a user pool: a browser begins at managed login and comes back as a user. */
import {
  CreateIdentityProviderCommand,
  CreateUserPoolDomainCommand,
  ListUsersCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { afterAll, expect, test } from 'vitest'
import { samlIdp } from '../../src/engines/saml/idp.fixture.ts'
import { poolFixture } from '../../src/services/cognitoidp/user-pool.fixture.ts'
import { Browser } from '../../src/services/signin/browser.fixture.ts'
import { type SimpleSaml, simpleSaml } from './simplesamlphp.ts'

const PORT = Number(process.env['MERLON_TEST_PORT'] ?? 46_800) + 10
const CALLBACK = 'https://app.corp.test/callback'
const HOST = 'people.auth.us-east-1.amazoncognito.com'

let idp: SimpleSaml | undefined
afterAll(() => idp?.stop())

test('A person signs in at SimpleSAMLphp and becomes a user of the pool, by name and mail', async () => {
  const it = await poolFixture()
  // SimpleSAMLphp judges times by the clock of this machine.
  expect(Math.abs(it.clock.now() - Date.now())).toBeLessThan(60_000)
  const { UserPoolId } = it
  idp = await simpleSaml({
    port: PORT,
    attributes: { uid: ['ann'], mail: ['ann@corp.test'] },
    encryptTo: samlIdp().certificatePem,
    serviceProviders: { [`urn:amazon:cognito:sp:${UserPoolId}`]: `http://${HOST}/saml2/idpresponse` },
  })
  await it.idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  await it.idp.send(
    new CreateIdentityProviderCommand({
      UserPoolId,
      ProviderName: 'corp',
      ProviderType: 'SAML',
      ProviderDetails: { MetadataFile: await idp.metadata() },
      AttributeMapping: { email: 'mail' },
    }),
  )
  const app = await it.newClient({
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthFlows: ['code'],
    AllowedOAuthScopes: ['openid'],
    CallbackURLs: [CALLBACK],
    SupportedIdentityProviders: ['corp'],
  })
  const query = new URLSearchParams({ client_id: app.ClientId!, redirect_uri: CALLBACK, response_type: 'code' })
  const browser = new Browser(it, HOST)
  await browser.open(`/login?${query}`)
  await browser.submit('/federate', { provider: 'corp' })

  const { SAMLResponse, RelayState } = await idp.answer(browser.page.location!, 'ann', 'annpass')
  const body = new URLSearchParams({ SAMLResponse, RelayState }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: `http://127.0.0.1:${PORT}` }
  const { location = '' } = await new Browser(it, HOST).request('POST', '/saml2/idpresponse', body, headers)

  expect((await browser.open(location)).location).toMatch(/^https:\/\/app\.corp\.test\/callback\?code=/)
  const { Users } = await it.idp.send(new ListUsersCommand({ UserPoolId }))
  expect(Users).toMatchObject([{ Username: 'corp_ann', UserStatus: 'EXTERNAL_PROVIDER' }])
  expect(Users![0]!.Attributes).toContainEqual({ Name: 'email', Value: 'ann@corp.test' })
})
