/** Managed policies: create, read, list, delete. AWS's own are listed beside the customer's. */
import type { Call } from '../../../kernel/gate/call.ts'
import { parseArn } from '../../../kernel/resource/arn.ts'
import type { Row, Tags } from '../../../kernel/resource/facts.ts'
import { listTags } from '../../../kernel/resource/tags.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { Fault } from '../../../wire/fault.ts'
import { count } from '../counts.ts'
import { listItems } from '../lists.ts'
import { foundByName, group, type NameId, nameIn, role, rowWritten, underPath, user } from '../resources.ts'
import { shownTags, tagRules } from '../tags.ts'
import { conflict, date, iam } from '../words.ts'
import { usersOf } from './attachments.ts'
import { awsPolicies, awsPolicy } from './aws-policies.ts'
import { checkedPolicy, policySize } from './documents.ts'

export interface PolicyVersion {
  readonly id: string
  readonly text: string
  readonly createdAt: number
}

export interface ManagedPolicyRow extends Row {
  readonly name: string
  readonly path: string
  readonly id: string
  readonly description?: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly versions: readonly PolicyVersion[]
  readonly defaultVersion: string
  /** Version numbers are never used twice. */
  readonly nextVersion: number
  /** AWS's own: read only, and the same in every account. */
  readonly aws?: true
}

export const managedPolicy = iam.resource({
  kind: 'policy',
  type: 'AWS::IAM::Policy',
  arn: 'arn:${Partition}:iam::${Account}:policy/${PolicyNameWithPath}',
  ...foundByName('PolicyNameWithPath'),
  idOf: ({ name, path }: ManagedPolicyRow): NameId => ({ name, path }),
  builtIn: awsPolicy,
  tags: tagRules('iam:TagPolicy'),
  faults: {
    notFound: (arn) => notFound(arn),
    invalidReference: (text) => iam.fail('InvalidInputException', `ARN ${text} is not valid.`),
    alreadyExists: (_arn, { name }) =>
      iam.fail(
        'EntityAlreadyExistsException',
        `A policy called ${name} already exists. Duplicate names are not allowed.`,
      ),
  },
})

/** AWS's own may be read, never written: see {@link refuseAws}. */
export const policyNamed = managedPolicy.named('PolicyArn')

export function notFound(arn: string) {
  return iam.fail('NoSuchEntityException', `Policy ${arn} was not found.`)
}

/** What attachment and evaluation need of a managed policy. */
export interface ManagedPolicy {
  readonly arn: string
  readonly name: string
  readonly text: string
  readonly tags: Tags | undefined
  readonly attachable: boolean
}

/** By ARN, as seen from an account: its own, or AWS's. */
export async function findManagedPolicy(
  reader: Reader,
  arn: string,
  account: string,
): Promise<ManagedPolicy | undefined> {
  const row = await rowByArn(reader, arn, account)
  const version = row?.versions.find(({ id }) => id === row.defaultVersion)
  return (
    row &&
    version && {
      arn,
      name: row.name,
      text: version.text,
      tags: row.tags,
      attachable: !row.path.startsWith('/aws-service-role/'),
    }
  )
}

async function rowByArn(reader: Reader, arn: string, account: string): Promise<ManagedPolicyRow | undefined> {
  const parsed = managedPolicy.form.parse(arn)
  if (!parsed) return undefined
  if (parsed.account === 'aws') return awsPolicy(arn)
  if (parsed.account !== account) return undefined
  return rowWritten(reader, managedPolicy, arn)
}

/** Refuses what is attached, detached or set as a boundary without being an ARN at all. Two blanks, as AWS writes it. */
export function refuseNoArn(arn: string): void {
  if (!parseArn(arn)) throw new Fault('ValidationError', 'Invalid ARN:  Could not be parsed!')
}

/** AWS's own policies cannot be changed by any account, not even by its root user. */
export function refuseAws(call: Call, row: ManagedPolicyRow, arn: string): void {
  if (!row.aws) return
  const { principal } = call.caller
  const who = 'arn' in principal ? principal.arn : principal.kind
  throw new Fault(
    'AccessDenied',
    `User: ${who} is not authorized to perform: iam:${call.operation} on resource: ${arn}`,
  )
}

export async function shownPolicy(call: Call, row: ManagedPolicyRow, arn: string) {
  const [users, groups, roles, userBoundaries, roleBoundaries] = await Promise.all(
    (['user', 'group', 'role', 'user-boundary', 'role-boundary'] as const).map((use) => usersOf(call, arn, use)),
  )
  return {
    PolicyName: row.name,
    PolicyId: row.id,
    Arn: arn,
    Path: row.path,
    DefaultVersionId: row.defaultVersion,
    AttachmentCount: users!.length + groups!.length + roles!.length,
    PermissionsBoundaryUsageCount: userBoundaries!.length + roleBoundaries!.length,
    IsAttachable: true,
    CreateDate: date(row.createdAt),
    UpdateDate: date(row.updatedAt),
  }
}

/** Lists leave description and tags out, as AWS does. */
async function shownInFull(call: Call, row: ManagedPolicyRow, arn: string) {
  return {
    ...(await shownPolicy(call, row, arn)),
    ...(row.description !== undefined && { Description: row.description }),
    Tags: listTags(row.tags),
  }
}

