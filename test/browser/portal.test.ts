/**
 * IAM Identity Center by the unmodified AWS CLI 2 and a real browser: `aws sso login`, a role that a control policy
 * binds, and the end of an assignment. The CLI reaches the server by a proxy that serves *.amazonaws.com.
 */
import { execFileSync, spawn } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, request } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import {
  CreateGroupCommand,
  CreateGroupMembershipCommand,
  CreateUserCommand,
  IdentitystoreClient,
} from '@aws-sdk/client-identitystore'
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand,
  DescribeCreateAccountStatusCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations'
import {
  CreateAccountAssignmentCommand,
  CreateInstanceCommand,
  CreatePermissionSetCommand,
  DeleteAccountAssignmentCommand,
  DescribeAccountAssignmentCreationStatusCommand,
  DescribeAccountAssignmentDeletionStatusCommand,
  DescribeInstanceCommand,
  PutInlinePolicyToPermissionSetCommand,
  SSOAdminClient,
} from '@aws-sdk/client-sso-admin'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { issueAuthority, issueServer } from '../../src/engines/x509/issue.ts'
import { cleanEnvironment, run } from '../clients/command.ts'
import { merlonScript, type Running, startAlone, temporaryFolder } from '../process.ts'
import { accessibilityFindings, openBrowser, screenshot } from './browser.ts'
import { PASSWORD } from './sign-in.ts'

const HOST = 'amazonaws.com'
const WAIT_MS = 60_000

let server: Running
let browser: Browser
const closing: (() => Promise<unknown>)[] = []

/** TLS for *.amazonaws.com in front of a server, and the proxy that leads there. */
async function amazon(url: string): Promise<{ readonly proxy: string; readonly authority: string }> {
  const validity = () => ({
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 86_400_000),
    serial: Buffer.concat([Buffer.from([1]), randomBytes(15)]),
  })
  const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [root, leaf] = [pair(), pair()]
  const authority = issueAuthority({
    commonName: 'Test authority',
    names: [HOST],
    key: root.privateKey,
    publicKey: root.publicKey,
    ...validity(),
  })
  const names = ['oidc', 'portal.sso', 'sts', 'iam', 'kms'].flatMap((each) => [
    `${each}.us-east-1.${HOST}`,
    `${each}.${HOST}`,
  ])
  const certificate = issueServer(
    { commonName: HOST, names, publicKey: leaf.publicKey, ...validity() },
    { key: root.privateKey, certificate: authority },
  )
  const { hostname, port } = new URL(url)
  const tls = createHttpsServer(
    { key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }), cert: certificate.toString() },
    (incoming, answer) => {
      const { method, url: path, headers } = incoming
      const onward = request({ host: hostname, port, method, path, headers }, (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers)
        reply.pipe(answer)
      })
      onward.on('error', () => answer.destroy())
      incoming.pipe(onward)
    },
  )
  await once(tls.listen(0, '127.0.0.1'), 'listening')
  const proxy = createHttpServer()
  proxy.on('connect', (_request, socket, head) => {
    const there = connect((tls.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      if (head.length > 0) there.write(head)
      there.pipe(socket)
      socket.pipe(there)
    })
    there.on('error', () => socket.destroy())
    socket.on('error', () => there.destroy())
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const file = join(temporaryFolder(), 'authority.pem')
  writeFileSync(file, authority.toString())
  closing.push(async () => {
    tls.closeAllConnections()
    proxy.closeAllConnections()
    tls.close()
    proxy.close()
  })
  return { proxy: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, authority: file }
}

/** `aws` of version 2: Debian's package. */
const AWS = ['/usr/bin/aws', 'aws'].find((program) => {
  try {
    return /^aws-cli\/2/.test(execFileSync(program, ['--version'], { encoding: 'utf8' }))
  } catch {
    return false
  }
})

if (AWS === undefined && process.env['CI']) throw new Error('There is no AWS CLI 2: install the package awscli.')

beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  for (const close of closing) await close()
  await server?.stop()
})

