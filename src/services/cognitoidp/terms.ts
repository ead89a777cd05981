/** Terms of use and privacy policies of app clients: created, shown, changed and listed. */
import type { TermsType } from '@aws-sdk/client-cognito-identity-provider'
import { page } from '../../kernel/service/page.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { under } from '../../store/store.ts'
import { at, cognito, invalidParameter, notFound, type PoolRow, poolNamed, requireClient } from './resources.ts'

interface TermsRow {
  readonly id: string
  readonly client: string
  readonly name: string
  readonly source: string
  readonly enforcement: string
  readonly links: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly modifiedAt: number
}

const shownTerms = (pool: PoolRow, row: TermsRow): TermsType => ({
  TermsId: row.id,
  UserPoolId: pool.id,
  ClientId: row.client,
  TermsName: row.name,
  TermsSource: row.source as never,
  Enforcement: row.enforcement as never,
  Links: { ...row.links },
  CreationDate: new Date(row.createdAt),
  LastModifiedDate: new Date(row.modifiedAt),
})

async function requireTerms(reader: Reader, pool: PoolRow, id: string): Promise<TermsRow> {
  const row = await reader.get<TermsRow>(at.part(pool.id, 'terms', id))
  if (!row) throw notFound('The terms do not exist.')
  return row
}

export const createTerms = cognito
  .operation('CreateTerms')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { id: client } = await requireClient(call.unit, pool, input.ClientId)
    const rows = await call.unit.range<TermsRow>(under('cognito-idp', 'terms', pool.id))
    if (rows.some(({ document }) => document.client === client && document.name === input.TermsName))
      throw cognito.fail('TermsExistsException', 'Terms with this name exist for the app client already.')
    const row: TermsRow = {
      id: call.newId(),
      client,
      name: input.TermsName,
      source: input.TermsSource,
      enforcement: input.Enforcement,
      links: input.Links ?? {},
      createdAt: call.now,
      modifiedAt: call.now,
    }
    call.unit.put(at.part(pool.id, 'terms', row.id), row)
    return { Terms: shownTerms(pool, row) }
  })

export const describeTerms = cognito
  .operation('DescribeTerms')
  .on(poolNamed)
  .run(async (call, input, { row }) => ({ Terms: shownTerms(row, await requireTerms(call.unit, row, input.TermsId)) }))

export const describeTermsByClient = cognito
  .operation('DescribeTermsByClient')
  .on(poolNamed)
  .run(async (call, { ClientId, TermsName }, { row: pool }) => {
    const { id: client } = await requireClient(call.unit, pool, ClientId)
    const rows = await call.unit.range<TermsRow>(under('cognito-idp', 'terms', pool.id))
    const found = rows.find(({ document }) => document.client === client && document.name === TermsName)
    if (!found) throw notFound('The terms do not exist.')
    return { Terms: shownTerms(pool, found.document) }
  })

export const updateTerms = cognito
  .operation('UpdateTerms')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const before = await requireTerms(call.unit, pool, input.TermsId)
    const row: TermsRow = {
      ...before,
      ...(input.TermsName !== undefined && { name: input.TermsName }),
      ...(input.TermsSource !== undefined && { source: input.TermsSource }),
      ...(input.Enforcement !== undefined && { enforcement: input.Enforcement }),
      ...(input.Links !== undefined && { links: input.Links }),
      modifiedAt: call.now,
    }
    call.unit.put(at.part(pool.id, 'terms', row.id), row)
    return { Terms: shownTerms(pool, row) }
  })

export const deleteTerms = cognito
  .operation('DeleteTerms')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const { id } = await requireTerms(call.unit, row, input.TermsId)
    call.unit.delete(at.part(row.id, 'terms', id))
    return {}
  })

export const listTerms = cognito
  .operation('ListTerms')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { items, next } = await page<TermsRow>(
      call,
      (after, limit) => call.unit.range(under('cognito-idp', 'terms', pool.id), { after, limit }),
      {
        token: input.NextToken,
        size: input.MaxResults ?? 60,
        query: pool.id,
        bad: () => invalidParameter('Invalid pagination token'),
      },
    )
    return {
      Terms: items.map((row) => {
        const { TermsId, TermsName, Enforcement, CreationDate, LastModifiedDate } = shownTerms(pool, row)
        return { TermsId, TermsName, Enforcement, CreationDate, LastModifiedDate }
      }),
      ...(next !== undefined && { NextToken: next }),
    }
  })
