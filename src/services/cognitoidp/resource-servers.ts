/** Resource servers: APIs, and the scopes by which tokens open them. */
import type { ResourceServerType } from '@aws-sdk/client-cognito-identity-provider'
import { page } from '../../kernel/service/page.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { under } from '../../store/store.ts'
import { at, cognito, invalidParameter, notFound, type PoolRow, poolNamed } from './resources.ts'

/** Source: https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html */
const SERVERS_MAX = 25
const PAGE = 50

export interface ResourceServerRow {
  readonly identifier: string
  readonly name: string
  readonly scopes: readonly { readonly name: string; readonly description: string }[]
}

interface Given {
  readonly Identifier: string
  readonly Name: string
  readonly Scopes?: readonly { readonly ScopeName: string; readonly ScopeDescription: string }[] | undefined
}

const rowOf = ({ Identifier, Name, Scopes = [] }: Given): ResourceServerRow => {
  const names = Scopes.map(({ ScopeName }) => ScopeName)
  if (new Set(names).size !== names.length) throw invalidParameter('A scope is given more than once.')
  return {
    identifier: Identifier,
    name: Name,
    scopes: Scopes.map(({ ScopeName, ScopeDescription }) => ({ name: ScopeName, description: ScopeDescription })),
  }
}

const shown = (pool: PoolRow, row: ResourceServerRow): ResourceServerType => ({
  UserPoolId: pool.id,
  Identifier: row.identifier,
  Name: row.name,
  Scopes: row.scopes.map(({ name, description }) => ({ ScopeName: name, ScopeDescription: description })),
})

async function requireServer(reader: Reader, pool: PoolRow, identifier: string): Promise<ResourceServerRow> {
  const row = await reader.get<ResourceServerRow>(at.resourceServer(pool.id, identifier))
  if (!row) throw notFound(`Resource server ${identifier} does not exist.`)
  return row
}

export const createResourceServer = cognito
  .operation('CreateResourceServer')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const key = at.resourceServer(pool.id, input.Identifier)
    if (await call.unit.get(key)) throw invalidParameter(`${input.Identifier} already exists in user pool ${pool.id}.`)
    const servers = await call.unit.range(under('cognito-idp', 'resource-server', pool.id), { limit: SERVERS_MAX })
    if (servers.length >= SERVERS_MAX)
      throw cognito.fail('LimitExceededException', `A user pool can have at most ${SERVERS_MAX} resource servers.`)
    const row = rowOf(input)
    call.unit.put(key, row)
    return { ResourceServer: shown(pool, row) }
  })

export const describeResourceServer = cognito
  .operation('DescribeResourceServer')
  .on(poolNamed)
  .run(async (call, input, { row }) => ({
    ResourceServer: shown(row, await requireServer(call.unit, row, input.Identifier)),
  }))

export const updateResourceServer = cognito
  .operation('UpdateResourceServer')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    await requireServer(call.unit, pool, input.Identifier)
    const row = rowOf(input)
    call.unit.put(at.resourceServer(pool.id, input.Identifier), row)
    return { ResourceServer: shown(pool, row) }
  })

export const deleteResourceServer = cognito
  .operation('DeleteResourceServer')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    await requireServer(call.unit, pool, input.Identifier)
    call.unit.delete(at.resourceServer(pool.id, input.Identifier))
    return {}
  })

export const listResourceServers = cognito
  .operation('ListResourceServers')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { items, next } = await page<ResourceServerRow>(
      call,
      (after, limit) => call.unit.range(under('cognito-idp', 'resource-server', pool.id), { after, limit }),
      {
        token: input.NextToken,
        size: input.MaxResults ?? PAGE,
        query: pool.id,
        bad: () => invalidParameter('Invalid pagination token'),
      },
    )
    return { ResourceServers: items.map((row) => shown(pool, row)), ...(next !== undefined && { NextToken: next }) }
  })

/** `identifier/scope` of everything that the pool's resource servers offer. */
export async function customScopes(reader: Reader, pool: PoolRow): Promise<ReadonlySet<string>> {
  const rows = await reader.range<ResourceServerRow>(under('cognito-idp', 'resource-server', pool.id))
  return new Set(rows.flatMap(({ document }) => document.scopes.map(({ name }) => `${document.identifier}/${name}`)))
}
