/** What operations act on inside the caller's organization, and which of its accounts may call them. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { ResourceFacts, Row, Tags } from '../../kernel/resource/facts.ts'
import type { ResourceType } from '../../kernel/resource/resource-type.ts'
import type { ResolvedTarget, Target } from '../../kernel/resource/target.ts'
import { compilePolicy, readPolicy } from '../../policy/index.ts'
import type { Fault } from '../../wire/fault.ts'
import { DELEGABLE } from './delegable.ts'
import { Organization, organizationOf } from './organization.ts'
import { arns, notInUse, organizations, type PartId, partId, scopeOf, typeOfArn } from './resources.ts'

export const accessDenied = () =>
  organizations.fail('AccessDeniedException', "You don't have permissions to access this resource.")

/** The accounts of an organization that may call an operation, besides its management account. */
export type AllowedCallers = 'management' | 'administrators' | 'members'

/** A resource by its ARN, as policies see it. */
export interface ResourceRef {
  readonly arn: string
  readonly tags?: Tags | undefined
}

export interface OrganizationTarget<R> {
  readonly organization: Organization
  readonly row: R
  /** Authorizes an action on one more resource of the organization. Default: the action of the operation. */
  alsoOn(ref: ResourceRef, conditions?: Conditions, action?: string): Promise<void>
}

/** What was found. Without an ARN the operation is authorized on `*`. */
export interface LookupResult<R> extends Partial<ResourceRef> {
  readonly row: R | undefined
  readonly missing?: () => Fault
}

export type Finder<I, R> = (
  organization: Organization,
  input: I,
  call: Call,
) => Promise<LookupResult<R>> | LookupResult<R>

/**
 * The target of every operation that needs an organization. AWS limits what members may do, whatever their own policies
 * allow. Those policies are evaluated first; only then is a member denied.
 */
export function within<I, R>(callers: AllowedCallers, find: Finder<I, R>): Target<I, OrganizationTarget<R>> {
  return {
    find: async (call, input): Promise<ResolvedTarget<OrganizationTarget<R>>> => {
      const row = await organizationOf(call.unit, call.account)
      if (!row) return { acted: undefined, row: undefined, missing: notInUse }
      const organization = new Organization(call, row)
      const { arn, tags, row: found, missing } = await find(organization, input, call)
      const open = await isOpen(call, organization, callers)
      const delegated = !open && row.delegation !== undefined && DELEGABLE.has(call.operation)

      const facts = (ref: ResourceRef): ResourceFacts => ({
        arn: ref.arn,
        type: typeOfArn(ref.arn),
        tags: ref.tags,
        // An open operation needs the caller's own policies. A delegated one needs the delegation policy as well: it is
        // authorized like another account's resource.
        ...(delegated
          ? { account: row.management, policy: delegation(row.delegation!.content) }
          : { account: call.account }),
      })
      const alsoOn = (ref: ResourceRef, conditions?: Conditions, action = `organizations:${call.operation}`) =>
        call.authorize(action, facts(ref), conditions)

      const acted =
        arn !== undefined ? facts({ arn, tags }) : delegated ? facts({ arn: arns.organization(row) }) : undefined
      if (!open && !delegated) return { acted, row: undefined, missing: accessDenied }
      if (found === undefined && missing) return { acted, row: undefined, missing }
      return { acted, row: { organization, row: found as R, alsoOn } }
    },
  }
}

/** A row of the organization, by the ID in the request. A value that is not such an ID has no ARN and no row. */
export async function partNamed<const T extends string, R extends Row>(
  call: Call,
  { row: organization }: Organization,
  type: ResourceType<T, R, PartId>,
  text = '',
): Promise<LookupResult<R>> {
  const id = partId(organization, text)
  const missing = () => type.spec.faults.notFound(text, id)
  if (type.form.mismatch(type.variables(id)) !== undefined) return { row: undefined, missing }
  const row = await type.get(call.unit, call, id)
  return { arn: type.arn(scopeOf(organization), id, row), tags: row?.tags, row, missing }
}

/** For operations on which IAM defines no resource. */
export const ownOrganization = <I>(callers: AllowedCallers = 'management'): Target<I, OrganizationTarget<undefined>> =>
  within(callers, () => ({ row: undefined }))

async function isOpen(call: Call, organization: Organization, callers: AllowedCallers): Promise<boolean> {
  if (call.account === organization.row.management || callers === 'members') return true
  if (callers === 'management') return false
  const member = await organization.member(call.account)
  return Object.keys(member?.administers ?? {}).length > 0
}

function delegation(content: string) {
  return compilePolicy(readPolicy(content, 'resource'), { id: 'delegation', kind: 'resource' })
}
