/** Signing in at a SAML provider, as a browser and the provider see it: mapping, links, sign-out, and answers that open nothing. */
import { createVerify, X509Certificate } from 'node:crypto'
import { inflateRawSync } from 'node:zlib'
import {
  AdminCreateUserCommand,
  AdminDisableUserCommand,
  AdminLinkProviderForUserCommand,
  CreateIdentityProviderCommand,
  CreateUserPoolDomainCommand,
  DescribeIdentityProviderCommand,
  GetSigningCertificateCommand,
  ListUsersCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { expect, test } from 'vitest'
import { ENTITY, responseOf, type Statement, samlIdp } from '../../../engines/saml/idp.fixture.ts'
import { federationHttp } from '../../../kernel/ports/federation-http.ts'
import { provide } from '../../../kernel/ports/port.ts'
import { Browser } from '../../signin/browser.fixture.ts'
import { poolFixture } from '../user-pool.fixture.ts'

const CALLBACK = 'https://app.corp.test/callback'
const SIGNED_OUT = 'https://app.corp.test/bye'
const HOST = 'people.auth.us-east-1.amazoncognito.com'
const ACS = `http://${HOST}/saml2/idpresponse`
const form = { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://idp.corp.test' }
const idp = samlIdp()
const REDIRECT = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
const METADATA = idp.metadata.replace(
  '</IDPSSODescriptor>',
  `<SingleSignOnService Binding="${REDIRECT}" Location="https://idp.corp.test/sso"/><SingleLogoutService Binding="${REDIRECT}" Location="https://idp.corp.test/slo?x=1"/></IDPSSODescriptor>`,
)

async function federated(details: Record<string, string> = { MetadataFile: METADATA }) {
  const served: { document?: string } = {}
  const send = async () => ({ status: served.document ? 200 : 404, body: served.document ?? '' })
  const it = await poolFixture({}, {}, { provides: [provide(federationHttp, { send })] })
  const { idp: api, UserPoolId } = it
  await api.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people' }))
  const create = (ProviderDetails: Record<string, string>, ProviderName = 'corp') =>
    api.send(
      new CreateIdentityProviderCommand({
        UserPoolId,
        ProviderName,
        ProviderType: 'SAML',
        ProviderDetails,
        AttributeMapping: { email: 'urn:mail', name: 'cn' },
      }),
    )
  await create(details)
  const app = await it.newClient({
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthFlows: ['code'],
    AllowedOAuthScopes: ['openid', 'profile'],
    CallbackURLs: [CALLBACK],
    LogoutURLs: [SIGNED_OUT],
    SupportedIdentityProviders: ['corp'],
  })
  const query = new URLSearchParams({
    client_id: app.ClientId!,
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid profile',
    state: 's',
  })
  /** To the provider: its request as it reads it. */
  const begin = async () => {
    const browser = new Browser(it, HOST)
    const page = await browser.open(`/login?${query}`)
    expect(page.text).toContain('Continue with corp')
    expect(page.headers['content-security-policy']).toContain('https://idp.corp.test')
    await browser.submit('/federate', { provider: 'corp' })
    const address = new URL(browser.page.location!)
    const xml = inflateRawSync(Buffer.from(address.searchParams.get('SAMLRequest')!, 'base64')).toString()
    return {
      browser,
      address,
      xml,
      id: / ID="([^"]*)"/.exec(xml)![1]!,
      relayState: address.searchParams.get('RelayState')!,
    }
  }
  type Begun = Awaited<ReturnType<typeof begin>>
  const response = (begun: Pick<Begun, 'id'>, more: Partial<Statement> = {}) =>
    responseOf({
      now: it.clock.now(),
      roles: [],
      audience: `urn:amazon:cognito:sp:${UserPoolId}`,
      recipient: ACS,
      nameId: 'ana',
      inResponseTo: begun.id,
      attributes: { 'urn:mail': ['ana@corp.test'], cn: ['Ana'] },
      ...more,
    })
  /** The browser posts the answer without its cookies, as the form comes from another site. */
  const post = async (begun: Begun, xml: string, relayState = begun.relayState) => {
    const body = new URLSearchParams({ SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: relayState })
    return new Browser(it, HOST).request('POST', '/saml2/idpresponse', body.toString(), form)
  }
  const users = async () => (await api.send(new ListUsersCommand({ UserPoolId }))).Users!
  const signIn = async (more: Partial<Statement> = {}) => {
    const begun = await begin()
    const answered = await post(begun, idp.sign(response(begun, more)))
    return { ...begun, ticket: answered.location, page: await begun.browser.open(answered.location!) }
  }
  const claims = async (browser: Browser) => {
    const code = new URL(browser.page.location!).searchParams.get('code')!
    const fields = { grant_type: 'authorization_code', client_id: app.ClientId!, code, redirect_uri: CALLBACK }
    const answer = await new Browser(it, HOST).request(
      'POST',
      '/oauth2/token',
      new URLSearchParams(fields).toString(),
      form,
    )
    return JSON.parse(Buffer.from(JSON.parse(answer.text).id_token.split('.')[1]!, 'base64url').toString())
  }
  return { ...it, api, served, app, create, begin, response, post, signIn, users, claims }
}

