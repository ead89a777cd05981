/** Servers whose people sign in, and a browser for them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { IAMClient } from '@aws-sdk/client-iam'
import { type Browser, chromium, type Page } from 'playwright-core'
import { merlonScript, startAlone, temporaryFolder } from '../process.ts'

export const PASSWORD = 'Correct-Horse-7'
export const ROOT_EMAIL = 'root@corp.test'

export interface SignInServer {
  readonly account: string
  /** `http://localhost:PORT`: passkeys need a name, not an address. */
  readonly origin: string
  readonly iam: IAMClient
  stop(): Promise<unknown>
}

/** An installation that `merlon init --root-email` has made, with its server. */
export async function startInstallation(): Promise<SignInServer> {
  const data = join(temporaryFolder(), 'data')
  const words = ['init', '--data', data, '--root-email', ROOT_EMAIL, '--json']
  const child = spawn(process.execPath, [merlonScript, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  child.stdin.end(`${PASSWORD}\n`)
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`merlon init ended with status ${status}`)
  const { accountId, accessKeyId, secretAccessKey } = JSON.parse(text) as Readonly<Record<string, string>>
  return serverOf(accountId!, { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! }, ['--data', data])
}

export async function serverOf(
  account: string,
  credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<SignInServer> {
  const server = await startAlone(words, environment)
  const { signIn } = server as unknown as { readonly signIn: string }
  return {
    account,
    origin: `http://localhost:${new URL(signIn).port}`,
    iam: new IAMClient({ region: 'us-east-1', endpoint: server.url, credentials, maxAttempts: 1 }),
    stop: () => server.stop(),
  }
}

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })

export async function signInAs(page: Page, { origin, account }: SignInServer, name: string, password = PASSWORD) {
  await page.goto(`${origin}/signin?redirect=/signin/security`)
  await page.getByLabel('Account ID or alias').fill(account)
  await page.getByLabel('User name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** An authenticator that confirms by itself. */
export async function virtualAuthenticator(page: Page): Promise<void> {
  const debug = await page.context().newCDPSession(page)
  await debug.send('WebAuthn.enable')
  await debug.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds: `rule: element`. The debugger injects it, which the policy of the page does not bind. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  const debug = await page.context().newCDPSession(page)
  const expression = `${axe}; axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html.slice(0, 200))))`
  const { result, exceptionDetails } = await debug.send('Runtime.evaluate', {
    expression,
    awaitPromise: true,
    returnByValue: true,
  })
  // The session is not detached: that would end the virtual authenticator of the page.
  if (exceptionDetails) throw new Error(exceptionDetails.text)
  return result.value as readonly string[]
}

const SCREENSHOTS = process.env['MERLON_SCREENSHOTS']

/** Into the directory MERLON_SCREENSHOTS, for a person to look at. */
export async function picture(page: Page, name: string): Promise<void> {
  if (!SCREENSHOTS) return
  mkdirSync(SCREENSHOTS, { recursive: true })
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true })
}
