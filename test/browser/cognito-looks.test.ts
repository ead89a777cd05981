/** Managed login with a branding style, in German, in Chromium: what other tests of the pages do not reach. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  AdminCreateUserCommand,
  CognitoIdentityProviderClient,
  CreateManagedLoginBrandingCommand,
  CreateUserPoolClientCommand,
  CreateUserPoolCommand,
  CreateUserPoolDomainCommand,
  InitiateAuthCommand,
  SetRiskConfigurationCommand,
  SetUserMFAPreferenceCommand,
  SetUserPoolMfaConfigCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readSpool } from '../../src/planes/mailer/spool.ts'
import { installation, type Running, startAlone, temporaryFolder } from '../process.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import { PASSWORD } from './sign-in.ts'

const CALLBACK = 'https://app.corp.test/callback'
const TEMPORARY = 'Temp0rary-Pw!'
const LOGO = Buffer.from(
  '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="40"><rect width="160" height="40" rx="8" fill="#0a7d33"/></svg>',
)
const both = <T>(light: T, dark: T) => ({ lightMode: light, darkMode: dark })
const SETTINGS = {
  categories: {
    global: { colorSchemeMode: 'DYNAMIC' },
    form: { languageSelector: { enabled: true }, location: { horizontal: 'CENTER', vertical: 'CENTER' } },
  },
  componentClasses: { buttons: { borderRadius: 20 }, input: { borderRadius: 12 } },
  components: {
    form: { logo: { enabled: true, formInclusion: 'IN', location: 'CENTER' }, borderRadius: 16 },
    pageBackground: both({ color: 'e6f4eaff' }, { color: '06210fff' }),
    primaryButton: both(
      { defaults: { backgroundColor: '0a7d33ff', textColor: 'ffffffff' } },
      { defaults: { backgroundColor: '7ee2a8ff', textColor: '06210fff' } },
    ),
  },
}

let server: Running
let browser: Browser
let idp: CognitoIdentityProviderClient
let UserPoolId: string
let ClientId: string
let login: string
const spool = join(temporaryFolder(), 'mail')

beforeAll(async () => {
  mkdirSync(spool)
  server = await startAlone([...installation(), '--mail', `file://${spool}`])
  const { signIn } = server as unknown as { readonly signIn: string }
  login = `http://localhost:${new URL(signIn).port}/_cognito/us-east-1/people`
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  const credentials = { accessKeyId, secretAccessKey }
  idp = new CognitoIdentityProviderClient({ endpoint: server.url, region: 'us-east-1', credentials })
  const source = {
    EmailSendingAccount: 'DEVELOPER',
    SourceArn: 'arn:aws:ses:us-east-1:111122223333:identity/a.test',
  } as const
  const { UserPool } = await idp.send(
    new CreateUserPoolCommand({
      PoolName: 'people',
      EmailConfiguration: source,
      UserPoolAddOns: { AdvancedSecurityMode: 'ENFORCED' },
    }),
  )
  UserPoolId = UserPool!.Id!
  await idp.send(
    new SetUserPoolMfaConfigCommand({
      UserPoolId,
      MfaConfiguration: 'OPTIONAL',
      SoftwareTokenMfaConfiguration: { Enabled: true },
      SmsMfaConfiguration: {
        SmsConfiguration: { SnsCallerArn: 'arn:aws:iam::111122223333:role/sms', ExternalId: 'x' },
      },
      EmailMfaConfiguration: { Subject: 'Your code', Message: 'Code: {####}' },
    }),
  )
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain: 'people', ManagedLoginVersion: 2 }))
  const { UserPoolClient } = await idp.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: 'Tickets',
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid'],
      CallbackURLs: [CALLBACK],
    }),
  )
  ClientId = UserPoolClient!.ClientId!
  const Assets = [{ Category: 'FORM_LOGO', ColorMode: 'LIGHT', Extension: 'SVG', Bytes: LOGO }] as const
  await idp.send(
    new CreateManagedLoginBrandingCommand({ UserPoolId, ClientId, Settings: SETTINGS, Assets: [...Assets] }),
  )
  browser = await openBrowser()
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

/** The page has its heading, breaks no rule of accessibility, and its picture is kept. */
async function shown(page: Page, heading: string, picture: string): Promise<void> {
  await page.getByRole('heading', { name: heading, level: 1 }).waitFor()
  await screenshot(page, `cognito-${picture}`)
  expect(await accessibilityFindings(page), picture).toEqual([])
}

async function mail(messages: number): Promise<string> {
  for (;;) {
    const all = await readSpool(spool)
    if (all.length >= messages) return all.at(-1)!.text
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const signInByApi = async (password: string) => {
  const AuthParameters = { USERNAME: 'ana', PASSWORD: password }
  return idp.send(new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters }))
}

