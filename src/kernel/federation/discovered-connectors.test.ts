/** Connectors of providers that are known by their issuer: what is discovered, how often, and what is refused. */
import { expect, test } from 'vitest'
import { answeredCode } from '../../engines/oidc/sign-in.ts'
import { DiscoveredConnectors } from './discovered-connectors.ts'

const ISSUER = 'https://login.corp.test/realms/staff'
const corp = { id: 'corp', label: 'Corp', issuer: ISSUER, scope: 'openid email' }
const document = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/auth`,
  token_endpoint: `${ISSUER}/token`,
  jwks_uri: `${ISSUER}/keys`,
}
const MINUTE = 60_000

/** A provider that answers with a document, or not at all. */
function provider() {
  const state = { sent: [] as string[], document: document as object | undefined }
  const send = async ({ url }: { readonly url: string }) => {
    state.sent.push(url)
    if (!state.document) throw new Error('no answer')
    return { status: 200, body: JSON.stringify(state.document) }
  }
  return { state, connectors: new DiscoveredConnectors({ send }) }
}

test('endpoints are discovered once an hour, by one request for all who wait', async () => {
  const { state, connectors } = provider()

  const [connector] = await Promise.all([connectors.of(corp, 0), connectors.of(corp, 0), connectors.of(corp, 0)])

  expect(state.sent).toEqual([`${ISSUER}/.well-known/openid-configuration`])
  expect(connector).toMatchObject({
    id: 'corp',
    authorizationEndpoint: `${ISSUER}/auth`,
    tokenEndpoint: `${ISSUER}/token`,
    oidc: { issuer: ISSUER, jwksUri: `${ISSUER}/keys`, hasNonce: true },
    hasPkce: true,
    clientAuthentication: 'basic',
  })
  await connectors.of(corp, 59 * MINUTE)
  expect(state.sent).toHaveLength(1)
  state.document = {
    ...document,
    token_endpoint: `${ISSUER}/token2`,
    token_endpoint_auth_methods_supported: ['client_secret_post'],
  }
  await connectors.of(corp, 60 * MINUTE)
  await expect.poll(async () => (await connectors.of(corp, 60 * MINUTE)).tokenEndpoint).toBe(`${ISSUER}/token2`)
  expect((await connectors.of(corp, 60 * MINUTE)).clientAuthentication).toBe('body')
  expect(state.sent).toHaveLength(2)
})

test('a provider that does not answer is tried again after five seconds; what it said before stays in use', async () => {
  const { state, connectors } = provider()
  state.document = undefined
  await expect(connectors.of(corp, 0)).rejects.toMatchObject({ kind: 'provider' })
  state.document = document
  await expect(connectors.of(corp, 4_999)).rejects.toMatchObject({ kind: 'provider' })
  expect(state.sent).toHaveLength(1)
  await connectors.of(corp, 5_000)

  state.document = undefined
  await connectors.of(corp, 5_000 + 60 * MINUTE)
  await expect.poll(() => state.sent.length).toBe(3)
  expect((await connectors.of(corp, 5_001 + 60 * MINUTE)).tokenEndpoint).toBe(`${ISSUER}/token`)
})

test.each<[string, object]>([
  ['of another issuer', { ...document, issuer: 'https://evil.test' }],
  ['of every tenant', { ...document, issuer: 'https://login.corp.test/{tenantid}' }],
  ['without keys', { ...document, jwks_uri: undefined }],
  ['without a token endpoint', { ...document, token_endpoint: undefined }],
  ['with a token endpoint in plain HTTP', { ...document, token_endpoint: 'http://login.corp.test/token' }],
  ['with an address that is none', { ...document, authorization_endpoint: 'javascript:alert(1)' }],
])('a document %s is refused', async (_, found) => {
  const { state, connectors } = provider()
  state.document = found

  await expect(connectors.of(corp, 0)).rejects.toMatchObject({ kind: 'provider' })
})

test('a provider that says that it names itself must do so in each answer (mix-up)', async () => {
  const { state, connectors } = provider()
  state.document = { ...document, authorization_response_iss_parameter_supported: true }
  const connector = await connectors.of(corp, 0)
  const pending = {
    connector: 'corp',
    state: 's',
    nonce: 'n',
    verifier: 'v',
    redirectUri: 'https://m.test',
    startedAt: 0,
  }
  const answer = { state: 's', code: 'c' }

  expect(answeredCode(connector, pending, { ...answer, iss: ISSUER }, 0)).toBe('c')
  expect(() => answeredCode(connector, pending, answer, 0)).toThrow('does not name its provider')
  expect(() => answeredCode(connector, pending, { ...answer, iss: 'https://evil.test' }, 0)).toThrow('another provider')
})

test('addresses prove a person, but not in a tenant of Entra ID', async () => {
  const issuer = 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0'
  const { state, connectors } = provider()
  expect((await connectors.of(corp, 0)).verifiesEmail).toBe(true)
  state.document = { ...document, issuer }
  expect((await connectors.of({ ...corp, issuer }, 0)).verifiesEmail).toBe(false)
})
