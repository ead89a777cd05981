/** How managed login looks and speaks: branding styles and their images, the classic logo, and languages. */
import {
  CreateManagedLoginBrandingCommand,
  CreateUserPoolDomainCommand,
  SetUICustomizationCommand,
  UpdateManagedLoginBrandingCommand,
  UpdateUserPoolDomainCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { expect, test } from 'vitest'
import { Browser } from '../../signin/browser.fixture.ts'
import { poolFixture } from '../user-pool.fixture.ts'
import { german } from './languages/de.ts'
import { LANGUAGES, translated } from './languages.ts'

const CALLBACK = 'https://app.corp.test/callback'
const HOST = 'people.auth.us-east-1.amazoncognito.com'
const PNG = Buffer.from('89504e470d0a1a0a', 'hex')

async function hosted(ManagedLoginVersion: number) {
  const it = await poolFixture(
    {},
    {
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid'],
      CallbackURLs: [CALLBACK],
    },
  )
  const { idp, UserPoolId, ClientId } = it
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people', ManagedLoginVersion }))
  const browser = new Browser(it, HOST)
  const query = (lang?: string) =>
    new URLSearchParams({
      client_id: ClientId,
      redirect_uri: CALLBACK,
      response_type: 'code',
      ...(lang !== undefined && { lang }),
    })
  const login = async (lang?: string) => (await browser.open(`/login?${query(lang)}`)).text
  const css = async () => (await browser.open(`/style.css?${query()}`)).text
  return { ...it, browser, query, login, css }
}

const mode = (color: string) => ({
  lightMode: { defaults: { backgroundColor: color, textColor: 'ffffffff' } },
  darkMode: { defaults: { backgroundColor: '11aa22ff' } },
})

const SETTINGS = {
  categories: {
    global: { colorSchemeMode: 'LIGHT', pageFooter: { enabled: true } },
    form: { languageSelector: { enabled: true }, location: { horizontal: 'END', vertical: 'CENTER' } },
  },
  componentClasses: { buttons: { borderRadius: 3 }, input: { borderRadius: '0; } body { display: none' } },
  components: {
    form: { logo: { enabled: true, formInclusion: 'IN' }, backgroundImage: { enabled: false } },
    pageBackground: { image: { enabled: true }, lightMode: { color: 'fafafaff' } },
    primaryButton: mode('0a7d33ff'),
    pageText: { lightMode: { headingColor: 'red; } body { display: none' } },
  },
}

test('A branding style gives its client colors, sizes, places and images, and nothing that is no color', async () => {
  const it = await hosted(2)
  const { idp, UserPoolId, ClientId } = it
  expect(await it.css()).toContain('color-scheme: light dark')
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
  const asset = { ColorMode: 'LIGHT' } as const
  const { ManagedLoginBranding } = await idp.send(
    new CreateManagedLoginBrandingCommand({
      UserPoolId,
      ClientId,
      Settings: SETTINGS,
      Assets: [
        { ...asset, Category: 'FORM_LOGO', Extension: 'SVG', Bytes: svg },
        { ...asset, Category: 'PAGE_BACKGROUND', Extension: 'PNG', Bytes: PNG },
      ],
    }),
  )
  const css = await it.css()
  for (const part of [
    'color-scheme: light;',
    '--button: #0a7d33ff;',
    '--button-radius: 3px;',
    '--page: #fafafaff;',
    'margin-inline: auto 2rem',
    `url("assets/PAGE_BACKGROUND?client_id=${ClientId}&mode=light")`,
  ])
    expect(css).toContain(part)
  expect(css).not.toContain('display: none')
  expect(css).not.toContain('11aa22')

  const page = await it.login()
  const [, address] = /<p class="logo"><img class="logo-customizable" src="([^"]+)"/.exec(page) ?? []
  const logo = await it.browser.open(address!.replaceAll('&amp;', '&'))
  expect(logo.text).toBe(svg.toString())
  expect(logo.headers).toMatchObject({
    'content-type': 'image/svg+xml',
    'content-security-policy': expect.stringMatching(/default-src 'none'.*sandbox/),
  })
  expect((await it.browser.open(`/assets/FORM_BACKGROUND?client_id=${ClientId}`)).status).toBe(404)

  // Another client of the pool, and this one without settings, look as they come.
  const other = await it.newClient()
  expect((await it.browser.open(`/style.css?client_id=${other.ClientId}`)).text).toContain('light dark')
  await idp.send(
    new UpdateManagedLoginBrandingCommand({
      UserPoolId,
      ManagedLoginBrandingId: ManagedLoginBranding!.ManagedLoginBrandingId,
      UseCognitoProvidedValues: true,
    }),
  )
  expect(await it.css()).toContain('color-scheme: light dark')
})

test('Classic pages have the logo and CSS of the customer, managed login has neither', async () => {
  const it = await hosted(1)
  const { idp, UserPoolId, ClientId } = it
  await idp.send(
    new CreateManagedLoginBrandingCommand({ UserPoolId, ClientId, Settings: { categories: SETTINGS.categories } }),
  )
  const CSS = '.banner-customizable { background-color: #123456; }'
  await idp.send(new SetUICustomizationCommand({ UserPoolId, ClientId, CSS, ImageFile: PNG }))
  expect(await it.login()).toContain(`src="data:image/png;base64,${PNG.toString('base64')}"`)
  expect(await it.css()).toContain('.banner-customizable { background-color: #123456; }')
  expect(await it.login()).not.toContain('class="languages"')
  await idp.send(new UpdateUserPoolDomainCommand({ UserPoolId, Domain: 'people', ManagedLoginVersion: 2 }))
  expect(await it.login()).not.toContain('data:image/png')
  expect(await it.css()).not.toContain('#123456')
  expect(await it.login()).toContain('class="languages"')
})

test('Pages speak the language of `lang`, from page to page, and English otherwise', async () => {
  const it = await hosted(1)
  for (const [lang, title] of Object.entries({
    de: 'Anmelden',
    es: 'Iniciar sesión',
    fr: 'Se connecter',
    ja: 'サインイン',
  })) {
    const text = await it.login(lang)
    expect(text).toContain(`<html lang="${lang}">`)
    expect(text).toContain(`<h1>${title}</h1>`)
  }
  for (const lang of [undefined, 'xx', '__proto__', '"><script>']) {
    const text = await it.login(lang)
    expect(text).toContain('<html lang="en">')
    expect(text).toContain('<h1>Sign in</h1>')
  }
  // The app's request carries it, and what goes wrong is said in it, too.
  await it.browser.open(`/oauth2/authorize?${it.query('de')}`)
  await it.browser.open(it.browser.page.location!)
  const { text } = await it.browser.submit('/login', { username: 'nobody', password: 'Wr0ng-Pw!' })
  expect(text).toContain('Benutzername oder Passwort ist falsch.')
  await it.browser.open(`/forgotPassword?${it.query('de')}`)
  const reset = await it.browser.submit('/forgotPassword', { username: 'nobody' })
  expect(reset.text).toMatch(/Wenn es diesen Benutzer gibt, wurde ein Code an [^{]+ gesendet/)
})

test('Every language has the values that its texts are filled with', () => {
  for (const lang of Object.keys(LANGUAGES))
    for (const text of Object.keys(german)) {
      const names = (of: string) => [...of.matchAll(/\{\w+\}/g)].map(([name]) => name)
      expect(names(translated(lang, text)), `${lang}: ${text}`).toEqual(names(text))
    }
  expect(translated('de', 'Continue with {name}', { name: '{destination}' })).toBe('Weiter mit {destination}')
})
