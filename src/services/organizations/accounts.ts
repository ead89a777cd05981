/** Member accounts: created, moved, closed, and removed from the organization. */
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { attachDefaults } from './attachment-rows.ts'
import { withdrawApproval } from './handshakes.ts'
import { leave, refuseAdministrator } from './membership.ts'
import { parentNamed } from './nodes.ts'
import type { Organization } from './organization.ts'
import { listed } from './pages.ts'
import {
  all,
  arns,
  creationKey,
  date,
  emailKey,
  type MemberRow,
  memberType,
  newIds,
  organizations,
  violates,
} from './resources.ts'
import { mayTag, newTags } from './tags.ts'
import { pathTo } from './tree.ts'
import { type AllowedCallers, ownOrganization, partNamed, within } from './within.ts'

const CLOSURES_WITHIN_MS = 30 * 24 * 3_600_000
const ROLE_NAME_DEFAULT = 'OrganizationAccountAccessRole'

interface Creation {
  readonly id: string
  readonly name: string
  readonly requestedAt: number
  readonly account?: string
  readonly failure?: Organizations.CreateAccountFailureReason
}

export const namedAccount = (callers: AllowedCallers) =>
  within<{ readonly AccountId?: string | undefined }, MemberRow>(callers, (organization, input, call) =>
    partNamed(call, organization, memberType, input.AccountId),
  )

export async function shownAccount(organization: Organization, row: MemberRow) {
  const path = (await pathTo(organization, row.id)).join('/')
  return {
    Id: row.id,
    Arn: arns.account(organization.row, row.id),
    Email: row.email,
    Name: row.name,
    Status: row.state,
    State: row.state,
    Paths: [`${organization.row.id}/${path}/`],
    JoinedMethod: row.joined,
    JoinedTimestamp: date(row.joinedAt),
  } satisfies Organizations.Account
}

function shownCreation(row: Creation, state: Organizations.CreateAccountState) {
  return {
    Id: row.id,
    AccountName: row.name,
    State: state,
    RequestedTimestamp: date(row.requestedAt),
    ...(state !== 'IN_PROGRESS' && { CompletedTimestamp: date(row.requestedAt) }),
    ...(state === 'SUCCEEDED' && { AccountId: row.account! }),
    ...(state === 'FAILED' && { FailureReason: row.failure! }),
  } satisfies Organizations.CreateAccountStatus
}

const stateOf = ({ failure }: Creation) => (failure === undefined ? ('SUCCEEDED' as const) : ('FAILED' as const))

/** Creates the account at once. The answer is IN_PROGRESS, as clients expect; the next DescribeCreateAccountStatus returns SUCCEEDED. */
export const createAccount = organizations
  .operation('CreateAccount')
  .on(ownOrganization())
  .run(async (call, input, { organization, alsoOn }) => {
    await mayTag(alsoOn, { arn: arns.anyAccount(organization.row) }, input.Tags)
    if ((await organization.members()).length >= call.quotas['organizations/AccountsPerOrganization']!) {
      throw violates(
        'ACCOUNT_NUMBER_LIMIT_EXCEEDED',
        'You have exceeded the number of accounts that an organization can have.',
      )
    }
    const tags = newTags(input.Tags)
    organization.change()
    const taken = await call.unit.get(emailKey(input.Email))
    const outcome = taken
      ? { failure: 'EMAIL_ALREADY_EXISTS' as const }
      : { account: await newMember(call, organization, input, tags) }
    const creation: Creation = { id: newIds.creation(), name: input.AccountName, requestedAt: call.now, ...outcome }
    call.unit.put(creationKey(organization.row.id, creation.id), creation)
    return { CreateAccountStatus: shownCreation(creation, 'IN_PROGRESS') }
  })

async function newMember(
  call: Call,
  organization: Organization,
  input: Organizations.CreateAccountRequest,
  tags: Tags,
): Promise<string> {
  const { row } = organization
  const id = newIds.account()
  await call.ports.accounts.create(call.unit, {
    id,
    name: input.AccountName!,
    now: call.now,
    administrator: { role: input.RoleName ?? ROLE_NAME_DEFAULT, trusts: row.management },
  })
  call.unit.put(emailKey(input.Email!), { account: id })
  organization.saveMember({
    id,
    name: input.AccountName!,
    email: input.Email!,
    parent: row.rootId,
    joined: 'CREATED',
    joinedAt: call.now,
    state: 'ACTIVE',
    administers: {},
    tags,
  })
  await attachDefaults(organization, id)
  return id
}

export const describeCreateAccountStatus = organizations
  .operation('DescribeCreateAccountStatus')
  .on(ownOrganization('administrators'))
  .run(async (call, input, { organization }) => {
    const row = await call.unit.get<Creation>(creationKey(organization.row.id, input.CreateAccountRequestId))
    if (!row) {
      throw organizations.fail(
        'CreateAccountStatusNotFoundException',
        "We can't find a create account request with the CreateAccountRequestId that you specified.",
      )
    }
    return { CreateAccountStatus: shownCreation(row, stateOf(row)) }
  })

