/** Invitations, and the answers to them and to every other handshake. */
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Call } from '../../kernel/call.ts'
import { anything } from '../../kernel/resource.ts'
import { answered, enableWith } from './all-features.ts'
import {
  type Agreed,
  type HandshakeRow,
  handshakeNamed,
  isListed,
  mayBecome,
  newHandshake,
  saveHandshake,
  shownHandshake,
  stateOf,
} from './handshakes.ts'
import { joined } from './joining.ts'
import { type Membership, Organization, organizationOf } from './organization.ts'
import { listed } from './pages.ts'
import {
  all,
  arns,
  emailKey,
  handshakeKey,
  handshakesOf,
  invalidInput,
  membershipKey,
  type OrganizationRow,
  organizationKey,
  organizations,
  refused,
} from './resources.ts'
import { mayTag, newTags } from './tags.ts'
import { itself, within } from './within.ts'

interface Invites {
  readonly Target?: { readonly Id?: string | undefined; readonly Type?: string | undefined } | undefined
}

/** Asked on the ARN the account would have as a member. */
const invited = within<Invites, { readonly party: HandshakeRow['party']; readonly account: string | undefined }>(
  'management',
  async ({ row }, { Target }, call) => {
    const { Id = '', Type } = Target ?? {}
    const party = { type: Type as 'ACCOUNT' | 'EMAIL', id: Id }
    const known = Type === 'EMAIL' ? await call.unit.get<{ account: string }>(emailKey(Id)) : { account: Id }
    return { arn: arns.account(row, known?.account ?? '*'), row: { party, account: known?.account } }
  },
)

export const inviteAccountToOrganization = organizations
  .operation('InviteAccountToOrganization')
  .on(invited)
  .run(async (call, input, { organization, row: { party, account }, alsoOn }) => {
    checkParty(party)
    await mayTag(alsoOn, { arn: arns.account(organization.row, account ?? '*') }, input.Tags)
    if (organization.row.enabling !== undefined) {
      throw refused(
        'INVITE_DISABLED_DURING_ENABLE_ALL_FEATURES',
        'No account can be invited while all features are being enabled.',
      )
    }
    const membership = account && (await call.unit.get<Membership>(membershipKey(account)))
    if (membership) {
      throw refused('ALREADY_IN_AN_ORGANIZATION', 'The account is already a member of an organization.')
    }
    const open = (await handshakes(call, organization)).some(
      (row) => row.action === 'INVITE' && row.party.id === party.id && stateOf(row, call.now) === 'OPEN',
    )
    if (open) {
      throw organizations.fail(
        'DuplicateHandshakeException',
        'A handshake with the same action and target already exists.',
      )
    }
    organization.change()
    const row = newHandshake(call, organization.row, {
      action: 'INVITE',
      party,
      account,
      state: 'OPEN',
      notes: input.Notes,
      tags: newTags(input.Tags),
    })
    return { Handshake: await shown(call, { organization, row }) }
  })

function checkParty({ type, id }: HandshakeRow['party']): void {
  if (type !== 'ACCOUNT' && type !== 'EMAIL') {
    throw invalidInput('INVALID_PARTY_TYPE_TARGET', 'You specified the wrong type of entity as a party.')
  }
  if (type === 'ACCOUNT' && !/^\d{12}$/.test(id)) {
    throw invalidInput('INVALID_PATTERN_TARGET_ID', 'You specified a target that is no account ID.')
  }
  if (type === 'EMAIL' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(id)) {
    throw invalidInput('INVALID_EMAIL_ADDRESS_TARGET', 'You specified an invalid email address.')
  }
}

async function handshakes(call: Call, { row }: Pick<Organization, 'row'>): Promise<readonly HandshakeRow[]> {
  const entries = await call.unit.range<HandshakeRow>(all('handshake', row.id))
  return entries.map(({ document }) => document)
}

