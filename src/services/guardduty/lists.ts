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

const keyOf = (row: ListRow): Key => {
  switch (row.kind) {
    case 'ipset':
      return ipSet.key(row, { DetectorId: row.detector, IPSetId: row.id })
    case 'threatintelset':
      return threatIntelSet.key(row, { DetectorId: row.detector, ThreatIntelSetId: row.id })
    case 'threatentityset':
      return threatEntitySet.key(row, { DetectorId: row.detector, ThreatEntitySetId: row.id })
    case 'trustedentityset':
      return trustedEntitySet.key(row, { DetectorId: row.detector, TrustedEntitySetId: row.id })
  }
}

async function createIn<A extends object>(
  call: Call,
  input: CreateRequest & { readonly ClientToken?: string | undefined },
  {
    kind,
    id,
    tags,
    answer,
    idIn,
    create,
  }: {
    readonly kind: ListKind
    readonly id: string
    readonly tags: ListRow['tags']
    readonly answer: (id: string) => A
    readonly idIn: (answer: A) => string
    readonly create: (row: ListRow) => unknown
  },
): Promise<A> {
  const exists = async (known: A) =>
    (await listTypes[kind].list(call.unit, call)).some(({ document }) => document.id === idIn(known))
  return withClientToken(call, input, exists, async () => {
    const row = await created(call, kind, id, input, tags)
    create(row)
    if (row.state === 'ACTIVATING')
      scheduleActivation(call.unit, keyOf(row), row, locationIn(call, row.location), call.now)
    return answer(id)
  })
}

