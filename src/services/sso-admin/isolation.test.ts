/** What is assigned where is known to the administrators of an instance alone; SCIM tokens reach one directory. */
import * as people from '@aws-sdk/client-identitystore'
import * as sso from '@aws-sdk/client-sso-admin'
import { expect, test } from 'vitest'
import { identityStore } from '../../kernel/ports/identity-store.ts'
import { identityCenter } from '../sso/sso.fixture.ts'

const refusalOf = (answer: Promise<unknown>): Promise<readonly [string, string]> =>
  answer.then(
    () => ['answered', ''] as const,
    (error: Error) => [error.name, error.message] as const,
  )

test('An account of the organization learns no assignment, principal or request of the instance', async () => {
  const it = await identityCenter()
  const [work, other] = [await it.member('work'), await it.member('other')]
  const ana = await it.person('ana')
  const staff = await it.group('staff', ana)
  const set = await it.permissionSet('View', { Action: 's3:List*', Resource: '*' })
  const { ended } = await it.assign(set, other, 'GROUP', staff)
  const keys = await it.enter(work)
  const admin = it.client(sso.SSOAdminClient, keys)
  const store = it.client(people.IdentitystoreClient, keys)
  const InstanceArn = it.instanceArn
  const IdentityStoreId = it.storeId
  const existing = { set, group: staff, user: ana, request: ended.RequestId! }
  const id = '00000000-0000-4000-8000-000000000000'
  const absent = { set: set.replace(/[0-9a-f]{16}$/, '0'.repeat(16)), group: id, user: id, request: id }
  const calls = (at: typeof existing): Readonly<Record<string, () => Promise<unknown>>> => ({
    ListAccountAssignments: () =>
      admin.send(new sso.ListAccountAssignmentsCommand({ InstanceArn, AccountId: work, PermissionSetArn: at.set })),
    ListAccountAssignmentsForPrincipal: () =>
      admin.send(
        new sso.ListAccountAssignmentsForPrincipalCommand({ InstanceArn, PrincipalType: 'USER', PrincipalId: at.user }),
      ),
    ListAccountsForProvisionedPermissionSet: () =>
      admin.send(new sso.ListAccountsForProvisionedPermissionSetCommand({ InstanceArn, PermissionSetArn: at.set })),
    ListPermissionSetsProvisionedToAccount: () =>
      admin.send(new sso.ListPermissionSetsProvisionedToAccountCommand({ InstanceArn, AccountId: work })),
    ListPermissionSets: () => admin.send(new sso.ListPermissionSetsCommand({ InstanceArn })),
    DescribePermissionSet: () =>
      admin.send(new sso.DescribePermissionSetCommand({ InstanceArn, PermissionSetArn: at.set })),
    GetInlinePolicyForPermissionSet: () =>
      admin.send(new sso.GetInlinePolicyForPermissionSetCommand({ InstanceArn, PermissionSetArn: at.set })),
    ListAccountAssignmentCreationStatus: () =>
      admin.send(new sso.ListAccountAssignmentCreationStatusCommand({ InstanceArn })),
    DescribeAccountAssignmentCreationStatus: () =>
      admin.send(
        new sso.DescribeAccountAssignmentCreationStatusCommand({
          InstanceArn,
          AccountAssignmentCreationRequestId: at.request,
        }),
      ),
    ListApplications: () => admin.send(new sso.ListApplicationsCommand({ InstanceArn })),
    ListUsers: () => store.send(new people.ListUsersCommand({ IdentityStoreId })),
    DescribeUser: () => store.send(new people.DescribeUserCommand({ IdentityStoreId, UserId: at.user })),
    ListGroupMemberships: () =>
      store.send(new people.ListGroupMembershipsCommand({ IdentityStoreId, GroupId: at.group })),
    IsMemberInGroups: () =>
      store.send(
        new people.IsMemberInGroupsCommand({ IdentityStoreId, MemberId: { UserId: at.user }, GroupIds: [at.group] }),
      ),
  })
  const masked = ([name, message]: readonly [string, string]) => [
    name,
    Object.values({ ...existing, ...absent }).reduce((text, value) => text.replaceAll(value, '…'), message),
  ]
  const [real, none] = [calls(existing), calls(absent)]
  for (const name of Object.keys(real)) {
    const answer = masked(await refusalOf(real[name]!()))
    expect([name, answer[0]]).toEqual([name, 'AccessDeniedException'])
    // Whether what is named exists makes no difference.
    expect([name, masked(await refusalOf(none[name]!()))]).toEqual([name, answer])
  }
})

test('A SCIM token of one directory reads and changes nothing of another', async () => {
  const it = await identityCenter()
  const ana = await it.person('ana')
  const staff = await it.group('staff', ana)
  const work = await it.member('work')
  const admin = it.client(sso.SSOAdminClient, await it.enter(work))
  const { InstanceArn } = await admin.send(new sso.CreateInstanceCommand({ Name: 'own' }))
  const { IdentityStoreId } = await admin.send(new sso.DescribeInstanceCommand({ InstanceArn: InstanceArn! }))
  const created = await it.store.run((unit) =>
    it.use(identityStore).createScimToken(unit, IdentityStoreId!, it.clock.now()),
  )
  const send = async (method: string, storeId: string, path: string, content?: object, token = created!.token) => {
    const body = content === undefined ? '' : JSON.stringify(content)
    const answer = await it.handle({
      method,
      path: `/scim/${storeId}/v2${path}`,
      query: '',
      rawHeaders: [
        ...['host', 'localhost', 'authorization', `Bearer ${token}`],
        ...(content === undefined ? [] : ['content-type', 'application/scim+json']),
      ],
      body: Buffer.from(body),
      remoteAddress: '192.0.2.1',
      secure: false,
    })
    return { status: answer.status, json: String(answer.body) === '' ? {} : JSON.parse(String(answer.body)) }
  }
  const own = IdentityStoreId!
  expect((await send('GET', own, '/Users')).json.totalResults).toBe(0)
  for (const path of ['/Users', '/Groups', `/Users/${ana}`, `/Groups/${staff}`, '/Schemas'])
    expect([path, (await send('GET', it.storeId, path)).status]).toEqual([path, 404])
  for (const [method, path] of [
    ['GET', `/Users/${ana}`],
    ['DELETE', `/Users/${ana}`],
    ['DELETE', `/Groups/${staff}`],
    ['DELETE', `/Users/..%2F${it.storeId}%2F${ana}`],
  ] as const)
    expect([method, path, (await send(method, own, path)).status]).toEqual([method, path, 404])
  const group = { displayName: 'g', members: [{ value: ana }] }
  expect((await send('POST', own, '/Groups', group)).status).toBe(404)
  expect((await send('GET', own, '/Groups')).json.totalResults).toBe(0)
  // The parts of a token belong together.
  const [, id, secret] = Buffer.from(created!.token, 'base64url').toString().split('.')
  for (const parts of [[it.storeId, id, secret], [own, 'x', secret], [own, id, 'x'], [own, id], []]) {
    const forged = Buffer.from(parts.join('.')).toString('base64url')
    expect((await send('GET', it.storeId, '/Users', undefined, forged || 'x')).status).toBe(401)
  }
  const input = { IdentityStoreId: it.storeId, UserId: ana }
  expect((await it.people.send(new people.DescribeUserCommand(input))).UserName).toBe('ana')
})
