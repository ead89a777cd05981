/** The console in a real browser, from a built server in memory. */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { startAlone } from '../process.ts'
import { accessibilityFindings, screenshot } from './browser.ts'

export const ACCOUNT = '111122223333'
export const ROOT = { accessKeyId: 'AKIAEXAMPLEEXAMPLE00', secretAccessKey: 'example-secret-of-the-browser-tests' }

export interface ConsoleServer {
  readonly api: string
  /** `http://127.0.0.1:PORT/console/` */
  readonly console: string
  stop(): Promise<unknown>
}

export async function startConsole(): Promise<ConsoleServer> {
  const {
    url,
    console: address,
    stop,
  } = await startAlone(['--dev'], {
    MERLON_ACCOUNT_ID: ACCOUNT,
    MERLON_ROOT_ACCESS_KEY_ID: ROOT.accessKeyId,
    MERLON_ROOT_SECRET_ACCESS_KEY: ROOT.secretAccessKey,
  })
  return { api: url, console: address!, stop }
}

export interface Person {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly arn: string
}

export const ROOT_PERSON: Person = { ...ROOT, arn: `arn:aws:iam::${ACCOUNT}:root` }

/** A browser in which a person is signed in. What the page logs as an error or warning is in `problems`. */
export async function signedIn(
  browser: Browser,
  person: Person,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ readonly page: Page; readonly context: BrowserContext; readonly problems: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options })
  // Only the session is supplied by the test: files, headers and every call to the API are the server's.
  await context.route('**/console/session', (route) =>
    route.fulfill({ json: { signedIn: true, principal: principalOf(person), csrf: 'token-of-the-test', mfa: false } }),
  )
  await context.route('**/console/credentials', (route) =>
    route.fulfill({
      json: {
        accessKeyId: person.accessKeyId,
        secretAccessKey: person.secretAccessKey,
        sessionToken: '',
        expiration: new Date(Date.now() + 900_000).toISOString(),
      },
    }),
  )
  await context.route('**/console/proof', (route) =>
    route.fulfill({
      json: {
        chains: 2,
        records: 1_234,
        checkpoint: { number: 7, time: new Date().toISOString() },
        verification: null,
      },
    }),
  )
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text())
  })
  return { page, context, problems }
}

function principalOf({ arn }: Person): object {
  const resource = arn.split(':').at(-1)!
  if (resource === 'root') return { kind: 'root', arn, account: ACCOUNT }
  return { kind: 'user', arn, account: ACCOUNT, userName: resource.split('/').at(-1) }
}

/** Until nothing is being loaded. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(
    () => {
      const main = document.querySelector('main')
      return (
        main !== null &&
        main.querySelector('h1') !== null &&
        !main.querySelector('[class*="spinner"]') &&
        !/Loading|Looking|Checking|Evaluating|Reading the policies/.test(main.innerText)
      )
    },
    undefined,
    { timeout: 60_000 },
  )
}

/** Goes to the page of an address behind `#/`, and waits until it shows a text. */
export async function openPage(page: Page, address: string, shows?: string | RegExp): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash
  }, `#/${address}`)
  if (shows !== undefined) await page.locator('main', { hasText: shows }).waitFor()
  await settled(page)
}

/** A picture in each theme, and what axe-core finds: `theme rule: element`. */
export async function lookedAt(page: Page, name: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const theme of ['dark', 'light']) {
    // By an event of its own: an open dialog covers the button.
    await page.getByRole('button', { name: `Use ${theme} colors` }).dispatchEvent('click')
    await screenshot(page, `${theme}-${name}`)
    found.push(...(await accessibilityFindings(page)).map((finding) => `${name}, ${theme}: ${finding}`))
  }
  return found
}
