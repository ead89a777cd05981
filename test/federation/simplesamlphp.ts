/** SimpleSAMLphp as the identity provider of a corporation, below PHP's own web server. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listening } from './slapd.ts'

const WWW = '/usr/share/simplesamlphp/www'

export interface SimpleSaml {
  metadata(): Promise<string>
  /** Where a browser begins a sign-in at the service provider of this name. */
  address(serviceProvider: string): string
  /** Signs the person in as a browser would; returns the `SAMLResponse` that the browser would post. */
  response(serviceProvider: string, user: string, password: string): Promise<string>
  /** The same from an address that a service provider redirected to: what the browser would post. */
  answer(
    address: string,
    user: string,
    password: string,
  ): Promise<{ readonly SAMLResponse: string; readonly RelayState: string }>
  stop(): Promise<void>
}

export interface SimpleSamlOptions {
  readonly port: number
  readonly attributes: Readonly<Record<string, readonly string[]>>
  /** A certificate, PEM, of which the service provider `encrypted` has the private key. */
  readonly encryptTo: string
  /** More service providers: where each receives responses, by its entity ID. */
  readonly serviceProviders?: Readonly<Record<string, string>>
}

const php = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(php).join(',')}]`
    : typeof value === 'object' && value !== null
      ? `[${Object.entries(value).map(([key, each]) => `${php(key)}=>${php(each)}`)}]`
      : typeof value === 'string'
        ? `'${value.replaceAll(/['\\]/g, '\\$&')}'`
        : String(value)

export async function simpleSaml({
  port,
  attributes,
  encryptTo,
  serviceProviders = {},
}: SimpleSamlOptions): Promise<SimpleSaml> {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-saml-idp-'))
  const file = (name: string) => join(folder, name)
  const url = `http://127.0.0.1:${port}/`
  for (const name of ['metadata', 'cert', 'log', 'tmp', 'sessions']) mkdirSync(file(name))
  execFileSync(
    'openssl',
    // biome-ignore format: arguments in pairs
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=idp',
      '-keyout', file('cert/idp.pem'), '-out', file('cert/idp.crt')],
    { stdio: 'ignore' },
  )
  writeFileSync(file('cert/sp.crt'), encryptTo)
  copyFileSync('/etc/simplesamlphp/acl.php', file('acl.php'))
  const config = {
    baseurlpath: url,
    certdir: `${file('cert')}/`,
    metadatadir: `${file('metadata')}/`,
    loggingdir: `${file('log')}/`,
    datadir: `${file('tmp')}/`,
    tempdir: file('tmp'),
    'logging.handler': 'errorlog',
    secretsalt: 'only-for-tests-and-nothing-else',
    'auth.adminpassword': 'only-for-tests-and-nothing-else',
    technicalcontact_email: 'idp@corp.test',
    technicalcontact_name: 'IdP',
    timezone: 'UTC',
    'enable.saml20-idp': true,
    'module.enable': { exampleauth: true, core: true, saml: true },
    'store.type': 'phpsession',
    'session.phpsession.savepath': file('sessions'),
    'session.cookie.secure': false,
    'session.cookie.samesite': 'Lax',
    'metadata.sources': [{ type: 'flatfile', directory: file('metadata') }],
    'language.default': 'en',
  }
  writeFileSync(file('config.php'), `<?php $config=${php(config)};`)
  const source = { admin: ['core:AdminPassword'] }
  // The module's own source takes its class first, then a person for each `name:password`.
  const up = `['exampleauth:UserPass','ann:annpass'=>${php(attributes)}]`
  writeFileSync(file('authsources.php'), `<?php $config=${php(source)}+['up'=>${up}];`)
  const identityProvider = {
    host: '__DEFAULT__',
    privatekey: 'idp.pem',
    certificate: 'idp.crt',
    auth: 'up',
    NameIDFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    'attributes.NameFormat': 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    'signature.algorithm': 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  }
  writeFileSync(
    file('metadata/saml20-idp-hosted.php'),
    `<?php $metadata['http://idp.corp.test']=${php(identityProvider)};`,
  )
  const serviceProvider = {
    AssertionConsumerService: 'https://signin.aws.amazon.com/saml',
    'simplesaml.nameidattribute': 'uid',
    NameIDFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  }
  const encrypted = {
    ...serviceProvider,
    'assertion.encryption': true,
    certificate: 'sp.crt',
    // One entity has one name here; a second one needs the audience that AWS requires.
    audience: ['urn:amazon:webservices'],
  }
  writeFileSync(
    file('metadata/saml20-sp-remote.php'),
    `<?php ${Object.entries({
      'urn:amazon:webservices': serviceProvider,
      encrypted,
      ...Object.fromEntries(
        Object.entries(serviceProviders).map(([name, AssertionConsumerService]) => [
          name,
          { ...serviceProvider, AssertionConsumerService },
        ]),
      ),
    })
      .map(([name, settings]) => `$metadata[${php(name)}]=${php(settings)};`)
      .join('')}`,
  )
  const running: ChildProcess = spawn('php', ['-S', `127.0.0.1:${port}`, '-t', WWW], {
    env: { ...process.env, SIMPLESAMLPHP_CONFIG_DIR: folder },
    stdio: 'ignore',
  })
  await listening(port)
  const answer: SimpleSaml['answer'] = async (address, user, password) => {
    const browser = new Browser()
    const form = await browser.get(address)
    const state = /name="AuthState" value="([^"]*)"/.exec(form.text)?.[1]?.replaceAll('&amp;', '&')
    if (state === undefined) throw new Error(`No sign-in form: ${form.text.slice(0, 2000)}`)
    const page = await browser.get(form.url, new URLSearchParams({ username: user, password, AuthState: state }))
    const value = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1]
    const SAMLResponse = value('SAMLResponse')
    if (SAMLResponse === undefined) throw new Error(`No SAMLResponse: ${page.text.slice(0, 2000)}`)
    return { SAMLResponse, RelayState: (value('RelayState') ?? '').replaceAll('&amp;', '&') }
  }
  const address = (entity: string) => `${url}saml2/idp/SSOService.php?spentityid=${encodeURIComponent(entity)}`
  return {
    address,
    answer,
    metadata: async () => (await fetch(`${url}saml2/idp/metadata.php?output=xml`)).text(),
    response: async (entity, user, password) => (await answer(address(entity), user, password)).SAMLResponse,
    stop: async () => {
      const ended = new Promise((resolve) => running.once('exit', resolve))
      running.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** As much of a browser as a sign-in needs: cookies, and redirects that keep them. */
class Browser {
  readonly #cookies = new Map<string, string>()

  async get(url: string, form?: URLSearchParams): Promise<{ readonly url: string; readonly text: string }> {
    let next: { url: string; form: URLSearchParams | undefined } = { url, form }
    for (let step = 0; step < 10; step++) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetch(next.url, {
        redirect: 'manual',
        headers: { cookie },
        ...(next.form && { method: 'POST', body: next.form }),
      })
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
        this.#cookies.set(name, value)
      }
      const location = response.headers.get('location')
      if (!location) return { url: next.url, text: await response.text() }
      next = { url: new URL(location, next.url).href, form: undefined }
    }
    throw new Error('The identity provider redirects without end.')
  }
}
