/** Lists of addresses and domains, trusted and threatening: four kinds with the same operations. */
import type { Call } from '../../kernel/gate/call.ts'
import { pageOf } from '../../kernel/service/page.ts'
import type { Key } from '../../store/store.ts'
import { withClientToken } from './client-tokens.ts'
import { badRequest, badToken, guardduty, invalidParameter, noSuchResource } from './faults.ts'
import { dropEntries, markDeleted, permitReading, readLocation, scheduleActivation } from './list-activation.ts'
import { listTypes } from './list-types.ts'
import { administratorOf } from './member-rows.ts'
import {
  ipSet,
  LIST_KINDS,
  type ListKind,
  type ListRow,
  newId,
  ofDetector,
  requireDetector,
  threatEntitySet,
  threatIntelSet,
  trustedEntitySet,
} from './resources.ts'

interface CreateRequest {
  readonly DetectorId?: string | undefined
  readonly Name?: string | undefined
  readonly Format?: ListRow['format'] | undefined
  readonly Location?: string | undefined
  readonly Activate?: boolean | undefined
  readonly ExpectedBucketOwner?: string | undefined
}
type UpdateRequest = Pick<CreateRequest, 'Name' | 'Location' | 'Activate' | 'ExpectedBucketOwner'>

async function refuseMember(call: Call): Promise<void> {
  if (await administratorOf(call.unit, call))
    throw badRequest(
      'The request is rejected because member accounts cannot manage lists; only the administrator account can.',
    )
}

function locationIn(call: Call, location: string) {
  const found = readLocation(location, call.origin)
  if (!found) throw invalidParameter('location')
  return found
}

async function created(
  call: Call,
  kind: ListKind,
  id: string,
  input: CreateRequest,
  tags: ListRow['tags'],
): Promise<ListRow> {
  await requireDetector(call, input.DetectorId)
  await refuseMember(call)
  const location = locationIn(call, input.Location!)
  const { countQuota, list } = listTypes[kind]
  const rows = (await list(call.unit, call)).map(({ document }) => document)
  if (rows.length >= call.quotas[countQuota]!)
    throw badRequest(
      `The request is rejected because the current account has reached the maximum number of lists of this kind.`,
    )
  if (rows.some(({ name }) => name === input.Name))
    throw badRequest('The request is rejected because a list with the given name already exists.')
  const row: ListRow = {
    kind,
    detector: input.DetectorId!,
    id,
    account: call.account,
    region: call.region,
    partition: call.partition,
    name: input.Name!,
    format: input.Format!,
    location: input.Location!,
    ...(input.ExpectedBucketOwner !== undefined && { expectedOwner: input.ExpectedBucketOwner }),
    createdAt: call.now,
    updatedAt: call.now,
    state: input.Activate ? 'ACTIVATING' : 'INACTIVE',
    revision: 1,
    tags: tags ?? {},
  }
  await permitReading(call, row, location)
  return row
}

/** The file is read again with every activation, and when its location changes; never in between. */
async function updated(call: Call, at: Key, row: ListRow, input: UpdateRequest): Promise<ListRow> {
  await refuseMember(call)
  refuseDeleted(row)
  const isActive = row.state === 'ACTIVE' || row.state === 'ACTIVATING'
  const activate = input.Activate ?? isActive
  const reads = activate && (input.Activate === true || input.Location !== undefined)
  const location = locationIn(call, input.Location ?? row.location)
  const changed: ListRow = {
    ...row,
    name: input.Name ?? row.name,
    location: input.Location ?? row.location,
    ...(input.ExpectedBucketOwner !== undefined && { expectedOwner: input.ExpectedBucketOwner }),
    state: reads ? 'ACTIVATING' : activate ? row.state : 'INACTIVE',
    revision: reads || !activate ? row.revision + 1 : row.revision,
    contents: reads || !activate ? undefined : row.contents,
    updatedAt: call.now,
  }
  if (changed.revision !== row.revision) await dropEntries(call.unit, row)
  if (input.Location !== undefined) await permitReading(call, changed, location)
  if (reads) scheduleActivation(call.unit, at, changed, location, call.now)
  return changed
}

async function deleted(call: Call, row: ListRow): Promise<Record<string, never>> {
  await refuseMember(call)
  refuseDeleted(row)
  await markDeleted(call, listTypes[row.kind].keyOf(row), row)
  return {}
}

