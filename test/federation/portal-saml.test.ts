/** SimpleSAMLphp as the identity source of the access portal: people come by SCIM, and sign in there. */
import { afterAll, expect, test } from 'vitest'
import { samlIdp } from '../../src/engines/saml/idp.fixture.ts'
import { parseSamlMetadata } from '../../src/engines/saml/metadata.ts'
import { instanceIdOf } from '../../src/kernel/identity-center.ts'
import { identityStore } from '../../src/kernel/ports/identity-store.ts'
import { ssoInstances } from '../../src/kernel/ports/sso-instances.ts'
import { Browser, ORIGIN } from '../../src/services/signin/browser.fixture.ts'
import { identityCenter } from '../../src/services/sso/sso.fixture.ts'
import { type SimpleSaml, simpleSaml } from './simplesamlphp.ts'

const PORT = Number(process.env['MERLON_TEST_PORT'] ?? 46_800) + 11

let idp: SimpleSaml | undefined
afterAll(() => idp?.stop())

test('A person whom SCIM wrote signs in at SimpleSAMLphp; one who is not active there any more does not', async () => {
  const it = await identityCenter()
  const entityId = `${ORIGIN}/start/sign-in/saml/${it.storeId}`
  idp = await simpleSaml({
    port: PORT,
    attributes: { uid: ['ann'] },
    encryptTo: samlIdp().certificatePem,
    serviceProviders: { [entityId]: `${entityId}/acs` },
  })
  const metadata = parseSamlMetadata(await idp.metadata())
  await it.store.run((unit) =>
    it.use(ssoInstances).setExternalSource(unit, instanceIdOf(it.instanceArn)!, { metadata }),
  )
  const made = await it.store.run((unit) => it.use(identityStore).createScimToken(unit, it.storeId, it.clock.now()))
  const scim = async (method: string, path: string, body: object) => {
    const answer = await it.handle({
      method,
      path: `/scim/${it.storeId}/v2${path}`,
      query: '',
      rawHeaders: [
        'host',
        'merlon.test',
        'content-type',
        'application/scim+json',
        'authorization',
        `Bearer ${made!.token}`,
      ],
      body: Buffer.from(JSON.stringify(body)),
      remoteAddress: '192.0.2.1',
      secure: false,
    })
    return { status: answer.status, json: JSON.parse(String(answer.body) || '{}') }
  }
  const signIn = async () => {
    const browser = new Browser(it)
    await browser.open('/start')
    await browser.open(browser.page.location!)
    const { SAMLResponse, RelayState } = await idp!.answer(browser.page.location!, 'ann', 'annpass')
    const body = new URLSearchParams({ SAMLResponse, RelayState }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: `http://127.0.0.1:${PORT}` }
    const posted = await new Browser(it).request('POST', new URL(`${entityId}/acs`).pathname, body, headers)
    if (posted.location !== undefined) await browser.open(posted.location)
    return { posted, browser }
  }
  expect((await signIn()).posted.status).toBe(403)

  const { status, json } = await scim('POST', '/Users', {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: 'ann',
    displayName: 'Ann',
    name: { givenName: 'Ann', familyName: 'Example' },
    active: true,
  })
  expect(status).toBe(201)
  const { browser } = await signIn()
  expect(browser.page.location).toBe('/start')
  expect((await browser.open('/start')).text).toContain('ann')

  const patch = {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'active', value: false }],
  }
  expect((await scim('PATCH', `/Users/${json.id}`, patch)).status).toBe(200)
  expect((await browser.open('/start')).location).toContain('/start/sign-in')
  expect((await signIn()).posted.status).toBe(403)
})
