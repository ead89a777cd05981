/** mod_auth_mellon signs people in by IAM Identity Center: begun there and at the portal, signed, and not by a certificate that it does not know. */
import { CreateApplicationAssignmentCommand, CreateApplicationCommand } from '@aws-sdk/client-sso-admin'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseServiceProviderMetadata } from '../../src/engines/saml/metadata.ts'
import { samlApplications } from '../../src/kernel/ports/saml-applications.ts'
import { Browser, ORIGIN } from '../../src/services/signin/browser.fixture.ts'
import { identityCenter, PASSWORD } from '../../src/services/sso/sso.fixture.ts'
import { type Mellon, mellon } from './mellon.ts'

const PORT = Number(process.env['MERLON_TEST_PORT'] ?? 46_800) + 9

interface Visited {
  readonly status: number
  /** Of another site. */
  readonly location: string
  readonly text: string
}

/** The web server's side of a browser: cookies, and redirects within the site. */
class Visitor {
  readonly #cookies = new Map<string, string>()

  async get(url: string, form?: Readonly<Record<string, string>>): Promise<Visited> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const body = form && new URLSearchParams(form)
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie }, ...(body && { method: 'POST', body }) })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      this.#cookies.set(name, value)
    }
    const location = answer.headers.get('location') ?? ''
    if (location.startsWith(apache.url)) return this.get(location)
    return { status: answer.status, location, text: await answer.text() }
  }
}

async function wiki() {
  const it = await identityCenter()
  const UserId = await it.person('ana', { Emails: [{ Value: 'ana@corp.test', Primary: true }] })
  const { ApplicationArn } = await it.sso.send(
    new CreateApplicationCommand({
      InstanceArn: it.instanceArn,
      ApplicationProviderArn: 'arn:aws:sso::aws:applicationProvider/custom-saml',
      Name: 'Wiki',
    }),
  )
  const arn = ApplicationArn!
  await it.sso.send(
    new CreateApplicationAssignmentCommand({ ApplicationArn: arn, PrincipalType: 'USER', PrincipalId: UserId }),
  )
  const port = it.use(samlApplications)
  const path = `/start/saml/${arn.split('/').slice(-2).join('/')}`
  const metadata = async () => (await new Browser(it).open(`${path}/metadata`)).text
  const configure = async (serviceProvider: string, relayState: string) => {
    const { entityId, acs, signingCertificates } = parseServiceProviderMetadata(serviceProvider)
    await it.store.run((unit) =>
      port.configure(unit, arn, {
        audience: entityId,
        acs,
        relayState,
        subject: { source: '${user:email}', format: 'emailAddress' },
        attributes: [{ name: 'name', source: '${user:name}', format: 'unspecified' }],
        isSignedRequestRequired: true,
        requestCertificates: signingCertificates,
      }),
    )
  }
  return { ...it, arn, path, port, metadata, configure }
}

let it: Awaited<ReturnType<typeof wiki>>
let apache: Mellon
beforeAll(async () => {
  it = await wiki()
  apache = await mellon(PORT, async (serviceProvider) => {
    await it.configure(serviceProvider, `http://localhost:${PORT}/private/`)
    return it.metadata()
  })
})
afterAll(() => apache?.stop())

const unescaped = (text: string) => text.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&')

/** What the browser posts from the portal's page to Apache, and the page that it shows then. */
async function carried(portal: Browser, visitor: Visitor) {
  const { text } = portal.page
  const action = /<form method="post" action="([^"]*)" data-continue/.exec(text)?.[1] ?? ''
  const fields = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
  return visitor.get(action, Object.fromEntries(fields.map(([, name, value]) => [name!, unescaped(value!)])))
}

test('A person begins at Apache, signs in at the portal, and is known by name and attribute', async () => {
  const visitor = new Visitor()
  const { location } = await visitor.get(`${apache.url}/private/`)
  expect(location.startsWith(`${ORIGIN}${it.path}?SAMLRequest=`)).toBe(true)
  const portal = new Browser(it)
  await portal.open(location.slice(ORIGIN.length))
  await portal.open(portal.page.location!)
  await portal.submit('/start/sign-in', { username: 'ana', password: PASSWORD })
  await portal.open(portal.page.location!)

  expect((await carried(portal, visitor)).text).toBe('ana@corp.test is ana\n')
})

test('A person begins at the portal; a certificate that Apache has not read opens nothing', async () => {
  const portal = await it.signedIn('ana')
  await portal.open(it.path)
  expect((await carried(portal, new Visitor())).text).toBe('ana@corp.test is ana\n')

  const application = (await it.port.find(it.store.reader, it.arn))!
  const made = await it.port.newCertificate(it.vault, application, it.clock.now())
  await it.store.run((unit) => it.port.addCertificate(unit, it.arn, made))
  await it.store.run((unit) => it.port.activateCertificate(unit, it.arn, made.id))
  await portal.open(it.path)
  expect((await carried(portal, new Visitor())).status).toBeGreaterThanOrEqual(400)
})
