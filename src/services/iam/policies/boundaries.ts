/** Permissions boundaries of users and roles. */
import type { PermissionsBoundaryAttachmentType } from '@aws-sdk/client-iam'
import type { Call } from '../../../kernel/gate/call.ts'
import type { ResourceType } from '../../../kernel/resource/resource-type.ts'
import type { Operation } from '../../../kernel/service/service.ts'
import { type IamIdentity, type NameId, role, user } from '../resources.ts'
import { protect } from '../roles/service-linked.ts'
import { iam } from '../words.ts'
import { dropAttachment, indexAttachment } from './attachments.ts'
import { findManagedPolicy, refuseNoArn } from './policies.ts'

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
export function unbind(call: Pick<Call, 'unit' | 'account'>, kind: Bounded, row: IamIdentity): void {
  if (row.boundary) dropAttachment(call, row.boundary, `${kind}-boundary`, row.name)
}

/** AWS answers `Policy`, whatever its model's enumeration says. */
const BOUNDARY_TYPE = 'Policy' as unknown as PermissionsBoundaryAttachmentType

export function shownBoundary(row: IamIdentity) {
  if (!row.boundary) return {}
  return { PermissionsBoundary: { PermissionsBoundaryType: BOUNDARY_TYPE, PermissionsBoundaryArn: row.boundary } }
}

const families = [
  { kind: 'user', word: 'User', type: user as unknown as ResourceType<string, IamIdentity, NameId> },
  { kind: 'role', word: 'Role', type: role as unknown as ResourceType<string, IamIdentity, NameId> },
] as const

export const boundaryOperations: readonly Operation[] = families.flatMap(({ kind, word, type }) => {
  const holder = type.named(`${word}Name`)
  return [
    iam
      .operation(`Put${word}PermissionsBoundary`)
      .on(holder)
      .run(async (call, input, { row, save }) => {
        protect(row)
        unbind(call, kind, row)
        save({ ...row, ...(await bounded(call, kind, row.name, input.PermissionsBoundary)) })
        return {}
      }),

    iam
      .operation(`Delete${word}PermissionsBoundary`)
      .on(holder)
      .run((call, _input, { row, save }) => {
        protect(row)
        const { boundary, ...rest } = row
        if (boundary === undefined) {
          throw iam.fail(
            'NoSuchEntityException',
            `The ${kind} with name ${row.name} does not have a permissions boundary.`,
          )
        }
        unbind(call, kind, row)
        save(rest)
        return {}
      }),
  ]
})
