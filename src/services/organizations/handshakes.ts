/** Handshakes: what two accounts must agree on, with a state and an end. */
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Call } from '../../kernel/call.ts'
import type { Found, Row, Target } from '../../kernel/resource.ts'
import { Organization } from './organization.ts'
import {
  arns,
  date,
  handshakeAtKey,
  handshakeKey,
  handshakeOfKey,
  newIds,
  type OrganizationRow,
  organizationKey,
  organizations,
} from './resources.ts'

export interface HandshakeRow extends Row {
  readonly id: string
  readonly org: string
  readonly action: 'INVITE' | 'ENABLE_ALL_FEATURES' | 'APPROVE_ALL_FEATURES'
  /** As the request that is answered is shown: who is asked. */
  readonly party: { readonly type: 'ACCOUNT' | 'EMAIL' | 'ORGANIZATION'; readonly id: string }
  /** Who may accept or decline; undefined for an address that is no account's. */
  readonly account: string | undefined
  readonly state: 'REQUESTED' | 'OPEN' | 'ACCEPTED' | 'CANCELED' | 'DECLINED'
  readonly requestedAt: number
  readonly expiresAt: number
  readonly endedAt?: number
  readonly notes?: string | undefined
  /** Of an approval: the handshake that asks for it. */
  readonly parent?: string
}

export type HandshakeState = HandshakeRow['state'] | 'EXPIRED'

const DAY_MS = 86_400_000
/** Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html */
export const EXPIRES_MS = { INVITE: 15 * DAY_MS, ENABLE_ALL_FEATURES: 90 * DAY_MS, APPROVE_ALL_FEATURES: 90 * DAY_MS }
/** Ended ones are listed no longer than this. */
export const LISTED_MS = 30 * DAY_MS

export function stateOf({ state, expiresAt }: HandshakeRow, now: number): HandshakeState {
  return (state === 'OPEN' || state === 'REQUESTED') && now >= expiresAt ? 'EXPIRED' : state
}

export const isListed = (row: HandshakeRow, now: number) => now < (row.endedAt ?? row.expiresAt) + LISTED_MS

type New = Pick<HandshakeRow, 'action' | 'party' | 'account' | 'state'> &
  Partial<Pick<HandshakeRow, 'notes' | 'parent' | 'tags'>>

export function newHandshake(call: Call, org: OrganizationRow, made: New): HandshakeRow {
  const row: HandshakeRow = {
    id: newIds.handshake(),
    org: org.id,
    requestedAt: call.now,
    expiresAt: call.now + EXPIRES_MS[made.action],
    ...made,
  }
  call.unit.put(handshakeAtKey(row.id), { org: org.id })
  if (row.account !== undefined) call.unit.put(handshakeOfKey(row.account, row.id), { org: org.id })
  return saveHandshake(call, row)
}

export function saveHandshake(call: Call, row: HandshakeRow): HandshakeRow {
  call.unit.put(handshakeKey(row.org, row.id), row)
  return row
}

export function shownHandshake(call: Call, org: OrganizationRow, email: string, row: HandshakeRow) {
  const about: Organizations.HandshakeResource[] = [
    {
      Type: 'ORGANIZATION',
      Value: org.id,
      Resources: [
        { Type: 'MASTER_EMAIL', Value: email },
        { Type: 'MASTER_NAME', Value: org.management },
        { Type: 'ORGANIZATION_FEATURE_SET', Value: org.features },
      ],
    },
    ...(row.party.type === 'ORGANIZATION' ? [] : [{ Type: row.party.type, Value: row.party.id }]),
    ...(row.notes === undefined ? [] : [{ Type: 'NOTES' as const, Value: row.notes }]),
    ...(row.parent === undefined ? [] : [{ Type: 'PARENT_HANDSHAKE' as const, Value: row.parent }]),
  ]
  return {
    Id: row.id,
    Arn: arns.handshake(org, row.action, row.id),
    Parties: [
      { Id: org.id.slice(2), Type: 'ORGANIZATION' as const },
      ...(row.party.type === 'ORGANIZATION' ? [] : [{ Id: row.party.id, Type: row.party.type }]),
    ],
    State: stateOf(row, call.now),
    RequestedTimestamp: date(row.requestedAt),
    ExpirationTimestamp: date(row.expiresAt),
    Action: row.action,
    Resources: about,
  } satisfies Organizations.Handshake
}

/** A handshake and the organisation it is of, for one of its two sides. */
export interface Agreed {
  readonly organization: Organization
  readonly row: HandshakeRow
}

interface NamesHandshake {
  readonly HandshakeId?: string | undefined
}

const notFound = () =>
  organizations.fail('HandshakeNotFoundException', "We can't find a handshake with the HandshakeId that you specified.")

/** Named by whoever is asked, or by the management account. Nobody else learns that it exists. */
export function handshakeNamed(side: 'asked' | 'asking' | 'either'): Target<NamesHandshake, Agreed> {
  return {
    find: async (call, { HandshakeId: id = '' }): Promise<Found<Agreed>> => {
      const at = await call.unit.get<{ org: string }>(handshakeAtKey(id))
      const org = at && (await call.unit.get<OrganizationRow>(organizationKey(at.org)))
      const row = org && (await call.unit.get<HandshakeRow>(handshakeKey(org.id, id)))
      if (!org || !row) return { acted: undefined, row: undefined, missing: notFound }
      const sides = { asked: call.account === row.account, asking: call.account === org.management }
      const mine = side === 'either' ? sides.asked || sides.asking : sides[side]
      return {
        acted: {
          arn: arns.handshake(org, row.action, id),
          type: 'AWS::Organizations::Handshake',
          account: call.account,
          tags: row.tags,
        },
        row: mine ? { organization: new Organization(call, org), row } : undefined,
        missing: notFound,
      }
    },
  }
}

/** Refuses what is not open to an answer any more, or is what it is asked to become. */
export function mayBecome(row: HandshakeRow, state: HandshakeState, now: number): void {
  const is = stateOf(row, now)
  if (is === state) {
    throw organizations.fail(
      'HandshakeAlreadyInStateException',
      'The specified handshake is already in the requested state.',
    )
  }
  const cancels = state === 'CANCELED' && is === 'REQUESTED'
  if (is !== 'OPEN' && !cancels) {
    throw organizations.fail('InvalidHandshakeTransitionException', `A handshake that is ${is} cannot become ${state}.`)
  }
}
