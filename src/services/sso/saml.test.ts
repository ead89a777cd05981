/** SAML applications: their service provider is the library `@node-saml/node-saml`, unmodified. */

import { randomUUID } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import {
  CreateApplicationAssignmentCommand,
  CreateApplicationCommand,
  DescribeApplicationCommand,
  ListApplicationProvidersCommand,
  UpdateApplicationCommand,
} from '@aws-sdk/client-sso-admin'
import { SAML, type SamlConfig, ValidateInResponseTo } from '@node-saml/node-saml'
import { describe, expect, test } from 'vitest'
import { ACCOUNT } from '../../../test/cloud.ts'
import { samlIdp } from '../../engines/saml/idp.fixture.ts'
import { parseSamlMetadata } from '../../engines/saml/metadata.ts'
import { type SamlSettings, samlApplications } from '../../kernel/ports/saml-applications.ts'
import { Browser, eventsOf, ORIGIN } from '../signin/browser.fixture.ts'
import { identityCenter, PASSWORD } from './sso.fixture.ts'

const ACS = 'https://wiki.corp.test/saml/acs'
const AUDIENCE = 'https://wiki.corp.test/saml/metadata'
const SAML_PROVIDER = 'arn:aws:sso::aws:applicationProvider/custom-saml'
const own = samlIdp(AUDIENCE)

const SETTINGS: SamlSettings = {
  audience: AUDIENCE,
  acs: [
    { url: ACS, index: 0 },
    { url: 'https://wiki.corp.test/saml/second', index: 7 },
  ],
  relayState: '/home',
  subject: { source: '${user:email}', format: 'emailAddress' },
  attributes: [
    { name: 'name', source: '${user:name}', format: 'basic' },
    { name: 'department', source: '${path:enterprise.department}', format: 'uri' },
    { name: 'groups', source: '${user:groups}', format: 'unspecified' },
    { name: 'tenant', source: 'corp', format: 'unspecified' },
  ],
  isSignedRequestRequired: false,
  requestCertificates: [],
}

async function wiki(more: Partial<SamlSettings> = {}) {
  const it = await identityCenter()
  const ana = await it.person('ana', { Emails: [{ Value: 'ana@corp.test', Primary: true }] })
  await it.person('bob', { Emails: [{ Value: 'bob@corp.test', Primary: true }] })
  const team = await it.group('team', ana)
  const { ApplicationArn } = await it.sso.send(
    new CreateApplicationCommand({ InstanceArn: it.instanceArn, ApplicationProviderArn: SAML_PROVIDER, Name: 'Wiki' }),
  )
  const arn = ApplicationArn!
  await it.sso.send(
    new CreateApplicationAssignmentCommand({ ApplicationArn: arn, PrincipalType: 'GROUP', PrincipalId: team }),
  )
  const port = it.use(samlApplications)
  const configure = (settings: Partial<SamlSettings>) =>
    it.store.run((unit) => port.configure(unit, arn, { ...SETTINGS, ...more, ...settings }))
  await configure({})
  const path = `/start/saml/${arn.split('/').slice(-2).join('/')}`
  const metadata = async () => parseSamlMetadata((await new Browser(it).open(`${path}/metadata`)).text)
  const serviceProvider = async (config: Partial<SamlConfig> = {}) => {
    const { signingCertificates, signOnByRedirect } = await metadata()
    return new SAML({
      issuer: AUDIENCE,
      audience: AUDIENCE,
      callbackUrl: ACS,
      entryPoint: signOnByRedirect!,
      idpCert: [...signingCertificates],
      wantAuthnResponseSigned: true,
      wantAssertionsSigned: true,
      validateInResponseTo: ValidateInResponseTo.ifPresent,
      requestIdExpirationPeriodMs: 600_000,
      acceptedClockSkewMs: 1000,
      ...config,
    })
  }
  return { ...it, ana, team, arn, port, path, configure, metadata, serviceProvider }
}

