/** Directories: connected, shown, named and deleted. */
import { randomBytes } from 'node:crypto'
import type { DirectoryDescription, DirectoryEdition, DirectorySize, Tag } from '@aws-sdk/client-directory-service'
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { type DirectoryRow, directory, ds, passwordPlace, type SignInRow, signInKey } from './resources.ts'
import { authorizeMappings } from './role-mapping.ts'
import { stages } from './stages.ts'

const PAGE_DEFAULT = 100

/** Defaults of AWS, each Region. Source: https://docs.aws.amazon.com/general/latest/gr/ds_region.html */
const LIMITS = { SimpleAD: 10, MicrosoftAD: 20, ADConnector: 10 } as const

const generated = { generated: true } as const
const newDirectory = () => ({ DirectoryId: `d-${randomBytes(5).toString('hex')}` })

interface Requested {
  readonly type: DirectoryRow['type']
  readonly userName: string
  readonly password: string
  readonly vpc?: { readonly VpcId: string | undefined; readonly SubnetIds: readonly string[] | undefined } | undefined
  readonly dnsIps?: readonly string[] | undefined
  readonly size?: DirectorySize | undefined
  readonly edition?: DirectoryEdition | undefined
}

interface Common {
  readonly Name: string
  readonly ShortName?: string | undefined
  readonly Description?: string | undefined
  readonly Tags?: readonly Tag[] | undefined
}

interface Created {
  readonly id: { readonly DirectoryId: string }
  readonly tags: Tags
  readonly create: (row: DirectoryRow) => DirectoryRow
}

async function enter(call: Call, input: Common, { id, tags, create }: Created, requested: Requested) {
  await authorizeMappings(call, Object.keys(tags))
  const { type, vpc } = requested
  const sameType = (await directory.list(call.unit, call)).filter(({ document }) => document.type === type)
  if (sameType.length >= (call.quotas[`ds/${type}`] ?? LIMITS[type]))
    throw ds.fail('DirectoryLimitExceededException', `The account has as many directories of type ${type} as it may.`)
  const { DirectoryId } = id
  const row: DirectoryRow = {
    id: DirectoryId,
    account: call.account,
    type,
    name: input.Name.toLowerCase(),
    ...(input.ShortName !== undefined && { shortName: input.ShortName }),
    ...(input.Description !== undefined && { description: input.Description }),
    ...(requested.size !== undefined && { size: requested.size }),
    ...(requested.edition !== undefined && { edition: requested.edition }),
    ...(vpc?.VpcId !== undefined && { vpc: { id: vpc.VpcId, subnets: vpc.SubnetIds ?? [] } }),
    dnsIps: requested.dnsIps ?? [],
    userName: requested.userName,
    password: call.vault.seal(passwordPlace(call.account, DirectoryId), Buffer.from(requested.password)),
    isSsoEnabled: false,
    trusts: [],
    createdAt: call.now,
    tags,
    progress: { state: 'Creating', since: call.now, turn: 0 },
  }
  create(row)
  const at = directory.key(call, id)
  const { progress: _, ...rest } = row
  stages.enter(call.unit, at, rest, 'Creating', call.now)
  call.unit.put(signInKey(DirectoryId), { at } satisfies SignInRow)
  return { DirectoryId }
}

export const connectDirectory = ds
  .operation('ConnectDirectory')
  .on(directory.created(newDirectory, generated))
  .run((call, input, target) =>
    enter(call, input, target, {
      type: 'ADConnector',
      userName: input.ConnectSettings.CustomerUserName,
      password: input.Password,
      vpc: input.ConnectSettings,
      dnsIps: input.ConnectSettings.CustomerDnsIps,
      size: input.Size,
    }),
  )

export const createDirectory = ds
  .operation('CreateDirectory')
  .on(directory.created(newDirectory, generated))
  .run((call, input, target) =>
    enter(call, input, target, {
      type: 'SimpleAD',
      userName: 'Administrator',
      password: input.Password,
      vpc: input.VpcSettings,
      size: input.Size,
    }),
  )

export const createMicrosoftAd = ds
  .operation('CreateMicrosoftAD')
  .on(directory.created(newDirectory, generated))
  .run((call, input, target) =>
    enter(call, input, target, {
      type: 'MicrosoftAD',
      userName: 'Admin',
      password: input.Password,
      vpc: input.VpcSettings,
      edition: input.Edition ?? 'Enterprise',
    }),
  )