function refuseDeleted({ state }: ListRow): void {
  if (state === 'DELETED') throw noSuchResource()
}

const shown = (row: ListRow) => ({
  Name: row.name,
  Format: row.format,
  Location: row.location,
  Status: row.state,
  Tags: { ...row.tags },
  ...(row.expectedOwner !== undefined && { ExpectedBucketOwner: row.expectedOwner }),
})

const shownEntities = (row: ListRow) => ({
  ...shown(row),
  CreatedAt: new Date(row.createdAt),
  UpdatedAt: new Date(row.updatedAt),
  ...(row.error !== undefined && { ErrorDetails: row.error }),
})

async function idsOf(
  call: Call,
  kind: ListKind,
  input: {
    readonly DetectorId?: string | undefined
    readonly NextToken?: string | undefined
    readonly MaxResults?: number | undefined
  },
): Promise<{ readonly ids: string[]; readonly rest: { readonly NextToken?: string } }> {
  const rows = (await listTypes[kind].list(call.unit, call)).map(({ document }) => document.id)
  const { items, next } = await pageOf(call, rows, (id) => id, {
    token: input.NextToken,
    size: input.MaxResults ?? 50,
    query: input.DetectorId,
    bad: badToken,
  })
  return { ids: [...items], rest: next === undefined ? {} : { NextToken: next } }
}

/** `member` has the ID in requests and answers, `variable` in the ARN. */
const API = {
  ipset: { name: 'IPSet', member: 'IpSetId', variable: 'IPSetId', resource: ipSet, shown },
  threatintelset: {
    name: 'ThreatIntelSet',
    member: 'ThreatIntelSetId',
    variable: 'ThreatIntelSetId',
    resource: threatIntelSet,
    shown,
  },
  threatentityset: {
    name: 'ThreatEntitySet',
    member: 'ThreatEntitySetId',
    variable: 'ThreatEntitySetId',
    resource: threatEntitySet,
    shown: shownEntities,
  },
  trustedentityset: {
    name: 'TrustedEntitySet',
    member: 'TrustedEntitySetId',
    variable: 'TrustedEntitySetId',
    resource: trustedEntitySet,
    shown: shownEntities,
  },
} as const

/** The kinds have the same operations, but for their names: TypeScript checks all of them as those of threat lists. */
type Checked = (typeof API)['threatintelset']

function operationsOn(kind: ListKind) {
  const { name, member, variable, resource, shown } = API[kind] as unknown as Checked
  const { list, keyOf } = listTypes[kind]
  return [
    guardduty
      .operation(`Create${name}`)
      .on(
        resource.created(({ DetectorId }, call) => ({ DetectorId: DetectorId!, [variable]: newId(call) }), {
          generated: true,
          authorizedOn: '*',
        }),
      )
      .run((call, input, { id, tags, create }) => {
        const exists = async (known: { readonly [member]: string }) =>
          (await list(call.unit, call)).some(({ document }) => document.id === known[member])
        return withClientToken(call, input, exists, async () => {
          const row = await created(call, kind, id[variable], input, tags)
          create(row)
          if (row.state === 'ACTIVATING')
            scheduleActivation(call.unit, keyOf(row), row, locationIn(call, row.location), call.now)
          return { [member]: row.id } as { readonly [member]: string }
        })
      }),
    guardduty
      .operation(`Get${name}`)
      .on(resource.named(member))
      .run((_call, _input, { row }) => shown(row)),
    guardduty
      .operation(`List${name}s`)
      .on(ofDetector)
      .run(async (call, input) => {
        const { ids, rest } = await idsOf(call, kind, input)
        return { [`${member}s` as const]: ids, ...rest } as { ThreatIntelSetIds: string[] }
      }),
    guardduty
      .operation(`Update${name}`)
      .on(resource.named(member))
      .run(async (call, input, { row, save }) => {
        save(await updated(call, keyOf(row), row, input))
        return {}
      }),
    guardduty
      .operation(`Delete${name}`)
      .on(resource.named(member))
      .run((call, _input, { row }) => deleted(call, row)),
  ]
}

export const operations = LIST_KINDS.flatMap(operationsOn)