type World = Awaited<ReturnType<typeof wiki>>

/** What the browser would post to the application. */
function posted(browser: Browser) {
  const { text } = browser.page
  const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1]
  return {
    action: /<form method="post" action="([^"]*)" data-continue/.exec(text)?.[1],
    SAMLResponse: value('SAMLResponse') ?? '',
    RelayState: value('RelayState') ?? '',
  }
}

const below = (address: string) => address.slice(ORIGIN.length)

/** A request as an application writes it by hand. */
function written(it: World, more: Readonly<Record<string, string>> = {}, inside = '', before = '') {
  const attributes = Object.entries({
    ID: `_${randomUUID()}`,
    Version: '2.0',
    IssueInstant: new Date(it.clock.now()).toISOString(),
    ...more,
  }).map(([name, value]) => ` ${name}="${value}"`)
  return `${before}<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"${attributes.join('')}><saml:Issuer>${AUDIENCE}</saml:Issuer>${inside}</samlp:AuthnRequest>`
}
const redirected = (it: World, xml: string) =>
  `${it.path}?${new URLSearchParams({ SAMLRequest: deflateRawSync(xml).toString('base64') })}`
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const asForm = (it: World, browser: Browser, xml: string) =>
  browser.request(
    'POST',
    it.path,
    new URLSearchParams({ SAMLRequest: Buffer.from(xml).toString('base64'), RelayState: 'x' }).toString(),
    { ...form, origin: 'https://wiki.corp.test' },
  )

