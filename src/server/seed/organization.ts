/** The organization of a seed: the accounts in a tree of units, and the policies that bind them. */
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import type { Input, OpName, Output } from '../../wire/typed.ts'
import { type Account, compact, documentOf, inTurn, type LeaveOut, pagesOf, textOf } from './part.ts'
import { invalidSeed } from './seed.ts'
import type { SeedControl, SeedOrganization, SeedUnit } from './seed-format.ts'

const organizations: Api<typeof Organizations> = { id: 'organizations' }
const TYPES = ['SERVICE_CONTROL_POLICY', 'RESOURCE_CONTROL_POLICY'] as const
const FULL_ACCESS = new Set(['p-FullAWSAccess', 'p-RCPFullAWSAccess'])

/** Creates the organization, invites the other accounts, and attaches control policies last. `place`: where the seed has it. */
export async function addOrganization(
  accounts: ReadonlyMap<string, Account>,
  organization: SeedOrganization,
  management: string,
  place: string,
): Promise<void> {
  const call = async <N extends OpName<typeof Organizations>>(
    id: string,
    operation: N,
    input: Input<typeof Organizations, N>,
  ): Promise<Output<typeof Organizations, N>> => {
    const account = accounts.get(id)
    if (!account) throw invalidSeed(`${place}: account '${id}' of the organization is not an account of the seed.`)
    try {
      return await account.call(organizations, operation, input)
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      throw invalidSeed(`${place}: ${operation} of account ${id} was refused. ${error.code}: ${error.message}`, error)
    }
  }
  await call(management, 'CreateOrganization', { FeatureSet: 'ALL' })
  const { Roots = [] } = await call(management, 'ListRoots', {})
  const root = Roots[0]!.Id!
  const controls = new Map<string, string>()
  const types = new Set((organization.controls ?? []).map(({ type = TYPES[0] }) => type))
  for (const PolicyType of types) await call(management, 'EnablePolicyType', { RootId: root, PolicyType })
  for (const { name, type = TYPES[0], description = '', document } of organization.controls ?? []) {
    const Content = textOf(document)
    const made = await call(management, 'CreatePolicy', { Name: name, Type: type, Content, Description: description })
    controls.set(name, made.Policy!.PolicySummary!.Id!)
  }
  const attachments: { readonly TargetId: string; readonly PolicyId: string }[] = []
  const build = async (unit: SeedUnit, TargetId: string): Promise<void> => {
    for (const policy of unit.policies ?? []) {
      const PolicyId = controls.get(policy)
      if (PolicyId === undefined) throw invalidSeed(`${place}: the organization has no policy '${policy}'.`)
      attachments.push({ TargetId, PolicyId })
    }
    for (const account of unit.accounts ?? []) {
      if (account === management) continue
      const Target = { Id: account, Type: 'ACCOUNT' as const }
      const { Handshake } = await call(management, 'InviteAccountToOrganization', { Target })
      await call(account, 'AcceptHandshake', { HandshakeId: Handshake!.Id! })
      if (TargetId === root) continue
      const move = { AccountId: account, SourceParentId: root, DestinationParentId: TargetId }
      await call(management, 'MoveAccount', move)
    }
    for (const child of unit.units ?? []) {
      const made = await call(management, 'CreateOrganizationalUnit', { ParentId: TargetId, Name: child.name })
      await build(child, made.OrganizationalUnit!.Id!)
    }
  }
  await build(organization, root)
  for (const attachment of attachments) await call(management, 'AttachPolicy', attachment)
}

/** The account that manages the organization of an account; undefined without one. */
export async function managementOf({ call }: Account): Promise<string | undefined> {
  try {
    return (await call(organizations, 'DescribeOrganization', {})).Organization?.MasterAccountId
  } catch (error) {
    if (error instanceof Fault && error.code === 'AWSOrganizationsNotInUseException') return undefined
    throw error
  }
}

/** Read as the management account. */
export async function exportOrganization(account: Account, leaveOut: LeaveOut): Promise<SeedOrganization> {
  const { call, id } = account
  const summaries = await inTurn(TYPES, (Filter) =>
    pagesOf(async (NextToken) => {
      const page = await call(organizations, 'ListPolicies', { Filter, NextToken })
      return { items: page.Policies, next: page.NextToken }
    }),
  )
  const own = summaries.flat().filter(({ AwsManaged }) => !AwsManaged)
  const names = new Map(own.map(({ Id = '', Name = '' }) => [Id, Name]))
  const controls = await inTurn(own, async ({ Id = '', Name = '', Type, Description }): Promise<SeedControl> => {
    const { Policy } = await call(organizations, 'DescribePolicy', { PolicyId: Id })
    return {
      ...compact({
        name: Name,
        type: Type === TYPES[0] ? undefined : TYPES[1],
        description: Description === '' ? undefined : Description,
      }),
      document: documentOf(Policy?.Content ?? ''),
    }
  })
  const attachedTo = async (TargetId: string): Promise<readonly string[]> => {
    const attached = await inTurn(TYPES, (Filter) =>
      call(organizations, 'ListPoliciesForTarget', { TargetId, Filter }).then(({ Policies = [] }) => Policies),
    )
    return attached.flat().map(({ Id = '' }) => Id)
  }
  const unit = async (ParentId: string): Promise<SeedUnit> => {
    const policies = await attachedTo(ParentId)
    const children = await pagesOf(async (NextToken) => {
      const page = await call(organizations, 'ListAccountsForParent', { ParentId, NextToken })
      return { items: page.Accounts, next: page.NextToken }
    })
    for (const { Id = '' } of children)
      if ((await attachedTo(Id)).some((policy) => !FULL_ACCESS.has(policy)))
        leaveOut(`control policies attached to the account ${Id} itself: a seed attaches them to units`)
    const below = await pagesOf(async (NextToken) => {
      const page = await call(organizations, 'ListOrganizationalUnitsForParent', { ParentId, NextToken })
      return { items: page.OrganizationalUnits, next: page.NextToken }
    })
    return compact({
      policies: policies.flatMap((policy) => names.get(policy) ?? []),
      accounts: children.filter((each) => each.Id !== id).map(({ Id = '' }) => Id),
      units: await inTurn(below, async ({ Id = '', Name = '' }) => ({ name: Name, ...(await unit(Id)) })),
    })
  }
  const { Roots = [] } = await call(organizations, 'ListRoots', {})
  return { management: id, ...compact({ controls }), ...(await unit(Roots[0]!.Id!)) }
}
