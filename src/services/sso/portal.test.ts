/** From a directory to a role: assignments, the device flow, PKCE, tokens, and what ends them. */
import { createHash } from 'node:crypto'
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteSAMLProviderCommand,
  GetRoleCommand,
  IAMClient,
  ListRolesCommand,
  ListSAMLProvidersCommand,
  TagRoleCommand,
  UpdateRoleDescriptionCommand,
} from '@aws-sdk/client-iam'
import { DeleteGroupMembershipCommand, ListGroupMembershipsCommand } from '@aws-sdk/client-identitystore'
import { CreateKeyCommand, DescribeKeyCommand, KMSClient, TagResourceCommand as TagKey } from '@aws-sdk/client-kms'
import {
  GetRoleCredentialsCommand,
  type GetRoleCredentialsCommandOutput,
  ListAccountRolesCommand,
  ListAccountsCommand,
  LogoutCommand,
} from '@aws-sdk/client-sso'
import { CreateInstanceAccessControlAttributeConfigurationCommand } from '@aws-sdk/client-sso-admin'
import { CreateTokenCommand, RegisterClientCommand, StartDeviceAuthorizationCommand } from '@aws-sdk/client-sso-oidc'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, type Keys } from '../../../test/cloud.ts'
import { denying } from '../organizations/organization.fixture.ts'
import { eventsOf } from '../signin/browser.fixture.ts'
import { identityCenter } from './sso.fixture.ts'

type World = Awaited<ReturnType<typeof identityCenter>>

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'
const codeOf = (error: unknown) => (error as Error).name
const nameOf = (call: Promise<unknown>) => call.then(() => 'done', codeOf)

async function registered(it: World, more: object = {}) {
  return it.oidc.send(
    new RegisterClientCommand({
      clientName: 'botocore-client',
      clientType: 'public',
      scopes: ['sso:account:access'],
      ...more,
    }),
  )
}

async function device(it: World) {
  const client = await registered(it)
  const { clientId, clientSecret } = client
  const started = await it.oidc.send(
    new StartDeviceAuthorizationCommand({
      clientId,
      clientSecret,
      startUrl: `https://${it.storeId}.awsapps.com/start`,
    }),
  )
  const poll = () =>
    it.oidc.send(
      new CreateTokenCommand({ clientId, clientSecret, grantType: DEVICE_CODE, deviceCode: started.deviceCode }),
    )
  return { client, started, poll }
}

/** A person's tokens, by a device that the person allows. */
async function tokens(it: World, username: string) {
  const { client, started, poll } = await device(it)
  const browser = await it.signedIn(username)
  await browser.open(`/start/device?user_code=${started.userCode}`)
  await browser.submit('/start/device')
  expect(browser.page.text).toContain('Request approved')
  const { clientId, clientSecret } = client
  const refresh = (refreshToken: string) =>
    it.oidc.send(new CreateTokenCommand({ clientId, clientSecret, grantType: 'refresh_token', refreshToken }))
  return { token: await poll(), refresh, browser }
}

/** Without `expiration`, which clients would read as a date. */
function keysFrom({ roleCredentials }: GetRoleCredentialsCommandOutput): Keys {
  const { accessKeyId = '', secretAccessKey = '', sessionToken = '' } = roleCredentials!
  return { accessKeyId, secretAccessKey, sessionToken }
}

