/**
 * The resource types of CloudWatch Logs: log groups, and the streams in them. Requests name a group by its name or its ARN,
 * with or without `:*` at its end.
 *
 * Except for tags, operations on a group are authorized on `…:log-group:NAME:log-stream:`, which policies match with
 * `…:log-group:NAME:*`, the form that AWS documents for them.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
 */
import type { LogGroupClass } from '@aws-sdk/client-cloudwatch-logs'
import type { Call, Scope } from '../../kernel/gate/call.ts'
import type { Collection } from '../../kernel/resource/collection.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import type { Reference } from '../../kernel/resource/resource-type.ts'
import type { TagRules } from '../../kernel/resource/tag-rules.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource, NewResource } from '../../kernel/resource/targets.ts'
import { groupMissing, invalid, logs, streamMissing } from './faults.ts'
import { policyForServices } from './policy-rows.ts'

export interface LogGroupRow extends Row {
  readonly name: string
  /** Of this group alone: a later group with the same name has another one, and none of its events. */
  readonly id: string
  readonly class: LogGroupClass
  readonly createdAt: number
  readonly retention?: Retention | undefined
  /** ARN of the key that encrypts new events. */
  readonly kmsKeyId?: string | undefined
  readonly isProtected?: boolean | undefined
}

export interface Retention {
  readonly days: number
  /** Of this setting: the job of an earlier one ends. */
  readonly id: string
}

export interface LogStreamRow extends Row {
  readonly group: string
  readonly groupId: string
  readonly name: string
  readonly id: string
  readonly createdAt: number
  /** Timestamps of events, in milliseconds. */
  readonly first?: number | undefined
  readonly last?: number | undefined
  readonly ingestedAt?: number | undefined
}

type GroupId = { readonly LogGroupName: string }
type StreamId = { readonly GroupId: string; readonly LogGroupName: string; readonly LogStreamName: string }

export type LogGroup = ExistingResource<GroupId, LogGroupRow>
export type LogStream = ExistingResource<StreamId, LogStreamRow>

const NAME = '[.\\-_/#A-Za-z0-9]{1,512}'
/** Behind the ARN of a group, in what operations are authorized on. */
const SUFFIX = ':log-stream:'

const tags = {
  action: 'logs:TagResource',
  member: 'tags',
  problems: {
    duplicate: () => invalid('Duplicate tag keys found.'),
    reserved: () => invalid('Tag keys that begin with aws: are reserved.'),
    'too-many': () => logs.fail('TooManyTagsException', `A resource can have at most ${TAGS_MAX} tags.`),
  },
} satisfies TagRules

export const logGroup = logs.resource({
  kind: 'log-group', // begins the keys of the rows: never change it
  type: 'AWS::Logs::LogGroup',
  arn: 'arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}',
  patterns: { LogGroupName: NAME },
  storedPer: 'region',
  idOf: (row: LogGroupRow): GroupId => ({ LogGroupName: row.name }),
  reference: (call, text) => withSuffix(groupReference(call, text)),
  facts: (call) => policyForServices(call),
  tags,
  faults: {
    notFound: groupMissing,
    alreadyExists: () => logs.fail('ResourceAlreadyExistsException', 'The specified log group already exists'),
    invalidReference: (text) => invalid(`Invalid log group: ${text}`),
  },
})

export const logStream = logs.resource({
  kind: 'log-stream', // begins the keys of the rows: never change it
  type: 'AWS::Logs::LogStream',
  arn: 'arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}:log-stream:${LogStreamName}',
  patterns: { LogGroupName: NAME, LogStreamName: '[^:*]{1,512}' },
  storedPer: 'region',
  identity: {
    names: ['GroupId', 'LogStreamName'],
    toArn: ({ LogGroupName, LogStreamName }: StreamId) => ({ LogGroupName, LogStreamName }),
  },
  idOf: (row: LogStreamRow): StreamId => ({ GroupId: row.groupId, LogGroupName: row.group, LogStreamName: row.name }),
  facts: (call) => policyForServices(call),
  faults: {
    notFound: streamMissing,
    alreadyExists: () => logs.fail('ResourceAlreadyExistsException', 'The specified log stream already exists'),
    invalidReference: (text) => invalid(`Invalid log stream: ${text}`),
  },
})

/** A name, or an ARN with or without `:*`. Undefined for any other text. */
export function groupReference(call: Call, text: string): Reference<GroupId> | undefined {
  if (!text.startsWith('arn:')) return { scope: call, id: { LogGroupName: text } }
  const parsed = logGroup.form.parse(text.replace(/:\*$/, ''))
  if (parsed?.partition !== call.partition) return undefined
  const { account = call.account, region = call.region, variables } = parsed
  return { scope: { partition: call.partition, account, region }, id: variables }
}

