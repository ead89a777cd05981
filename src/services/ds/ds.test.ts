/** Directory Service: stages, sign-in by mapped groups, and what its operations refuse. */
import {
  AddTagsToResourceCommand,
  ConnectDirectoryCommand,
  CreateAliasCommand,
  CreateMicrosoftADCommand,
  CreateTrustCommand,
  DeleteDirectoryCommand,
  DeleteTrustCommand,
  DescribeDirectoriesCommand,
  DescribeTrustsCommand,
  DirectoryServiceClient,
  EnableSsoCommand,
  GetDirectoryLimitsCommand,
  ListTagsForResourceCommand,
  RegisterCertificateCommand,
  RemoveTagsFromResourceCommand,
} from '@aws-sdk/client-directory-service'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../test/cloud.ts'
import { type DirectoryServersPort, directoryServers, type PersonLogin } from '../../kernel/ports/directory-servers.ts'
import { provide } from '../../kernel/ports/port.ts'
import { key } from '../../store/store.ts'
import { directoryLoginPort } from './login.ts'
import { directory } from './resources.ts'

const VPC = { VpcId: 'vpc-12345678', SubnetIds: ['subnet-12345678'] }
const PASSWORD = 'Service-Passw0rd'

async function corp() {
  const state: {
    check: Awaited<ReturnType<DirectoryServersPort['check']>>
    login: PersonLogin
    isActive: boolean | Error
  } = {
    check: 'accepted',
    login: {
      outcome: 'accepted',
      person: { subject: 'guid-1', userName: 'ann', groups: ['Cloud Admins', 'Domain Users'] },
    },
    isActive: true,
  }
  const asked: string[] = []
  const servers: DirectoryServersPort = {
    check: async ({ password }) => {
      asked.push(password)
      return state.check
    },
    login: async () => state.login,
    isActive: async () => {
      asked.push('isActive')
      if (state.isActive instanceof Error) throw state.isActive
      return state.isActive
    },
    activeAmong: async (_account, subjects) => new Set(state.isActive === true ? subjects : []),
    list: async () => 'unavailable',
  }
  const it = await cloud({ provides: [provide(directoryServers, servers)] })
  const ds = it.client(DirectoryServiceClient)
  const connect = async (more: object = {}) => {
    const { DirectoryId } = await ds.send(
      new ConnectDirectoryCommand({
        Name: 'corp.example.com',
        Password: PASSWORD,
        Size: 'Small',
        ConnectSettings: { ...VPC, CustomerDnsIps: ['10.0.0.1'], CustomerUserName: 'svc-merlon' },
        ...more,
      }),
    )
    await it.jobs.runDue()
    return DirectoryId!
  }
  const described = async (id: string) =>
    (await ds.send(new DescribeDirectoriesCommand({ DirectoryIds: [id] }))).DirectoryDescriptions![0]!
  const login = directoryLoginPort({
    reader: it.store.reader,
    vault: it.vault,
    use: () => servers as never,
    now: () => it.clock.now(),
  })
  return { ...it, ds, connect, described, state, asked, login }
}

