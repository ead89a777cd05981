/** Seeds of IAM: managed policies, groups, users and roles. */
import type * as IAM from '@aws-sdk/client-iam'
import { bootstrap } from '../../kernel/ports/bootstrap.ts'
import type { Api } from '../../kernel/service/api.ts'
import {
  type Account,
  compact,
  documentOf,
  inTurn,
  pagesOf,
  type Step,
  seedPart,
  seedTags,
  tagsOf,
  textOf,
} from './part.ts'
import type { SeedDocument, SeedHolder } from './seed-format.ts'

const iam: Api<typeof IAM> = { id: 'iam' }
const HOLDER = { name: true, path: true, policies: true, inline: true } as const
const SESSION_SECONDS_DEFAULT = 3_600

/** IAM returns documents percent-encoded (RFC 3986). */
const decoded = (text: string | undefined): SeedDocument => documentOf(decodeURIComponent(text ?? ''))

export const policies = seedPart({
  kind: 'policies',
  labels: ['name'],
  members: { name: true, path: true, description: true, document: true },
  add: ({ call }, { name, path, description, document }, step) =>
    step(['document'], `policy '${name}'`, () =>
      call(iam, 'CreatePolicy', {
        PolicyName: name,
        Path: path,
        Description: description,
        PolicyDocument: textOf(document),
      }),
    ),
  export: async ({ call }) => {
    const own = await pagesOf(async (Marker) => {
      const page = await call(iam, 'ListPolicies', { Scope: 'Local', Marker })
      return { items: page.Policies, next: page.Marker }
    })
    return inTurn(own, async ({ PolicyName = '', Path, Arn = '', DefaultVersionId = '' }) => {
      const { Policy } = await call(iam, 'GetPolicy', { PolicyArn: Arn })
      const { PolicyVersion } = await call(iam, 'GetPolicyVersion', { PolicyArn: Arn, VersionId: DefaultVersionId })
      const document = decoded(PolicyVersion?.Document)
      return { ...compact({ name: PolicyName, path: shownPath(Path), description: Policy?.Description }), document }
    })
  },
})

export const groups = seedPart({
  kind: 'groups',
  labels: ['name'],
  members: HOLDER,
  add: async (account, group, step) => {
    const what = `group '${group.name}'`
    await step([], what, () => account.call(iam, 'CreateGroup', { GroupName: group.name, Path: group.path }))
    await permit(account, group, step, what, {
      attach: (PolicyArn) => account.call(iam, 'AttachGroupPolicy', { GroupName: group.name, PolicyArn }),
      put: (PolicyName, PolicyDocument) =>
        account.call(iam, 'PutGroupPolicy', { GroupName: group.name, PolicyName, PolicyDocument }),
    })
  },
  export: async ({ id, call }) => {
    const all = await pagesOf(async (Marker) => {
      const page = await call(iam, 'ListGroups', { Marker })
      return { items: page.Groups, next: page.Marker }
    })
    return inTurn(all, async ({ GroupName = '', Path }) => {
      const attached = await pagesOf(async (Marker) => {
        const page = await call(iam, 'ListAttachedGroupPolicies', { GroupName, Marker })
        return { items: page.AttachedPolicies, next: page.Marker }
      })
      const names = await pagesOf(async (Marker) => {
        const page = await call(iam, 'ListGroupPolicies', { GroupName, Marker })
        return { items: page.PolicyNames, next: page.Marker }
      })
      const inline = await byName(names, async (PolicyName) => {
        return (await call(iam, 'GetGroupPolicy', { GroupName, PolicyName })).PolicyDocument
      })
      return compact({ name: GroupName, path: shownPath(Path), policies: shortNames(id, attached), inline })
    })
  },
})

export const users = seedPart({
  kind: 'users',
  labels: ['name'],
  members: { ...HOLDER, tags: true, boundary: true, groups: true, keys: { id: true, secret: true } },
  add: async (account, user, step) => {
    const { name: UserName, path: Path, tags } = user
    const what = `user '${UserName}'`
    const PermissionsBoundary = user.boundary && arnOf(account, user.boundary)
    await step([], what, () =>
      account.call(iam, 'CreateUser', { UserName, Path, PermissionsBoundary, Tags: tagsOf(tags) }),
    )
    await permit(account, user, step, what, {
      attach: (PolicyArn) => account.call(iam, 'AttachUserPolicy', { UserName, PolicyArn }),
      put: (PolicyName, PolicyDocument) => account.call(iam, 'PutUserPolicy', { UserName, PolicyName, PolicyDocument }),
    })
    for (const [n, GroupName] of (user.groups ?? []).entries())
      await step(['groups', n], `group '${GroupName}' for ${what}`, () =>
        account.call(iam, 'AddUserToGroup', { UserName, GroupName }),
      )
    const { cloud, id } = account
    // A key of one's own choosing: what no API offers, and a seed is for.
    for (const [n, key] of (user.keys ?? []).entries())
      await step(['keys', n], `a key for ${what}`, () => {
        const owner = { account: id, name: UserName, now: cloud.clock.now() }
        return cloud.store.run((unit) => cloud.use(bootstrap).addUserKey(unit, owner, key))
      })
  },
  export: async ({ id, call }, leaveOut) => {
    const all = await pagesOf(async (Marker) => {
      const page = await call(iam, 'ListUsers', { Marker })
      return { items: page.Users, next: page.Marker }
    })
    return inTurn(all, async ({ UserName = '', Path }) => {
      const { User } = await call(iam, 'GetUser', { UserName })
      const attached = await pagesOf(async (Marker) => {
        const page = await call(iam, 'ListAttachedUserPolicies', { UserName, Marker })
        return { items: page.AttachedPolicies, next: page.Marker }
      })
      const names = await pagesOf(async (Marker) => {
        const page = await call(iam, 'ListUserPolicies', { UserName, Marker })
        return { items: page.PolicyNames, next: page.Marker }
      })
      const inline = await byName(names, async (PolicyName) => {
        return (await call(iam, 'GetUserPolicy', { UserName, PolicyName })).PolicyDocument
      })
      const { Groups = [] } = await call(iam, 'ListGroupsForUser', { UserName })
      const { AccessKeyMetadata = [] } = await call(iam, 'ListAccessKeys', { UserName })
      if (AccessKeyMetadata.length > 0) leaveOut(`the access keys of user ${UserName} in account ${id}`)
      return compact({
        name: UserName,
        path: shownPath(Path),
        policies: shortNames(id, attached),
        inline,
        tags: seedTags(User?.Tags),
        boundary: shortName(id, User?.PermissionsBoundary?.PermissionsBoundaryArn),
        groups: Groups.map(({ GroupName = '' }) => GroupName),
      })
    })
  },
})