async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + WAIT_MS
  for (;;) {
    const found = await probe()
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error('It did not happen in time.')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

test.skipIf(AWS === undefined)(
  'the AWS CLI signs in by a browser, acts as the role of a permission set, and loses it with the assignment',
  async () => {
    const data = join(temporaryFolder(), 'data')
    server = await startAlone(['--data', data])
    const { signIn } = server as unknown as { readonly signIn: string }
    const origin = `http://localhost:${new URL(signIn).port}`
    const [account] = server.accounts
    const config = { region: 'us-east-1', endpoint: server.url, credentials: account!, maxAttempts: 1 }
    const org = new OrganizationsClient(config)
    const sso = new SSOAdminClient(config)
    const people = new IdentitystoreClient(config)

    await org.send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }))
    const { Roots } = await org.send(new ListRootsCommand({}))
    await org.send(new EnablePolicyTypeCommand({ RootId: Roots![0]!.Id!, PolicyType: 'SERVICE_CONTROL_POLICY' }))
    const made = await org.send(new CreateAccountCommand({ AccountName: 'workload', Email: 'workload@corp.test' }))
    const TargetId = await until(async () => {
      const { Id: CreateAccountRequestId } = made.CreateAccountStatus!
      return (await org.send(new DescribeCreateAccountStatusCommand({ CreateAccountRequestId }))).CreateAccountStatus!
        .AccountId
    })
    const { InstanceArn } = await sso.send(new CreateInstanceCommand({}))
    const { IdentityStoreId } = await sso.send(new DescribeInstanceCommand({ InstanceArn }))
    const { UserId } = await people.send(
      new CreateUserCommand({
        IdentityStoreId,
        UserName: 'ana',
        DisplayName: 'Ana',
        Name: { GivenName: 'Ana', FamilyName: 'Example' },
      }),
    )
    const { GroupId } = await people.send(new CreateGroupCommand({ IdentityStoreId, DisplayName: 'staff' }))
    await people.send(new CreateGroupMembershipCommand({ IdentityStoreId, GroupId, MemberId: { UserId: UserId! } }))
    const setting = spawn(process.execPath, [merlonScript, 'portal-password', '--data', data, '--user', 'ana'], {
      stdio: ['pipe', 'inherit', 'inherit'],
    })
    setting.stdin.end(`${PASSWORD}\n`)
    expect((await once(setting, 'close'))[0]).toBe(0)
    const { PermissionSet } = await sso.send(new CreatePermissionSetCommand({ InstanceArn, Name: 'ReadUsers' }))
    const { PermissionSetArn } = PermissionSet!
    const InlinePolicy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'iam:ListUsers', Resource: '*' }],
    })
    await sso.send(new PutInlinePolicyToPermissionSetCommand({ InstanceArn, PermissionSetArn, InlinePolicy }))
    const assignment = {
      InstanceArn,
      PermissionSetArn,
      TargetId,
      TargetType: 'AWS_ACCOUNT' as const,
      PrincipalType: 'GROUP' as const,
      PrincipalId: GroupId,
    }
    const { AccountAssignmentCreationStatus: begun } = await sso.send(new CreateAccountAssignmentCommand(assignment))
    await until(async () => {
      const AccountAssignmentCreationRequestId = begun!.RequestId!
      const { AccountAssignmentCreationStatus: told } = await sso.send(
        new DescribeAccountAssignmentCreationStatusCommand({ InstanceArn, AccountAssignmentCreationRequestId }),
      )
      expect(told!.FailureReason).toBeUndefined()
      return told!.Status === 'SUCCEEDED' ? true : undefined
    })

    const { proxy, authority } = await amazon(server.url)
    const home = temporaryFolder()
    const environment = {
      ...cleanEnvironment(home),
      HOME: home,
      HTTPS_PROXY: proxy,
      AWS_CA_BUNDLE: authority,
      AWS_DEFAULT_REGION: 'us-east-1',
    }
    const aws = (...words: readonly string[]) => run(AWS!, words, environment, home)
    const settings: readonly (readonly [string, string])[] = [
      ['sso-session.corp.sso_region', 'us-east-1'],
      ['sso-session.corp.sso_start_url', `https://${IdentityStoreId}.awsapps.com/start`],
      ['sso-session.corp.sso_registration_scopes', 'sso:account:access'],
      ['profile.work.sso_session', 'corp'],
      ['profile.work.sso_account_id', TargetId],
      ['profile.work.sso_role_name', 'ReadUsers'],
    ]
    // As `aws configure sso` writes it: `configure set` does not know sections of sessions.
    const session = settings.slice(0, 3).map(([name, value]) => `${name.slice(17)} = ${value}`)
    writeFileSync(join(home, 'config'), `[sso-session corp]\n${session.join('\n')}\n`)
    for (const [name, value] of settings.slice(3)) expect((await aws('configure', 'set', name, value)).status).toBe(0)

    const login = spawn(AWS!, ['sso', 'login', '--profile', 'work', '--no-browser'], { env: environment, cwd: home })
    let printed = ''
    for (const stream of [login.stdout, login.stderr])
      stream.setEncoding('utf8').on('data', (text) => (printed += text))
    const ended = once(login, 'close')
    const address = await until(async () => /http\S+user_code=[A-Z0-9-]+/.exec(printed)?.[0])
    const userCode = address.split('user_code=')[1]!

    const page = await (await browser.newContext({ viewport: { width: 1000, height: 760 } })).newPage()
    await page.goto(`${origin}${new URL(address).pathname}?user_code=${userCode}`)
    await screenshot(page, 'portal-sign-in')
    expect(await accessibilityFindings(page)).toEqual([])
    await page.getByLabel('User name').fill('ana')
    await page.getByLabel('Password').fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'A device requests access' }).waitFor()
    await page.getByText(userCode).waitFor()
    await screenshot(page, 'portal-device')
    expect(await accessibilityFindings(page)).toEqual([])
    await page.getByRole('button', { name: 'allow access' }).click()
    await page.getByRole('heading', { name: 'Request approved' }).waitFor()
    expect([(await ended)[0], printed]).toEqual([0, expect.stringContaining('Successfully logged into')])

    const caller = await aws('sts', 'get-caller-identity', '--profile', 'work', '--output', 'json')
    expect(caller.stderr).toBe('')
    expect(JSON.parse(caller.stdout).Arn).toMatch(
      new RegExp(`^arn:aws:sts::${TargetId}:assumed-role/AWSReservedSSO_ReadUsers_[0-9a-f]{16}/ana$`),
    )
    const list = () => aws('iam', 'list-users', '--profile', 'work')
    expect(await list()).toMatchObject({ status: 0, stderr: '' })

    // An access token that has expired is renewed silently, three times.
    const cacheFolder = join(home, '.aws/sso/cache')
    const cached = () => {
      const files = readdirSync(cacheFolder).map((name) => join(cacheFolder, name))
      const file = files.find((each) => readFileSync(each, 'utf8').includes('"accessToken"'))!
      return { file, token: JSON.parse(readFileSync(file, 'utf8')) as Record<string, string> }
    }
    const seen = new Set([cached().token['accessToken']])
    for (let expiry = 0; expiry < 3; expiry++) {
      const { file, token } = cached()
      const expiresAt = new Date(Date.now() - 60_000).toISOString().replace(/\.\d+/, '')
      writeFileSync(file, JSON.stringify({ ...token, expiresAt }))
      rmSync(join(home, '.aws/cli/cache'), { recursive: true, force: true })
      const answer = await aws('sts', 'get-caller-identity', '--profile', 'work', '--output', 'text')
      expect(answer).toMatchObject({ status: 0, stderr: '' })
      expect(answer.stdout).toContain(`${TargetId}:assumed-role/AWSReservedSSO_ReadUsers_`)
      seen.add(cached().token['accessToken'])
    }
    expect(seen.size).toBe(4)

    const { Policy } = await org.send(
      new CreatePolicyCommand({
        Name: 'no-users',
        Description: '',
        Type: 'SERVICE_CONTROL_POLICY',
        Content: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Deny', Action: 'iam:ListUsers', Resource: '*' }],
        }),
      }),
    )
    await org.send(new AttachPolicyCommand({ PolicyId: Policy!.PolicySummary!.Id, TargetId }))
    expect((await list()).stderr).toContain('with an explicit deny in a service control policy')

    // The accounts of the person, and the console of the role.
    await page.goto(`${origin}/start`)
    await page.getByRole('heading', { name: 'Accounts', exact: true }).waitFor()
    await page.getByText(TargetId).waitFor()
    await screenshot(page, 'portal-accounts')
    expect(await accessibilityFindings(page)).toEqual([])
    await page.getByRole('button', { name: /^Command line credentials of ReadUsers/ }).click()
    await page.getByText('AWS_SESSION_TOKEN').waitFor()
    await screenshot(page, 'portal-credentials')
    expect(await accessibilityFindings(page)).toEqual([])
    await page.goto(`${origin}/start/security`)
    await page.getByRole('heading', { name: 'Security', exact: true }).waitFor()
    expect(await accessibilityFindings(page)).toEqual([])
    await page.goto(`${origin}/start`)
    await page.getByRole('button', { name: /^Open console of/ }).click()
    await page.waitForURL('**/console/**')
    const console = await page.evaluate(async () => (await fetch('/console/session')).json())
    expect(console.principal.arn).toContain(`${TargetId}:assumed-role/AWSReservedSSO_ReadUsers_`)

    const { AccountAssignmentDeletionStatus: ending } = await sso.send(new DeleteAccountAssignmentCommand(assignment))
    await until(async () => {
      const AccountAssignmentDeletionRequestId = ending!.RequestId!
      const { AccountAssignmentDeletionStatus: told } = await sso.send(
        new DescribeAccountAssignmentDeletionStatusCommand({ InstanceArn, AccountAssignmentDeletionRequestId }),
      )
      return told!.Status === 'SUCCEEDED' ? true : undefined
    })
    const token = execFileSync('sh', ['-c', `cat ${join(home, '.aws/sso/cache')}/*.json`], { encoding: 'utf8' })
    const accessToken = /"accessToken": "([^"]+)"/.exec(token)![1]!
    const credentials = ['sso', 'get-role-credentials', '--role-name', 'ReadUsers', '--account-id', TargetId]
    const refused = await aws(...credentials, '--access-token', accessToken)
    expect(refused.stderr).toContain('(ForbiddenException)')

    expect((await aws('sso', 'logout')).status).toBe(0)
    expect(existsSync(join(home, '.aws/cli/cache')) ? await list().then(({ status }) => status) : 1).not.toBe(0)
    expect((await aws(...credentials, '--access-token', accessToken)).stderr).toContain('(UnauthorizedException)')
  },
  300_000,
)
