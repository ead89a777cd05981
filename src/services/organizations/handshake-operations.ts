/** Inviting accounts, enabling all features, and answering: the operations on handshakes. */
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Call } from '../../kernel/gate/call.ts'
import { anything, type ResolvedTarget, type Target } from '../../kernel/resource/target.ts'
import {
  type Action,
  cancelParts,
  type HandshakeRow,
  handshake,
  isPending,
  move,
  newHandshake,
  openWhenApproved,
  pendingMigration,
  receivedBy,
  requestApproval,
  sentBy,
  shownHandshake,
  type Verb,
} from './handshakes.ts'
import { addressOf, join, leave } from './membership.ts'
import { Organization, organizationById, organizationOf } from './organization.ts'
import { listed } from './pages.ts'
import {
  arns,
  emailKey,
  handshakeNotFound,
  handshakeType,
  invalidInput,
  type OrganizationRow,
  organizations,
  refusesHandshake,
} from './resources.ts'
import { mayTag, newTags } from './tags.ts'
import { ownOrganization, within } from './within.ts'

type Side = 'sender' | 'receiver'

interface Reached {
  readonly row: HandshakeRow
  readonly side: Side
}

interface NamesHandshake {
  readonly HandshakeId?: string | undefined
}

async function isReceiver(call: Call, { to }: HandshakeRow): Promise<boolean> {
  if (!to) return false
  if (to.type === 'ACCOUNT') return to.id === call.account
  return to.id.toLowerCase() === (await addressOf(call.unit, call.account)).toLowerCase()
}

/** A handshake is visible to the organization that sent it, like its other resources, and to the account that received it. */
function handshakeNamed(callers: 'management' | 'administrators'): Target<NamesHandshake, Reached> {
  const ours = within<NamesHandshake, HandshakeRow>(callers, async ({ row: { id } }, input, call) => {
    const row = await handshake(call, input.HandshakeId ?? '')
    return row?.org === id
      ? { arn: arns.handshake(row), row, missing: handshakeNotFound }
      : { row: undefined, missing: handshakeNotFound }
  })
  return {
    find: async (call, input): Promise<ResolvedTarget<Reached>> => {
      const row = await handshake(call, input.HandshakeId ?? '')
      if (!row) return { acted: undefined, row: undefined, missing: handshakeNotFound }
      if (await isReceiver(call, row)) {
        const arn = arns.handshake(row)
        const acted = { arn, type: handshakeType.spec.type, account: call.account }
        return { acted, row: { row, side: 'receiver' } }
      }
      if ((await organizationOf(call.unit, call.account))?.id !== row.org) {
        return { acted: undefined, row: undefined, missing: handshakeNotFound }
      }
      const { row: found, ...rest } = await ours.find(call, input)
      return { ...rest, row: found && { row: found.row, side: 'sender' } }
    },
  }
}

/** The side that may perform each step. The other side gets `notFound`. */
const actors: Readonly<Record<Action, Readonly<Partial<Record<Verb, Side>>>>> = {
  INVITE: { accept: 'receiver', decline: 'receiver', cancel: 'sender' },
  APPROVE_ALL_FEATURES: { accept: 'receiver', decline: 'receiver' },
  ENABLE_ALL_FEATURES: { accept: 'sender', cancel: 'sender' },
}

function mayAnswer({ row, side }: Reached, verb: Verb): void {
  if (actors[row.action][verb] !== side) throw handshakeNotFound()
}

/** The sending organization. It exists as long as its handshakes are pending. */
async function sender(call: Call, row: HandshakeRow): Promise<Organization> {
  return new Organization(call, (await organizationById(call.unit, row.org))!)
}

const INVITABLE = {
  ACCOUNT: { pattern: /^\d{12}$/, reason: 'INVALID_PATTERN_TARGET_ID' },
  EMAIL: { pattern: /^[^\s@]+@[^\s@]+\.[^\s@]+$/, reason: 'INVALID_EMAIL_ADDRESS_TARGET' },
} as const