describe('A group that is assigned to an account', () => {
  test('has a protected role there, which its members assume and control policies bind', async () => {
    const it = await identityCenter()
    const account = await it.member('workload')
    const ana = await it.person('ana')
    const staff = await it.group('staff', ana)
    const set = await it.permissionSet('ReadUsers', { Action: ['iam:List*'], Resource: '*' })

    const { begun, ended } = await it.assign(set, account, 'GROUP', staff)
    expect([begun.Status, ended.Status]).toEqual(['IN_PROGRESS', 'SUCCEEDED'])
    expect((await it.assign(set, account, 'USER', staff)).ended).toMatchObject({
      Status: 'FAILED',
      FailureReason: `USER ${staff} not found.`,
    })

    // The role and its provider are real, and IAM cannot change them.
    const visiting = it.client(IAMClient, await it.enter(account))
    const { Roles } = await visiting.send(new ListRolesCommand({ PathPrefix: '/aws-reserved/' }))
    const { RoleName, Arn } = Roles![0]!
    expect(Arn).toMatch(
      new RegExp(`^arn:aws:iam::${account}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_ReadUsers_[0-9a-f]{16}$`),
    )
    expect((await visiting.send(new GetRoleCommand({ RoleName }))).Role).toMatchObject({ MaxSessionDuration: 43200 })
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
    const { SAMLProviderList } = await visiting.send(new ListSAMLProvidersCommand({}))
    const SAMLProviderArn = SAMLProviderList![0]!.Arn!
    expect(SAMLProviderArn).toMatch(/saml-provider\/AWSSSO_[0-9a-f]{16}_DO_NOT_DELETE$/)
    for (const command of [
      new AttachRolePolicyCommand({ RoleName, PolicyArn }),
      new TagRoleCommand({ RoleName, Tags: [{ Key: 'a', Value: 'b' }] }),
      new UpdateRoleDescriptionCommand({ RoleName, Description: 'mine' }),
      new DeleteRoleCommand({ RoleName }),
      new DeleteSAMLProviderCommand({ SAMLProviderArn }),
      // biome-ignore lint/suspicious/noExplicitAny: commands of every operation.
    ] as any[])
      expect(await nameOf(visiting.send(command))).toBe('UnmodifiableEntityException')
    const reserved = {
      RoleName: 'AWSReservedSSO_x',
      Path: '/aws-reserved/sso.amazonaws.com/',
      AssumeRolePolicyDocument: allowing({ Principal: { AWS: account }, Action: 'sts:AssumeRole' }),
    }
    expect(await nameOf(visiting.send(new CreateRoleCommand(reserved)))).toBe('InvalidInputException')

    const { token } = await tokens(it, 'ana')
    const { accessToken } = token
    expect(token).toMatchObject({ tokenType: 'Bearer', expiresIn: 3600 })
    const { accountList } = await it.portal.send(new ListAccountsCommand({ accessToken }))
    expect(accountList).toEqual([{ accountId: account, accountName: 'workload' }])
    const { roleList } = await it.portal.send(new ListAccountRolesCommand({ accessToken, accountId: account }))
    expect(roleList).toEqual([{ roleName: 'ReadUsers', accountId: account }])
    const wanted = new GetRoleCredentialsCommand({ accessToken, accountId: account, roleName: 'ReadUsers' })
    const answer = await it.portal.send(wanted)
    expect(answer.roleCredentials!.expiration! - it.clock.now()).toBeGreaterThan(3_590_000)
    const keys = keysFrom(answer)
    const caller = await it.client(STSClient, keys).send(new GetCallerIdentityCommand({}))
    expect(caller.Arn).toBe(`arn:aws:sts::${account}:assumed-role/${RoleName}/ana`)
    expect(await it.lists(keys)).toBe('allowed')

    // A control policy binds the role like any other.
    const { Id } = await it.scp('no-users', denying('iam:ListUsers'))
    await it.attach(Id!, account)
    expect(await it.lists(keys)).toContain('explicit deny in a service control policy')
    await it.detach(Id!, account)

    // A user who leaves the group has no access at the next call; removing the last assignment removes the role.
    const members = await it.people.send(
      new ListGroupMembershipsCommand({ IdentityStoreId: it.storeId, GroupId: staff }),
    )
    const { MembershipId } = members.GroupMemberships![0]!
    await it.people.send(new DeleteGroupMembershipCommand({ IdentityStoreId: it.storeId, MembershipId }))
    expect(await it.portal.send(wanted).catch((error) => [error.name, error.$metadata.httpStatusCode])).toEqual([
      'ForbiddenException',
      403,
    ])
    expect((await it.unassign(set, account, 'GROUP', staff)).Status).toBe('SUCCEEDED')
    expect((await visiting.send(new ListRolesCommand({ PathPrefix: '/aws-reserved/' }))).Roles).toEqual([])
    expect(await nameOf(it.client(STSClient, keys).send(new GetCallerIdentityCommand({})))).toBe('InvalidClientTokenId')

    await it.portal.send(new LogoutCommand({ accessToken }))
    expect(await nameOf(it.portal.send(new ListAccountsCommand({ accessToken })))).toBe('UnauthorizedException')

    const events = await eventsOf(it, ACCOUNT, 'GetRoleCredentials')
    const credentialsEvent = events.find(({ errorCode }) => errorCode === undefined)
    expect(credentialsEvent).toMatchObject({
      eventSource: 'sso.amazonaws.com',
      userIdentity: { type: 'IdentityCenterUser', onBehalfOf: { userId: ana } },
    })
    expect((await eventsOf(it, ACCOUNT, 'UserAuthentication')).length).toBeGreaterThan(0)
  })
})