describe('A connected directory', () => {
  test('becomes active when its service account can bind, and shows what it is', async () => {
    const it = await corp()
    const id = await it.connect({ Tags: [{ Key: 'team', Value: 'blue' }] })

    expect(await it.described(id)).toMatchObject({
      DirectoryId: id,
      Name: 'corp.example.com',
      Type: 'ADConnector',
      Stage: 'Active',
      Alias: id,
      Size: 'Small',
      SsoEnabled: false,
      ConnectSettings: { VpcId: VPC.VpcId, CustomerUserName: 'svc-merlon', ConnectIps: ['10.0.0.1'] },
    })
    expect((await it.ds.send(new ListTagsForResourceCommand({ ResourceId: id }))).Tags).toEqual([
      { Key: 'team', Value: 'blue' },
    ])
    expect(it.asked).toContain(PASSWORD)
    const stored = await it.store.reader.get(
      directory.key({ region: 'us-east-1', account: ACCOUNT }, { DirectoryId: id }),
    )
    expect(JSON.stringify(stored)).not.toContain(PASSWORD)
    const events = (await it.store.log({ account: ACCOUNT, limit: 100 })).map(({ body }) => body).join('\n')
    expect(events).toContain('ConnectDirectory')
    expect(events).not.toContain(PASSWORD)
  })

  test.each([
    ['refused', /refuse the user name and password/],
    ['unconfigured', /MERLON_DIRECTORY_SERVERS/],
  ] as const)('fails when its servers are %s, and says why', async (check, reason) => {
    const it = await corp()
    it.state.check = check
    const id = await it.connect()

    expect(await it.described(id)).toMatchObject({ Stage: 'Failed', StageReason: expect.stringMatching(reason) })
    expect(await it.login.find(id)).toBeUndefined()
  })

  test('waits for servers that do not answer, for a while; an active one becomes inoperable and active again', async () => {
    const it = await corp()
    it.state.check = 'unavailable'
    const id = await it.connect()
    expect((await it.described(id)).Stage).toBe('Creating')

    it.state.check = 'accepted'
    await it.pass(10_000)
    expect((await it.described(id)).Stage).toBe('Active')
    it.state.check = 'unavailable'
    await it.pass(300_000)
    expect((await it.described(id)).Stage).toBe('Inoperable')
    it.state.check = 'accepted'
    await it.pass(60_000)
    expect(await it.described(id)).toMatchObject({ Stage: 'Active' })

    it.state.check = 'unavailable'
    const late = await it.connect()
    for (let minute = 0; minute < 6; minute++) await it.pass(60_000)
    expect(await it.described(late)).toMatchObject({
      Stage: 'Failed',
      StageReason: expect.stringMatching(/answers over TLS/),
    })
  })

  test('is deleted with its names', async () => {
    const it = await corp()
    const id = await it.connect()
    await it.ds.send(new CreateAliasCommand({ DirectoryId: id, Alias: 'corp' }))
    expect(await it.login.find('CORP')).toEqual({ directoryId: id, accountId: ACCOUNT, name: 'corp.example.com' })
    await expect(
      it.ds.send(new CreateAliasCommand({ DirectoryId: await it.connect(), Alias: 'Corp' })),
    ).rejects.toMatchObject({
      name: 'EntityAlreadyExistsException',
    })

    await it.ds.send(new DeleteDirectoryCommand({ DirectoryId: id }))

    expect(await it.login.find('corp')).toBeUndefined()
    await it.pass(600_000)
    await expect(it.described(id)).rejects.toMatchObject({ name: 'EntityDoesNotExistException' })
  })

  test('has its row where customers’ disks have it', () => {
    expect(directory.key({ region: 'eu-west-1', account: ACCOUNT }, { DirectoryId: 'd-0123456789' })).toBe(
      key('ds', 'directory', ACCOUNT, 'eu-west-1', 'd-0123456789'),
    )
  })

  test('counts against its quota', async () => {
    const it = await corp()
    for (let count = 0; count < 10; count++) await it.connect()

    await expect(it.connect()).rejects.toMatchObject({ name: 'DirectoryLimitExceededException' })
    expect((await it.ds.send(new GetDirectoryLimitsCommand({}))).DirectoryLimits).toMatchObject({
      ConnectedDirectoriesLimitReached: true,
      CloudOnlyDirectoriesCurrentCount: 0,
    })
  })
})

