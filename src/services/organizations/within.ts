/** What operations act on inside the caller's organisation, and who of it may ask. */
import type { Call, Conditions } from '../../kernel/call.ts'
import type { Acted, Found, Tags, Target } from '../../kernel/resource.ts'
import { compilePolicy, readPolicy } from '../../policy/index.ts'
import type { Fault } from '../../wire/fault.ts'
import { DELEGABLE } from './delegable.ts'
import { Organization, organizationOf } from './organization.ts'
import { arns, organizations } from './resources.ts'

export const notInUse = () =>
  organizations.fail('AWSOrganizationsNotInUseException', 'Your account is not a member of an organization.')
export const notYours = () =>
  organizations.fail('AccessDeniedException', "You don't have permissions to access this resource.")

/** Who of an organisation an operation is open to, besides its management account. */
export type Audience = 'management' | 'administrators' | 'members'

/** A resource by its ARN, as policies see it. */
export interface Seen {
  readonly arn: string
  readonly tags?: Tags | undefined
}

export interface Within<R> {
  readonly organization: Organization
  readonly row: R
  /** Asks for an action on one more resource of the organisation; by default for the operation itself. */
  alsoOn(seen: Seen, conditions?: Conditions, action?: string): Promise<void>
}

/** What was found, once the caller may know of it. Without an ARN the operation is asked on `*`. */
export interface Sought<R> extends Partial<Seen> {
  readonly row: R | undefined
  readonly missing?: () => Fault
}

export type Finder<I, R> = (organization: Organization, input: I, call: Call) => Promise<Sought<R>> | Sought<R>

const typeOf: Readonly<Record<string, string>> = {
  account: 'AWS::Organizations::Account',
  ou: 'AWS::Organizations::OrganizationalUnit',
  policy: 'AWS::Organizations::Policy',
  resourcepolicy: 'AWS::Organizations::ResourcePolicy',
  root: 'AWS::Organizations::Root',
  organization: 'AWS::Organizations::Organization',
  handshake: 'AWS::Organizations::Handshake',
}

/**
 * The target of every operation that needs an organisation. Members may do no more than AWS lets them, whatever their
 * own policies say; that they are told only after those policies have been asked.
 */
export function within<I, R>(audience: Audience, find: Finder<I, R>): Target<I, Within<R>> {
  return {
    find: async (call, input): Promise<Found<Within<R>>> => {
      const row = await organizationOf(call.unit, call.account)
      if (!row) return { acted: undefined, row: undefined, missing: notInUse }
      const organization = new Organization(call, row)
      const { arn, tags, row: found, missing } = await find(organization, input, call)
      const open = await isOpen(call, organization, audience)
      const delegated = !open && row.delegation !== undefined && DELEGABLE.has(call.operation)

      const asked = (seen: Seen): Acted => ({
        arn: seen.arn,
        type: typeOf[seen.arn.split(':')[5]?.split('/')[0] ?? ''] ?? '',
        tags: seen.tags,
        // What is open to the caller is for its own policies to allow. What is delegated, for the delegation policy as
        // well: the gate judges it as another account's resource.
        ...(delegated
          ? { account: row.management, policy: delegation(row.delegation!.content) }
          : { account: call.account }),
      })
      const alsoOn = (seen: Seen, conditions?: Conditions, action = call.operation) =>
        call.authorize(`organizations:${action}`, asked(seen), conditions)

      const acted =
        arn !== undefined ? asked({ arn, tags }) : delegated ? asked({ arn: arns.organization(row) }) : undefined
      if (!open && !delegated) return { acted, row: undefined, missing: notYours }
      if (found === undefined && missing) return { acted, row: undefined, missing }
      return { acted, row: { organization, row: found as R, alsoOn } }
    },
  }
}

/** For what IAM knows no resource of. */
export const itself = <I>(audience: Audience = 'management'): Target<I, Within<undefined>> =>
  within(audience, () => ({ row: undefined }))

async function isOpen(call: Call, organization: Organization, audience: Audience): Promise<boolean> {
  if (call.account === organization.row.management || audience === 'members') return true
  if (audience === 'management') return false
  const member = await organization.member(call.account)
  return Object.keys(member?.administers ?? {}).length > 0
}

function delegation(content: string) {
  return compilePolicy(readPolicy(content, 'resource'), { id: 'delegation', kind: 'resource' })
}