describe('A device', () => {
  test('waits for consent, is slowed down, and gets one token for one code', async () => {
    const it = await identityCenter()
    await it.person('ana')
    const { started, poll } = await device(it)
    expect(started.userCode).toMatch(/^[B-DF-HJ-NP-TV-Z0-9]{4}-[B-DF-HJ-NP-TV-Z0-9]{4}$/)
    expect(started).toMatchObject({ expiresIn: 600, interval: 1 })

    const polls = [await nameOf(poll()), await nameOf(poll()), await nameOf(poll())]
    expect(polls).toEqual(['AuthorizationPendingException', 'AuthorizationPendingException', 'SlowDownException'])
    it.clock.advance(1_000)
    expect(await poll().catch((error) => error.error)).toBe('authorization_pending')

    const browser = await it.signedIn('ana')
    await browser.open(`/start/device?user_code=${started.userCode}`)
    expect(browser.page.text).toContain(started.userCode)
    expect(browser.page.text).toContain('botocore-client')
    expect(browser.page.text).toContain('came from another network')
    await browser.submit('/start/device')
    expect((await poll()).refreshToken).toMatch(/^aor/)
    expect(await nameOf(poll())).toBe('InvalidGrantException')

    // The code is spent; wrong ones lock the page, for the right one too.
    const next = await device(it)
    for (let wrong = 0; wrong < 5; wrong++) {
      await browser.open('/start/device?user_code=BBBB-BBB0')
      expect(browser.problem).toContain('not valid')
    }
    await browser.open(`/start/device?user_code=${next.started.userCode}`)
    expect(browser.problem).toContain('Too many failed attempts')
    it.clock.advance(600_000)
    expect(await nameOf(next.poll())).toBe('ExpiredTokenException')
    it.clock.advance(1_000)
    const denied = await device(it)
    await browser.open(`/start/device?user_code=${denied.started.userCode}`)
    const form = /name="csrf" value="([^"]+)"/.exec(browser.page.text)![1]!
    const body = new URLSearchParams({ csrf: form, user_code: denied.started.userCode!, answer: 'deny' }).toString()
    await browser.request('POST', '/start/device', body, { 'content-type': 'application/x-www-form-urlencoded' })
    expect(browser.page.text).toContain('Request denied')
    expect(await nameOf(denied.poll())).toBe('AccessDeniedException')
  })

  test('is refused with a wrong secret, for another portal, and with unknown grants', async () => {
    const it = await identityCenter()
    const { clientId, clientSecret } = await registered(it)
    const start = (more: object) =>
      it.oidc.send(
        new StartDeviceAuthorizationCommand({
          clientId,
          clientSecret,
          startUrl: `https://${it.storeId}.awsapps.com/start`,
          ...more,
        }),
      )

    expect(await nameOf(start({ clientSecret: 'x' }))).toBe('InvalidClientException')
    expect(await nameOf(start({ clientId: 'x' }))).toBe('InvalidClientException')
    expect(await nameOf(start({ startUrl: 'https://d-0000000000.awsapps.com/start' }))).toBe('InvalidRequestException')
    expect(await nameOf(it.oidc.send(new CreateTokenCommand({ clientId, clientSecret, grantType: 'password' })))).toBe(
      'UnsupportedGrantTypeException',
    )
    expect(await nameOf(registered(it, { redirectUris: ['https://evil.example/cb'] }))).toBe(
      'InvalidRedirectUriException',
    )
    it.clock.advance(91 * 24 * 3600_000)
    expect(await nameOf(start({}))).toBe('InvalidClientException')
  })
})

