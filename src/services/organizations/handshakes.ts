/** Handshakes: what two accounts agree on, in which states, for how long, and where they are kept. */
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Call } from '../../kernel/call.ts'
import type { Tags } from '../../kernel/resource.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { Organization } from './organization.ts'
import { all, arns, date, handshakeKey, newIds, type OrganizationRow, organizations } from './resources.ts'

export type Action = 'INVITE' | 'ENABLE_ALL_FEATURES' | 'APPROVE_ALL_FEATURES'
export type State = Organizations.HandshakeState
type Kept = Exclude<State, 'EXPIRED'>

export interface HandshakeRow {
  readonly id: string
  readonly org: string
  readonly management: string
  readonly action: Action
  /** Who is asked; nobody, where the organisation asks itself. */
  readonly to?: { readonly type: 'ACCOUNT' | 'EMAIL'; readonly id: string }
  /** As last written; that it expired, the clock tells: see {@link stateOf}. */
  readonly state: Kept
  readonly requestedAt: number
  readonly endedAt?: number
  readonly notes?: string
  /** The handshake that this one is part of. */
  readonly parent?: string
  /** For the account that accepts. */
  readonly tags?: Tags
  /** What the one who is asked may know of the organisation. */
  readonly shown: { readonly email: string; readonly name: string; readonly features: OrganizationRow['features'] }
}

const DAY_MS = 24 * 3_600_000
/** Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Handshake.html */
const DAYS: Readonly<Record<Action, number>> = { INVITE: 15, ENABLE_ALL_FEATURES: 90, APPROVE_ALL_FEATURES: 90 }
/** How long one that has ended is still told of. */
const KEPT_MS = 30 * DAY_MS

const expiresAt = ({ requestedAt, action }: HandshakeRow): number => requestedAt + DAYS[action] * DAY_MS

export const isPending = (row: HandshakeRow, now: number): boolean => ['OPEN', 'REQUESTED'].includes(stateOf(row, now))

export function stateOf(row: HandshakeRow, now: number): State {
  const pending = row.state === 'OPEN' || row.state === 'REQUESTED'
  return pending && now >= expiresAt(row) ? 'EXPIRED' : row.state
}

export const isTold = (row: HandshakeRow, now: number): boolean =>
  isPending(row, now) || now < (row.endedAt ?? expiresAt(row)) + KEPT_MS

/** In which organisation's rows a handshake is: its id is all that those outside have. */
const placeKey = (id: string): Key => key('organizations', 'handshake-place', id)
const received = (who: string): Key => under('organizations', 'handshake-to', who.toLowerCase())
const receivedKey = (who: string, id: string): Key => key('organizations', 'handshake-to', who.toLowerCase(), id)

interface Place {
  readonly org: string
  readonly id: string
}

export function saveHandshake(call: Call, row: HandshakeRow): HandshakeRow {
  const place: Place = { org: row.org, id: row.id }
  call.unit.put(handshakeKey(row.org, row.id), row)
  call.unit.put(placeKey(row.id), place)
  if (row.to) call.unit.put(receivedKey(row.to.id, row.id), place)
  return row
}

const at = (call: Call, { org, id }: Place) => call.unit.get<HandshakeRow>(handshakeKey(org, id))

/** One that is still told of. */
export async function handshake(call: Call, id: string): Promise<HandshakeRow | undefined> {
  const place = await call.unit.get<Place>(placeKey(id))
  const row = place && (await at(call, place))
  return row && isTold(row, call.now) ? row : undefined
}

export async function sentBy(call: Call, org: string): Promise<readonly HandshakeRow[]> {
  const entries = await call.unit.range<HandshakeRow>(all('handshake', org))
  return entries.map(({ document }) => document).filter((row) => isTold(row, call.now))
}

export async function receivedBy(call: Call, ...names: readonly string[]): Promise<readonly HandshakeRow[]> {
  const places = (await Promise.all(names.map((who) => call.unit.range<Place>(received(who))))).flat()
  const rows = await Promise.all(places.map(({ document }) => at(call, document)))
  return rows.filter((row) => row !== undefined).filter((row) => isTold(row, call.now))
}

type Asked = Pick<HandshakeRow, 'action' | 'state'> & Partial<HandshakeRow>

export async function newHandshake(call: Call, organization: Organization, asked: Asked): Promise<HandshakeRow> {
  const { row } = organization
  const manager = (await organization.member(row.management))!
  return saveHandshake(call, {
    id: newIds.handshake(),
    org: row.id,
    management: row.management,
    requestedAt: call.now,
    shown: { email: manager.email, name: manager.name, features: row.features },
    ...asked,
  })
}