async function deleted(call: Call, row: ListRow): Promise<Record<string, never>> {
  await refuseMember(call)
  refuseDeleted(row)
  await markDeleted(call, keyOf(row), row)
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

const pattern = { generated: true, authorizedOn: '*' } as const

export const createIpSet = guardduty
  .operation('CreateIPSet')
  .on(ipSet.created(({ DetectorId }, call) => ({ DetectorId: DetectorId!, IPSetId: newId(call) }), pattern))
  .run((call, input, { id, tags, create }) =>
    createIn(call, input, {
      kind: 'ipset',
      id: id.IPSetId,
      tags,
      answer: (IpSetId) => ({ IpSetId }),
      idIn: ({ IpSetId }) => IpSetId,
      create,
    }),
  )

export const getIpSet = guardduty
  .operation('GetIPSet')
  .on(ipSet.named('IpSetId'))
  .run((_call, _input, { row }) => shown(row))

export const listIpSets = guardduty
  .operation('ListIPSets')
  .on(ofDetector)
  .run(async (call, input) => {
    const { ids, rest } = await idsOf(call, 'ipset', input)
    return { IpSetIds: ids, ...rest }
  })

export const updateIpSet = guardduty
  .operation('UpdateIPSet')
  .on(ipSet.named('IpSetId'))
  .run(async (call, input, { row, save }) => {
    save(await updated(call, keyOf(row), row, input))
    return {}
  })

export const deleteIpSet = guardduty
  .operation('DeleteIPSet')
  .on(ipSet.named('IpSetId'))
  .run((call, _input, { row }) => deleted(call, row))

export const createThreatIntelSet = guardduty
  .operation('CreateThreatIntelSet')
  .on(
    threatIntelSet.created(
      ({ DetectorId }, call) => ({ DetectorId: DetectorId!, ThreatIntelSetId: newId(call) }),
      pattern,
    ),
  )
  .run((call, input, { id, tags, create }) =>
    createIn(call, input, {
      kind: 'threatintelset',
      id: id.ThreatIntelSetId,
      tags,
      answer: (ThreatIntelSetId) => ({ ThreatIntelSetId }),
      idIn: ({ ThreatIntelSetId }) => ThreatIntelSetId,
      create,
    }),
  )

export const getThreatIntelSet = guardduty
  .operation('GetThreatIntelSet')
  .on(threatIntelSet.named('ThreatIntelSetId'))
  .run((_call, _input, { row }) => shown(row))

export const listThreatIntelSets = guardduty
  .operation('ListThreatIntelSets')
  .on(ofDetector)
  .run(async (call, input) => {
    const { ids, rest } = await idsOf(call, 'threatintelset', input)
    return { ThreatIntelSetIds: ids, ...rest }
  })

export const updateThreatIntelSet = guardduty
  .operation('UpdateThreatIntelSet')
  .on(threatIntelSet.named('ThreatIntelSetId'))
  .run(async (call, input, { row, save }) => {
    save(await updated(call, keyOf(row), row, input))
    return {}
  })

export const deleteThreatIntelSet = guardduty
  .operation('DeleteThreatIntelSet')
  .on(threatIntelSet.named('ThreatIntelSetId'))
  .run((call, _input, { row }) => deleted(call, row))

export const createThreatEntitySet = guardduty
  .operation('CreateThreatEntitySet')
  .on(
    threatEntitySet.created(
      ({ DetectorId }, call) => ({ DetectorId: DetectorId!, ThreatEntitySetId: newId(call) }),
      pattern,
    ),
  )
  .run((call, input, { id, tags, create }) =>
    createIn(call, input, {
      kind: 'threatentityset',
      id: id.ThreatEntitySetId,
      tags,
      answer: (ThreatEntitySetId) => ({ ThreatEntitySetId }),
      idIn: ({ ThreatEntitySetId }) => ThreatEntitySetId,
      create,
    }),
  )

export const getThreatEntitySet = guardduty
  .operation('GetThreatEntitySet')
  .on(threatEntitySet.named('ThreatEntitySetId'))
  .run((_call, _input, { row }) => shownEntities(row))

export const listThreatEntitySets = guardduty
  .operation('ListThreatEntitySets')
  .on(ofDetector)
  .run(async (call, input) => {
    const { ids, rest } = await idsOf(call, 'threatentityset', input)
    return { ThreatEntitySetIds: ids, ...rest }
  })

export const updateThreatEntitySet = guardduty
  .operation('UpdateThreatEntitySet')
  .on(threatEntitySet.named('ThreatEntitySetId'))
  .run(async (call, input, { row, save }) => {
    save(await updated(call, keyOf(row), row, input))
    return {}
  })

export const deleteThreatEntitySet = guardduty
  .operation('DeleteThreatEntitySet')
  .on(threatEntitySet.named('ThreatEntitySetId'))
  .run((call, _input, { row }) => deleted(call, row))

export const createTrustedEntitySet = guardduty
  .operation('CreateTrustedEntitySet')
  .on(
    trustedEntitySet.created(
      ({ DetectorId }, call) => ({ DetectorId: DetectorId!, TrustedEntitySetId: newId(call) }),
      pattern,
    ),
  )
  .run((call, input, { id, tags, create }) =>
    createIn(call, input, {
      kind: 'trustedentityset',
      id: id.TrustedEntitySetId,
      tags,
      answer: (TrustedEntitySetId) => ({ TrustedEntitySetId }),
      idIn: ({ TrustedEntitySetId }) => TrustedEntitySetId,
      create,
    }),
  )

export const getTrustedEntitySet = guardduty
  .operation('GetTrustedEntitySet')
  .on(trustedEntitySet.named('TrustedEntitySetId'))
  .run((_call, _input, { row }) => shownEntities(row))

export const listTrustedEntitySets = guardduty
  .operation('ListTrustedEntitySets')
  .on(ofDetector)
  .run(async (call, input) => {
    const { ids, rest } = await idsOf(call, 'trustedentityset', input)
    return { TrustedEntitySetIds: ids, ...rest }
  })

export const updateTrustedEntitySet = guardduty
  .operation('UpdateTrustedEntitySet')
  .on(trustedEntitySet.named('TrustedEntitySetId'))
  .run(async (call, input, { row, save }) => {
    save(await updated(call, keyOf(row), row, input))
    return {}
  })

export const deleteTrustedEntitySet = guardduty
  .operation('DeleteTrustedEntitySet')
  .on(trustedEntitySet.named('TrustedEntitySetId'))
  .run((call, _input, { row }) => deleted(call, row))
