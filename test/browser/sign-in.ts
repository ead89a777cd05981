/** Servers whose people sign in, and a browser for them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { IAMClient } from '@aws-sdk/client-iam'
import type { Page } from 'playwright-core'
import { ACCOUNT } from '../cloud.ts'
import { merlonScript, type Running, startAlone, temporaryFolder } from '../process.ts'

export const PASSWORD = 'Correct-Horse-7'
export const ROOT_EMAIL = 'root@corp.test'

export interface SignInServer {
  readonly account: string
  readonly api: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** `http://localhost:PORT`: passkeys need a name, not an address. */
  readonly origin: string
  readonly iam: IAMClient
  stop(): Promise<unknown>
}

/** An installation that `merlon init --root-email` has made, with its server. */
export async function startInstallation(environment: Readonly<Record<string, string>> = {}): Promise<SignInServer> {
  const data = join(temporaryFolder(), 'data')
  const words = ['init', '--data', data, '--account', ACCOUNT, '--root-email', ROOT_EMAIL, '--json']
  const child = spawn(process.execPath, [merlonScript, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  child.stdin.end(`${PASSWORD}\n`)
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`merlon init ended with status ${status}`)
  const { accountId, accessKeyId, secretAccessKey } = JSON.parse(text) as Readonly<Record<string, string>>
  const credentials = { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! }
  return serverAt(await startAlone(['--data', data], environment), accountId!, credentials)
}

/** A server that runs, and its root key. */
export function serverAt(running: Running, account: string, credentials: SignInServer['credentials']): SignInServer {
  const { signIn } = running as unknown as { readonly signIn: string }
  return {
    account,
    api: running.url,
    credentials,
    origin: `http://localhost:${new URL(signIn).port}`,
    iam: new IAMClient({ region: 'us-east-1', endpoint: running.url, credentials, maxAttempts: 1 }),
    stop: () => running.stop(),
  }
}

export async function signInAs(page: Page, { origin, account }: SignInServer, name: string, password = PASSWORD) {
  await page.goto(`${origin}/signin?redirect=/signin/security`)
  await page.getByLabel('Account ID or alias').fill(account)
  await page.getByLabel('User name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** An authenticator that confirms automatically. */
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
