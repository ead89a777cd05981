/** Each social button's whole round trip, and the answers that must open nothing. */
import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Connector, type ConnectorId, connectorAt, connectors } from '../../engines/oidc/connectors.ts'
import type { ClientSettings } from '../../engines/oidc/sign-in.ts'
import { type SocialIdp, socialIdp } from '../../planes/social-idp/social-idp.ts'
import type { FederationHttpPort, FederationRequest } from '../ports/federation-http.ts'
import { RelyingParty, type SignInAnswer } from './relying-party.ts'

const apple = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const settings: ClientSettings = { clientId: 'client', clientSecret: 'secret' }
const appleSettings: ClientSettings = {
  clientId: 'client',
  teamId: 'TEAM123456',
  keyId: 'KEY1234567',
  privateKey: apple.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
}
const settingsOf = (id: ConnectorId) => (id === 'apple' ? appleSettings : settings)
const redirectOf = (id: ConnectorId) => `https://merlon.example/oidc/callback/${id}`

let idp: SocialIdp
beforeAll(async () => {
  const applePublicKey = apple.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  idp = await socialIdp({ port: 0, applePublicKey })
})
afterAll(() => idp.close())

const send = async ({ method, url, headers, form }: FederationRequest) => {
  const response = await fetch(url, {
    method,
    headers: { ...headers },
    ...(form && { body: new URLSearchParams(form) }),
  })
  return { status: response.status, body: await response.text() }
}

/** A browser: follows to the imitation, chooses the first person, and brings back what it is sent with. */
async function browse(url: string): Promise<SignInAnswer> {
  const page = await (await fetch(url)).text()
  const [, choice = ''] = /href="(\?[^"]*person=1001[^"]*)"/.exec(page) ?? []
  const answer = await fetch(new URL(choice.replaceAll('&amp;', '&'), url), { redirect: 'manual' })
  const location = answer.headers.get('location')
  if (location) return Object.fromEntries(new URL(location).searchParams)
  const fields = [...(await answer.text()).matchAll(/name="([^"]*)" value="([^"]*)"/g)]
  return Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value.replaceAll('&quot;', '"')]))
}

const all = Object.keys(connectors) as readonly ConnectorId[]

async function begun(id: ConnectorId, http: FederationHttpPort['send'] = send, more: Partial<Connector> = {}) {
  const connector = { ...connectorAt(connectors[id], idp.url), ...more }
  const party = new RelyingParty({ send: http })
  const { url, pending } = party.begin(connector, settingsOf(id), redirectOf(id), Date.now())
  const finish = (answer: SignInAnswer, kept: typeof pending | undefined = pending, now = Date.now(), as = connector) =>
    party.finish(as, settingsOf(id), kept, answer, now)
  return { url, pending, finish, connector }
}

describe.each(all)('The button of %s', (id) => {
  test('signs a person in', async () => {
    const { url, finish } = await begun(id)

    const person = await finish(await browse(url))

    expect(person.subject).toBe(id === 'amazon' ? 'amzn1.account.1001' : '1001')
    expect(person.name).toBe('Ann Example')
    expect(person.email).toBe(id === 'x' ? undefined : 'ann@example.com')
    expect(person.isEmailVerified).toBe(['google', 'apple', 'linkedin'].includes(id))
  })

  test('refuses answers to other sign-ins, late ones, used ones and those of other buttons', async () => {
    const { url, finish, pending } = await begun(id)
    const answer = await browse(url)
    const stranger = await begun(id)
    const other = await begun(id === 'google' ? 'apple' : 'google')

    await expect(finish({ ...answer, state: 'x' })).rejects.toMatchObject({ kind: 'state' })
    await expect(finish({ code: answer['code'] })).rejects.toMatchObject({ kind: 'state' })
    await expect(stranger.finish(answer)).rejects.toMatchObject({ kind: 'state' })
    await expect(other.finish(answer, pending)).rejects.toMatchObject({ kind: 'state' })
    await expect(finish(answer, pending, Date.now() + 11 * 60_000)).rejects.toMatchObject({ kind: 'expired' })
    await expect(finish({ state: pending.state, error: 'access_denied' })).rejects.toMatchObject({ kind: 'denied' })
    await expect(finish({ state: pending.state })).rejects.toMatchObject({ kind: 'provider' })
    // A code that another browser got, put into this one (login CSRF): PKCE or the nonce, and its one use, refuse it.
    await finish(answer)
    await expect(finish(answer)).rejects.toMatchObject({ kind: 'provider' })
  })

  test('refuses a provider that does not answer as it must', async () => {
    const down = await begun(id, () => Promise.reject(new Error('no answer')))
    const failing = await begun(id, async () => ({ status: 500, body: '' }))
    const odd = await begun(id, async () => ({ status: 200, body: '[]' }))
    const empty = await begun(id, async () => ({ status: 200, body: '{}' }))

    for (const each of [down, failing, odd, empty])
      await expect(each.finish(await browse(each.url))).rejects.toMatchObject({ kind: 'provider' })
  })
})

