/** IAM Identity Center with many accounts: how long assignments take to be provisioned, and the portal with all of them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  CreateGroupCommand,
  CreateGroupMembershipCommand,
  CreateUserCommand,
  IdentitystoreClient,
} from '@aws-sdk/client-identitystore'
import {
  CreateInstanceCommand,
  CreatePermissionSetCommand,
  DescribeInstanceCommand,
  ListAccountAssignmentCreationStatusCommand,
  PutInlinePolicyToPermissionSetCommand,
  SSOAdminClient,
} from '@aws-sdk/client-sso-admin'
import {
  CreateTokenCommand,
  RegisterClientCommand,
  SSOOIDCClient,
  StartDeviceAuthorizationCommand,
} from '@aws-sdk/client-sso-oidc'
import { load } from '../drive.mjs'
import { firstAdministrator, newAccount, organizations } from '../populate.mjs'
import { number, table } from '../report.mjs'
import { signedJson } from '../requests.mjs'
import { script, startMerlon } from '../servers.mjs'

const FULL = { accounts: 500, sets: 10 }
const SMALL = { accounts: 20, sets: 10 }
/** Accounts of a person with an ordinary share. */
const FEW = 10
const PASSWORD = 'Correct-Horse-7'
const AIM = { seconds: 60, ms: 50 }
const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['s3:Get*', 's3:List*'], Resource: '*' }],
})

export async function identityCenter({ full }) {
  const { accounts, sets } = full ? FULL : SMALL
  const server = await startMerlon()
  try {
    const center = await prepared(server, accounts, sets)
    const seconds = await provisioned(center)
    const rows = [
      [
        `${number(accounts * sets)} assignments in ${number(accounts)} accounts, until the last has succeeded`,
        `${number(seconds)} s`,
        aim(seconds, AIM.seconds * ((accounts * sets) / 5_000), ' s'),
      ],
    ]
    const calls = full ? 300 : 100
    for (const [user, count] of [
      ['ana', accounts],
      ['bob', FEW],
    ]) {
      const { cookie, accessToken } = await signedIn(center, user)
      const page = await one({ ...server, url: server.web }, calls, get(server.web, '/start', { cookie }))
      const list = await one(
        server,
        calls,
        get(server.url, '/assignment/accounts?max_result=100', { 'x-amz-sso_bearer_token': accessToken }),
      )
      for (const [name, { p50, p99 }] of [
        ['portal page', page],
        ['ListAccounts', list],
      ])
        rows.push([
          `${name} of a person with ${number(count * sets)} roles in ${number(count)} accounts: p50, p99`,
          `${number(p50)} ms, ${number(p99)} ms`,
          aim(p99, AIM.ms, ' ms'),
        ])
    }
    return table(['', 'Merlon', ''], rows)
  } finally {
    await server.stop()
  }
}

const aim = (value, most, unit) => (value > most ? `aim ${number(most)}${unit}` : '')

/** One call at a time, as a person makes them. */
const one = (server, calls, request) => load(server, [request], calls, { connections: 1 })

