/** Log groups: created, listed, protected and deleted. */
import type { LogGroup as ShownGroup } from '@aws-sdk/client-cloudwatch-logs'
import type { Call } from '../../kernel/gate/call.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { type Key, key } from '../../store/store.ts'
import { ERASE_GROUP, type GroupErasure } from './deletion.ts'
import { requireKey } from './event-keys.ts'
import { storedBytes } from './event-rows.ts'
import { badToken, invalid, logs, notImplemented } from './faults.ts'
import { groupArn, groupNamed, groupReference, groupsListed, type LogGroupRow, newGroup } from './resources.ts'

const SIZE_DEFAULT = 50

export const createLogGroup = logs
  .operation('CreateLogGroup')
  .on(newGroup)
  .run(async (call, input, { tags, assertAvailable, create }) => {
    const { logGroupName: name, logGroupClass = 'STANDARD', deletionProtectionEnabled } = input
    if (logGroupClass !== 'STANDARD' && logGroupClass !== 'INFREQUENT_ACCESS')
      throw notImplemented(`log groups of the class ${logGroupClass}`)
    assertAvailable()
    await count(call, 1)
    const kmsKeyId = input.kmsKeyId === undefined ? undefined : await requireKey(call, name, input.kmsKeyId)
    create({
      name,
      id: call.newId(),
      class: logGroupClass,
      createdAt: call.now,
      kmsKeyId,
      ...(deletionProtectionEnabled && { isProtected: true }),
      tags,
    })
    return {}
  })

interface GroupCount {
  readonly groups: number
}

const countKey = ({ account, region }: Call): Key => key('logs', 'group-count', account, region)
const countOf = async (call: Call): Promise<number> => (await call.unit.get<GroupCount>(countKey(call)))?.groups ?? 0

async function count(call: Call, change: 1 | -1): Promise<void> {
  const groups = (await countOf(call)) + change
  if (change > 0 && groups > (call.quotas['logs/LogGroupsPerRegion'] ?? Number.POSITIVE_INFINITY))
    throw logs.fail('LimitExceededException', 'Resource limit exceeded.')
  call.unit.put(countKey(call), { groups } satisfies GroupCount)
}

export const deleteLogGroup = logs
  .operation('DeleteLogGroup')
  .on(groupNamed)
  .run(async (call, _input, { row, remove }) => {
    if (row.isProtected)
      throw logs.fail('ValidationException', 'The log group cannot be deleted while deletion protection is enabled.')
    remove()
    await count(call, -1)
    scheduleJob(call.unit, {
      id: `${ERASE_GROUP}/${row.id}`,
      kind: ERASE_GROUP,
      dueAt: call.now,
      payload: { account: call.account, region: call.region, groupId: row.id } satisfies GroupErasure,
    })
    return {}
  })

async function shown(call: Call, row: LogGroupRow): Promise<ShownGroup> {
  const logGroupArn = groupArn(call, row.name)
  return {
    logGroupName: row.name,
    creationTime: row.createdAt,
    ...(row.retention && { retentionInDays: row.retention.days }),
    metricFilterCount: 0,
    arn: `${logGroupArn}:*`,
    logGroupArn,
    storedBytes: await storedBytes(call.unit, row.id),
    ...(row.kmsKeyId !== undefined && { kmsKeyId: row.kmsKeyId }),
    logGroupClass: row.class,
    deletionProtectionEnabled: row.isProtected ?? false,
  }
}

export const describeLogGroups = logs
  .operation('DescribeLogGroups')
  .on(groupsListed)
  .run(async (call, input, groups) => {
    const { logGroupNamePrefix: prefix, logGroupNamePattern: pattern, logGroupClass, logGroupIdentifiers } = input
    if (input.includeLinkedAccounts) throw notImplemented('log groups of linked accounts (includeLinkedAccounts)')
    if (prefix !== undefined && pattern !== undefined)
      throw invalid('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.')
    const names = logGroupIdentifiers?.map((text) => groupReference(call, text)?.id.LogGroupName)
    const sought = pattern?.toLowerCase()
    const { items, next } = await groups.page({
      token: input.nextToken,
      size: input.limit ?? SIZE_DEFAULT,
      query: [prefix, pattern, logGroupClass, logGroupIdentifiers],
      keep: (row) =>
        (prefix === undefined || row.name.startsWith(prefix)) &&
        (sought === undefined || row.name.toLowerCase().includes(sought)) &&
        (logGroupClass === undefined || row.class === logGroupClass) &&
        (names === undefined || names.includes(row.name)),
      bad: badToken,
    })
    const logGroups = await Promise.all(items.map((row) => shown(call, row)))
    return { logGroups, ...(next !== undefined && { nextToken: next }) }
  })

/** The newer list: names by parts of them, without sizes. */
export const listLogGroups = logs
  .operation('ListLogGroups')
  .on(groupsListed)
  .run(async (call, input, groups) => {
    const { logGroupNamePattern: pattern, logGroupClass } = input
    if (input.includeLinkedAccounts) throw notImplemented('log groups of linked accounts (includeLinkedAccounts)')
    if (input.dataSources || input.fieldIndexNames || input.logGroupTags)
      throw notImplemented('filters of ListLogGroups by data source, field index or tag')
    const parts = pattern?.split('|')
    const { items, next } = await groups.page({
      token: input.nextToken,
      size: input.limit ?? SIZE_DEFAULT,
      query: [pattern, logGroupClass],
      keep: ({ name, class: kind }) =>
        (logGroupClass === undefined || kind === logGroupClass) &&
        (parts?.some((part) => (part.startsWith('^') ? name.startsWith(part.slice(1)) : name.includes(part))) ?? true),
      bad: badToken,
    })
    const logGroups = items.map((row) => ({
      logGroupName: row.name,
      logGroupArn: groupArn(call, row.name),
      logGroupClass: row.class,
    }))
    return { logGroups, ...(next !== undefined && { nextToken: next }) }
  })

export const putLogGroupDeletionProtection = logs
  .operation('PutLogGroupDeletionProtection')
  .on(groupNamed)
  .run((_call, { deletionProtectionEnabled }, { row, save }) => {
    save({ ...row, isProtected: deletionProtectionEnabled })
    return {}
  })

export const associateKmsKey = logs
  .operation('AssociateKmsKey')
  .on(groupNamed)
  .run(async (call, { kmsKeyId }, { row, save }) => {
    save({ ...row, kmsKeyId: await requireKey(call, row.name, kmsKeyId) })
    return {}
  })

export const disassociateKmsKey = logs
  .operation('DisassociateKmsKey')
  .on(groupNamed)
  .run((_call, _input, { row, save }) => {
    save({ ...row, kmsKeyId: undefined })
    return {}
  })