describe('The authorization code with PKCE', () => {
  test('is for one client, one verifier, one redirect URI but its port, and once', async () => {
    const it = await identityCenter()
    await it.person('ana')
    const client = await registered(it, {
      grantTypes: ['authorization_code', 'refresh_token'],
      redirectUris: ['http://127.0.0.1/oauth/callback'],
      issuerUrl: `https://${it.storeId}.awsapps.com/start`,
    })
    const { clientId, clientSecret } = client
    const verifier = 'v'.repeat(64)
    const redirectUri = 'http://127.0.0.1:49152/oauth/callback'
    const query = (more: object = {}) =>
      new URLSearchParams({
        response_type: 'code',
        client_id: clientId!,
        redirect_uri: redirectUri,
        state: 'the-state',
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        scopes: 'sso:account:access',
        ...more,
      })
    const browser = await it.signedIn('ana')
    // The command line opens the API's address, which leads to the pages.
    const api = await it.handle({
      method: 'GET',
      path: '/authorize',
      query: query().toString(),
      rawHeaders: ['host', 'merlon.test'],
      body: Buffer.alloc(0),
      remoteAddress: '192.0.2.1',
      secure: false,
    })
    expect(api.headers['location']).toContain('/start/authorize?response_type=code')
    const consent = async () => {
      await browser.open(`/start/authorize?${query()}`)
      await browser.submit('/start/authorize')
      const location = new URL(browser.page.location!)
      expect(location.href).toContain(redirectUri)
      expect(location.searchParams.get('state')).toBe('the-state')
      return location.searchParams.get('code')!
    }
    const redeem = (code: string, more: object = {}) =>
      it.oidc.send(
        new CreateTokenCommand({
          clientId,
          clientSecret,
          grantType: 'authorization_code',
          code,
          redirectUri,
          codeVerifier: verifier,
          ...more,
        }),
      )

    const code = await consent()
    expect(await nameOf(redeem(code, { codeVerifier: 'w'.repeat(64) }))).toBe('InvalidGrantException')
    expect(await nameOf(redeem(code, { redirectUri: 'http://127.0.0.1:49152/other' }))).toBe('InvalidGrantException')
    expect((await redeem(code)).accessToken).toMatch(/^aoa/)
    expect(await nameOf(redeem(code))).toBe('InvalidGrantException')
    const late = await consent()
    it.clock.advance(60_000)
    expect(await nameOf(redeem(late))).toBe('InvalidGrantException')

    for (const wrong of [
      { redirect_uri: 'http://127.0.0.1:1/other' },
      { redirect_uri: 'https://evil.example/oauth/callback' },
      { client_id: 'x' },
    ]) {
      await browser.open(`/start/authorize?${query(wrong)}`)
      expect([browser.page.status, browser.page.location]).toEqual([400, undefined])
    }
    await browser.open(`/start/authorize?${query({ code_challenge_method: 'plain' })}`)
    expect(browser.page.location).toContain('error=invalid_request')
  })
})