const invitedArn = (row: OrganizationRow, { Type, Id = '' }: Organizations.HandshakeParty): string =>
  Type === 'ACCOUNT' && INVITABLE.ACCOUNT.pattern.test(Id) ? arns.account(row, Id) : arns.anyAccount(row)

const invited = within<{ readonly Target?: Organizations.HandshakeParty | undefined }, true>(
  'management',
  ({ row }, { Target: target }) => ({
    ...(target?.Type === 'ACCOUNT' && { arn: invitedArn(row, target) }),
    row: true,
  }),
)

/** Sends no mail yet. The invited account finds the invitation by ListHandshakesForAccount. */
export const inviteAccountToOrganization = organizations
  .operation('InviteAccountToOrganization')
  .on(invited)
  .run(async (call, { Target: target, Notes, Tags }, { organization, alsoOn }) => {
    const { row } = organization
    await mayTag(alsoOn, { arn: invitedArn(row, target) }, Tags)
    const to = partyOf(target)
    const tags = newTags(Tags)
    const account = to.type === 'ACCOUNT' ? to.id : (await call.unit.get<{ account: string }>(emailKey(to.id)))?.account
    if (account !== undefined && (await organization.member(account))) {
      throw refusesHandshake('ALREADY_IN_AN_ORGANIZATION', 'The account is a member of the organization already.')
    }
    if (await pendingMigration(call, row.id)) {
      throw refusesHandshake(
        'INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES',
        "You can't invite accounts while the organization enables all features.",
      )
    }
    const invitations = (await sentBy(call, row.id)).filter(({ action }) => action === 'INVITE')
    const open = invitations.filter((each) => isPending(each, call.now))
    if (open.some((each) => each.to?.id.toLowerCase() === to.id.toLowerCase())) {
      throw organizations.fail(
        'DuplicateHandshakeException',
        'A handshake with the same action and target already exists.',
      )
    }
    const today = invitations.filter(({ requestedAt }) => requestedAt > call.now - 24 * 3_600_000)
    if (today.length >= call.quotas['organizations/InvitationsPerDay']!) {
      throw refusesHandshake('HANDSHAKE_RATE_LIMIT_EXCEEDED', 'You have exceeded the number of invitations of one day.')
    }
    await roomFor(call, organization, open.length)
    organization.change()
    const notes = Notes === undefined ? {} : { notes: Notes }
    const made = await newHandshake(call, organization, { action: 'INVITE', state: 'OPEN', to, tags, ...notes })
    return { Handshake: shownHandshake(made, call.now) }
  })

function partyOf({ Id: id = '', Type: type }: Organizations.HandshakeParty) {
  if (type !== 'ACCOUNT' && type !== 'EMAIL') {
    throw invalidInput('INVALID_PARTY_TYPE_TARGET', 'Invite an account, or the e-mail address of one.')
  }
  const { pattern, reason } = INVITABLE[type]
  if (!pattern.test(id)) throw invalidInput(reason, 'You specified an invalid target.')
  return { type, id }
}

/** Closed accounts and open invitations count. */
async function roomFor(call: Call, organization: Organization, coming: number): Promise<void> {
  const members = (await organization.members()).length
  if (members + coming >= call.quotas['organizations/AccountsPerOrganization']!) {
    throw refusesHandshake(
      'ACCOUNT_NUMBER_LIMIT_EXCEEDED',
      'You have exceeded the number of accounts that an organization can have.',
    )
  }
}

export const enableAllFeatures = organizations
  .operation('EnableAllFeatures')
  .on(ownOrganization())
  .run(async (call, _input, { organization }) => {
    const { row } = organization
    if (row.features === 'ALL') {
      throw refusesHandshake('ORGANIZATION_ALREADY_HAS_ALL_FEATURES', 'All features are enabled already.')
    }
    if (await pendingMigration(call, row.id)) {
      throw refusesHandshake(
        'ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION',
        'The organization is enabling all features already.',
      )
    }
    organization.change()
    const migration = await newHandshake(call, organization, { action: 'ENABLE_ALL_FEATURES', state: 'REQUESTED' })
    for (const { id, joined, state } of await organization.members()) {
      if (id !== row.management && joined === 'INVITED' && state === 'ACTIVE') {
        await requestApproval(call, organization, migration, id)
      }
    }
    return { Handshake: shownHandshake(await openWhenApproved(call, organization, migration), call.now) }
  })

