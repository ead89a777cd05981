/** Managed policies: create, read, list, delete. AWS's own are listed beside the customer's. */
import { parseArn } from '../../kernel/arn.ts'
import type { Call } from '../../kernel/call.ts'
import type { Reader } from '../../kernel/ports.ts'
import type { Found, Row, Tags, Target } from '../../kernel/resource.ts'
import { listTags } from '../../kernel/tags.ts'
import { Fault } from '../../wire/fault.ts'
import { usersOf } from './attachments.ts'
import { awsPolicies, awsPolicy } from './aws-policies.ts'
import { count } from './counts.ts'
import { checkedPolicy, policySize } from './documents.ts'
import { listItems } from './lists.ts'
import { below, conflict, date, group, iam, role, user } from './resources.ts'
import { newTags, shownTags } from './tags.ts'

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

export const managedPolicy = iam.resource<ManagedPolicyRow>({
  kind: 'policy',
  type: 'AWS::IAM::Policy',
  global: true,
  fold: (name) => name.toLowerCase(),
  id: (row) => row.name,
  path: (id, row) => `policy${row?.path ?? '/'}${row?.name ?? id}`,
  missing: (_id, arn) => notFound(arn),
  tagAction: 'iam:TagPolicy',
})

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
  const parsed = parseArn(arn)
  if (parsed?.service !== 'iam' || !parsed.resource.startsWith('policy/')) return undefined
  if (parsed.account === 'aws') return awsPolicy(arn)
  if (parsed.account !== account) return undefined
  const name = parsed.resource.slice(parsed.resource.lastIndexOf('/') + 1)
  const row = await reader.get<ManagedPolicyRow>(managedPolicy.key({ partition: 'aws', region: '', account }, name))
  return row && `policy${row.path}${row.name}` === parsed.resource ? row : undefined
}

/** The policy whose ARN this member of the input gives. AWS's own may be read, never written. */
export function policyNamed<K extends string>(
  member: K,
): Target<{ readonly [P in K]?: string | undefined }, ManagedPolicyRow> {
  return {
    find: async (call, input): Promise<Found<ManagedPolicyRow>> => {
      const arn = input[member] ?? ''
      const row = await rowByArn(call.unit, arn, call.account)
      return {
        acted: { arn, type: 'AWS::IAM::Policy', account: row?.aws ? 'aws' : call.account, tags: row?.tags },
        row,
        missing: () => (parseArn(arn) ? notFound(arn) : iam.fail('InvalidInputException', `ARN ${arn} is not valid.`)),
      }
    },
  }
}

/** Refuses what is attached, detached or set as a boundary without being an ARN at all. Two blanks, as AWS writes it. */
export function refuseNoArn(arn: string): void {
  if (!parseArn(arn)) throw new Fault('ValidationError', 'Invalid ARN:  Could not be parsed!')
}

/** AWS's own policies belong to nobody here: not even root may change them. */
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
  .on(managedPolicy.made((input) => ({ name: input.PolicyName, path: input.Path ?? '/' })))
  .run(async (call, input) => {
    if (await managedPolicy.get(call, input.PolicyName)) {
      throw iam.fail(
        'EntityAlreadyExistsException',
        `A policy called ${input.PolicyName} already exists. Duplicate names are not allowed.`,
      )
    }
    checkedPolicy(input.PolicyDocument, 'identity')
    withinPolicySize(call, input.PolicyDocument)
    await count(call, 'Policies', 1)

    const row = managedPolicy.save(call, {
      name: input.PolicyName,
      path: input.Path ?? '/',
      id: call.uniqueId('ANPA'),
      ...(input.Description !== undefined && { description: input.Description }),
      createdAt: call.now,
      updatedAt: call.now,
      versions: [{ id: 'v1', text: input.PolicyDocument, createdAt: call.now }],
      defaultVersion: 'v1',
      nextVersion: 2,
      tags: newTags(input.Tags),
    })
    return { Policy: { ...(await shownPolicy(call, row, managedPolicy.arnOf(call, row))), ...shownTags(row) } }
  })

export const getPolicy = iam
  .operation('GetPolicy')
  .on(policyNamed('PolicyArn'))
  .run(async (call, input, row) => ({ Policy: await shownInFull(call, row, input.PolicyArn) }))

export const listPolicies = iam
  .operation('ListPolicies')
  .on(managedPolicy.below(below('policy')))
  .run(async (call, input) => {
    const scope = input.Scope ?? 'All'
    const local =
      scope === 'AWS'
        ? []
        : (await managedPolicy.list(call)).map(
            ({ document }) => [managedPolicy.arnOf(call, document), document] as const,
          )
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
  .on(policyNamed('PolicyArn'))
  .run(async (call, input, row) => {
    refuseAws(call, row, input.PolicyArn)
    const shown = await shownPolicy(call, row, input.PolicyArn)
    if (shown.AttachmentCount > 0 || shown.PermissionsBoundaryUsageCount > 0) {
      throw conflict('Cannot delete a policy attached to entities.')
    }
    if (row.versions.length > 1)
      throw conflict(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      )
    managedPolicy.remove(call, row)
    await count(call, 'Policies', -1)
    return {}
  })

export const listEntitiesForPolicy = iam
  .operation('ListEntitiesForPolicy')
  .on(policyNamed('PolicyArn'))
  .run(async (call, input) => {
    const bounds = input.PolicyUsageFilter === 'PermissionsBoundary'
    const names = async (kind: 'user' | 'group' | 'role') => {
      const wanted = { user: 'User', group: 'Group', role: 'Role' }[kind]
      if (input.EntityFilter && input.EntityFilter !== wanted) return []
      if (bounds && kind === 'group') return []
      return usersOf(call, input.PolicyArn, bounds ? (`${kind as 'user' | 'role'}-boundary` as const) : kind)
    }
    const entities = [
      ...(await Promise.all(
        (await names('group')).map(async (name) => ({ kind: 'group' as const, row: await group.require(call, name) })),
      )),
      ...(await Promise.all(
        (await names('user')).map(async (name) => ({ kind: 'user' as const, row: await user.require(call, name) })),
      )),
      ...(await Promise.all(
        (await names('role')).map(async (name) => ({ kind: 'role' as const, row: await role.require(call, name) })),
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
