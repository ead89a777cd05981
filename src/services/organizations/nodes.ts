/** Finding the root, a unit or an account that a request names, as what the operation acts on. */
import type { Fault } from '../../wire/fault.ts'
import type { Node } from './organization.ts'
import { organizations } from './resources.ts'
import { type Audience, within } from './within.ts'

export const parentNotFound = () =>
  organizations.fail('ParentNotFoundException', "You specified parent that doesn't exist.")
export const childNotFound = () =>
  organizations.fail(
    'ChildNotFoundException',
    "We can't find an organizational unit (OU) or AWS account with the ChildId that you specified.",
  )
export const targetNotFound = () =>
  organizations.fail(
    'TargetNotFoundException',
    "We can't find a root, OU, account, or policy with the TargetId that you specified.",
  )

const named = <K extends string>(
  member: K,
  audience: Audience,
  missing: () => Fault,
  fits: (node: Node) => boolean = () => true,
) =>
  within<{ readonly [P in K]?: string | undefined }, Node>(audience, async (organization, input) => {
    const node = await organization.node(input[member] ?? '')
    const row = node && fits(node) ? node : undefined
    return { ...(row && { arn: row.arn, tags: row.tags }), row, missing }
  })

/** What others stand below: a unit or the root. */
export const parentNamed = (audience: Audience) =>
  named('ParentId', audience, parentNotFound, ({ type }) => type !== 'ACCOUNT')

/** What stands below another: a unit or an account. */
export const childNamed = named('ChildId', 'administrators', childNotFound, ({ parent }) => parent !== undefined)

export const targetNamed = named('TargetId', 'administrators', targetNotFound)