describe('Tokens', () => {
  test('are renewed until the session of the portal ends; one that is used twice ends all of its family', async () => {
    const it = await identityCenter()
    await it.person('ana')
    const { token, refresh } = await tokens(it, 'ana')
    let current = token
    for (let hour = 0; hour < 3; hour++) {
      it.clock.advance(3_600_000)
      expect(await nameOf(it.portal.send(new ListAccountsCommand({ accessToken: current.accessToken })))).toBe(
        'UnauthorizedException',
      )
      const renewed = await refresh(current.refreshToken!)
      // Clients that share a cache renew at once.
      expect((await refresh(current.refreshToken!)).accessToken).toMatch(/^aoa/)
      expect(await nameOf(it.portal.send(new ListAccountsCommand({ accessToken: renewed.accessToken })))).toBe('done')
      current = renewed
    }
    it.clock.advance(61_000)
    expect(await nameOf(refresh(token.refreshToken!))).toBe('InvalidGrantException')
    expect(await nameOf(refresh(current.refreshToken!))).toBe('InvalidGrantException')

    const other = await tokens(it, 'ana')
    it.clock.advance(8 * 3_600_000)
    expect(await nameOf(other.refresh(other.token.refreshToken!))).toBe('InvalidGrantException')
  })

  test('and sessions of roles end when the person gets another password', async () => {
    const it = await identityCenter()
    const account = await it.member('workload')
    const ana = await it.person('ana')
    const set = await it.permissionSet('Users', { Action: 'iam:ListUsers', Resource: '*' })
    await it.assign(set, account, 'USER', ana)
    const { token } = await tokens(it, 'ana')
    const { accessToken } = token
    const wanted = new GetRoleCredentialsCommand({ accessToken, accountId: account, roleName: 'Users' })
    const keys = keysFrom(await it.portal.send(wanted))
    expect(await it.lists(keys)).toBe('allowed')

    expect(await it.setPassword(ana, PASSWORD_WEAK)).toContain('needs')
    expect(await it.setPassword(ana, 'Another-Horse-8')).toBeUndefined()

    expect(await nameOf(it.portal.send(wanted))).toBe('UnauthorizedException')
    expect(await nameOf(it.client(STSClient, keys).send(new GetCallerIdentityCommand({})))).toBe('InvalidClientTokenId')
  })
})

const PASSWORD_WEAK = 'lowercase-only'

describe('Attributes for access control', () => {
  test('a department decides which keys a person may see', async () => {
    const it = await identityCenter()
    const account = await it.member('workload')
    const extension = (department: string) => ({ Extensions: { 'aws:identitystore:enterprise': { department } } })
    const ana = await it.person('ana', extension('red'))
    const bob = await it.person('bob', extension('blue'))
    const set = await it.permissionSet('Keys', {
      Action: 'kms:DescribeKey',
      Resource: '*',
      Condition: { StringEquals: { 'aws:ResourceTag/department': '${aws:PrincipalTag/department}' } },
    })
    for (const id of [ana, bob]) await it.assign(set, account, 'USER', id)
    await it.sso.send(
      new CreateInstanceAccessControlAttributeConfigurationCommand({
        InstanceArn: it.instanceArn,
        InstanceAccessControlAttributeConfiguration: {
          AccessControlAttributes: [{ Key: 'department', Value: { Source: ['${path:enterprise.department}'] } }],
        },
      }),
    )
    const owner = it.client(KMSClient, await it.enter(account))
    const { KeyMetadata } = await owner.send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata!.KeyId!
    await owner.send(new TagKey({ KeyId, Tags: [{ TagKey: 'department', TagValue: 'red' }] }))

    const sees = async (name: string) => {
      const { token } = await tokens(it, name)
      const { accessToken } = token
      const wanted = new GetRoleCredentialsCommand({ accessToken, accountId: account, roleName: 'Keys' })
      const keys = keysFrom(await it.portal.send(wanted))
      return nameOf(it.client(KMSClient, keys).send(new DescribeKeyCommand({ KeyId })))
    }

    expect(await sees('ana')).toBe('done')
    expect(await sees('bob')).toBe('AccessDeniedException')
  })
})
