/** User pools in the console: users, what an administrator does with them, a token explained, and the hosted page. */
import {
  AdminSetUserPasswordCommand,
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  CreateUserPoolDomainCommand,
  InitiateAuthCommand,
  UpdateUserPoolCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser } from './browser.ts'
import {
  type ConsoleServer,
  lookedAt,
  openPage,
  ROOT,
  ROOT_PERSON,
  settled,
  signedIn,
  startConsole,
} from './console.ts'
import { PASSWORD } from './sign-in.ts'

let server: ConsoleServer
let browser: Browser

beforeAll(async () => {
  server = await startConsole()
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await server?.stop()
})

test('a user is created, signs in, is put into a group and disabled; a token is verified and explained', async () => {
  const { page, problems, context } = await signedIn(browser, ROOT_PERSON)
  const findings: string[] = []
  const dialog = page.getByRole('dialog')
  await page.goto(server.console)
  await openPage(page, 'user-pools', 'There are no user pools.')
  await page.getByRole('button', { name: 'Create user pool' }).click()
  await dialog.getByLabel('Name').fill('people')
  await dialog.getByRole('button', { name: 'Create', exact: true }).click()
  await page.getByRole('heading', { name: 'people', level: 1 }).waitFor()
  const pool = decodeURIComponent(new URL(page.url()).hash.split('/').at(-1)!)
  await page.getByRole('button', { name: 'Create user', exact: true }).click()
  await dialog.getByLabel('User name').fill('ana')
  await dialog.getByLabel('E-mail').fill('ana@corp.test')
  await dialog.getByRole('button', { name: 'Create', exact: true }).click()
  await page.getByText('Has a temporary password').waitFor()

  const idp = new CognitoIdentityProviderClient({ endpoint: server.api, region: 'us-east-1', credentials: ROOT })
  await idp.send(new UpdateUserPoolCommand({ UserPoolId: pool, UserPoolAddOns: { AdvancedSecurityMode: 'AUDIT' } }))
  await idp.send(new CreateUserPoolDomainCommand({ UserPoolId: pool, Domain: 'people' }))
  const { UserPoolClient } = await idp.send(
    new CreateUserPoolClientCommand({
      UserPoolId: pool,
      ClientName: 'Tickets',
      ExplicitAuthFlows: ['ALLOW_USER_PASSWORD_AUTH'],
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['code'],
      AllowedOAuthScopes: ['openid'],
      CallbackURLs: ['http://localhost/callback'],
    }),
  )
  await idp.send(
    new AdminSetUserPasswordCommand({ UserPoolId: pool, Username: 'ana', Password: PASSWORD, Permanent: true }),
  )
  const { AuthenticationResult } = await idp.send(
    new InitiateAuthCommand({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: UserPoolClient!.ClientId!,
      AuthParameters: { USERNAME: 'ana', PASSWORD },
    }),
  )
  const elsewhere = new CognitoIdentityProviderClient({
    endpoint: server.api,
    region: 'us-east-1',
    credentials: ROOT,
    customUserAgent: 'Mozilla/5.0 (Windows NT 10.0) Firefox/128.0',
  })
  await elsewhere.send(
    new InitiateAuthCommand({
      AuthFlow: 'USER_PASSWORD_AUTH',
      ClientId: UserPoolClient!.ClientId!,
      AuthParameters: { USERNAME: 'ana', PASSWORD },
    }),
  )

  await openPage(page, 'user-pools', 'people')
  findings.push(...(await lookedAt(page, 'user-pools')))
  await openPage(page, `user-pools/${pool}`, 'ana@corp.test')
  findings.push(...(await lookedAt(page, 'user-pool')))
  await page.getByRole('tab', { name: 'Groups' }).click()
  await page.getByLabel('Name of a new group').fill('editors')
  await page.getByRole('button', { name: 'Create group' }).click()
  await page
    .getByRole('cell', { name: 'editors' })
    .or(page.getByRole('rowheader', { name: 'editors' }))
    .waitFor()

  // The token: as it is, and changed.
  await page.getByRole('tab', { name: 'A token explained' }).click()
  const token = page.getByLabel('ID token or access token')
  await token.fill(AuthenticationResult!.IdToken!)
  await page.getByText('The signature is that of a key of this pool.').waitFor()
  await page.getByText('It has not expired.').waitFor()
  await page.getByText('The client for which it was issued').waitFor()
  findings.push(...(await lookedAt(page, 'token')))
  const [head, claims, signature] = AuthenticationResult!.IdToken!.split('.')
  const other = Buffer.from(JSON.stringify({ ...decoded(claims!), email: 'eve@corp.test' })).toString('base64url')
  await token.fill([head, other, signature].join('.'))
  await page.getByText('The signature is wrong: the token was changed.').waitFor()
  await token.fill(AuthenticationResult!.RefreshToken!)
  await page.getByText(/This is encrypted|This is no signed token/).waitFor()

  // The hosted page opens.
  await page.getByRole('tab', { name: 'Clients and hosted pages' }).click()
  const [hosted] = await Promise.all([
    context.waitForEvent('page'),
    page.getByRole('link', { name: 'Open sign-in' }).click(),
  ])
  await hosted.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor()
  await hosted.close()

  // Its preview shows the page in a language.
  await page.getByRole('tab', { name: 'Preview of the hosted pages' }).click()
  const preview = page.frameLocator('iframe')
  await preview.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor()
  findings.push(...(await lookedAt(page, 'login-preview')))
  await page.getByRole('button', { name: /^Language/ }).click()
  await page.getByRole('option', { name: 'German' }).click()
  await preview.getByRole('heading', { name: 'Anmelden', level: 1 }).waitFor()

  await openPage(page, `user-pools/${pool}/users/ana`, 'Confirmed')
  await page.getByText('NoRisk').first().waitFor()
  // The second sign-in came from another device.
  await page.getByText('AccountTakeover, Low').waitFor()
  await page.getByRole('button', { name: 'Add to group' }).click()
  await dialog.getByRole('button', { name: /Group/ }).click()
  await page.getByRole('option', { name: 'editors' }).click()
  await dialog.getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByText('editors').first().waitFor()
  await page.getByRole('button', { name: 'Actions' }).click()
  await page.getByRole('menuitem', { name: 'Disable' }).click()
  await dialog.getByRole('button', { name: 'Disable', exact: true }).click()
  await page.getByText('Disabled', { exact: true }).waitFor()
  await settled(page)
  findings.push(...(await lookedAt(page, 'pool-user')))
  await expect(
    idp.send(
      new InitiateAuthCommand({
        AuthFlow: 'USER_PASSWORD_AUTH',
        ClientId: UserPoolClient!.ClientId!,
        AuthParameters: { USERNAME: 'ana', PASSWORD },
      }),
    ),
  ).rejects.toMatchObject({ name: 'NotAuthorizedException' })
  expect(findings).toEqual([])
  expect(problems).toEqual([])
}, 600_000)

const decoded = (part: string): object => JSON.parse(Buffer.from(part, 'base64url').toString())