export const listCreateAccountStatus = organizations
  .operation('ListCreateAccountStatus')
  .on(ownOrganization('administrators'))
  .run(async (call, input, { organization }) => {
    const rows = (await call.unit.range<Creation>(all('creation', organization.row.id))).map(({ document }) => document)
    const wanted = rows.filter((row) => !input.States?.length || input.States.includes(stateOf(row)))
    const { items, rest } = await listed(call, wanted, ({ id }) => id, input)
    return { CreateAccountStatuses: items.map((row) => shownCreation(row, stateOf(row))), ...rest }
  })

export const describeAccount = organizations
  .operation('DescribeAccount')
  .on(namedAccount('administrators'))
  .run(async (_call, _input, { organization, row }) => ({ Account: await shownAccount(organization, row) }))

export const listAccounts = organizations
  .operation('ListAccounts')
  .on(ownOrganization('administrators'))
  .run(async (call, input, { organization }) => {
    const { items, rest } = await listed(call, await organization.members(), ({ id }) => id, input)
    return { Accounts: await Promise.all(items.map((row) => shownAccount(organization, row))), ...rest }
  })

export const listAccountsForParent = organizations
  .operation('ListAccountsForParent')
  .on(parentNamed('administrators'))
  .run(async (call, input, { organization }) => {
    const members = (await organization.members()).filter((member) => member.parent === input.ParentId)
    const { items, rest } = await listed(call, members, ({ id }) => id, input)
    return { Accounts: await Promise.all(items.map((row) => shownAccount(organization, row))), ...rest }
  })

/** The policies of the new parent bind the account from the next call on. */
export const moveAccount = organizations
  .operation('MoveAccount')
  .on(namedAccount('management'))
  .run(async (_call, input, { organization, row, alsoOn }) => {
    const from = await organization.node(input.SourceParentId)
    const to = await organization.node(input.DestinationParentId)
    for (const place of [from, to]) if (place && place.type !== 'ACCOUNT') await alsoOn(place)
    if (!from || from.id !== row.parent) {
      throw organizations.fail(
        'SourceParentNotFoundException',
        "We can't find a source root or OU with the ParentId that you specified.",
      )
    }
    if (!to || to.type === 'ACCOUNT') {
      throw organizations.fail(
        'DestinationParentNotFoundException',
        "We can't find the destination container (a root or OU) with the ParentId that you specified.",
      )
    }
    if (to.id === from.id) {
      throw organizations.fail(
        'DuplicateAccountException',
        'That account is already present in the specified destination.',
      )
    }
    organization.change()
    organization.saveMember({ ...row, parent: to.id })
    return {}
  })

/** The account's keys and sessions are rejected from the next call on; its resources are kept. */
export const closeAccount = organizations
  .operation('CloseAccount')
  .on(namedAccount('management'))
  .run(async (call, _input, { organization, row }) => {
    if (row.id === organization.row.management) {
      throw violates('CANNOT_CLOSE_MANAGEMENT_ACCOUNT', 'You cannot close the management account.')
    }
    if (row.state === 'SUSPENDED') {
      throw organizations.fail(
        'AccountAlreadyClosedException',
        'You attempted to close an account that is already closed.',
      )
    }
    refuseAdministrator(row)
    await mayCloseMore(call, organization)
    organization.change()
    await call.ports.accounts.close(call.unit, row.id, call.now)
    organization.saveMember({ ...row, state: 'SUSPENDED', closedAt: call.now })
    await withdrawApproval(call, organization, row.id)
    return {}
  })

/**
 * A tenth of the accounts within thirty days, or the quota where that is more.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
 */
async function mayCloseMore(call: Call, organization: Organization): Promise<void> {
  const members = await organization.members()
  const lately = members.filter(({ closedAt = 0 }) => closedAt > call.now - CLOSURES_WITHIN_MS).length
  const active = members.filter(({ state }) => state === 'ACTIVE').length
  if (lately >= Math.max(call.quotas['organizations/ClosuresPerMonth']!, Math.floor(active / 10))) {
    throw violates(
      'CLOSE_ACCOUNT_QUOTA_EXCEEDED',
      'You have exceeded the number of accounts that may be closed within 30 days.',
    )
  }
}

export const removeAccountFromOrganization = organizations
  .operation('RemoveAccountFromOrganization')
  .on(namedAccount('management'))
  .run(async (call, _input, { organization, row }) => {
    await leave(call, organization, row)
    return {}
  })

export const leaveOrganization = organizations
  .operation('LeaveOrganization')
  .on(ownOrganization('members'))
  .run(async (call, _input, { organization }) => {
    await leave(call, organization, (await organization.member(call.account))!)
    return {}
  })
