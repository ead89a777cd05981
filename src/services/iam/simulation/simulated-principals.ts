/** The identity of a simulation: a user with its groups, a group, or a role, with the policies that apply to it. */
import type { Call } from '../../../kernel/gate/call.ts'
import type { Conditions } from '../../../kernel/resource/conditions.ts'
import type { ResolvedTarget, Target } from '../../../kernel/resource/target.ts'
import {
  type CompiledPolicy,
  compilePolicy,
  type PolicySource,
  type Principal,
  readPolicy,
} from '../../../policy/index.ts'
import { findManagedPolicy } from '../policies/policies.ts'
import { type GroupRow, group, type IamIdentity, type RoleRow, role, type UserRow, user } from '../resources.ts'
import { iam } from '../words.ts'

/** As the simulator names the origin of a statement. */
export type SourceType = 'user' | 'group' | 'role' | 'aws-managed' | 'user-managed' | 'resource' | 'none'

export interface SourcedPolicy {
  readonly compiled: CompiledPolicy
  readonly type: SourceType
}

export type Source =
  | { readonly kind: 'user'; readonly arn: string; readonly row: UserRow }
  | { readonly kind: 'group'; readonly arn: string; readonly row: GroupRow }
  | { readonly kind: 'role'; readonly arn: string; readonly row: RoleRow }

const types = { user, group, role } as const

/** The user, group or role that `PolicySourceArn` names. */
export const policySource: Target<{ readonly PolicySourceArn?: string | undefined }, Source> = {
  find: async (call, input): Promise<ResolvedTarget<Source>> => {
    const text = input.PolicySourceArn ?? ''
    const kind = (['user', 'group', 'role'] as const).find((each) => types[each].form.parse(text))
    if (!kind) return { acted: undefined, row: undefined, missing: () => unclear(text) }
    const found = await types[kind].find(call, text)
    return { ...found, row: found.row && ({ kind, arn: found.row.arn, row: found.row.row } as Source) }
  },
}

/** Everything that grants: attached and inline, a user's groups included. */
export async function policiesOf(call: Call, source: Source): Promise<readonly SourcedPolicy[]> {
  const own = await carriedBy(call, source.kind, source.row)
  if (source.kind !== 'user') return own
  const groups = await Promise.all(source.row.groups.map((name) => group.require(call, { name })))
  const inherited = await Promise.all(groups.map((row) => carriedBy(call, 'group', row)))
  return [...own, ...inherited.flat()]
}

export async function boundaryOf(call: Call, source: Source): Promise<CompiledPolicy | undefined> {
  const arn = source.row.boundary
  return arn === undefined ? undefined : (await managed(call, arn, 'boundary'))?.compiled
}

/** The caller that a simulation assumes. A group is no principal: an unnamed user of it calls. */
export function principalOf(call: Call, source: Source): Principal {
  const { arn, row } = source
  const identified = { account: call.account, arn, tags: row.tags ?? {} }
  switch (source.kind) {
    case 'user':
      return { kind: 'user', ...identified, userId: row.id, name: row.name }
    case 'group':
      return { kind: 'user', ...identified, userId: '', name: '' }
    case 'role': {
      const sessionName = 'simulation'
      return {
        kind: 'role-session',
        ...identified,
        arn: `arn:${call.partition}:sts::${call.account}:assumed-role/${row.name}/${sessionName}`,
        userId: `${row.id}:${sessionName}`,
        roleArn: arn,
        roleId: row.id,
        roleName: row.name,
        sessionName,
        serviceLinked: source.row.linkedService !== undefined,
      }
    }
  }
}

/** What any request of this principal carries. */
export function conditionsOf(source: Source, principal: Principal): Conditions {
  if (source.kind === 'group' || !('arn' in principal)) return {}
  return {
    'aws:PrincipalArn': source.arn,
    'aws:PrincipalAccount': principal.account,
    'aws:PrincipalType': source.kind === 'user' ? 'User' : 'AssumedRole',
    'aws:PrincipalIsAWSService': 'false',
    'aws:userid': principal.userId,
    ...(source.kind === 'user' && { 'aws:username': source.row.name }),
    ...Object.fromEntries(Object.entries(principal.tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value])),
  }
}

async function carriedBy(call: Call, kind: Source['kind'], row: IamIdentity): Promise<readonly SourcedPolicy[]> {
  const attached = await Promise.all(row.attached.map((arn) => managed(call, arn, 'identity')))
  const inline = Object.entries(row.inline).map(([name, text]) => {
    const id = `${kind}_${row.name}_${name}`
    return { compiled: compile(text, { id, name, kind: 'identity' }), type: kind }
  })
  return [...attached.filter((policy) => policy !== undefined), ...inline]
}

async function managed(call: Call, arn: string, kind: 'identity' | 'boundary'): Promise<SourcedPolicy | undefined> {
  const found = await findManagedPolicy(call.unit, arn, call.account)
  if (!found) return undefined
  const type = arn.split(':')[4] === 'aws' ? 'aws-managed' : 'user-managed'
  return { compiled: compile(found.text, { id: found.name, arn, name: found.name, kind }), type }
}

/** Read as evaluation reads it: what was saved under laxer rules still means what it meant. */
function compile(text: string, source: PolicySource): CompiledPolicy {
  return compilePolicy(readPolicy(text, source.kind), source)
}

function unclear(arn: string) {
  return iam.fail('InvalidInputException', `Invalid Entity Arn: ${arn} does not clearly define entity type and name.`)
}
