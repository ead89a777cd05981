/** User import jobs: created, uploaded to, started, shown and stopped. `import-run.ts` imports. */
import type { UserImportJobType } from '@aws-sdk/client-cognito-identity-provider'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { page } from '../../kernel/service/page.ts'
import { under } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { idFrom, LOWER } from './ids.ts'
import { headerOf } from './import-csv.ts'
import { assumeImportRole } from './import-log.ts'
import { type ImportRow, importKey, importOf, UNSTARTED_MS, uploadAddress } from './import-rows.ts'
import { IMPORT, scheduleImport } from './import-run.ts'
import { cognito, invalidParameter, notFound, type PoolRow, poolNamed, SERVICE_PRINCIPAL } from './resources.ts'

/** Of one pool, that wait for their file or run. Ours: AWS documents none. */
const OPEN_MAX = 50
const EXPIRE_IMPORT = 'cognito-idp.expire-import'

const failsOn = (message: string) => cognito.fail('PreconditionNotMetException', message)

const shown = (pool: PoolRow, row: ImportRow, address?: string): UserImportJobType => ({
  JobName: row.name,
  JobId: row.id,
  UserPoolId: pool.id,
  ...(address !== undefined && { PreSignedUrl: address }),
  CreationDate: new Date(row.createdAt),
  ...(row.startedAt !== undefined && { StartDate: new Date(row.startedAt) }),
  ...(row.completedAt !== undefined && { CompletionDate: new Date(row.completedAt) }),
  Status: row.status,
  CloudWatchLogsRoleArn: row.role,
  ImportedUsers: row.imported,
  SkippedUsers: row.skipped,
  FailedUsers: row.failed,
  ...(row.message !== undefined && { CompletionMessage: row.message }),
})

async function requireImport(
  call: { readonly unit: Parameters<typeof importOf>[0] },
  pool: PoolRow,
  id: string,
): Promise<ImportRow> {
  const row = await importOf(call.unit, pool.id, id)
  if (!row) throw notFound(`User import job ${id} does not exist.`)
  return row
}

export const getCsvHeader = cognito
  .operation('GetCSVHeader')
  .on(poolNamed)
  .run((_call, _input, { row }) => ({ UserPoolId: row.id, CSVHeader: headerOf(row) }))

export const createUserImportJob = cognito
  .operation('CreateUserImportJob')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const role = input.CloudWatchLogsRoleArn
    await call.authorize('iam:PassRole', role, { 'iam:PassedToService': SERVICE_PRINCIPAL })
    try {
      await call.once(() => assumeImportRole(call.actAs, pool, role))
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      throw invalidParameter(`The role ${role} cannot be assumed by ${SERVICE_PRINCIPAL}.`)
    }
    const jobs = await call.unit.range<ImportRow>(under('cognito-idp', 'import', pool.id))
    if (jobs.filter(({ document }) => document.completedAt === undefined).length >= OPEN_MAX)
      throw cognito.fail('LimitExceededException', `A user pool can have ${OPEN_MAX} import jobs that are not over.`)
    const row: ImportRow = {
      id: `import-${call.newId(() => idFrom(LOWER, 10))}`,
      name: input.JobName,
      role,
      status: 'Created',
      createdAt: call.now,
      imported: 0,
      skipped: 0,
      failed: 0,
    }
    call.unit.put(importKey(pool.id, row.id), row)
    scheduleJob(call.unit, {
      id: `${EXPIRE_IMPORT}/${pool.id}/${row.id}`,
      kind: IMPORT,
      dueAt: call.now + UNSTARTED_MS,
      payload: { account: pool.account, pool: pool.id, id: row.id, expires: true },
    })
    return { UserImportJob: shown(pool, row, uploadAddress(call, pool.id, row.id)) }
  })

export const describeUserImportJob = cognito
  .operation('DescribeUserImportJob')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const row = await requireImport(call, pool, input.JobId)
    const address = row.status === 'Created' ? uploadAddress(call, pool.id, row.id) : undefined
    return { UserImportJob: shown(pool, row, address) }
  })

export const listUserImportJobs = cognito
  .operation('ListUserImportJobs')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const { items, next } = await page<ImportRow>(
      call,
      (after, limit) => call.unit.range(under('cognito-idp', 'import', pool.id), { after, limit }),
      {
        token: input.PaginationToken,
        size: input.MaxResults,
        query: [pool.id, 'import'],
        bad: () => invalidParameter('Invalid pagination token'),
      },
    )
    return {
      UserImportJobs: items.map((row) => shown(pool, row)),
      ...(next !== undefined && { PaginationToken: next }),
    }
  })

export const startUserImportJob = cognito
  .operation('StartUserImportJob')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const row = await requireImport(call, pool, input.JobId)
    if (row.status !== 'Created') throw failsOn(`The job is ${row.status}: only a new job can be started.`)
    if (row.parts === undefined) throw failsOn('The CSV file has not been uploaded.')
    const jobs = await call.unit.range<ImportRow>(under('cognito-idp', 'import', pool.id))
    if (jobs.some(({ document }) => ['Pending', 'InProgress', 'Stopping'].includes(document.status)))
      throw failsOn('Another import job of the user pool is in progress.')
    const started: ImportRow = { ...row, status: 'Pending', startedAt: call.now }
    call.unit.put(importKey(pool.id, row.id), started)
    scheduleImport(call.unit, { account: pool.account, pool: pool.id, id: row.id, part: 0 }, call.now)
    return { UserImportJob: shown(pool, started) }
  })

export const stopUserImportJob = cognito
  .operation('StopUserImportJob')
  .on(poolNamed)
  .run(async (call, input, { row: pool }) => {
    const row = await requireImport(call, pool, input.JobId)
    if (row.status !== 'Pending' && row.status !== 'InProgress')
      throw failsOn(`The job is ${row.status}: it cannot be stopped.`)
    const stopping: ImportRow = { ...row, status: 'Stopping' }
    call.unit.put(importKey(pool.id, row.id), stopping)
    return { UserImportJob: shown(pool, stopping) }
  })