test('Facebook is sent a proof of the client’s secret with each access token', async () => {
  const { url, finish } = await begun('facebook', (request) =>
    send({ ...request, url: request.url.replace(/appsecret_proof=[0-9a-f]{64}/, 'appsecret_proof=00') }),
  )

  await expect(finish(await browse(url))).rejects.toMatchObject({ kind: 'provider' })
})

test('A code of another browser is refused by PKCE, and by the nonce where there is none', async () => {
  for (const id of ['google', 'x', 'apple'] as const) {
    const victim = await begun(id)
    const attacker = await begun(id)
    const { code } = await browse(attacker.url)

    await expect(victim.finish({ code, state: victim.pending.state })).rejects.toMatchObject({
      kind: id === 'apple' ? 'claims' : 'provider',
    })
  }
})

describe('An ID token', () => {
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256' }
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 })

  async function answered(
    claims: object,
    { key = keys.privateKey, iss }: { key?: typeof keys.privateKey; iss?: string } = {},
  ) {
    let token = ''
    const google = await begun('google', async ({ url }) =>
      url.endsWith('/keys')
        ? { status: 200, body: JSON.stringify({ keys: [jwk] }) }
        : { status: 200, body: JSON.stringify({ id_token: token }) },
    )
    const now = Math.floor(Date.now() / 1000)
    token = await new SignJWT({
      iss: google.connector.oidc!.issuer,
      aud: 'client',
      sub: '1',
      nonce: google.pending.nonce,
      iat: now,
      exp: now + 60,
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .sign(key)
    return google.finish({ state: google.pending.state, code: 'c', iss })
  }

  test('is believed when all of it is right', async () => {
    expect(await answered({})).toMatchObject({ subject: '1' })
    expect(await answered({ aud: ['client', 'x'], azp: 'client' })).toMatchObject({ subject: '1' })
  })

  test.each<[string, object, string]>([
    ['another issuer', { iss: 'https://evil.example' }, 'claims'],
    ['another client', { aud: 'other' }, 'claims'],
    ['several clients', { aud: ['client', 'x'] }, 'claims'],
    ['another nonce', { nonce: 'x' }, 'claims'],
    ['no nonce', { nonce: undefined }, 'claims'],
    ['an end in the past', { exp: 1 }, 'expired'],
    ['an issue in the future', { iat: 9_999_999_999, exp: 9_999_999_999 }, 'claims'],
    ['no subject', { sub: '' }, 'provider'],
  ])('with %s is refused', async (_, claims, kind) => {
    await expect(answered(claims)).rejects.toMatchObject({ kind })
  })

  test('signed by another key is refused, and so is an answer that names another issuer (mix-up)', async () => {
    await expect(answered({}, { key: other.privateKey })).rejects.toMatchObject({ kind: 'signature' })
    await expect(answered({}, { iss: 'https://evil.example' })).rejects.toMatchObject({ kind: 'state' })
  })
})