const withSuffix = (reference: Reference<GroupId> | undefined): Reference<GroupId> | undefined =>
  reference && {
    ...reference,
    suffix: SUFFIX,
    requested: `${logGroup.form.printPattern(reference.scope, reference.id)}${SUFFIX}`,
  }

export interface NamesGroup {
  readonly logGroupName?: string | undefined
  /** A name or an ARN. */
  readonly logGroupIdentifier?: string | undefined
  /** An ARN. */
  readonly resourceIdentifier?: string | undefined
}

/** The one text that names the group. */
function groupTextOf({ logGroupName, logGroupIdentifier, resourceIdentifier }: NamesGroup): string {
  const given = [logGroupName, logGroupIdentifier, resourceIdentifier].filter((each) => each !== undefined)
  const [text] = given
  if (text === undefined) throw invalid('Specify the log group: logGroupName or its identifier.')
  if (given.length > 1) throw invalid('LogGroup name and LogGroup ARN are mutually exclusive parameters.')
  return text
}

export const groupNamed: Target<NamesGroup, LogGroup> = {
  about: { type: logGroup, how: 'named', member: 'logGroupName' },
  find: (call, input) => logGroup.find(call, groupTextOf(input), input),
}

/**
 * All groups. AWS's denials name a group without a name, so that `…:log-group:*` allows lists, and the ARN of one group does not.
 */
export const groupsListed: Target<object, Collection<LogGroupRow>> = {
  about: { type: logGroup, how: 'collection' },
  find: async (call, input) => ({
    ...(await logGroup.collection().find(call, input)),
    acted: {
      arn: `${logGroup.form.printPattern(call, { LogGroupName: '' })}${SUFFIX}`,
      type: logGroup.spec.type,
      account: call.account,
    },
  }),
}

/** For tags: authorized on the ARN of the group alone. */
export const groupTagged: Target<{ readonly resourceArn: string }, LogGroup> = {
  about: { type: logGroup, how: 'named', member: 'resourceArn' },
  find: (call, { resourceArn }) => logGroup.find(call, resourceArn, {}, { reference: groupReference }),
}

export const newGroup: Target<{ readonly logGroupName: string }, NewResource<GroupId, LogGroupRow>> = {
  about: { type: logGroup, how: 'created' },
  find: async (call, input) => {
    const made = await created.find(call, input)
    return { ...made, acted: made.acted && { ...made.acted, arn: made.acted.arn + SUFFIX } }
  },
}
const created = logGroup.created((input: { readonly logGroupName: string }) => ({ LogGroupName: input.logGroupName }))

export interface NamesStream extends NamesGroup {
  readonly logStreamName: string
}

/** Where the stream is, and its group; the group decides which stream a name means. */
async function streamReference(call: Call, input: NamesStream) {
  const text = groupTextOf(input)
  const at = groupReference(call, text)
  if (!at || logGroup.form.mismatch(at.id) !== undefined) throw invalid(`Invalid log group: ${text}`)
  const isOwn = at.scope.account === call.account && at.scope.region === call.region
  const group = isOwn ? await logGroup.get(call.unit, at.scope, at.id) : undefined
  const id: StreamId = { GroupId: group?.id ?? '-', ...at.id, LogStreamName: input.logStreamName }
  return { scope: at.scope, id, group, tags: group?.tags }
}

export const streamNamed: Target<NamesStream, LogStream> = {
  about: { type: logStream, how: 'named', member: 'logStreamName' },
  find: async (call, input) => {
    const { group, ...at } = await streamReference(call, input)
    const absent = group ? undefined : groupMissing
    return logStream.find(call, input.logStreamName, input, { reference: () => ({ ...at, absent }) })
  },
}

export const newStream: Target<NamesStream, NewResource<StreamId, LogStreamRow>> = {
  about: { type: logStream, how: 'created' },
  find: async (call, input) => {
    const { group, scope, id, tags: groupTags } = await streamReference(call, input)
    const made = await logStream.created(() => ({ scope, id })).find(call, input)
    const acted = made.acted && { ...made.acted, tags: groupTags }
    return group ? { ...made, acted } : { acted, row: undefined, missing: groupMissing }
  },
}

/** The group of a stream that was found. */
export const groupOf = (call: Call, { scope, row }: Pick<LogStream, 'scope' | 'row'>): Promise<LogGroupRow> =>
  logGroup.require({ ...scope, unit: call.unit }, { LogGroupName: row.group })

export const groupArn = (scope: Scope, name: string): string => logGroup.form.print(scope, { LogGroupName: name })