export const roles = seedPart({
  kind: 'roles',
  labels: ['name'],
  members: { ...HOLDER, tags: true, boundary: true, description: true, trust: true, maxSessionDuration: true },
  add: async (account, role, step) => {
    const { name: RoleName, path: Path, description: Description, maxSessionDuration: MaxSessionDuration } = role
    const what = `role '${RoleName}'`
    await step(['trust'], what, () =>
      account.call(iam, 'CreateRole', {
        RoleName,
        Path,
        Description,
        MaxSessionDuration,
        PermissionsBoundary: role.boundary && arnOf(account, role.boundary),
        AssumeRolePolicyDocument: textOf(role.trust),
        Tags: tagsOf(role.tags),
      }),
    )
    await permit(account, role, step, what, {
      attach: (PolicyArn) => account.call(iam, 'AttachRolePolicy', { RoleName, PolicyArn }),
      put: (PolicyName, PolicyDocument) => account.call(iam, 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument }),
    })
  },
  export: async ({ id, call }) => {
    const all = await pagesOf(async (Marker) => {
      const page = await call(iam, 'ListRoles', { Marker })
      return { items: page.Roles, next: page.Marker }
    })
    // Services make their own. A trust policy names what is older.
    const own = all
      .filter(({ Path = '/' }) => !/^\/(aws-service-role|aws-reserved)\//.test(Path))
      .toSorted((a, b) => Number(a.CreateDate) - Number(b.CreateDate))
    return inTurn(own, async ({ RoleName = '', Path }) => {
      const { Role } = await call(iam, 'GetRole', { RoleName })
      const attached = await pagesOf(async (Marker) => {
        const page = await call(iam, 'ListAttachedRolePolicies', { RoleName, Marker })
        return { items: page.AttachedPolicies, next: page.Marker }
      })
      const names = await pagesOf(async (Marker) => {
        const page = await call(iam, 'ListRolePolicies', { RoleName, Marker })
        return { items: page.PolicyNames, next: page.Marker }
      })
      const inline = await byName(names, async (PolicyName) => {
        return (await call(iam, 'GetRolePolicy', { RoleName, PolicyName })).PolicyDocument
      })
      const seconds = Role?.MaxSessionDuration
      return {
        ...compact({
          name: RoleName,
          path: shownPath(Path),
          description: Role?.Description,
          policies: shortNames(id, attached),
          inline,
          tags: seedTags(Role?.Tags),
          boundary: shortName(id, Role?.PermissionsBoundary?.PermissionsBoundaryArn),
          maxSessionDuration: seconds === SESSION_SECONDS_DEFAULT ? undefined : seconds,
        }),
        trust: decoded(Role?.AssumeRolePolicyDocument),
      }
    })
  },
})

interface Grants {
  readonly attach: (arn: string) => Promise<unknown>
  readonly put: (name: string, document: string) => Promise<unknown>
}

async function permit(
  account: Account,
  { policies: attached, inline }: SeedHolder,
  step: Step,
  what: string,
  { attach, put }: Grants,
): Promise<void> {
  for (const [n, policy] of (attached ?? []).entries())
    await step(['policies', n], `policy '${policy}' for ${what}`, () => attach(arnOf(account, policy)))
  for (const [name, document] of Object.entries(inline ?? {}))
    await step(['inline', name], `inline policy '${name}' of ${what}`, () => put(name, textOf(document)))
}

/** The ARN of a policy that a seed names by its own name. */
function arnOf({ id, seed }: Account, policy: string): string {
  if (policy.startsWith('arn:')) return policy
  const path = seed.policies?.find(({ name }) => name === policy)?.path ?? '/'
  return `arn:aws:iam::${id}:policy${path}${policy}`
}

/** The name of the account's own policies, the ARN of AWS's. */
function shortName(account: string, arn: string | undefined): string | undefined {
  return arn?.startsWith(`arn:aws:iam::${account}:policy/`) ? arn.slice(arn.lastIndexOf('/') + 1) : arn
}

const shortNames = (
  account: string,
  attached: readonly { readonly PolicyArn?: string | undefined }[],
): readonly string[] => attached.map(({ PolicyArn }) => shortName(account, PolicyArn) ?? '')

const shownPath = (path: string | undefined): string | undefined => (path === '/' ? undefined : path)

async function byName(
  names: readonly string[],
  read: (name: string) => Promise<string | undefined>,
): Promise<Readonly<Record<string, SeedDocument>>> {
  return Object.fromEntries(await inTurn(names, async (name) => [name, decoded(await read(name))] as const))
}
