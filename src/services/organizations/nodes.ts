/** Finding the root, a unit or an account that a request names, as what the operation acts on. */
import type { Fault } from '../../wire/fault.ts'
import type { Node } from './organization.ts'
import { organizations } from './resources.ts'
import { type AllowedCallers, within } from './within.ts'

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
  callers: AllowedCallers,
  missing: () => Fault,
  fits: (node: Node) => boolean = () => true,
) =>
  within<{ readonly [P in K]?: string | undefined }, Node>(callers, async (organization, input) => {
    const node = await organization.node(input[member] ?? '')
    const row = node && fits(node) ? node : undefined
    return { ...(row && { arn: row.arn, tags: row.tags }), row, missing }
  })

/** What can be a parent: a unit or the root. */
export const parentNamed = (callers: AllowedCallers) =>
  named('ParentId', callers, parentNotFound, ({ type }) => type !== 'ACCOUNT')

/** What can be a child: a unit or an account. */
export const childNamed = named('ChildId', 'administrators', childNotFound, ({ parent }) => parent !== undefined)

export const targetNamed = named('TargetId', 'administrators', targetNotFound)
