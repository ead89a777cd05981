/** Everything about everyone, for auditors: GetAccountAuthorizationDetails. */
import type * as IAM from '@aws-sdk/client-iam'
import type { Call } from '../../../kernel/gate/call.ts'
import { listTags } from '../../../kernel/resource/tags.ts'
import { anything } from '../../../kernel/resource/target.ts'
import { roleUse } from '../credentials/last-used.ts'
import { listItems } from '../lists.ts'
import { awsPolicy } from '../policies/aws-policies.ts'
import { shownBoundary } from '../policies/boundaries.ts'
import { encodeDocument } from '../policies/documents.ts'
import { type ManagedPolicyRow, managedPolicy, shownPolicy } from '../policies/policies.ts'
import { group, type IamIdentity, type InstanceProfileRow, instanceProfile, role, user } from '../resources.ts'
import { shownRole } from '../roles/roles.ts'
import { date, iam } from '../words.ts'

/** One entity of the account; its details are gathered only when its page is requested. */
interface Item {
  /** Users first, then groups, roles, policies; each by name. */
  readonly order: string
  readonly show: () => Promise<Shown> | Shown
}

interface Shown {
  readonly user?: IAM.UserDetail
  readonly group?: IAM.GroupDetail
  readonly role?: IAM.RoleDetail
  readonly policy?: IAM.ManagedPolicyDetail
}

const kinds: Readonly<Record<IAM.EntityType, (call: Call) => Promise<readonly Item[]>>> = {
  User: users,
  Group: groups,
  Role: roles,
  LocalManagedPolicy: localPolicies,
  AWSManagedPolicy: awsPoliciesInUse,
}

export const getAccountAuthorizationDetails = iam
  .operation('GetAccountAuthorizationDetails')
  .on(anything)
  .run(async (call, input) => {
    const wanted = input.Filter?.length ? new Set(input.Filter) : undefined
    const names = (Object.keys(kinds) as IAM.EntityType[]).filter((kind) => !wanted || wanted.has(kind))
    const all = (await Promise.all(names.map((kind) => kinds[kind](call)))).flat()

    const { items, rest } = await listItems(call, all, (item) => item.order, input)
    const shown = await Promise.all(items.map((item) => item.show()))
    return {
      UserDetailList: shown.flatMap((each) => each.user ?? []),
      GroupDetailList: shown.flatMap((each) => each.group ?? []),
      RoleDetailList: shown.flatMap((each) => each.role ?? []),
      Policies: shown.flatMap((each) => each.policy ?? []),
      ...rest,
    }
  })

async function users(call: Call): Promise<readonly Item[]> {
  return (await user.list(call.unit, call)).map(({ document: row }) => ({
    order: `1/${row.name.toLowerCase()}`,
    show: () => ({
      user: {
        ...identified(row),
        UserName: row.name,
        UserId: row.id,
        Arn: user.arnOf(call, row),
        ...(Object.keys(row.inline).length > 0 && { UserPolicyList: inlineOf(row) }),
        GroupList: [...row.groups],
        AttachedManagedPolicies: attachedTo(row),
        ...shownBoundary(row),
        Tags: listTags(row.tags),
      },
    }),
  }))
}

async function groups(call: Call): Promise<readonly Item[]> {
  return (await group.list(call.unit, call)).map(({ document: row }) => ({
    order: `2/${row.name.toLowerCase()}`,
    show: () => ({
      group: {
        ...identified(row),
        GroupName: row.name,
        GroupId: row.id,
        Arn: group.arnOf(call, row),
        GroupPolicyList: inlineOf(row),
        AttachedManagedPolicies: attachedTo(row),
      },
    }),
  }))
}

async function roles(call: Call): Promise<readonly Item[]> {
  const profiles = (await instanceProfile.list(call.unit, call)).map(({ document }) => document)
  return (await role.list(call.unit, call)).map(({ document: row }) => ({
    order: `3/${row.name.toLowerCase()}`,
    show: async () => {
      const carriers = profiles.filter((profile) => profile.role?.toLowerCase() === row.name.toLowerCase())
      const shown = await shownRole(call, row)
      const { Description: _description, MaxSessionDuration: _seconds, ...detail } = shown
      const use = await roleUse(call.unit, call.account, row.id)
      return {
        role: {
          ...detail,
          InstanceProfileList: carriers.map((profile) => shownProfile(call, profile, shown)),
          RolePolicyList: inlineOf(row),
          AttachedManagedPolicies: attachedTo(row),
          ...shownBoundary(row),
          Tags: listTags(row.tags),
          RoleLastUsed: use ? { LastUsedDate: date(use.timeMs), Region: use.region } : {},
        },
      }
    },
  }))
}

async function localPolicies(call: Call): Promise<readonly Item[]> {
  return (await managedPolicy.list(call.unit, call)).map(({ document: row }) =>
    policyItem(call, row, managedPolicy.arnOf(call, row)),
  )
}

/** Of AWS's own policies only those that a user, group or role of the account has attached or as its boundary. */
async function awsPoliciesInUse(call: Call): Promise<readonly Item[]> {
  const entries = await Promise.all([user, group, role].map((type) => type.list(call.unit, call)))
  const holders: readonly IamIdentity[] = entries.flat().map(({ document }) => document)
  const used = new Set(holders.flatMap((holder) => [...holder.attached, ...(holder.boundary ? [holder.boundary] : [])]))
  const own = [...used].filter((arn) => arn.split(':')[4] === 'aws')
  const found = await Promise.all(own.map(async (arn) => [arn, await awsPolicy(arn)] as const))
  return found.flatMap(([arn, row]) => (row ? [policyItem(call, row, arn)] : []))
}

function policyItem(call: Call, row: ManagedPolicyRow, arn: string): Item {
  return {
    order: `4/${row.name.toLowerCase()}/${arn}`,
    show: async () => ({
      policy: {
        ...(await shownPolicy(call, row, arn)),
        ...(row.description !== undefined && { Description: row.description }),
        PolicyVersionList: row.versions.map((version) => ({
          Document: encodeDocument(version.text),
          VersionId: version.id,
          IsDefaultVersion: version.id === row.defaultVersion,
          CreateDate: date(version.createdAt),
        })),
      },
    }),
  }
}

function identified(row: IamIdentity) {
  return { Path: row.path, CreateDate: date(row.createdAt) }
}

function inlineOf(row: IamIdentity): IAM.PolicyDetail[] {
  return Object.entries(row.inline).map(([name, text]) => ({ PolicyName: name, PolicyDocument: encodeDocument(text) }))
}

function attachedTo(row: IamIdentity): IAM.AttachedPolicy[] {
  return row.attached.map((arn) => ({ PolicyName: arn.slice(arn.lastIndexOf('/') + 1), PolicyArn: arn }))
}

function shownProfile(call: Call, profile: InstanceProfileRow, itsRole: IAM.Role): IAM.InstanceProfile {
  return {
    Path: profile.path,
    InstanceProfileName: profile.name,
    InstanceProfileId: profile.id,
    Arn: instanceProfile.arnOf(call, profile),
    CreateDate: date(profile.createdAt),
    Roles: [itsRole],
  }
}