describe('A SAML application', () => {
  test('signs in whom it is assigned to, from the portal: the library reads person, attributes and relay state', async () => {
    const it = await wiki()
    const sp = await it.serviceProvider()
    const browser = await it.signedIn('ana')
    const portal = await browser.open('/start')
    expect(portal.text).toContain(`<a href="${it.path}">Wiki</a>`)

    const page = await browser.open(it.path)

    const form = posted(browser)
    expect(form).toMatchObject({ action: ACS, RelayState: '/home' })
    expect(page.headers['content-security-policy']).toContain("form-action 'self' https://wiki.corp.test")
    const { profile } = await sp.validatePostResponseAsync({ SAMLResponse: form.SAMLResponse })
    expect(profile).toMatchObject({
      issuer: `${ORIGIN}${it.path}`,
      nameID: 'ana@corp.test',
      nameIDFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
      attributes: { name: 'ana', groups: it.team, tenant: 'corp' },
    })
    expect(profile!['attributes']).not.toHaveProperty('department')
    const [event] = await eventsOf(it, ACCOUNT, 'Federate')
    expect(event).toMatchObject({
      userIdentity: { type: 'IdentityCenterUser', userName: 'ana' },
      resources: [{ ARN: it.arn }],
      additionalEventData: { application: 'Wiki', startedAt: 'IDENTITY_PROVIDER' },
    })
  })

  test('begins at the application: the person signs in between, the answer is to the request, and there is one', async () => {
    const it = await wiki()
    const sp = await it.serviceProvider()
    const browser = new Browser(it)
    const address = below(await sp.getAuthorizeUrlAsync('/deep/link', undefined, {}))
    await browser.open(address)
    expect(browser.page.location).toMatch(/^\/start\/sign-in\?/)
    await browser.open(browser.page.location!)
    await browser.submit('/start/sign-in', { username: 'ana', password: PASSWORD })
    await browser.open(browser.page.location!)

    const form = posted(browser)
    expect(form).toMatchObject({ action: ACS, RelayState: '/deep/link' })
    const { profile } = await sp.validatePostResponseAsync({ SAMLResponse: form.SAMLResponse })
    expect(profile!.nameID).toBe('ana@corp.test')
    // The library takes each answer once, the portal answers each request once.
    await expect(sp.validatePostResponseAsync({ SAMLResponse: form.SAMLResponse })).rejects.toThrow('InResponseTo')
    expect((await browser.open(address)).status).toBe(400)
    expect(browser.page.text).toContain('answered already')
  })

  test('sends its request by a form, signed or not, from another site', async () => {
    const it = await wiki()
    const sp = await it.serviceProvider({ authnRequestBinding: 'HTTP-POST' })
    const page = await sp.getAuthorizeFormAsync('rs', undefined, {})
    const SAMLRequest = /name="SAMLRequest" value="([^"]*)"/.exec(page)![1]!
    const browser = await it.signedIn('ana')

    const cookies = new Map(browser.cookies)
    browser.cookies.clear() // SameSite=Lax
    const body = new URLSearchParams({ SAMLRequest, RelayState: 'rs' }).toString()
    await browser.request('POST', it.path, body, { ...form, origin: 'https://wiki.corp.test' })
    for (const [name, value] of cookies) browser.cookies.set(name, value)
    await browser.open(browser.page.location!)

    expect(posted(browser).RelayState).toBe('rs')
    const { profile } = await sp.validatePostResponseAsync({ SAMLResponse: posted(browser).SAMLResponse })
    expect(profile!.nameID).toBe('ana@corp.test')
  })

  test('is closed to whom it is not assigned to, when it is disabled, and at any other address', async () => {
    const it = await wiki()
    const bob = await it.signedIn('bob')
    expect((await bob.open('/start')).text).not.toContain('Wiki')
    expect((await bob.open(it.path)).status).toBe(403)
    expect(bob.page.text).not.toContain('SAMLResponse')
    const refusal = (await eventsOf(it, ACCOUNT, 'Federate'))[0]
    expect(refusal).toMatchObject({ errorCode: 'AccessDenied', userIdentity: { userName: 'bob' } })

    const ana = await it.signedIn('ana')
    expect((await ana.open(it.path.slice(0, -1))).status).toBe(404)
    await it.sso.send(new UpdateApplicationCommand({ ApplicationArn: it.arn, Status: 'DISABLED' }))
    expect((await ana.open(it.path)).status).toBe(404)
    expect((await ana.open('/start')).text).not.toContain('Wiki')
  })

  test('is created by the API, as the provider says', async () => {
    const it = await wiki()
    const { ApplicationProviders } = await it.sso.send(new ListApplicationProvidersCommand({}))
    expect(ApplicationProviders).toContainEqual(
      expect.objectContaining({ ApplicationProviderArn: SAML_PROVIDER, FederationProtocol: 'SAML' }),
    )
    const described = await it.sso.send(new DescribeApplicationCommand({ ApplicationArn: it.arn }))
    expect(described).toMatchObject({ ApplicationProviderArn: SAML_PROVIDER, Name: 'Wiki', Status: 'ENABLED' })
    expect(JSON.stringify(described)).not.toContain('sealed')
  })
})

describe('A certificate', () => {
  test('is replaced without a gap: the new one is published first, then signs, then the old one goes', async () => {
    const it = await wiki()
    const [first] = (await it.metadata()).signingCertificates
    const old = await it.serviceProvider()
    const browser = await it.signedIn('ana')
    const response = async () => {
      await browser.open(it.path)
      return { SAMLResponse: posted(browser).SAMLResponse }
    }
    const application = (await it.port.find(it.store.reader, it.arn))!
    const made = await it.port.newCertificate(it.vault, application, it.clock.now())
    await it.store.run((unit) => it.port.addCertificate(unit, it.arn, made))
    expect((await it.metadata()).signingCertificates).toEqual([first, made.certificate])
    await old.validatePostResponseAsync(await response())
    const both = await it.serviceProvider()
    const spare = await it.port.newCertificate(it.vault, application, it.clock.now())
    const change = (run: (unit: Parameters<typeof it.port.addCertificate>[0]) => Promise<void>) => it.store.run(run)
    await expect(change((unit) => it.port.addCertificate(unit, it.arn, spare))).rejects.toThrow('at most 2')

    await change((unit) => it.port.activateCertificate(unit, it.arn, made.id))

    const signed = await response()
    await both.validatePostResponseAsync(signed)
    await expect(old.validatePostResponseAsync(signed)).rejects.toThrow('Invalid document signature')
    await expect(change((unit) => it.port.deleteCertificate(unit, it.arn, made.id))).rejects.toThrow('signs')
    await change((unit) => it.port.deleteCertificate(unit, it.arn, application.certificates[0]!.id))
    expect((await it.metadata()).signingCertificates).toEqual([made.certificate])
  })
})