test('A person of a SAML provider becomes a user, once, by the mapping of each sign-in', async () => {
  const it = await federated()
  const first = await it.signIn()
  expect(`${first.address.origin}${first.address.pathname}`).toBe('https://idp.corp.test/sso')
  expect(first.xml).toContain(`AssertionConsumerServiceURL="${ACS}"`)
  expect(first.xml).toContain(`urn:amazon:cognito:sp:${it.UserPoolId}`)
  expect(first.page.location).toMatch(/^https:\/\/app\.corp\.test\/callback\?/)
  expect(await it.claims(first.browser)).toMatchObject({
    'cognito:username': 'corp_ana',
    email: 'ana@corp.test',
    email_verified: false,
    name: 'Ana',
    identities: [{ providerName: 'corp', providerType: 'SAML', userId: 'ana', issuer: ENTITY, primary: 'true' }],
  })

  await it.signIn({ attributes: { 'urn:mail': ['ana@corp.test'], cn: ['Ana', 'Anna'] } })
  const users = await it.users()
  expect(users).toHaveLength(1)
  expect(users[0]).toMatchObject({
    UserStatus: 'EXTERNAL_PROVIDER',
    Attributes: expect.arrayContaining([{ Name: 'name', Value: '[Ana, Anna]' }]),
  })
  await it.api.send(new AdminDisableUserCommand({ UserPoolId: it.UserPoolId, Username: 'corp_ana' }))
  const begun = await it.begin()
  expect((await it.post(begun, idp.sign(it.response(begun)))).status).toBe(400)
}, 60_000)

test('An answer counts for its request, this pool and this browser, signed, in time, and once', async () => {
  const it = await federated()
  const other = samlIdp()
  const wrong: Readonly<Record<string, Partial<Statement>>> = {
    'another audience': { audience: 'urn:amazon:cognito:sp:us-east-1_Other' },
    'another recipient': { recipient: `${ACS}/x` },
    'another issuer': { issuer: 'https://evil.test' },
    'another request': { inResponseTo: '_other' },
    expired: { notOnOrAfter: it.clock.now() },
    failed: { status: 'urn:oasis:names:tc:SAML:2.0:status:Responder' },
  }
  for (const [name, more] of Object.entries(wrong)) {
    const begun = await it.begin()
    expect([name, (await it.post(begun, idp.sign(it.response(begun, more)))).status]).toEqual([name, 400])
  }
  const begun = await it.begin()
  const signed = idp.sign(it.response(begun))
  expect((await it.post(begun, it.response(begun))).status).toBe(400)
  expect((await it.post(begun, other.sign(it.response(begun)))).status).toBe(400)
  expect((await it.post(begun, signed.replace('>ana<', '>root<'))).status).toBe(400)
  expect((await it.post(begun, signed, 'forged')).status).toBe(400)
  expect((await it.post(begun, signed, '')).status).toBe(400)
  expect(await it.users()).toEqual([])
  const answered = await it.post(begun, signed)
  expect(answered.status).toBe(303)
  expect((await it.post(begun, signed)).status).toBe(400)
  expect((await it.post(begun, idp.sign(it.response(begun)))).status).toBe(400)

  const stranger = new Browser(it, HOST)
  await stranger.open('/login')
  expect((await stranger.open(answered.location!)).status).toBe(400)
  expect((await begun.browser.open(answered.location!)).location).toContain('code=')
  expect((await begun.browser.open(answered.location!)).status).toBe(400)
  const late = await it.begin()
  it.clock.advance(11 * 60_000)
  expect((await it.post(late, idp.sign(it.response(late)))).status).toBe(400)
}, 60_000)

test('A linked person signs in as the user of the pool', async () => {
  const it = await federated()
  const { UserPoolId } = it
  await it.api.send(new AdminCreateUserCommand({ UserPoolId, Username: 'boss', MessageAction: 'SUPPRESS' }))
  await it.api.send(
    new AdminLinkProviderForUserCommand({
      UserPoolId,
      DestinationUser: { ProviderName: 'Cognito', ProviderAttributeValue: 'boss' },
      SourceUser: { ProviderName: 'corp', ProviderAttributeName: 'Cognito_Subject', ProviderAttributeValue: 'ana' },
    }),
  )
  const { browser } = await it.signIn()
  expect(await it.claims(browser)).toMatchObject({ 'cognito:username': 'boss', name: 'Ana' })
  expect(await it.users()).toHaveLength(1)
}, 60_000)

