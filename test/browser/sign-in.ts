/** Servers whose people sign in, and a browser for them. */
import { spawn } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { connect } from 'node:tls'
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
  /** `http://localhost:PORT`, or `https`: passkeys need a name, not an address. */
  readonly origin: string
  readonly iam: IAMClient
  stop(): Promise<unknown>
}

/** An installation that `merlon init --root-email` has made, with its server. */
export async function startInstallation(
  environment: Readonly<Record<string, string>> = {},
): Promise<SignInServer & { readonly data: string }> {
  const { data, account, credentials } = await installed()
  return { ...serverAt(await startAlone(['--data', data], environment), account, credentials), data }
}

/** The same with `--tls auto`; `trustedKey` is of the server's certificate, which its own authority has signed. */
export async function startInstallationWithTls(): Promise<SignInServer & { readonly trustedKey: string }> {
  const { data, account, credentials } = await installed()
  const running = await startAlone(['--data', data, '--tls', 'auto'])
  const ca = readFileSync(join(data, 'tls', 'ca.pem'))
  const server = serverAt(running, account, credentials, ca)
  const socket = connect({ host: 'localhost', port: Number(new URL(server.origin).port), servername: 'localhost', ca })
  // Refuses a certificate that the authority has not signed.
  await once(socket, 'secureConnect')
  const { publicKey } = new X509Certificate(socket.getPeerCertificate().raw)
  socket.destroy()
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return { ...server, trustedKey: createHash('sha256').update(spki).digest('base64') }
}

async function installed() {
  const data = join(temporaryFolder(), 'data')
  const text = await withPassword(['init', '--data', data, '--account', ACCOUNT, '--root-email', ROOT_EMAIL, '--json'])
  const { accountId, accessKeyId, secretAccessKey } = JSON.parse(text) as Readonly<Record<string, string>>
  const credentials = { accessKeyId: accessKeyId!, secretAccessKey: secretAccessKey! }
  return { data, account: accountId!, credentials }
}

/** A command that reads a password from standard input. Returns what it prints. */
export async function withPassword(words: readonly string[], password = PASSWORD): Promise<string> {
  const child = spawn(process.execPath, [merlonScript, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  child.stdin.end(`${password}\n`)
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`merlon ${words[0]} ended with status ${status}`)
  return text
}

/** A server that runs, and its root key; with TLS, the authority of its certificate. */
export function serverAt(
  running: Running,
  account: string,
  credentials: SignInServer['credentials'],
  ca?: Buffer,
): SignInServer {
  const { signIn } = running as unknown as { readonly signIn: string }
  const { protocol, port } = new URL(signIn)
  return {
    account,
    api: running.url,
    credentials,
    origin: `${protocol}//localhost:${port}`,
    iam: new IAMClient({
      region: 'us-east-1',
      endpoint: running.url,
      credentials,
      maxAttempts: 1,
      ...(ca && { requestHandler: { httpsAgent: new Agent({ ca }) } }),
    }),
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

export async function signInAsRoot(page: Page, { origin }: SignInServer, password = PASSWORD) {
  await page.goto(`${origin}/signin/root?redirect=/signin/security`)
  await page.getByLabel('Root user e-mail address').fill(ROOT_EMAIL)
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
