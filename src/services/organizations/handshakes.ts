/** Handshakes between accounts: their states, how long they are valid, and their rows. */
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { Organization } from './organization.ts'
import { all, arns, date, handshakeType, newIds, type OrganizationRow, organizations } from './resources.ts'

export type Action = 'INVITE' | 'ENABLE_ALL_FEATURES' | 'APPROVE_ALL_FEATURES'
export type State = Organizations.HandshakeState
type Kept = Exclude<State, 'EXPIRED'>

export interface HandshakeRow {
  readonly id: string
  readonly org: string
  readonly management: string
  readonly action: Action
  /** The account that is to accept; absent for the handshake of the organization with itself. */
  readonly to?: { readonly type: 'ACCOUNT' | 'EMAIL'; readonly id: string }
  /** As last written; expiry follows from the clock: see {@link stateOf}. */
  readonly state: Kept
  readonly requestedAt: number
  readonly endedAt?: number
  readonly notes?: string
  /** The handshake that this one is part of. */
  readonly parent?: string
  /** For the account that accepts. */
  readonly tags?: Tags
  /** What the receiving account sees of the organization. */
  readonly shown: { readonly email: string; readonly name: string; readonly features: OrganizationRow['features'] }
}

const DAY_MS = 24 * 3_600_000
/** Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Handshake.html */
const DAYS: Readonly<Record<Action, number>> = { INVITE: 15, ENABLE_ALL_FEATURES: 90, APPROVE_ALL_FEATURES: 90 }
/** How long a handshake is still returned after its end. */
const KEPT_MS = 30 * DAY_MS

const expiresAt = ({ requestedAt, action }: HandshakeRow): number => requestedAt + DAYS[action] * DAY_MS

export const isPending = (row: HandshakeRow, now: number): boolean => ['OPEN', 'REQUESTED'].includes(stateOf(row, now))

export function stateOf(row: HandshakeRow, now: number): State {
  const pending = row.state === 'OPEN' || row.state === 'REQUESTED'
  return pending && now >= expiresAt(row) ? 'EXPIRED' : row.state
}

export const isReturned = (row: HandshakeRow, now: number): boolean =>
  isPending(row, now) || now < (row.endedAt ?? expiresAt(row)) + KEPT_MS

/** Finds the organization of a handshake: the receiving account knows the handshake's ID only. */
const placeKey = (id: string): Key => key('organizations', 'handshake-place', id)
const received = (who: string): Key => under('organizations', 'handshake-to', who.toLowerCase())
const receivedKey = (who: string, id: string): Key => key('organizations', 'handshake-to', who.toLowerCase(), id)

interface Place {
  readonly org: string
  readonly id: string
}

export function saveHandshake(call: Call, row: HandshakeRow): HandshakeRow {
  const place: Place = { org: row.org, id: row.id }
  call.unit.put(handshakeType.key(call, row), row)
  call.unit.put(placeKey(row.id), place)
  if (row.to) call.unit.put(receivedKey(row.to.id, row.id), place)
  return row
}

const at = (call: Call, { org, id }: Place) => handshakeType.get(call.unit, call, { org, management: '', id })

/** A handshake that operations still return. */
export async function handshake(call: Call, id: string): Promise<HandshakeRow | undefined> {
  const place = await call.unit.get<Place>(placeKey(id))
  const row = place && (await at(call, place))
  return row && isReturned(row, call.now) ? row : undefined
}

export async function sentBy(call: Call, org: string): Promise<readonly HandshakeRow[]> {
  const entries = await call.unit.range<HandshakeRow>(all('handshake', org))
  return entries.map(({ document }) => document).filter((row) => isReturned(row, call.now))
}

export async function receivedBy(call: Call, ...names: readonly string[]): Promise<readonly HandshakeRow[]> {
  const places = (await Promise.all(names.map((who) => call.unit.range<Place>(received(who))))).flat()
  const rows = await Promise.all(places.map(({ document }) => at(call, document)))
  return rows.filter((row) => row !== undefined).filter((row) => isReturned(row, call.now))
}

type HandshakeInput = Pick<HandshakeRow, 'action' | 'state'> & Partial<HandshakeRow>

export async function newHandshake(
  call: Call,
  organization: Organization,
  handshake: HandshakeInput,
): Promise<HandshakeRow> {
  const { row } = organization
  const manager = (await organization.member(row.management))!
  return saveHandshake(call, {
    id: newIds.handshake(),
    org: row.id,
    management: row.management,
    requestedAt: call.now,
    shown: { email: manager.email, name: manager.name, features: row.features },
    ...handshake,
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
    Arn: arns.handshake(row),
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

/** Cancels the pending handshakes of an organization that is deleted. */
export async function cancelAll(call: Call, organization: Organization): Promise<void> {
  for (const row of await sentBy(call, organization.row.id)) if (isPending(row, call.now)) end(call, row)
}

/** Cancels the parts of a canceled handshake. */
export async function cancelParts(call: Call, whole: HandshakeRow): Promise<void> {
  for (const row of await sentBy(call, whole.org)) {
    if (row.parent === whole.id && isPending(row, call.now)) end(call, row)
  }
}

export async function pendingMigration(call: Call, org: string): Promise<HandshakeRow | undefined> {
  const rows = await sentBy(call, org)
  return rows.find((row) => row.action === 'ENABLE_ALL_FEATURES' && isPending(row, call.now))
}

/** Cancels the request to an account that has left. */
export async function withdrawApproval(call: Call, organization: Organization, account: string): Promise<void> {
  const migration = await pendingMigration(call, organization.row.id)
  if (!migration) return
  for (const row of await sentBy(call, organization.row.id)) {
    if (row.parent === migration.id && row.to?.id === account && isPending(row, call.now)) end(call, row)
  }
  await openWhenApproved(call, organization, migration)
}

/** All features need the approval of every invited account; created accounts need not approve. */
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

/** Requests the approval of one more account. */
export const requestApproval = (call: Call, organization: Organization, migration: HandshakeRow, account: string) =>
  newHandshake(call, organization, {
    action: 'APPROVE_ALL_FEATURES',
    state: 'OPEN',
    to: { type: 'ACCOUNT', id: account },
    parent: migration.id,
  })
