/** Lists are read when they are activated, from the bucket, with the rights of GuardDuty's service-linked role. */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type * as S3 from '@aws-sdk/client-s3'
import { serviceEvent } from '../../kernel/events/event.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { type Expiring, putExpiring } from '../../kernel/jobs/expiring-rows.ts'
import { scheduleJob } from '../../kernel/jobs/jobs.ts'
import { serviceLinkedRoles } from '../../kernel/ports/service-linked-roles.ts'
import type { Api } from '../../kernel/service/api.ts'
import type { Quotas } from '../../kernel/service/quota.ts'
import type { JobContext, ServiceJob } from '../../kernel/service/service.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { type Key, key, type Unit, under } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { entriesOf, readEntry } from './list-formats.ts'
import { listTypes } from './list-types.ts'
import { type ListContents, type ListRow, PRINCIPAL } from './resources.ts'

const s3: Api<typeof S3> = { id: 's3' }
/** Source: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_limits.html */
const FILE_BYTES_MAX = 35 * 1024 * 1024
const LINES_PER_ROW = 4_000
/** Other work has its turn in between. */
const ENTRIES_PER_TURN = 20_000
/** In documents that wait: never change it. */
export const ACTIVATE = 'guardduty.activate-list'

interface Location {
  readonly bucket: string
  readonly object: string
}

const AMAZON = /^s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com$/
const AMAZON_VIRTUAL = /^(.+?)\.s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com$/

/** `s3://bucket/key`, and the web addresses of objects; undefined for all else. `origin`: of this server. */
export function readLocation(location: string, origin: string): Location | undefined {
  if (!URL.canParse(location)) return undefined
  const url = new URL(location)
  const path = safeDecoded(url.pathname.slice(1))
  if (path === undefined) return undefined
  if (url.protocol === 's3:') return located(url.hostname, path)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined
  if (AMAZON.test(url.hostname) || url.host === new URL(origin).host) {
    const slash = path.indexOf('/')
    return slash < 0 ? undefined : located(path.slice(0, slash), path.slice(slash + 1))
  }
  const virtual = AMAZON_VIRTUAL.exec(url.hostname)
  return virtual ? located(virtual[1]!, path) : undefined
}

function safeDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const located = (bucket: string, object: string): Location | undefined =>
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) && object !== '' && object.length <= 1024
    ? { bucket, object }
    : undefined

const entriesUnder = ({ account, region, id, revision }: ListRow): Key =>
  under('guardduty', 'list-entries', account, region, id, String(revision))
const entriesKey = ({ account, region, id, revision }: ListRow, part: number): Key =>
  key('guardduty', 'list-entries', account, region, id, String(revision), String(part).padStart(6, '0'))

interface EntriesRow {
  readonly lines: readonly string[]
}

/** The entries of an active list. */
export async function entriesIn(reader: Pick<Reader, 'range'>, row: ListRow): Promise<readonly string[]> {
  const parts = await reader.range<EntriesRow>(entriesUnder(row))
  return parts.flatMap(({ document }) => document.lines)
}

export async function dropEntries(unit: Unit, row: ListRow): Promise<void> {
  for (const { key: at } of await unit.range(entriesUnder(row))) unit.delete(at)
}

interface Activation {
  readonly at: Key
  readonly account: string
  readonly revision: number
  readonly bucket: string
  readonly object: string
}

export function scheduleActivation(unit: Unit, at: Key, row: ListRow, location: Location, now: number): void {
  const { account, revision } = row
  const payload: Activation = { at, account, revision, ...location }
  scheduleJob(unit, { id: `${ACTIVATE}/${at}/${revision}`, kind: ACTIVATE, dueAt: now, payload })
}

/** In documents that wait: never change it. */
export const FORGET_LIST = 'guardduty.forget-list'
const SHOWN_MS = 60 * 60_000

/** Takes effect at once; the row is shown for a while as deleted. */
export async function markDeleted(call: Pick<Call, 'use' | 'unit' | 'now'>, at: Key, row: ListRow): Promise<void> {
  await dropEntries(call.unit, row)
  await forbidReading(call, row)
  const deleted: ListRow & Expiring = {
    ...row,
    state: 'DELETED',
    revision: row.revision + 1,
    contents: undefined,
    error: undefined,
    updatedAt: call.now,
    expiresAt: call.now + SHOWN_MS,
  }
  putExpiring(call.unit, FORGET_LIST, at, deleted)
}

type Read = { readonly contents: ListContents; readonly lines: readonly string[] } | { readonly error: string }

