/** People of an external SAML provider at the portal: in by the provider alone, and out of it by the directory. */
import { inflateRawSync } from 'node:zlib'
import { DeleteUserCommand } from '@aws-sdk/client-identitystore'
import { expect, test } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import { responseOf, type Statement, samlIdp } from '../../engines/saml/idp.fixture.ts'
import type { AdminContext } from '../../server/admin/admin-api.ts'
import { identitySourceRoutes } from '../../server/admin/identity-source-routes.ts'
import { Browser, eventsOf, ORIGIN } from '../signin/browser.fixture.ts'
import { identityCenter, PASSWORD } from './sso.fixture.ts'

const idp = samlIdp()
const REDIRECT = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect'
const METADATA = idp.metadata.replace(
  '</IDPSSODescriptor>',
  `<SingleSignOnService Binding="${REDIRECT}" Location="https://idp.corp.test/sso"/></IDPSSODescriptor>`,
)
const form = { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://idp.corp.test' }

async function portal() {
  const it = await identityCenter()
  const ana = await it.person('ana')
  const recorded: string[] = []
  const custody = { unsealed: () => ({ cloud: it }), record: async (event: string) => void recorded.push(event) }
  // As much of the context as these routes use.
  const desk = { custody } as unknown as AdminContext
  // biome-ignore lint/suspicious/noExplicitAny: answers as the command line reads them.
  const admin = (route: string, input: object = {}): Promise<any> =>
    identitySourceRoutes[`POST /identity-source/${route}`]!(desk, { ...input })
  const entityId = `${ORIGIN}/start/sign-in/saml/${it.storeId}`
  const begin = async (from = '/start/security') => {
    const browser = new Browser(it)
    await browser.open(from)
    await browser.open(browser.page.location!)
    const address = new URL(browser.page.location!)
    const xml = inflateRawSync(Buffer.from(address.searchParams.get('SAMLRequest')!, 'base64')).toString()
    return { browser, address, id: / ID="([^"]*)"/.exec(xml)![1]!, relayState: address.searchParams.get('RelayState')! }
  }
  type Begun = Awaited<ReturnType<typeof begin>>
  const signed = (begun: Begun, more: Partial<Statement> = {}) =>
    idp.sign(
      responseOf({
        now: it.clock.now(),
        roles: [],
        audience: entityId,
        recipient: `${entityId}/acs`,
        nameId: 'ana',
        inResponseTo: begun.id,
        ...more,
      }),
    )
  const post = (begun: Begun, xml: string) => {
    const fields = { SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: begun.relayState }
    const path = `/start/sign-in/saml/${it.storeId}/acs`
    return new Browser(it).request('POST', path, new URLSearchParams(fields).toString(), form)
  }
  return { ...it, ana, admin, recorded, entityId, begin, signed, post }
}

test('People sign in at the provider, are led back, and passwords open nothing any more', async () => {
  const it = await portal()
  expect(await it.admin('show')).toMatchObject({ source: 'DIRECTORY', store: it.storeId })
  const begun = new Browser(it)
  await begun.open('/start/sign-in')
  expect(await it.admin('set', { metadata: METADATA })).toMatchObject({ source: 'SAML', issuer: expect.any(String) })
  expect(it.recorded).toEqual(['SetIdentitySource'])
  // The form of before leads to the provider, whatever the password.
  await begun.submit('/start/sign-in', { username: 'ana', password: PASSWORD })
  expect(begun.page.text).toContain('Continue to the identity provider')
  expect((await begun.open('/start')).location).toContain('/start/sign-in')
  expect((await begun.open(new URL(it.entityId).pathname)).text).toContain(`Location="${it.entityId}/acs"`)

  const sign = await it.begin()
  expect(`${sign.address.origin}${sign.address.pathname}`).toBe('https://idp.corp.test/sso')
  const answered = await it.post(sign, it.signed(sign))
  expect(answered.status).toBe(303)
  expect((await new Browser(it).open(answered.location!)).status).toBe(400)
  await sign.browser.open(answered.location!)
  expect(sign.browser.page.location).toBe('/start/security')
  expect((await sign.browser.open('/start')).text).toContain('ana')
  expect((await eventsOf(it, ACCOUNT, 'UserAuthentication'))[0]).toMatchObject({
    userIdentity: { type: 'IdentityCenterUser', userName: 'ana' },
    additionalEventData: { CredentialType: 'EXTERNAL_IDP' },
  })
  expect((await it.post(sign, it.signed(sign))).status).toBe(400)

  await it.people.send(new DeleteUserCommand({ IdentityStoreId: it.storeId, UserId: it.ana }))
  expect((await sign.browser.open('/start')).location).toContain('/start/sign-in')
  const gone = await it.begin()
  expect((await it.post(gone, it.signed(gone))).status).toBe(403)
})

test('A demand for a new sign-in is passed on to the provider', async () => {
  const it = await portal()
  await it.admin('set', { metadata: METADATA })
  const browser = new Browser(it)
  const requested = async (address: string) => {
    await browser.open(address)
    const to = new URL(browser.page.location!)
    return inflateRawSync(Buffer.from(to.searchParams.get('SAMLRequest')!, 'base64')).toString()
  }
  expect(await requested('/start/sign-in?redirect=/start')).not.toContain('ForceAuthn')
  expect(await requested('/start/sign-in?redirect=/start&again=true')).toContain('ForceAuthn="true"')
})

test('Answers for another receiver, of another signer, to another request and of unknown people open nothing', async () => {
  const it = await portal()
  await it.admin('set', { metadata: METADATA })
  const wrong: readonly [number, Partial<Statement>][] = [
    [400, { audience: 'urn:amazon:webservices' }],
    [400, { recipient: 'https://signin.aws.amazon.com/saml' }],
    [400, { inResponseTo: '_other' }],
    [400, { notOnOrAfter: it.clock.now() - 1 }],
    [400, { issuer: 'https://evil.test' }],
    [403, { nameId: 'unknown' }],
  ]
  for (const [status, more] of wrong) {
    const begun = await it.begin()
    expect([more, (await it.post(begun, it.signed(begun, more))).status]).toEqual([more, status])
  }
  const begun = await it.begin()
  const other = samlIdp().sign(it.signed(begun).replace(/<ds:Signature[\s\S]*<\/ds:Signature>/, ''))
  expect((await it.post(begun, other)).status).toBe(400)
  expect((await it.post({ ...begun, relayState: 'forged' }, it.signed(begun))).status).toBe(400)

  for (const metadata of ['<x/>', idp.metadata])
    await expect(it.admin('set', { metadata })).rejects.toThrow('The metadata cannot be used')
  await expect(it.admin('set', { store: 'd-0000000000', metadata: METADATA })).rejects.toThrow(
    'Name the identity store',
  )
  await it.admin('set')
  expect((await it.post(begun, it.signed(begun))).status).toBe(404)
  expect((await (await it.signedIn('ana')).open('/start')).status).toBe(200)
})