async function shown(call: Call, { organization, row }: Agreed) {
  const email = (await organization.member(organization.row.management))?.email ?? ''
  return shownHandshake(call, organization.row, email, row)
}

export const describeHandshake = organizations
  .operation('DescribeHandshake')
  .on(handshakeNamed('either'))
  .run(async (call, _input, agreed) => ({ Handshake: await shown(call, agreed) }))

export const acceptHandshake = organizations
  .operation('AcceptHandshake')
  .on(handshakeNamed('asked'))
  .run(async (call, _input, { organization, row }) => {
    mayBecome(row, 'ACCEPTED', call.now)
    if (row.action === 'INVITE') {
      if (await organizationOf(call.unit, call.account)) {
        throw refused('ALREADY_IN_AN_ORGANIZATION', 'The account is already a member of an organization.')
      }
      organization.change()
      await joined(call, organization)
    } else if (row.action === 'ENABLE_ALL_FEATURES') {
      enableWith(organization)
    }
    return ended(call, { organization, row }, 'ACCEPTED')
  })

export const declineHandshake = organizations
  .operation('DeclineHandshake')
  .on(handshakeNamed('asked'))
  .run((call, _input, { organization, row }) => {
    mayBecome(row, 'DECLINED', call.now)
    organization.change()
    return ended(call, { organization, row }, 'DECLINED')
  })

export const cancelHandshake = organizations
  .operation('CancelHandshake')
  .on(handshakeNamed('asking'))
  .run((call, _input, { organization, row }) => {
    mayBecome(row, 'CANCELED', call.now)
    if (row.id === organization.row.enabling) {
      const { enabling: _ended, ...kept } = organization.row
      organization.replace(kept)
    } else organization.change()
    return ended(call, { organization, row }, 'CANCELED')
  })

async function ended(call: Call, { organization, row }: Agreed, state: 'ACCEPTED' | 'DECLINED' | 'CANCELED') {
  const saved = saveHandshake(call, { ...row, state, endedAt: call.now })
  if (row.action === 'APPROVE_ALL_FEATURES') await answered(call, organization, row)
  return { Handshake: await shown(call, { organization, row: saved }) }
}

interface Filter {
  readonly ActionType?: Organizations.ActionType | undefined
  readonly ParentHandshakeId?: string | undefined
}

const fits = ({ ActionType, ParentHandshakeId }: Filter = {}, row: HandshakeRow) =>
  (ActionType === undefined || row.action === ActionType) &&
  (ParentHandshakeId === undefined || row.parent === ParentHandshakeId)

export const listHandshakesForOrganization = organizations
  .operation('ListHandshakesForOrganization')
  .on(itself('administrators'))
  .run(async (call, input, { organization }) => {
    const rows = (await handshakes(call, organization)).filter(
      (row) => fits(input.Filter, row) && isListed(row, call.now),
    )
    const { items, rest } = await listed(call, rows, ({ id }) => id, input)
    return { Handshakes: await Promise.all(items.map((row) => shown(call, { organization, row }))), ...rest }
  })

/** For any account, in an organisation or not. */
export const listHandshakesForAccount = organizations
  .operation('ListHandshakesForAccount')
  .on(anything)
  .run(async (call, input) => {
    const agreed: Agreed[] = []
    for (const { key, document } of await call.unit.range<{ org: string }>(handshakesOf(call.account))) {
      const org = await call.unit.get<OrganizationRow>(organizationKey(document.org))
      const row = await call.unit.get<HandshakeRow>(handshakeKey(document.org, key.slice(key.lastIndexOf('/') + 1)))
      if (!org || !row || !fits(input.Filter, row) || !isListed(row, call.now)) continue
      agreed.push({ organization: new Organization(call, org), row })
    }
    const { items, rest } = await listed(call, agreed, ({ row }) => row.id, input)
    return { Handshakes: await Promise.all(items.map((each) => shown(call, each))), ...rest }
  })