describe('A request', () => {
  test('must be signed by the application where that is required, by redirect and by form', async () => {
    const it = await wiki({ isSignedRequestRequired: true, requestCertificates: [own.certificate] })
    const signing = { privateKey: own.privateKeyPem, signatureAlgorithm: 'sha256', digestAlgorithm: 'sha256' } as const
    const sp = await it.serviceProvider(signing)
    const browser = await it.signedIn('ana')
    const unsigned = await it.serviceProvider()
    await browser.open(below(await unsigned.getAuthorizeUrlAsync('', undefined, {})))
    expect(browser.page).toMatchObject({ status: 400, text: expect.stringContaining('not signed') })
    const stranger = await it.serviceProvider({ ...signing, privateKey: samlIdp().privateKeyPem })
    await browser.open(below(await stranger.getAuthorizeUrlAsync('', undefined, {})))
    expect(browser.page).toMatchObject({ status: 400, text: expect.stringContaining('does not match') })

    const address = below(await sp.getAuthorizeUrlAsync('/a b&c=d', undefined, {}))
    const changed = address.replace(/RelayState=[^&]*/, 'RelayState=%2Fevil')
    expect((await browser.open(changed)).status).toBe(400)
    await browser.open(address)
    expect(posted(browser)).toMatchObject({ action: ACS, RelayState: '/a b&amp;c=d' })
    await sp.validatePostResponseAsync({ SAMLResponse: posted(browser).SAMLResponse })

    const byForm = await it.serviceProvider({
      ...signing,
      authnRequestBinding: 'HTTP-POST',
      skipRequestCompression: true,
    })
    const page = await byForm.getAuthorizeFormAsync('', undefined, {})
    const xml = Buffer.from(/name="SAMLRequest" value="([^"]*)"/.exec(page)![1]!, 'base64').toString()
    expect((await asForm(it, browser, xml.replace('ID="_', 'ID="_0'))).status).toBe(400)
    expect((await asForm(it, browser, xml)).status).toBe(303)
    expect((await asForm(it, browser, written(it))).status).toBe(400)
  })

  test('is refused for another destination, receiver, issuer, binding or time, and answered nowhere', async () => {
    const it = await wiki()
    const browser = await it.signedIn('ana')
    const old = new Date(it.clock.now() - 301_000).toISOString()
    const open = async (...of: [Readonly<Record<string, string>>?, string?, string?]) => {
      await browser.open(redirected(it, written(it, ...of)))
      expect(browser.page.text.includes('SAMLResponse')).toBe(browser.page.status === 200)
      return browser.page.status
    }
    expect(await open()).toBe(200)
    expect(await open({ AssertionConsumerServiceURL: ACS, Destination: `${ORIGIN}${it.path}` })).toBe(200)
    expect(await open({ AssertionConsumerServiceIndex: '7' })).toBe(200)
    expect(posted(browser).action).toBe('https://wiki.corp.test/saml/second')
    for (const wrong of [
      { Destination: 'https://idp.evil.test' },
      { AssertionConsumerServiceURL: 'https://evil.test/acs' },
      { AssertionConsumerServiceURL: `${ACS}/more` },
      { AssertionConsumerServiceIndex: '1' },
      { ProtocolBinding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact' },
      { IssueInstant: old },
      { IssueInstant: 'yesterday' },
      { Version: '1.1' },
      { ID: '1 2' },
    ])
      expect([wrong, await open(wrong)]).toEqual([wrong, 400])
    expect(await open({}, `<saml:Issuer>${AUDIENCE}</saml:Issuer>`)).toBe(400)
    await browser.open(redirected(it, written(it).replace(AUDIENCE, 'https://evil.test')))
    expect(browser.page.status).toBe(400)
  })

  test('has a budget: entities, depth, size and bombs are refused', async () => {
    const it = await wiki()
    const browser = await it.signedIn('ana')
    const deep = '<x>'.repeat(100) + '</x>'.repeat(100)
    for (const xml of [
      written(it, {}, '', '<!DOCTYPE x [<!ENTITY a "b">]>'),
      written(it, {}, deep),
      written(it, {}, `<!--${'a'.repeat(70_000)}-->`),
      'no xml',
      '',
    ]) {
      expect((await browser.open(redirected(it, xml))).status).toBe(400)
    }
    for (const SAMLRequest of ['%', 'AAAA', 'A'.repeat(40_000)])
      expect((await browser.open(`${it.path}?${new URLSearchParams({ SAMLRequest })}`)).status).toBe(400)
    expect((await asForm(it, browser, written(it, {}, deep))).status).toBe(400)
    expect((await browser.open(`${it.path}?ticket=forged`)).status).toBe(400)
  })

  test('may demand a new sign-in, or none at all', async () => {
    const it = await wiki()
    const browser = await it.signedIn('ana')
    it.clock.advance(1000)
    await browser.open(redirected(it, written(it, { ForceAuthn: 'true' })))
    expect(browser.page.location).toMatch(/^\/start\/sign-in\?.*again=true/)
    await browser.open(browser.page.location!)
    await browser.submit('/start/sign-in', { username: 'ana', password: PASSWORD })
    await browser.open(browser.page.location!)
    expect(posted(browser).action).toBe(ACS)

    const stranger = new Browser(it)
    await stranger.open(redirected(it, written(it, { IsPassive: '1' })))
    const xml = Buffer.from(posted(stranger).SAMLResponse, 'base64').toString()
    expect(xml).toContain('urn:oasis:names:tc:SAML:2.0:status:NoPassive')
    expect(xml).not.toContain('Assertion ')
  })
})