export const activationJob: ServiceJob<Activation, Read | undefined> = {
  effect: async (work, activation) => {
    const row = await work.reader.get<ListRow>(activation.at)
    return row?.revision === activation.revision ? read(work, row, activation) : undefined
  },
  run: async (unit, { now }, { at, revision }, found) => {
    const row = await unit.get<ListRow>(at)
    if (!row || row.revision !== revision || !found) return
    if ('error' in found) {
      unit.put(at, { ...row, state: 'ERROR', error: found.error, updatedAt: now } satisfies ListRow)
      return
    }
    const { contents, lines } = found
    for (let from = 0; from < lines.length; from += LINES_PER_ROW)
      unit.put(entriesKey(row, from / LINES_PER_ROW), { lines: lines.slice(from, from + LINES_PER_ROW) })
    unit.put(at, { ...row, state: 'ACTIVE', error: undefined, contents, updatedAt: now } satisfies ListRow)
    unit.append(activated(row, contents, now))
  },
}

const TOO_LARGE: Read = { error: 'The file is larger than 35 MB.' }

async function read(work: JobContext, row: ListRow, { bucket, object }: Activation): Promise<Read> {
  const role = await work.use(serviceLinkedRoles).subjectOf(work.reader, { account: row.account, service: PRINCIPAL })
  if (!role) return { error: 'The service-linked role of GuardDuty does not exist.' }
  const { account, region } = row
  const acting = { service: PRINCIPAL, account, region, source: '', role }
  const where = {
    Bucket: bucket,
    Key: object,
    ...(row.expectedOwner !== undefined && { ExpectedBucketOwner: row.expectedOwner }),
  }
  try {
    const { ContentLength = 0 } = await work.actAs(acting, s3, 'HeadObject', where)
    if (ContentLength > FILE_BYTES_MAX) return TOO_LARGE
    const { Body } = await work.actAs(acting, s3, 'GetObject', where)
    const file = await bytesOf(Body)
    return file ? parsed(row, file, work.quotas) : TOO_LARGE
  } catch (error) {
    if (error instanceof Fault) return { error: `The file cannot be read: ${error.code}.` }
    throw error
  }
}

/** What the gate returns for a body: the bytes, or a stream of them. Undefined for more than a file may have: it was replaced. */
async function bytesOf(body: unknown): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body instanceof Uint8Array ? [body] : (body as AsyncIterable<Uint8Array>)) {
    length += part.length
    if (length > FILE_BYTES_MAX) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}

async function parsed(row: ListRow, file: Buffer, quotas: Quotas): Promise<Read> {
  const { entriesQuota, withDomains } = listTypes[row.kind]
  const max = quotas[entriesQuota]!
  const lines = new Set<string>()
  let skipped = 0
  let seen = 0
  for (const each of entriesOf(row.format, file.toString('utf8'))) {
    if (++seen % ENTRIES_PER_TURN === 0) await nextTurn()
    const entry = readEntry(each, withDomains)
    if (entry === undefined) skipped++
    else lines.add(entry)
    if (lines.size > max) return { error: `The list has more than ${max} entries.` }
  }
  if (lines.size === 0) return { error: 'The file has no entry in this format.' }
  const sha256 = createHash('sha256').update(file).digest('hex')
  return { lines: [...lines], contents: { entries: lines.size, skipped, sha256 } }
}

function activated(row: ListRow, { entries, skipped, sha256 }: ListContents, now: number) {
  const { type, arnOf } = listTypes[row.kind]
  return serviceEvent({
    account: row.account,
    region: row.region,
    timeMs: now,
    eventSource: PRINCIPAL,
    eventName: 'ListActivated',
    resources: [{ arn: arnOf(row), type, account: row.account }],
    details: { name: row.name, entries, skipped, sha256 },
  })
}

/** The name of the role's policy that lets it read the list. */
const policyName = ({ id }: Pick<ListRow, 'id'>): string => `GuardDutyList-${id}`

/** As in AWS, who uploads a list needs the permission to let GuardDuty's role read it. */
export async function permitReading(call: Call, row: ListRow, { bucket, object }: Location): Promise<void> {
  const role = { account: row.account, service: PRINCIPAL }
  const roles = call.use(serviceLinkedRoles)
  await call.authorize('iam:PutRolePolicy', roles.arnOf(role))
  await roles.ensure(call, role)
  const document = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/${literal(object)}` }],
  }
  await roles.putPolicy(call.unit, role, policyName(row), JSON.stringify(document))
}

/** Wildcards and variables of policies as they stand. */
const literal = (object: string): string => object.replaceAll(/[*?$]/g, (char) => `\${${char}}`)

export async function forbidReading(call: Pick<Call, 'use' | 'unit'>, row: ListRow): Promise<void> {
  const role = { account: row.account, service: PRINCIPAL }
  await call.use(serviceLinkedRoles).putPolicy(call.unit, role, policyName(row), undefined)
}

export async function removeLists(
  call: Pick<Call, 'use' | 'unit'>,
  place: { readonly account: string; readonly region: string },
): Promise<void> {
  for (const { stored } of Object.values(listTypes)) {
    for (const { key: at, document } of await stored(call.unit, place)) {
      await dropEntries(call.unit, document)
      await forbidReading(call, document)
      call.unit.delete(at)
    }
  }
}