function get(url, path, headers) {
  const lines = Object.entries({ host: new URL(url).host, ...headers }).map(([name, value]) => `${name}: ${value}`)
  return `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}

async function prepared(server, accounts, sets) {
  const administrator = await firstAdministrator(server)
  await organizations(administrator, 'CreateOrganization', {})
  const ids = []
  for (let n = 0; n < accounts; n++) ids.push(await newAccount(administrator, n))
  const at = { region: 'us-east-1', endpoint: server.url, credentials: administrator.credentials }
  const admin = new SSOAdminClient(at)
  const people = new IdentitystoreClient(at)
  const { InstanceArn } = await admin.send(new CreateInstanceCommand({ Name: 'main' }))
  const { IdentityStoreId } = await admin.send(new DescribeInstanceCommand({ InstanceArn }))
  const group = async (DisplayName, ...members) => {
    const { GroupId } = await people.send(new CreateGroupCommand({ IdentityStoreId, DisplayName }))
    for (const UserName of members) {
      const Name = { GivenName: UserName, FamilyName: 'Example' }
      const { UserId } = await people.send(
        new CreateUserCommand({ IdentityStoreId, UserName, DisplayName: UserName, Name }),
      )
      await people.send(new CreateGroupMembershipCommand({ IdentityStoreId, GroupId, MemberId: { UserId } }))
      await setPassword(server, UserName)
    }
    return GroupId
  }
  const everywhere = await group('everywhere', 'ana')
  const few = await group('few', 'bob')
  const permissionSets = []
  for (let n = 0; n < sets; n++) {
    const { PermissionSet } = await admin.send(new CreatePermissionSetCommand({ InstanceArn, Name: `Set-${n}` }))
    const { PermissionSetArn } = PermissionSet
    await admin.send(new PutInlinePolicyToPermissionSetCommand({ InstanceArn, PermissionSetArn, InlinePolicy: POLICY }))
    permissionSets.push(PermissionSetArn)
  }
  return { server, administrator, admin, InstanceArn, ids, permissionSets, everywhere, few }
}

async function setPassword(server, user) {
  const words = [script, 'portal-password', '--data', server.data, '--user', user, '--json']
  const child = spawn(process.execPath, words, { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(`${PASSWORD}\n`)
  const [status] = await once(child, 'exit')
  if (status !== 0) throw new Error(`merlon portal-password ended with status ${status}`)
}

/** Seconds from the first call to the last assignment that succeeded. Those of a few accounts come first, and are not counted. */
async function provisioned(center) {
  await assign(center, center.few, center.ids.slice(0, FEW))
  const startedAt = performance.now()
  await assign(center, center.everywhere, center.ids)
  return (performance.now() - startedAt) / 1000
}

async function assign({ server, administrator, admin, InstanceArn, permissionSets }, PrincipalId, ids) {
  const requests = await Promise.all(
    ids.flatMap((TargetId) =>
      permissionSets.map((PermissionSetArn) =>
        signedJson(administrator, 'sso', 'SWBExternalService.CreateAccountAssignment', {
          InstanceArn,
          PermissionSetArn,
          TargetType: 'AWS_ACCOUNT',
          TargetId,
          PrincipalType: 'GROUP',
          PrincipalId,
        }),
      ),
    ),
  )
  await load(server, requests, requests.length, { connections: 16 })
  for (;;) {
    const input = { InstanceArn, MaxResults: 1, Filter: { Status: 'IN_PROGRESS' } }
    const waiting = await admin.send(new ListAccountAssignmentCreationStatusCommand(input))
    if (waiting.AccountAssignmentsCreationStatus.length === 0) break
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  const failed = await admin.send(
    new ListAccountAssignmentCreationStatusCommand({ InstanceArn, MaxResults: 1, Filter: { Status: 'FAILED' } }),
  )
  if (failed.AccountAssignmentsCreationStatus.length > 0) throw new Error('An assignment failed.')
}

/** A session of the portal, and a token of a command line that the person let in. */
async function signedIn({ server }, user) {
  const cookies = new Map()
  const visit = async (path, form) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await fetch(server.web + path, {
      redirect: 'manual',
      headers: { cookie },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      cookies.set(name, value)
    }
    return answer.text()
  }
  /** Sends the form of a page with its hidden fields. */
  const submit = async (path, action, fields = {}) => {
    const form = (await visit(path)).split('<form ').find((text) => text.includes(`action="${action}"`))
    const hidden = [...form.split('</form>')[0].matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    return visit(action, { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), ...fields })
  }
  await submit('/start/sign-in', '/start/sign-in', { username: user, password: PASSWORD })
  const oidc = new SSOOIDCClient({ region: 'us-east-1', endpoint: server.url })
  const registration = { clientName: 'bench', clientType: 'public', scopes: ['sso:account:access'] }
  const { clientId, clientSecret } = await oidc.send(new RegisterClientCommand(registration))
  const startUrl = `${server.web}/start`
  const { deviceCode, userCode } = await oidc.send(
    new StartDeviceAuthorizationCommand({ clientId, clientSecret, startUrl }),
  )
  await submit(`/start/device?user_code=${userCode}`, '/start/device')
  const grantType = 'urn:ietf:params:oauth:grant-type:device_code'
  const { accessToken } = await oidc.send(new CreateTokenCommand({ clientId, clientSecret, grantType, deviceCode }))
  return { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), accessToken }
}