export function withinPolicySize(call: Call, text: string): void {
  const max = call.quotas['iam/PolicySize']
  if (max !== undefined && policySize(text) > max) {
    throw iam.fail('LimitExceededException', `Cannot exceed quota for PolicySize: ${max}`)
  }
}

export const createPolicy = iam
  .operation('CreatePolicy')
  .on(managedPolicy.created(nameIn('PolicyName')))
  .run(async (call, input, { arn, tags, assertAvailable, create }) => {
    assertAvailable()
    checkedPolicy(input.PolicyDocument, 'identity')
    withinPolicySize(call, input.PolicyDocument)
    await count(call, 'Policies', 1)

    const row = create({
      name: input.PolicyName,
      path: input.Path ?? '/',
      id: call.uniqueId('ANPA'),
      ...(input.Description !== undefined && { description: input.Description }),
      createdAt: call.now,
      updatedAt: call.now,
      versions: [{ id: 'v1', text: input.PolicyDocument, createdAt: call.now }],
      defaultVersion: 'v1',
      nextVersion: 2,
      tags,
    })
    return { Policy: { ...(await shownPolicy(call, row, arn)), ...shownTags(row) } }
  })

export const getPolicy = iam
  .operation('GetPolicy')
  .on(policyNamed)
  .run(async (call, _input, { row, arn }) => ({ Policy: await shownInFull(call, row, arn) }))

export const listPolicies = iam
  .operation('ListPolicies')
  .on(managedPolicy.collection(underPath('PolicyNameWithPath')))
  .run(async (call, input, policies) => {
    const scope = input.Scope ?? 'All'
    const local =
      scope === 'AWS' ? [] : (await policies.all()).map((row) => [managedPolicy.arnOf(call, row), row] as const)
    const all = [...local, ...(scope === 'Local' ? [] : await awsPolicies())].filter(([, row]) =>
      row.path.startsWith(input.PathPrefix ?? '/'),
    )
    const filtered =
      input.OnlyAttached || input.PolicyUsageFilter
        ? await used(call, all, input.PolicyUsageFilter, input.OnlyAttached)
        : all
    const { items, rest } = await listItems(call, filtered, ([, row]) => row.name, input)
    return { Policies: await Promise.all(items.map(([arn, row]) => shownPolicy(call, row, arn))), ...rest }
  })

async function used(
  call: Call,
  all: readonly (readonly [string, ManagedPolicyRow])[],
  filter: 'PermissionsPolicy' | 'PermissionsBoundary' | undefined,
  onlyAttached: boolean | undefined,
): Promise<(readonly [string, ManagedPolicyRow])[]> {
  const kept: (readonly [string, ManagedPolicyRow])[] = []
  for (const entry of all) {
    const shown = await shownPolicy(call, entry[1], entry[0])
    const attached = shown.AttachmentCount > 0
    const bounding = shown.PermissionsBoundaryUsageCount > 0
    if (onlyAttached && !attached && !bounding) continue
    if (filter === 'PermissionsBoundary' && !bounding) continue
    if (filter === 'PermissionsPolicy' && onlyAttached && !attached) continue
    kept.push(entry)
  }
  return kept
}

export const deletePolicy = iam
  .operation('DeletePolicy')
  .on(policyNamed)
  .run(async (call, _input, { row, arn, remove }) => {
    refuseAws(call, row, arn)
    const shown = await shownPolicy(call, row, arn)
    if (shown.AttachmentCount > 0 || shown.PermissionsBoundaryUsageCount > 0) {
      throw conflict('Cannot delete a policy attached to entities.')
    }
    if (row.versions.length > 1)
      throw conflict(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      )
    remove()
    await count(call, 'Policies', -1)
    return {}
  })

export const listEntitiesForPolicy = iam
  .operation('ListEntitiesForPolicy')
  .on(policyNamed)
  .run(async (call, input, { arn }) => {
    const bounds = input.PolicyUsageFilter === 'PermissionsBoundary'
    const names = async (kind: 'user' | 'group' | 'role') => {
      const wanted = { user: 'User', group: 'Group', role: 'Role' }[kind]
      if (input.EntityFilter && input.EntityFilter !== wanted) return []
      if (bounds && kind === 'group') return []
      return usersOf(call, arn, bounds ? (`${kind as 'user' | 'role'}-boundary` as const) : kind)
    }
    const entities = [
      ...(await Promise.all(
        (
          await names('group')
        ).map(async (name) => ({ kind: 'group' as const, row: await group.require(call, { name }) })),
      )),
      ...(await Promise.all(
        (await names('user')).map(async (name) => ({ kind: 'user' as const, row: await user.require(call, { name }) })),
      )),
      ...(await Promise.all(
        (await names('role')).map(async (name) => ({ kind: 'role' as const, row: await role.require(call, { name }) })),
      )),
    ].filter(({ row }) => row.path.startsWith(input.PathPrefix ?? '/'))
    const { items, rest } = await listItems(
      call,
      entities,
      ({ kind, row }) => `${kind}/${row.name.toLowerCase()}`,
      input,
    )
    const of = (kind: string) => items.filter((item) => item.kind === kind).map(({ row }) => row)
    return {
      PolicyGroups: of('group').map((row) => ({ GroupName: row.name, GroupId: row.id })),
      PolicyUsers: of('user').map((row) => ({ UserName: row.name, UserId: row.id })),
      PolicyRoles: of('role').map((row) => ({ RoleName: row.name, RoleId: row.id })),
      ...rest,
    }
  })