export function shownHandshake(row: HandshakeRow, now: number) {
  const { to, shown } = row
  const organization = {
    Type: 'ORGANIZATION',
    Value: row.org,
    Resources: [
      { Type: 'MASTER_EMAIL', Value: shown.email },
      { Type: 'MASTER_NAME', Value: shown.name },
      { Type: 'ORGANIZATION_FEATURE_SET', Value: shown.features },
    ],
  } satisfies Organizations.HandshakeResource
  return {
    Id: row.id,
    Arn: arns.handshake({ id: row.org, management: row.management }, row),
    Parties: [{ Id: row.org, Type: 'ORGANIZATION' }, ...(to ? [{ Id: to.id, Type: to.type }] : [])],
    State: stateOf(row, now),
    RequestedTimestamp: date(row.requestedAt),
    ExpirationTimestamp: date(expiresAt(row)),
    Action: row.action,
    Resources: [
      organization,
      ...(to ? [{ Type: to.type, Value: to.id }] : []),
      ...(row.notes === undefined ? [] : [{ Type: 'NOTES' as const, Value: row.notes }]),
      ...(row.parent === undefined ? [] : [{ Type: 'PARENT_HANDSHAKE' as const, Value: row.parent }]),
    ],
  } satisfies Organizations.Handshake
}

export type Verb = 'accept' | 'decline' | 'cancel'

type Move = Kept | 'same' | 'no'
/** Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Handshake.html, State */
const moves: Readonly<Record<Verb, Readonly<Record<State, Move>>>> = {
  //         REQUESTED              OPEN              ACCEPTED          DECLINED          CANCELED          EXPIRED
  accept: { REQUESTED: 'no', OPEN: 'ACCEPTED', ACCEPTED: 'same', DECLINED: 'no', CANCELED: 'no', EXPIRED: 'no' },
  decline: { REQUESTED: 'no', OPEN: 'DECLINED', ACCEPTED: 'no', DECLINED: 'same', CANCELED: 'no', EXPIRED: 'no' },
  cancel: { REQUESTED: 'CANCELED', OPEN: 'CANCELED', ACCEPTED: 'no', DECLINED: 'no', CANCELED: 'same', EXPIRED: 'no' },
}

/** The row in its next state, saved; or the refusal. */
export function move(call: Call, row: HandshakeRow, verb: Verb): HandshakeRow {
  const next = moves[verb][stateOf(row, call.now)]
  if (next === 'same') {
    throw organizations.fail(
      'HandshakeAlreadyInStateException',
      'The specified handshake is already in the requested state.',
    )
  }
  if (next === 'no') {
    throw organizations.fail(
      'InvalidHandshakeTransitionException',
      "You can't perform the operation on the handshake in its current state.",
    )
  }
  return saveHandshake(call, { ...row, state: next, endedAt: call.now })
}

const end = (call: Call, row: HandshakeRow) => saveHandshake(call, { ...row, state: 'CANCELED', endedAt: call.now })

/** An organisation that ends asks nothing more. */
export async function cancelAll(call: Call, organization: Organization): Promise<void> {
  for (const row of await sentBy(call, organization.row.id)) if (isPending(row, call.now)) end(call, row)
}

/** The parts of a handshake that is cancelled. */
export async function cancelParts(call: Call, whole: HandshakeRow): Promise<void> {
  for (const row of await sentBy(call, whole.org)) {
    if (row.parent === whole.id && isPending(row, call.now)) end(call, row)
  }
}

export async function pendingMigration(call: Call, org: string): Promise<HandshakeRow | undefined> {
  const rows = await sentBy(call, org)
  return rows.find((row) => row.action === 'ENABLE_ALL_FEATURES' && isPending(row, call.now))
}

/** Whoever left is not asked any more. */
export async function withdrawApproval(call: Call, organization: Organization, account: string): Promise<void> {
  const migration = await pendingMigration(call, organization.row.id)
  if (!migration) return
  for (const row of await sentBy(call, organization.row.id)) {
    if (row.parent === migration.id && row.to?.id === account && isPending(row, call.now)) end(call, row)
  }
  await openWhenApproved(call, organization, migration)
}

/** All features wait for every account that was invited: AWS made the others, and asks them nothing. */
export async function openWhenApproved(
  call: Call,
  organization: Organization,
  migration: HandshakeRow,
): Promise<HandshakeRow> {
  const { row } = organization
  const approvals = (await sentBy(call, row.id)).filter(({ parent }) => parent === migration.id)
  const invited = (await organization.members()).filter(
    ({ id, joined, state }) => id !== row.management && joined === 'INVITED' && state === 'ACTIVE',
  )
  const approved = invited.every(({ id }) => approvals.some(({ to, state }) => to?.id === id && state === 'ACCEPTED'))
  return saveHandshake(call, { ...migration, state: approved ? 'OPEN' : 'REQUESTED' })
}

/** One more account that has to agree. */
export const askApproval = (call: Call, organization: Organization, migration: HandshakeRow, account: string) =>
  newHandshake(call, organization, {
    action: 'APPROVE_ALL_FEATURES',
    state: 'OPEN',
    to: { type: 'ACCOUNT', id: account },
    parent: migration.id,
  })
