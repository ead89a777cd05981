/**
 * Programs with a profile of IAM Identity Center, that run for hours: boto3 and `fromSSO` renew their tokens and the
 * credentials of their role until the person signs out. Their clock is moved by libfaketime.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CreateTokenCommand, RegisterClientCommand, StartDeviceAuthorizationCommand } from '@aws-sdk/client-sso-oidc'
import { expect, onTestFinished, test } from 'vitest'
import { identityCenter } from '../../src/services/sso/sso.fixture.ts'
import { temporaryFolder } from '../process.ts'
import { cleanEnvironment } from './command.ts'

const FAKETIME = readdirSync('/usr/lib')
  .map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`)
  .find((file) => existsSync(file))
if (FAKETIME === undefined && process.env['CI'])
  throw new Error('There is no libfaketime: install the package faketime.')

const HOUR_MS = 3_600_000
const SCOPES = ['sso:account:access']

type Center = Awaited<ReturnType<typeof identityCenter>>

/** The cloud behind a port of this machine. */
async function served(it: Center): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const [path = '', query = ''] = (request.url ?? '').split('?')
      const { status, headers, body } = await it.handle({
        method: request.method ?? 'GET',
        path,
        query,
        rawHeaders: request.rawHeaders,
        body: Buffer.concat(chunks),
        remoteAddress: '127.0.0.1',
        secure: false,
      })
      // Clients correct their clocks by it.
      response.writeHead(status, { ...headers, date: new Date(it.clock.now()).toUTCString() }).end(body)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What `aws sso login` leaves in the home directory. */
async function signIn(it: Center, home: string, accountId: string, roleName: string) {
  const client = await it.oidc.send(
    new RegisterClientCommand({ clientName: 'botocore-client-corp', clientType: 'public', scopes: SCOPES }),
  )
  const { clientId, clientSecret } = client
  const startUrl = `https://${it.storeId}.awsapps.com/start`
  const { deviceCode, userCode } = await it.oidc.send(
    new StartDeviceAuthorizationCommand({ clientId, clientSecret, startUrl }),
  )
  const browser = await it.signedIn('ana')
  await browser.open(`/start/device?user_code=${userCode}`)
  await browser.submit('/start/device')
  const grantType = 'urn:ietf:params:oauth:grant-type:device_code'
  const token = await it.oidc.send(new CreateTokenCommand({ clientId, clientSecret, grantType, deviceCode }))
  const cache = join(home, '.aws/sso/cache')
  mkdirSync(cache, { recursive: true })
  const file = join(cache, `${createHash('sha1').update('corp').digest('hex')}.json`)
  const at = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
  writeFileSync(
    file,
    JSON.stringify({
      startUrl,
      region: 'us-east-1',
      accessToken: token.accessToken,
      expiresAt: at(it.clock.now() + token.expiresIn! * 1000),
      clientId,
      clientSecret,
      registrationExpiresAt: at(client.clientSecretExpiresAt! * 1000),
      refreshToken: token.refreshToken,
    }),
  )
  const session = ['[sso-session corp]', `sso_start_url = ${startUrl}`, 'sso_region = us-east-1']
  const profile = [
    '[profile work]',
    'sso_session = corp',
    `sso_account_id = ${accountId}`,
    `sso_role_name = ${roleName}`,
  ]
  const config = [...session, `sso_registration_scopes = ${SCOPES}`, ...profile, 'region = us-east-1']
  writeFileSync(join(home, '.aws/config'), config.join('\n'))
  const stored = () => JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string>>
  return { browser, stored }
}

const script = (name: string) => fileURLToPath(new URL(`./${name}`, import.meta.url))

const programs = [
  ['boto3', ['python3', script('sso_calls.py')], 'TokenRetrievalError'],
  ['the SDK for JavaScript, by fromSSO', [process.execPath, script('sso-calls.mjs')], 'CredentialsProviderError'],
] as const

test.skipIf(FAKETIME === undefined).each(programs)(
  '%s renews token and credentials over three expiries, until the person signs out',
  async (_name, [program, file], ended) => {
    const it = await identityCenter()
    const account = await it.member('work')
    const ana = await it.person('ana')
    await it.assign(await it.permissionSet('View', { Action: 's3:List*', Resource: '*' }), account, 'USER', ana)
    const home = temporaryFolder()
    const { browser, stored } = await signIn(it, home, account, 'View')
    const url = await served(it)
    const clock = join(home, 'clock')
    const setClock = () =>
      writeFileSync(
        clock,
        `${it.clock.now() >= Date.now() ? '+' : ''}${Math.round((it.clock.now() - Date.now()) / 1000)}`,
      )
    setClock()
    const child = spawn(program, [file], {
      env: {
        ...cleanEnvironment(home),
        HOME: home,
        AWS_CONFIG_FILE: join(home, '.aws/config'),
        AWS_ENDPOINT_URL: url,
        AWS_MAX_ATTEMPTS: '1',
        LD_PRELOAD: FAKETIME!,
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const call = async () => {
      setClock()
      child.stdin.write('call\n')
      return JSON.parse((await lines.next()).value ?? '{}')
    }
    const arn = expect.stringMatching(`^arn:aws:sts::${account}:assumed-role/AWSReservedSSO_View_[0-9a-f]{16}/ana$`)
    expect(await call()).toEqual({ arn })
    const seen = [stored()]
    for (let expiry = 1; expiry <= 3; expiry++) {
      it.clock.advance(HOUR_MS + 60_000)
      expect([expiry, await call()]).toEqual([expiry, { arn }])
      seen.push(stored())
    }
    for (const member of ['accessToken', 'refreshToken', 'expiresAt'])
      expect([member, new Set(seen.map((each) => each[member])).size]).toEqual([member, 4])

    await browser.open('/start')
    await browser.submit('/start/sign-out')
    // The session of the role lasts to its end, as in AWS.
    expect(await call()).toEqual({ arn })
    it.clock.advance(HOUR_MS + 60_000)
    expect(await call()).toEqual({ error: ended })
  },
)