const agreed: Readonly<Record<Action, (call: Call, row: HandshakeRow) => Promise<void>>> = {
  INVITE: async (call, row) => {
    const organization = await sender(call, row)
    const old = await organizationOf(call.unit, call.account)
    if (old?.id === row.org) {
      throw refusesHandshake('ALREADY_IN_AN_ORGANIZATION', 'The account is a member of the organization already.')
    }
    await roomFor(call, organization, 0)
    if (old) {
      // The account changes organizations: a policy that denies leaving denies this, too.
      await call.authorize('organizations:LeaveOrganization', {
        arn: '*',
        type: '',
        account: call.account,
      })
      const left = new Organization(call, old)
      await leave(call, left, (await left.member(call.account))!)
    }
    await join(call, organization, call.account, row.tags ?? {})
    const migration = await pendingMigration(call, row.org)
    if (migration) {
      await requestApproval(call, organization, migration, call.account)
      await openWhenApproved(call, organization, migration)
    }
  },
  APPROVE_ALL_FEATURES: async (call, row) => {
    const migration = await pendingMigration(call, row.org)
    if (migration) await openWhenApproved(call, await sender(call, row), migration)
  },
  ENABLE_ALL_FEATURES: async (call, row) => {
    const organization = await sender(call, row)
    organization.change({ features: 'ALL' })
  },
}

export const acceptHandshake = organizations
  .operation('AcceptHandshake')
  .on(handshakeNamed('management'))
  .run(async (call, _input, reached) => {
    mayAnswer(reached, 'accept')
    const row = move(call, reached.row, 'accept')
    await agreed[row.action](call, row)
    return { Handshake: shownHandshake(row, call.now) }
  })

export const declineHandshake = organizations
  .operation('DeclineHandshake')
  .on(handshakeNamed('management'))
  .run((call, _input, reached) => {
    mayAnswer(reached, 'decline')
    return { Handshake: shownHandshake(move(call, reached.row, 'decline'), call.now) }
  })

export const cancelHandshake = organizations
  .operation('CancelHandshake')
  .on(handshakeNamed('management'))
  .run(async (call, _input, reached) => {
    mayAnswer(reached, 'cancel')
    const row = move(call, reached.row, 'cancel')
    await cancelParts(call, row)
    return { Handshake: shownHandshake(row, call.now) }
  })

export const describeHandshake = organizations
  .operation('DescribeHandshake')
  .on(handshakeNamed('administrators'))
  .run((call, _input, { row }) => ({ Handshake: shownHandshake(row, call.now) }))

function matching(rows: readonly HandshakeRow[], filter: Organizations.HandshakeFilter = {}) {
  const { ActionType, ParentHandshakeId } = filter
  if (ActionType !== undefined && ParentHandshakeId !== undefined) {
    throw invalidInput('MAX_LIMIT_EXCEEDED_FILTER', 'You can specify only one filter parameter.')
  }
  return rows.filter(
    ({ action, parent }) =>
      (ActionType === undefined || action === ActionType) &&
      (ParentHandshakeId === undefined || parent === ParentHandshakeId),
  )
}

export const listHandshakesForAccount = organizations
  .operation('ListHandshakesForAccount')
  .on(anything)
  .run(async (call, input) => {
    const rows = await receivedBy(call, call.account, await addressOf(call.unit, call.account))
    const { items, rest } = await listed(call, matching(rows, input.Filter), ({ id }) => id, input)
    return { Handshakes: items.map((row) => shownHandshake(row, call.now)), ...rest }
  })

export const listHandshakesForOrganization = organizations
  .operation('ListHandshakesForOrganization')
  .on(ownOrganization('administrators'))
  .run(async (call, input, { organization }) => {
    const rows = matching(await sentBy(call, organization.row.id), input.Filter)
    const { items, rest } = await listed(call, rows, ({ id }) => id, input)
    return { Handshakes: items.map((row) => shownHandshake(row, call.now)), ...rest }
  })
