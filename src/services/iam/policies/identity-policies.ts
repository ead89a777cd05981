/** Policies on users, groups and roles: attached and inline. Eighteen operations that differ only in their names. */
import type { Call } from '../../../kernel/gate/call.ts'
import type { ResourceType } from '../../../kernel/resource/resource-type.ts'
import type { Operation } from '../../../kernel/service/service.ts'
import { listItems } from '../lists.ts'
import { group, type IamIdentity, type NameId, role, user } from '../resources.ts'
import { protect } from '../roles/service-linked.ts'
import { conflict, iam, withinQuota } from '../words.ts'
import { dropAttachment, type HolderKind, indexAttachment } from './attachments.ts'
import { checkedPolicy, encodeDocument, policySize } from './documents.ts'
import { findManagedPolicy, refuseNoArn } from './policies.ts'

interface HolderFamily {
  readonly kind: HolderKind
  readonly type: ResourceType<string, IamIdentity, NameId>
  /** `User`: the names of operations and members are made of it. */
  readonly word: 'User' | 'Group' | 'Role'
  readonly attachmentsQuota: string
  readonly inlineQuota: string
}

/** Policies do not depend on what else a row has: one body serves three types. */
const holderType = (type: unknown) => type as ResourceType<string, IamIdentity, NameId>

const families: readonly HolderFamily[] = [
  {
    kind: 'user',
    type: holderType(user),
    word: 'User',
    attachmentsQuota: 'PoliciesPerUser',
    inlineQuota: 'UserPolicySize',
  },
  {
    kind: 'group',
    type: holderType(group),
    word: 'Group',
    attachmentsQuota: 'PoliciesPerGroup',
    inlineQuota: 'GroupPolicySize',
  },
  {
    kind: 'role',
    type: holderType(role),
    word: 'Role',
    attachmentsQuota: 'PoliciesPerRole',
    inlineQuota: 'RolePolicySize',
  },
]

export const holderOperations: readonly Operation[] = families.flatMap(operationsOf)

function operationsOf({ kind, type, word, attachmentsQuota, inlineQuota }: HolderFamily): Operation[] {
  const holder = type.named(`${word}Name`)

  return [
    iam
      .operation(`Attach${word}Policy`)
      .on(holder)
      .run(async (call, { PolicyArn: arn }, { row, save }) => {
        protect(row)
        refuseNoArn(arn)
        if (!(await findManagedPolicy(call.unit, arn, call.account))?.attachable) throw notAttachable(arn)
        if (row.attached.includes(arn)) return {}
        withinQuota(call, attachmentsQuota, row.attached.length + 1)
        save({ ...row, attached: [...row.attached, arn] })
        indexAttachment(call, arn, kind, row.name)
        return {}
      }),

    iam
      .operation(`Detach${word}Policy`)
      .on(holder)
      .run((call, { PolicyArn: arn }, { row, save }) => {
        protect(row)
        refuseNoArn(arn)
        if (!row.attached.includes(arn)) throw iam.fail('NoSuchEntityException', `Policy ${arn} was not found.`)
        save({ ...row, attached: row.attached.filter((each) => each !== arn) })
        dropAttachment(call, arn, kind, row.name)
        return {}
      }),

    iam
      .operation(`ListAttached${word}Policies`)
      .on(holder)
      .run(async (call, input, { row }) => {
        const all = row.attached.map((arn) => ({
          PolicyArn: arn,
          PolicyName: arn.slice(arn.lastIndexOf('/') + 1),
          path: pathOf(arn),
        }))
        const below = all.filter(({ path }) => path.startsWith(input.PathPrefix ?? '/'))
        const { items, rest } = await listItems(call, below, (policy) => policy.PolicyName, input)
        return { AttachedPolicies: items.map(({ path: _, ...shown }) => shown), ...rest }
      }),

    iam
      .operation(`Put${word}Policy`)
      .on(holder)
      .run((call, input, { row, save }) => {
        protect(row)
        checkedPolicy(input.PolicyDocument, 'identity')
        const inline: IamIdentity['inline'] = { ...row.inline, [input.PolicyName]: input.PolicyDocument }
        const size = Object.values(inline).reduce((sum, text) => sum + policySize(text), 0)
        const max = call.quotas[`iam/${inlineQuota}`]
        if (max !== undefined && size > max) {
          const message = `Maximum policy size of ${max} bytes exceeded for ${kind} ${row.name}`
          throw iam.fail('LimitExceededException', message)
        }
        save({ ...row, inline })
        return {}
      }),

    iam
      .operation(`Get${word}Policy`)
      .on(holder)
      .run((_call, input, { row }) => {
        const PolicyDocument = encodeDocument(inlineOf(row, input.PolicyName, kind))
        const shown = { [`${word}Name`]: row.name, PolicyName: input.PolicyName, PolicyDocument }
        return shown as typeof shown & Record<'UserName' | 'GroupName' | 'RoleName', string>
      }),

    iam
      .operation(`Delete${word}Policy`)
      .on(holder)
      .run((_call, input, { row, save }) => {
        protect(row)
        inlineOf(row, input.PolicyName, kind)
        const { [input.PolicyName]: _gone, ...inline } = row.inline
        save({ ...row, inline })
        return {}
      }),

    iam
      .operation(`List${word}Policies`)
      .on(holder)
      .run(async (call, input, { row }) => {
        const { items, rest } = await listItems(call, Object.keys(row.inline), (name) => name, input)
        return { PolicyNames: [...items], ...rest }
      }),
  ]
}

/** AWS refuses to delete what still carries policies. */
export function refuseIfHolding(row: IamIdentity): void {
  if (row.attached.length > 0) throw conflict('Cannot delete entity, must detach all policies first.')
  if (Object.keys(row.inline).length > 0) throw conflict('Cannot delete entity, must delete policies first.')
}

/** Keeps the index of attachments true when a holder is renamed. */
export function moveHoldings(call: Call, kind: 'user' | 'group', from: IamIdentity, to: IamIdentity): void {
  for (const arn of from.attached) {
    dropAttachment(call, arn, kind, from.name)
    indexAttachment(call, arn, kind, to.name)
  }
  if (kind === 'user' && from.boundary) {
    dropAttachment(call, from.boundary, 'user-boundary', from.name)
    indexAttachment(call, from.boundary, 'user-boundary', to.name)
  }
}

function inlineOf(row: IamIdentity, name: string, kind: HolderKind): string {
  const text = row.inline[name]
  if (text === undefined)
    throw iam.fail('NoSuchEntityException', `The ${kind} policy with name ${name} cannot be found.`)
  return text
}

/** `/job-function/` of `arn:aws:iam::aws:policy/job-function/ViewOnlyAccess`. */
function pathOf(arn: string): string {
  return arn.slice(arn.indexOf('/'), arn.lastIndexOf('/') + 1)
}

function notAttachable(arn: string) {
  return iam.fail('NoSuchEntityException', `Policy ${arn} does not exist or is not attachable.`)
}