test('A person with a temporary password sets one, chooses a second factor, signs out, and answers a notice', async () => {
  const context = await browser.newContext({ viewport: { width: 900, height: 760 } })
  const page = await context.newPage()
  await context.route('https://app.corp.test/**', (reached) =>
    reached.fulfill({ contentType: 'text/html', body: '<h1>The app</h1>' }),
  )
  const atApp = async () => {
    await page.getByRole('heading', { name: 'The app' }).waitFor()
    expect(new URL(page.url()).searchParams.get('code')).toBeTruthy()
  }
  const refused: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !/favicon|net::ERR|status of 40/.test(message.text()))
      refused.push(message.text())
  })
  const UserAttributes = [
    { Name: 'email', Value: 'ana@corp.test' },
    { Name: 'email_verified', Value: 'true' },
    { Name: 'phone_number', Value: '+4912345678' },
    { Name: 'phone_number_verified', Value: 'true' },
  ]
  await idp.send(
    new AdminCreateUserCommand({
      UserPoolId,
      Username: 'ana',
      UserAttributes,
      TemporaryPassword: TEMPORARY,
      MessageAction: 'SUPPRESS',
    }),
  )
  const query = new URLSearchParams({ client_id: ClientId, redirect_uri: CALLBACK, response_type: 'code' })
  const signIn = async (password: string) => {
    await page.getByLabel('Benutzername').fill('ana')
    await page.getByLabel('Passwort').fill(password)
    await page.getByRole('button', { name: 'Anmelden' }).click()
  }

  // From English to German by the choice that the style shows.
  await page.goto(`${login}/login?${query}`)
  await shown(page, 'Sign in', 'branded-sign-in')
  await page.emulateMedia({ colorScheme: 'dark' })
  await shown(page, 'Sign in', 'branded-sign-in-dark')
  await page.emulateMedia({ colorScheme: 'light' })
  await page.getByRole('link', { name: 'Deutsch' }).click()
  await shown(page, 'Anmelden', 'branded-german')
  await signIn('Wr0ng-Pw!')
  await page.getByText('Benutzername oder Passwort ist falsch.').waitFor()
  await shown(page, 'Anmelden', 'branded-wrong-password')

  await signIn(TEMPORARY)
  await shown(page, 'Neues Passwort festlegen', 'new-password')
  await page.getByLabel('Neues Passwort', { exact: true }).fill(PASSWORD)
  await page.getByLabel('Neues Passwort wiederholen').fill(PASSWORD)
  await page.getByRole('button', { name: 'Passwort festlegen' }).click()
  await atApp()

  await page.goto(`${login}/logout?${new URLSearchParams({ client_id: ClientId, lang: 'de' })}`)
  await shown(page, 'Abgemeldet', 'signed-out')

  const { AccessToken } = (await signInByApi(PASSWORD)).AuthenticationResult!
  await idp.send(
    new SetUserMFAPreferenceCommand({
      AccessToken,
      SMSMfaSettings: { Enabled: true },
      EmailMfaSettings: { Enabled: true },
    }),
  )
  await page.goto(`${login}/login?${query}&lang=de`)
  await signIn(PASSWORD)
  await shown(page, 'Wie möchten Sie fortfahren?', 'choice-of-factor')
  const before = (await readSpool(spool)).length
  await page.getByRole('button', { name: 'Code per E-Mail' }).click()
  await shown(page, 'Code eingeben', 'code-by-mail')
  const code = /\b(\d{6})\b/.exec(await mail(before + 1))![1]!
  await page.getByLabel('Code').fill(code)
  await page.getByRole('button', { name: 'Anmelden' }).click()
  await atApp()

  await page.goto(
    `${login}/oauth2/authorize?${new URLSearchParams({ client_id: ClientId, redirect_uri: 'https://evil.test/' })}`,
  )
  await shown(page, 'An error was encountered with the requested page.', 'error')

  // A sign-in from a device of another kind: its notice leads to a page.
  const notice = {
    Subject: 'Was it you?',
    TextBody: 'No: {one-click-link-invalid}',
    HtmlBody: '<p>{one-click-link-invalid}</p>',
  }
  await idp.send(
    new SetRiskConfigurationCommand({
      UserPoolId,
      AccountTakeoverRiskConfiguration: {
        NotifyConfiguration: {
          SourceArn: 'arn:aws:ses:us-east-1:111122223333:identity/a.test',
          NoActionEmail: notice,
        },
        Actions: {
          LowAction: { EventAction: 'NO_ACTION', Notify: true },
          MediumAction: { EventAction: 'NO_ACTION', Notify: true },
          HighAction: { EventAction: 'NO_ACTION', Notify: true },
        },
      },
    }),
  )
  const sent = (await readSpool(spool)).length
  const { accessKeyId, secretAccessKey } = server.accounts[0]!
  const elsewhere = new CognitoIdentityProviderClient({
    endpoint: server.url,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    customUserAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Firefox/128.0',
  })
  const AuthParameters = { USERNAME: 'ana', PASSWORD }
  await elsewhere.send(new InitiateAuthCommand({ ClientId, AuthFlow: 'USER_PASSWORD_AUTH', AuthParameters }))
  const link = new URL(/https:\S+?authEventFeedback\S+/.exec(await mail(sent + 1))![0].replace(/["<].*$/, ''))
  await page.goto(`${login}${link.pathname}${link.search}`)
  await shown(page, 'Was it you?', 'feedback')
  await page.getByRole('button', { name: 'It was not me' }).click()
  await shown(page, 'Thank you', 'feedback-thanks')
  expect(refused).toEqual([])
  await context.close()
}, 300_000)
