/** The log of a user import, written as the role of the job: a line of the log for each line of the file. */
import type * as Logs from '@aws-sdk/client-cloudwatch-logs'
import type * as STS from '@aws-sdk/client-sts'
import { logBatches } from '../../kernel/client/log-batches.ts'
import type { ActAs, ServiceCaller } from '../../kernel/gate/service-caller.ts'
import { roleSubjectOf } from '../../kernel/gate/session.ts'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import type { ImportRow } from './import-rows.ts'
import { type PoolRow, poolArn, SERVICE_PRINCIPAL } from './resources.ts'

const logs: Api<typeof Logs> = { id: 'logs' }
const sts: Api<typeof STS> = { id: 'sts' }

/** The role of a job, as its trust policy lets Cognito assume it. Throws the denial. */
export async function assumeImportRole(act: ActAs, pool: PoolRow, RoleArn: string): Promise<ServiceCaller> {
  const { account, region } = pool
  const acting = { service: SERVICE_PRINCIPAL, account, region, source: poolArn(pool) }
  const { AssumedRoleUser } = await act(acting, sts, 'AssumeRole', { RoleArn, RoleSessionName: 'CognitoUserImport' })
  return { ...acting, role: roleSubjectOf(AssumedRoleUser) }
}

const unlessExists = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'ResourceAlreadyExistsException') throw error
  }
}

/** Throws the refusal. */
export async function writeImportLog(
  act: ActAs,
  pool: PoolRow,
  row: ImportRow,
  messages: readonly string[],
  now: number,
): Promise<void> {
  const acting = await assumeImportRole(act, pool, row.role)
  const stream = { logGroupName: `/aws/cognito/userpools/${pool.id}/${pool.name}`, logStreamName: row.id }
  await unlessExists(act(acting, logs, 'CreateLogGroup', { logGroupName: stream.logGroupName }))
  await unlessExists(act(acting, logs, 'CreateLogStream', stream))
  for (const logEvents of logBatches(messages.map((message) => ({ timestamp: now, message }))))
    await act(acting, logs, 'PutLogEvents', { ...stream, logEvents })
}
