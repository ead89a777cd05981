/** The account as the API describes it, compiled for the policy engine: the same evaluation as on the server. */
import type { Account, Identity } from '../../../src/policy/account/identity.ts'
import {
  type CompiledPolicy,
  compilePolicy,
  type PolicyKind,
  type Principal,
  readPolicy,
} from '../../../src/policy/index.ts'
import type { Client } from '../api/client.ts'

type Attached = readonly { readonly PolicyArn?: string | undefined }[] | undefined
type Inline =
  | readonly { readonly PolicyName?: string | undefined; readonly PolicyDocument?: string | undefined }[]
  | undefined
type Tags = readonly { readonly Key: string | undefined; readonly Value: string | undefined }[] | undefined

/** Documents to evaluate instead of the saved ones, by ARN. */
export type Replaced = ReadonlyMap<string, string>

type Details = Awaited<ReturnType<typeof fetchDetails>>

/** Needs `iam:GetAccountAuthorizationDetails`. */
export async function loadAccount(client: Client, replaced: Replaced = new Map()): Promise<Account> {
  return accountOf(await fetchDetails(client), replaced)
}

export async function fetchDetails(client: Client) {
  const users = []
  const groups = []
  const roles = []
  const policies = []
  for (let marker: string | undefined; ; ) {
    const page = await client.call('iam', 'GetAccountAuthorizationDetails', {
      MaxItems: 1000,
      ...(marker && { Marker: marker }),
    })
    users.push(...(page.UserDetailList ?? []))
    groups.push(...(page.GroupDetailList ?? []))
    roles.push(...(page.RoleDetailList ?? []))
    policies.push(...(page.Policies ?? []))
    if (!page.Marker) return { users, groups, roles, policies }
    marker = page.Marker
  }
}

export function accountOf({ users, groups, roles, policies }: Details, replaced: Replaced = new Map()): Account {
  const documents = new Map(
    policies.map((policy) => [
      policy.Arn,
      policy.PolicyVersionList?.find((version) => version.IsDefaultVersion)?.Document,
    ]),
  )
  const compiled = new Map<string, CompiledPolicy>()
  const managed = (arn: string, kind: PolicyKind): CompiledPolicy[] => {
    const key = `${kind} ${arn}`
    const text = replaced.get(arn) ?? decoded(documents.get(arn))
    const known = compiled.get(key) ?? (text === undefined ? undefined : compile(text, kind, arn, arn))
    if (known) compiled.set(key, known)
    return known ? [known] : []
  }
  const ofHolder = (owner: string, inline: Inline, attached: Attached): CompiledPolicy[] => [
    ...(inline ?? []).map(({ PolicyName, PolicyDocument }) =>
      compile(decoded(PolicyDocument)!, 'identity', `${owner}: ${PolicyName}`),
    ),
    ...(attached ?? []).flatMap(({ PolicyArn }) => managed(PolicyArn!, 'identity')),
  ]
  const byGroup = new Map(
    groups.map((group) => [
      group.GroupName,
      ofHolder(`group/${group.GroupName}`, group.GroupPolicyList, group.AttachedManagedPolicies),
    ]),
  )
  const boundaryOf = (boundary: { readonly PermissionsBoundaryArn?: string | undefined } | undefined) =>
    boundary?.PermissionsBoundaryArn ? managed(boundary.PermissionsBoundaryArn, 'boundary')[0] : undefined

  const identities: Identity[] = [
    ...users.map((user): Identity => {
      const [name, arn] = [user.UserName!, user.Arn!]
      const principal: Principal = {
        kind: 'user',
        account: accountIn(arn),
        arn,
        userId: user.UserId!,
        name,
        tags: tagsOf(user.Tags),
      }
      const policies = [
        ...ofHolder(`user/${name}`, user.UserPolicyList, user.AttachedManagedPolicies),
        ...(user.GroupList ?? []).flatMap((group) => byGroup.get(group) ?? []),
      ]
      return {
        kind: 'user',
        name,
        arn,
        principal,
        policies,
        boundary: boundaryOf(user.PermissionsBoundary),
        trust: undefined,
      }
    }),
    ...roles.map((role): Identity => {
      const [name, arn] = [role.RoleName!, role.Arn!]
      const principal: Principal = {
        kind: 'role-session',
        account: accountIn(arn),
        arn: `${arn.split(':').slice(0, 2).join(':')}:sts::${accountIn(arn)}:assumed-role/${name}/session`,
        userId: `${role.RoleId}:session`,
        tags: tagsOf(role.Tags),
        roleArn: arn,
        roleId: role.RoleId!,
        roleName: name,
        sessionName: 'session',
        serviceLinked: arn.includes(':role/aws-service-role/'),
      }
      const trust = decoded(role.AssumeRolePolicyDocument)
      return {
        kind: 'role',
        name,
        arn,
        principal,
        policies: ofHolder(`role/${name}`, role.RolePolicyList, role.AttachedManagedPolicies),
        boundary: boundaryOf(role.PermissionsBoundary),
        trust: trust === undefined ? undefined : compile(trust, 'trust', `trust policy of role/${name}`),
      }
    }),
  ]
  return { id: accountIn(identities[0]?.arn ?? ''), identities }
}

/** Throws a `PolicyError` for a document that cannot be read. */
export function compile(text: string, kind: PolicyKind, id: string, arn?: string): CompiledPolicy {
  return compilePolicy(readPolicy(text, kind), { id, kind, ...(arn !== undefined && { arn }) })
}

/** IAM sends documents percent-encoded. */
export function decoded(document: string | undefined): string | undefined {
  return document?.startsWith('%') ? decodeURIComponent(document) : document
}

const accountIn = (arn: string): string => arn.split(':')[4] ?? ''

const tagsOf = (tags: Tags): Record<string, string> =>
  Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']))
