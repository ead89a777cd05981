/** Permissions boundaries of users and roles. */
import type { PermissionsBoundaryAttachmentType } from '@aws-sdk/client-iam'
import type { Call } from '../../kernel/call.ts'
import type { Resource, Target } from '../../kernel/resource.ts'
import type { LooseInput, Operation } from '../../kernel/service.ts'
import { dropAttachment, indexAttachment } from './attachments.ts'
import { findManagedPolicy, refuseNoArn } from './policies.ts'
import { type Holder, iam, role, user } from './resources.ts'
import { protect } from './service-linked.ts'

type Bounded = 'user' | 'role'

/** The member a new row carries when it is created with a boundary; spread it. */
export async function bounded(
  call: Call,
  kind: Bounded,
  name: string,
  arn: string | undefined,
): Promise<{ boundary?: string }> {
  if (arn === undefined) return {}
  refuseNoArn(arn)
  if (!(await findManagedPolicy(call.unit, arn, call.account))) {
    throw iam.fail('NoSuchEntityException', `Scope ARN: ${arn} does not exist or is not attachable.`)
  }
  indexAttachment(call, arn, `${kind}-boundary`, name)
  return { boundary: arn }
}

/** Forgets the boundary of a row that is deleted or unbound. */
export function unbind(call: Call, kind: Bounded, row: Holder): void {
  if (row.boundary) dropAttachment(call, row.boundary, `${kind}-boundary`, row.name)
}

/** AWS answers `Policy`, whatever its model's enumeration says. */
const BOUNDARY_TYPE = 'Policy' as unknown as PermissionsBoundaryAttachmentType

export function shownBoundary(row: Holder) {
  if (!row.boundary) return {}
  return { PermissionsBoundary: { PermissionsBoundaryType: BOUNDARY_TYPE, PermissionsBoundaryArn: row.boundary } }
}

const families: readonly { kind: Bounded; word: 'User' | 'Role'; resource: Resource<Holder> }[] = [
  { kind: 'user', word: 'User', resource: user as unknown as Resource<Holder> },
  { kind: 'role', word: 'Role', resource: role as unknown as Resource<Holder> },
]

export const boundaryOperations: readonly Operation[] = families.flatMap(({ kind, word, resource }) => {
  const target: Target<LooseInput, Holder> = { find: (call, input) => resource.find(call, input[`${word}Name`]) }
  return [
    {
      ...iam.loose(`Put${word}PermissionsBoundary`, target, async (call, input, row) => {
        protect(row as Holder)
        unbind(call, kind, row as Holder)
        const bound = await bounded(call, kind, (row as Holder).name, input.PermissionsBoundary)
        resource.save(call, { ...(row as Holder), ...bound })
        return {}
      }),
      conditions: (input: LooseInput) => ({ 'iam:PermissionsBoundary': input.PermissionsBoundary }),
    },
    {
      ...iam.loose(`Delete${word}PermissionsBoundary`, target, (call, _input, row) => {
        protect(row as Holder)
        const { boundary, ...rest } = row as Holder
        if (boundary === undefined) {
          throw iam.fail(
            'NoSuchEntityException',
            `The ${kind} with name ${rest.name} does not have a permissions boundary.`,
          )
        }
        unbind(call, kind, row as Holder)
        resource.save(call, rest)
        return {}
      }),
      conditions: async (input: LooseInput, call: Call) => ({
        'iam:PermissionsBoundary': (await resource.get(call, input[`${word}Name`]))?.boundary,
      }),
    },
  ]
})
