/** A permission set as the policy engine evaluates it: the role that it becomes in an account. */
import type { Identity } from '../../../../src/policy/account/identity.ts'
import type { CompiledPolicy, PolicyKind } from '../../../../src/policy/index.ts'
import { compile, decoded } from '../../access/account.ts'
import type { Client } from '../../api/client.ts'
import { ApiError } from '../../api/protocol.ts'
import type { Output } from '../../api/sdk.ts'
import type { Center, PermissionSet } from './center.ts'

type Reference = NonNullable<
  Output<'sso-admin', 'ListCustomerManagedPolicyReferencesInPermissionSet'>['CustomerManagedPolicyReferences']
>[number]
type Boundary = Output<'sso-admin', 'GetPermissionsBoundaryForPermissionSet'>['PermissionsBoundary']

export interface SetPolicies {
  readonly set: PermissionSet
  readonly inline: string | undefined
  readonly managed: readonly { readonly Name?: string | undefined; readonly Arn?: string | undefined }[]
  readonly customer: readonly Reference[]
  readonly boundary: Boundary
}

export async function loadSetPolicies(
  client: Client,
  { instance }: Center,
  PermissionSetArn: string,
): Promise<SetPolicies> {
  const input = { InstanceArn: instance, PermissionSetArn }
  const [described, inline, managed, customer, boundary] = await Promise.all([
    client.call('sso-admin', 'DescribePermissionSet', input),
    client.call('sso-admin', 'GetInlinePolicyForPermissionSet', input),
    client.list('sso-admin', 'ListManagedPoliciesInPermissionSet', input, 'AttachedManagedPolicies'),
    client.list(
      'sso-admin',
      'ListCustomerManagedPolicyReferencesInPermissionSet',
      input,
      'CustomerManagedPolicyReferences',
    ),
    client.call('sso-admin', 'GetPermissionsBoundaryForPermissionSet', input).catch(withoutBoundary),
  ])
  return {
    set: described.PermissionSet!,
    inline: inline.InlinePolicy || undefined,
    managed,
    customer,
    boundary: boundary?.PermissionsBoundary,
  }
}

/** Without a boundary the answer is an error. Another error must not look like no boundary: the set would seem to allow more. */
function withoutBoundary(error: unknown): undefined {
  if (error instanceof ApiError && error.code === 'ResourceNotFoundException') return undefined
  throw error
}

export interface SetRole {
  readonly identity: Identity
  /** What could not be read, and is left out. */
  readonly notes: readonly string[]
}

export const referenceArn = (account: string, { Path = '/', Name }: Reference): string =>
  `arn:aws:iam::${account}:policy${Path}${Name}`

/** `own` reads AWS's policies; `member` those of the account, to which references of the permission set lead. */
export async function roleOf(policies: SetPolicies, account: string, own: Client, member?: Client): Promise<SetRole> {
  const { set, inline, managed, customer, boundary } = policies
  const notes: string[] = []
  const read = async (client: Client | undefined, arn: string, kind: PolicyKind): Promise<CompiledPolicy[]> => {
    try {
      if (!client) throw new Error(`The policies of account ${account} cannot be read from here.`)
      const { Policy } = await client.call('iam', 'GetPolicy', { PolicyArn: arn })
      const { PolicyVersion } = await client.call('iam', 'GetPolicyVersion', {
        PolicyArn: arn,
        VersionId: Policy!.DefaultVersionId!,
      })
      return [compile(decoded(PolicyVersion!.Document)!, kind, arn, arn)]
    } catch (error) {
      notes.push(`${arn.split('/').at(-1)} is left out: ${(error as Error).message}`)
      return []
    }
  }
  const limit = boundary?.CustomerManagedPolicyReference
    ? await read(member, referenceArn(account, boundary.CustomerManagedPolicyReference), 'boundary')
    : boundary?.ManagedPolicyArn
      ? await read(own, boundary.ManagedPolicyArn, 'boundary')
      : []
  const attached = await Promise.all([
    ...managed.map(({ Arn }) => read(own, Arn!, 'identity')),
    ...customer.map((reference) => read(member, referenceArn(account, reference), 'identity')),
  ])
  const name = `AWSReservedSSO_${set.Name}`
  const arn = `arn:aws:iam::${account}:role/aws-reserved/sso.amazonaws.com/${name}`
  const identity: Identity = {
    kind: 'role',
    name: set.Name!,
    arn,
    principal: {
      kind: 'role-session',
      account,
      arn: `arn:aws:sts::${account}:assumed-role/${name}/session`,
      userId: '',
      tags: {},
      roleArn: arn,
      roleId: '',
      roleName: name,
      sessionName: 'session',
      serviceLinked: false,
    },
    policies: [
      ...(inline === undefined ? [] : [compile(inline, 'identity', `${set.Name}: inline policy`)]),
      ...attached.flat(),
    ],
    boundary: limit[0],
    trust: undefined,
  }
  return { identity, notes }
}
