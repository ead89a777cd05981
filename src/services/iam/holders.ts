/** Policies on users, groups and roles: attached and inline. Eighteen operations that differ only in their names. */
import type { Call } from '../../kernel/call.ts'
import type { Found, Resource, Target } from '../../kernel/resource.ts'
import type { Awaitable, LooseInput, Operation } from '../../kernel/service.ts'
import { dropAttachment, type HolderKind, indexAttachment } from './attachments.ts'
import { checkedPolicy, encodeDocument, policySize } from './documents.ts'
import { listItems } from './lists.ts'
import { findManagedPolicy, refuseNoArn } from './policies.ts'
import { conflict, group, type Holder, iam, role, user, withinQuota } from './resources.ts'
import { protect } from './service-linked.ts'

interface HolderFamily {
  readonly kind: HolderKind
  readonly resource: Resource<Holder>
  /** `User`: the names of operations and members are made of it. */
  readonly word: 'User' | 'Group' | 'Role'
  readonly attachmentsQuota: string
  readonly inlineQuota: string
}

const families: readonly HolderFamily[] = [
  {
    kind: 'user',
    resource: user as unknown as Resource<Holder>,
    word: 'User',
    attachmentsQuota: 'PoliciesPerUser',
    inlineQuota: 'UserPolicySize',
  },
  {
    kind: 'group',
    resource: group,
    word: 'Group',
    attachmentsQuota: 'PoliciesPerGroup',
    inlineQuota: 'GroupPolicySize',
  },
  {
    kind: 'role',
    resource: role as unknown as Resource<Holder>,
    word: 'Role',
    attachmentsQuota: 'PoliciesPerRole',
    inlineQuota: 'RolePolicySize',
  },
]

export const holderOperations: readonly Operation[] = families.flatMap(operationsOf)

function operationsOf({ kind, resource, word, attachmentsQuota, inlineQuota }: HolderFamily): Operation[] {
  const target: Target<LooseInput, Holder> = {
    find: (call, input): Promise<Found<Holder>> => resource.find(call, input[`${word}Name`]),
  }
  const policyArn = (input: LooseInput) => ({ 'iam:PolicyARN': input.PolicyArn })
  const boundary = (row: Holder | undefined) => ({ 'iam:PermissionsBoundary': row?.boundary })
  const writing = (
    name: Parameters<typeof iam.loose>[0],
    run: (call: Call, input: LooseInput, row: Holder) => Awaitable<object>,
    attaches = false,
  ): Operation => ({
    ...iam.loose(name, target, (call, input, row) => {
      protect(row as Holder)
      return run(call, input, row as Holder)
    }),
    conditions: async (input, call) => ({
      ...(attaches && policyArn(input)),
      ...(kind !== 'group' && boundary(await resource.get(call, input[`${word}Name`]))),
    }),
  })

  return [
    writing(
      `Attach${word}Policy`,
      async (call, input, row: Holder) => {
        refuseNoArn(input.PolicyArn)
        if (!(await findManagedPolicy(call.unit, input.PolicyArn, call.account))?.attachable)
          throw notAttachable(input.PolicyArn)
        if (row.attached.includes(input.PolicyArn)) return {}
        withinQuota(call, attachmentsQuota, row.attached.length + 1)
        resource.save(call, { ...row, attached: [...row.attached, input.PolicyArn] })
        indexAttachment(call, input.PolicyArn, kind, row.name)
        return {}
      },
      true,
    ),

    writing(
      `Detach${word}Policy`,
      (call, input, row: Holder) => {
        refuseNoArn(input.PolicyArn)
        if (!row.attached.includes(input.PolicyArn)) {
          throw iam.fail('NoSuchEntityException', `Policy ${input.PolicyArn} was not found.`)
        }
        resource.save(call, { ...row, attached: row.attached.filter((arn) => arn !== input.PolicyArn) })
        dropAttachment(call, input.PolicyArn, kind, row.name)
        return {}
      },
      true,
    ),

    iam.loose(`ListAttached${word}Policies`, target, async (call, input, row) => {
      const all = (row as Holder).attached.map((arn) => ({
        PolicyArn: arn,
        PolicyName: arn.slice(arn.lastIndexOf('/') + 1),
        path: pathOf(arn),
      }))
      const below = all.filter(({ path }) => path.startsWith(input.PathPrefix ?? '/'))
      const { items, rest } = await listItems(call, below, (policy) => policy.PolicyName, input)
      return { AttachedPolicies: items.map(({ path: _, ...shown }) => shown), ...rest }
    }),

    writing(`Put${word}Policy`, (call, input, row: Holder) => {
      checkedPolicy(input.PolicyDocument, 'identity')
      const inline: Holder['inline'] = { ...row.inline, [input.PolicyName]: input.PolicyDocument }
      const size = Object.values(inline).reduce((sum, text) => sum + policySize(text), 0)
      const max = call.quotas[`iam/${inlineQuota}`]
      if (max !== undefined && size > max) {
        throw iam.fail('LimitExceededException', `Maximum policy size of ${max} bytes exceeded for ${kind} ${row.name}`)
      }
      resource.save(call, { ...row, inline })
      return {}
    }),

    iam.loose(`Get${word}Policy`, target, (_call, input, row) => {
      const text = inlineOf(row as Holder, input.PolicyName, kind)
      return {
        [`${word}Name`]: (row as Holder).name,
        PolicyName: input.PolicyName,
        PolicyDocument: encodeDocument(text),
      }
    }),

    writing(`Delete${word}Policy`, (call, input, row: Holder) => {
      inlineOf(row, input.PolicyName, kind)
      const { [input.PolicyName]: _gone, ...inline } = row.inline
      resource.save(call, { ...row, inline })
      return {}
    }),

    iam.loose(`List${word}Policies`, target, async (call, input, row) => {
      const { items, rest } = await listItems(call, Object.keys((row as Holder).inline), (name) => name, input)
      return { PolicyNames: items, ...rest }
    }),
  ]
}

/** AWS refuses to delete what still carries policies. */
export function refuseIfHolding(row: Holder): void {
  if (row.attached.length > 0) throw conflict('Cannot delete entity, must detach all policies first.')
  if (Object.keys(row.inline).length > 0) throw conflict('Cannot delete entity, must delete policies first.')
}

/** Keeps the index of attachments true when a holder is renamed. */
export function moveHoldings(call: Call, kind: 'user' | 'group', from: Holder, to: Holder): void {
  for (const arn of from.attached) {
    dropAttachment(call, arn, kind, from.name)
    indexAttachment(call, arn, kind, to.name)
  }
  if (kind === 'user' && from.boundary) {
    dropAttachment(call, from.boundary, 'user-boundary', from.name)
    indexAttachment(call, from.boundary, 'user-boundary', to.name)
  }
}

function inlineOf(row: Holder, name: string, kind: HolderKind): string {
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