test('Signing out ends the session of the provider, too, where it is configured so; requests are signed by the pool', async () => {
  const it = await federated({ MetadataFile: METADATA, IDPSignout: 'true', RequestSigningAlgorithm: 'rsa-sha256' })
  const { Certificate } = await it.api.send(new GetSigningCertificateCommand({ UserPoolId: it.UserPoolId }))
  const { publicKey } = new X509Certificate(Buffer.from(Certificate!, 'base64'))
  const isSigned = ({ search }: URL) => {
    const [covered = '', signature = ''] = search.slice(1).replace(/^x=1&/, '').split('&Signature=')
    const bytes = Buffer.from(decodeURIComponent(signature), 'base64')
    return createVerify('sha256').update(covered).verify(publicKey, bytes)
  }
  const { browser, address } = await it.signIn()
  expect(isSigned(address)).toBe(true)
  const query = new URLSearchParams({ client_id: it.app.ClientId!, logout_uri: SIGNED_OUT })

  await browser.open(`/logout?${query}`)

  const out = new URL(browser.page.location!)
  expect(`${out.origin}${out.pathname}`).toBe('https://idp.corp.test/slo')
  expect(isSigned(out)).toBe(true)
  const xml = inflateRawSync(Buffer.from(out.searchParams.get('SAMLRequest')!, 'base64')).toString()
  expect(xml).toMatch(/<saml:NameID [^>]*nameid-format:persistent">ana<\/saml:NameID>/)
  const back = new URLSearchParams({ RelayState: out.searchParams.get('RelayState')!, SAMLResponse: 'x' })
  expect((await browser.open(`/saml2/logout?${back}`)).location).toBe(SIGNED_OUT)
  expect((await browser.open('/saml2/logout?RelayState=forged')).status).toBe(400)
  // The session has ended: the next sign-out goes straight to the app.
  expect((await browser.open(`/logout?${query}`)).location).toBe(SIGNED_OUT)
}, 60_000)

test('Metadata comes by document or address, is checked, and is read again every six hours', async () => {
  const it = await federated()
  const described = await it.api.send(
    new DescribeIdentityProviderCommand({ UserPoolId: it.UserPoolId, ProviderName: 'corp' }),
  )
  expect(described.IdentityProvider!.ProviderDetails).toEqual({
    MetadataFile: METADATA,
    SSORedirectBindingURI: 'https://idp.corp.test/sso',
    SLORedirectBindingURI: 'https://idp.corp.test/slo?x=1',
  })
  const MetadataURL = 'https://idp.corp.test/metadata'
  for (const [details, text] of [
    [{}, 'either'],
    [{ MetadataFile: METADATA, MetadataURL }, 'either'],
    [{ MetadataFile: '<x/>' }, 'EntityDescriptor'],
    [{ MetadataFile: idp.metadata }, 'HTTP-Redirect'],
    [{ MetadataURL: 'http://idp.corp.test/' }, 'HTTPS'],
    [{ MetadataURL }, '404'],
  ] as const)
    await expect(it.create({ ...details }, 'other')).rejects.toThrow(text)

  const rotated = samlIdp()
  const other = await federated({ MetadataFile: METADATA })
  other.served.document = METADATA
  await other.create({ MetadataURL }, 'byurl')
  const app = await other.newClient({
    AllowedOAuthFlowsUserPoolClient: true,
    AllowedOAuthFlows: ['code'],
    AllowedOAuthScopes: ['openid'],
    CallbackURLs: [CALLBACK],
    SupportedIdentityProviders: ['byurl'],
  })
  const query = new URLSearchParams({ client_id: app.ClientId!, redirect_uri: CALLBACK, response_type: 'code' })
  const attempt = async (by: typeof idp) => {
    const browser = new Browser(other, HOST)
    await browser.open(`/login?${query}`)
    await browser.submit('/federate', { provider: 'byurl' })
    const address = new URL(browser.page.location!)
    const xml = inflateRawSync(Buffer.from(address.searchParams.get('SAMLRequest')!, 'base64')).toString()
    const answer = by.sign(other.response({ id: / ID="([^"]*)"/.exec(xml)![1]! }))
    const fields = {
      SAMLResponse: Buffer.from(answer).toString('base64'),
      RelayState: address.searchParams.get('RelayState')!,
    }
    return (await browser.request('POST', '/saml2/idpresponse', new URLSearchParams(fields).toString(), form)).status
  }
  other.served.document = METADATA.replace(idp.certificate, rotated.certificate)
  expect([await attempt(idp), await attempt(rotated)]).toEqual([303, 400])
  other.clock.advance(6 * 3600_000)
  expect([await attempt(rotated), await attempt(idp)]).toEqual([303, 400])
  // A provider that cannot be reached is remembered.
  other.served.document = ''
  other.clock.advance(6 * 3600_000)
  expect(await attempt(rotated)).toBe(303)
  // It is requested again after five minutes, not at each sign-in.
  other.served.document = METADATA
  expect(await attempt(rotated)).toBe(303)
  other.clock.advance(5 * 60_000)
  expect([await attempt(idp), await attempt(rotated)]).toEqual([303, 400])
}, 60_000)