export const describeDirectories = ds
  .operation('DescribeDirectories')
  .on(directory.collection())
  .run(async (call, input, directories) => {
    const wanted = input.DirectoryIds ?? []
    if (wanted.length > 0) {
      const rows = await directories.all()
      const found = wanted.map((id) => {
        const row = rows.find((each) => each.id === id)
        if (!row) throw ds.fail('EntityDoesNotExistException', `Directory ${id} does not exist.`)
        return row
      })
      return { DirectoryDescriptions: found.map((row) => described(call, row)) }
    }
    const { items, next } = await directories.page({
      token: input.NextToken,
      size: input.Limit || PAGE_DEFAULT,
      bad: () => ds.fail('InvalidNextTokenException', 'The NextToken is not one of this list.'),
    })
    return {
      DirectoryDescriptions: items.map((row) => described(call, row)),
      ...(next !== undefined && { NextToken: next }),
    }
  })

export const deleteDirectory = ds
  .operation('DeleteDirectory')
  .on(directory.named('DirectoryId'))
  .run((call, _input, { row, id, remove }) => {
    stages.leave(call.unit, directory.key(call, id), row)
    remove()
    call.unit.delete(signInKey(row.id))
    if (row.alias !== undefined) call.unit.delete(signInKey(row.alias))
    return { DirectoryId: row.id }
  })

export const createAlias = ds
  .operation('CreateAlias')
  .on(directory.named('DirectoryId'))
  .run(async (call, input, { row, id, save }) => {
    if (row.alias !== undefined)
      throw ds.fail('EntityAlreadyExistsException', `Directory ${row.id} has the alias ${row.alias} already.`)
    if (await call.unit.get(signInKey(input.Alias)))
      throw ds.fail('EntityAlreadyExistsException', `The alias ${input.Alias} is in use already.`)
    call.unit.put(signInKey(input.Alias), { at: directory.key(call, id) } satisfies SignInRow)
    save({ ...row, alias: input.Alias })
    return { DirectoryId: row.id, Alias: input.Alias }
  })

export const enableSso = ds
  .operation('EnableSso')
  .on(directory.named('DirectoryId'))
  .run((_call, _input, { row, save }) => {
    if (row.alias === undefined)
      throw ds.fail('ClientException', `Directory ${row.id} has no access URL. Create an alias first.`)
    save({ ...row, isSsoEnabled: true })
    return {}
  })

export const disableSso = ds
  .operation('DisableSso')
  .on(directory.named('DirectoryId'))
  .run((_call, _input, { row, save }) => {
    save({ ...row, isSsoEnabled: false })
    return {}
  })

export const getDirectoryLimits = ds
  .operation('GetDirectoryLimits')
  .on(directory.collection())
  .run(async (call, _input, directories) => {
    const rows = await directories.all()
    const count = (type: DirectoryRow['type']) => rows.filter((row) => row.type === type).length
    const limit = (type: DirectoryRow['type']) => call.quotas[`ds/${type}`] ?? LIMITS[type]
    return {
      DirectoryLimits: {
        CloudOnlyDirectoriesLimit: limit('SimpleAD'),
        CloudOnlyDirectoriesCurrentCount: count('SimpleAD'),
        CloudOnlyDirectoriesLimitReached: count('SimpleAD') >= limit('SimpleAD'),
        CloudOnlyMicrosoftADLimit: limit('MicrosoftAD'),
        CloudOnlyMicrosoftADCurrentCount: count('MicrosoftAD'),
        CloudOnlyMicrosoftADLimitReached: count('MicrosoftAD') >= limit('MicrosoftAD'),
        ConnectedDirectoriesLimit: limit('ADConnector'),
        ConnectedDirectoriesCurrentCount: count('ADConnector'),
        ConnectedDirectoriesLimitReached: count('ADConnector') >= limit('ADConnector'),
      },
    }
  })

function described(call: Call, row: DirectoryRow): DirectoryDescription {
  const { progress, vpc } = row
  const vpcSettings = vpc && { VpcId: vpc.id, SubnetIds: [...vpc.subnets] }
  const isConnector = row.type === 'ADConnector'
  return {
    DirectoryId: row.id,
    Name: row.name,
    Type: row.type,
    Stage: progress.state,
    StageLastUpdatedDateTime: new Date(progress.since),
    LaunchTime: new Date(row.createdAt),
    AccessUrl: `${call.origin.replace(/^https?:\/\//, '')}/signin/directory/${row.alias ?? row.id}`,
    Alias: row.alias ?? row.id,
    SsoEnabled: row.isSsoEnabled,
    DnsIpAddrs: [...row.dnsIps],
    ...(row.shortName !== undefined && { ShortName: row.shortName }),
    ...(row.description !== undefined && { Description: row.description }),
    ...(row.size !== undefined && { Size: row.size }),
    ...(row.edition !== undefined && { Edition: row.edition }),
    ...(row.stageReason !== undefined && { StageReason: row.stageReason }),
    ...(isConnector
      ? { ConnectSettings: { ...vpcSettings, CustomerUserName: row.userName, ConnectIps: [...row.dnsIps] } }
      : vpcSettings && { VpcSettings: vpcSettings }),
  }
}