describe('People', () => {
  test('get the roles of their groups, in any case', async () => {
    const it = await corp()
    const id = await it.connect()
    await it.ds.send(
      new AddTagsToResourceCommand({
        ResourceId: id,
        Tags: [
          { Key: 'merlon:role/team/admin', Value: 'Others/cloud admins' },
          { Key: 'merlon:role/staff', Value: 'domain users' },
          { Key: 'merlon:role/none', Value: 'Cloud' },
          { Key: 'role/other', Value: 'Domain Users' },
        ],
      }),
    )

    const found = await it.login.login(id, 'ann', 'x')
    expect(found).toMatchObject({ outcome: 'accepted', person: { subject: 'guid-1', userName: 'ann' } })
    expect(found.outcome === 'accepted' && [...found.person.roles].sort()).toEqual([
      `arn:aws:iam::${ACCOUNT}:role/staff`,
      `arn:aws:iam::${ACCOUNT}:role/team/admin`,
    ])
    it.state.login = { outcome: 'locked' }
    expect(await it.login.login(id, 'ann', 'x')).toEqual({ outcome: 'locked' })
  })

  test('are mapped to a role only by a caller that may pass it', async () => {
    const it = await corp()
    const keys = await it.user('bob', allowing({ Action: 'ds:*', Resource: '*' }))
    const bob = it.client(DirectoryServiceClient, keys)
    const id = await it.connect()
    const Tags = [{ Key: 'merlon:role/admin', Value: 'Domain Users' }]

    await expect(bob.send(new AddTagsToResourceCommand({ ResourceId: id, Tags }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('iam:PassRole'),
    })
    await expect(
      bob.send(
        new ConnectDirectoryCommand({
          Name: 'corp.example.com',
          Password: PASSWORD,
          Size: 'Small',
          ConnectSettings: { ...VPC, CustomerUserName: 'svc' },
          Tags,
        }),
      ),
    ).rejects.toMatchObject({ name: 'AccessDeniedException' })
    await bob.send(new AddTagsToResourceCommand({ ResourceId: id, Tags: [{ Key: 'team', Value: 'x' }] }))
    await bob.send(new RemoveTagsFromResourceCommand({ ResourceId: id, TagKeys: ['merlon:role/admin'] }))
  })

  test('that were disabled are inactive within a minute, and so is everyone while the directory cannot be reached', async () => {
    const it = await corp()
    const id = await it.connect()
    expect(await it.login.isActive(id, 'guid-1')).toBe(true)
    it.state.isActive = false
    expect(await it.login.isActive(id, 'guid-1')).toBe(true)
    expect(it.asked.filter((each) => each === 'isActive')).toHaveLength(1)
    it.clock.advance(31_000)
    expect(await it.login.isActive(id, 'guid-1')).toBe(false)

    it.state.isActive = new Error('no answer')
    it.clock.advance(31_000)
    expect(await it.login.isActive(id, 'guid-1')).toBe(false)
    expect(await it.login.isActive('d-0000000000', 'guid-1')).toBe(false)
  })
})

describe('What needs a domain of its own', () => {
  test('fails with a reason: a managed directory without servers, and a trust', async () => {
    const it = await corp()
    it.state.check = 'unconfigured'
    const { DirectoryId } = await it.ds.send(
      new CreateMicrosoftADCommand({ Name: 'new.example.com', Password: PASSWORD, VpcSettings: VPC }),
    )
    await it.jobs.runDue()
    expect(await it.described(DirectoryId!)).toMatchObject({
      Type: 'MicrosoftAD',
      Stage: 'Failed',
      Edition: 'Enterprise',
      StageReason: expect.stringMatching(/runs none itself/),
      VpcSettings: VPC,
    })
    const trust = {
      RemoteDomainName: 'other.example.com',
      TrustPassword: 'Ünder (5)',
      TrustDirection: 'Two-Way' as const,
    }
    const { TrustId } = await it.ds.send(new CreateTrustCommand({ DirectoryId: DirectoryId!, ...trust }))
    expect((await it.ds.send(new DescribeTrustsCommand({ DirectoryId }))).Trusts).toMatchObject([
      { TrustId, TrustState: 'Failed', TrustStateReason: expect.stringMatching(/does not change directories/) },
    ])
    await it.ds.send(new DeleteTrustCommand({ TrustId: TrustId! }))
    expect((await it.ds.send(new DescribeTrustsCommand({}))).Trusts).toEqual([])
    await expect(
      it.ds.send(new CreateTrustCommand({ DirectoryId: await it.connect(), ...trust })),
    ).rejects.toMatchObject({ name: 'UnsupportedOperationException' })
  })

  test('is not implemented by name', async () => {
    const it = await corp()
    const id = await it.connect()

    await expect(
      it.ds.send(new RegisterCertificateCommand({ DirectoryId: id, CertificateData: 'x' })),
    ).rejects.toMatchObject({ name: 'NotImplemented' })
    await expect(it.ds.send(new EnableSsoCommand({ DirectoryId: id }))).rejects.toMatchObject({
      name: 'ClientException',
    })
    await expect(it.described('d-0000000000')).rejects.toMatchObject({ name: 'EntityDoesNotExistException' })
  })
})