test('Settings are checked, and a person without the subject is not signed in as another', async () => {
  const it = await wiki()
  const wrong: readonly Partial<SamlSettings>[] = [
    { audience: '' },
    { acs: [] },
    { acs: [{ url: 'http://wiki.corp.test/acs', index: 0 }] },
    { acs: [{ url: 'javascript:alert(1)', index: 0 }] },
    { acs: [SETTINGS.acs[0]!, SETTINGS.acs[0]!] },
    { subject: { source: '${user:nothing}', format: 'persistent' } },
    { attributes: [{ name: 'a', source: 'x${user:email}', format: 'uri' }] },
    { attributes: [SETTINGS.attributes[0]!, SETTINGS.attributes[0]!] },
    { isSignedRequestRequired: true },
    { relayState: 'x'.repeat(1001) },
  ]
  for (const each of wrong) await expect(it.configure(each)).rejects.toMatchObject({ code: 'ValidationException' })
  await it.configure({ acs: [{ url: 'http://localhost:8080/acs', index: 0 }], relayState: 'x'.repeat(1000) })

  await it.configure({ subject: { source: '${path:enterprise.employeeNumber}', format: 'persistent' } })
  const browser = await it.signedIn('ana')
  expect(await browser.open(it.path)).toMatchObject({ status: 400, text: expect.stringContaining('employeeNumber') })
  await it.configure({ subject: { source: '${user:email}', format: 'transient' } })
  const sp = await it.serviceProvider()
  const subject = async () => {
    await browser.open(it.path)
    return (await sp.validatePostResponseAsync({ SAMLResponse: posted(browser).SAMLResponse })).profile!.nameID
  }
  expect(await subject()).not.toBe(await subject())
})
