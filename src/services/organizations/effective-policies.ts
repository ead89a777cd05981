/** The effective management policies of an account, and their validation errors. */
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Target } from '../../kernel/resource/target.ts'
import type { Fault } from '../../wire/fault.ts'
import { shownAccount } from './accounts.ts'
import { type Inherited, type Invalid, type Merged, merge, problemsOf } from './inheritance.ts'
import { ANYTHING, managementForms } from './management-forms.ts'
import { readManagementPolicy } from './management-policy.ts'
import { targetNotFound } from './nodes.ts'
import type { Organization } from './organization.ts'
import { listed } from './pages.ts'
import { policyTypes } from './policy-types.ts'
import {
  accountNotFound,
  date,
  invalidInput,
  type MemberRow,
  memberType,
  organizations,
  type PolicyRow,
} from './resources.ts'
import { pathTo } from './tree.ts'
import { type OrganizationTarget, ownOrganization, partNamed, within } from './within.ts'

type Type = Organizations.EffectivePolicyType

interface Outcome extends Merged {
  readonly topic: string
  readonly problems: readonly Invalid[]
  /** Epoch milliseconds. */
  readonly updatedAt: number
}

const notFound = () =>
  organizations.fail('EffectivePolicyNotFoundException', 'The account has no effective policy of this type.')

/** Undefined when no policy of the type applies to the account. */
async function outcomeFor(organization: Organization, account: string, type: Type): Promise<Outcome | undefined> {
  if (!organization.row.enabledTypes.includes(type)) return undefined
  const topic = policyTypes[type].topic!
  const levels: (readonly PolicyRow[])[] = []
  for (const node of await pathTo(organization, account)) {
    const ids = (await organization.attachments(node)).policies[type] ?? []
    const rows = await Promise.all(ids.map((id) => organization.policy(id)))
    levels.push(rows.filter((row) => row !== undefined))
  }
  const rows = levels.flat()
  if (rows.length === 0) return undefined

  const malformed: Invalid[] = []
  const read = ({ id, content }: PolicyRow): readonly Inherited[] => {
    try {
      return [{ policy: id, content: readManagementPolicy(content, topic) }]
    } catch (error) {
      // Saved by a release that checked less.
      if (!(error instanceof SyntaxError)) throw error
      malformed.push({ code: 'POLICY_MALFORMED', message: `Policy ${id} is left out: ${error.message}`, path: [] })
      return []
    }
  }
  const merged = merge(levels.map((level) => level.flatMap(read)))
  const problems = [
    ...malformed,
    ...merged.conflicts,
    ...problemsOf(merged.effective, managementForms[topic] ?? ANYTHING),
  ]
  return { ...merged, topic, problems, updatedAt: Math.max(...rows.map(({ updatedAt = 0 }) => updatedAt)) }
}

/** Any account for itself; another account only for the administrators of the organization. */
function accountIn<K extends string>(
  member: K,
  missing: () => Fault,
): Target<{ readonly [P in K]?: string | undefined }, OrganizationTarget<MemberRow>> {
  type Input = { readonly [P in K]?: string | undefined }
  return {
    find: (call, input) => {
      const id = input[member] ?? call.account
      const found = within<Input, MemberRow>(
        id === call.account ? 'members' : 'administrators',
        async (organization) => {
          if (/^(r|ou)-/.test(id)) {
            const node = await organization.node(id)
            const unsupported = () => invalidInput('TARGET_NOT_SUPPORTED', 'Effective policies are those of accounts.')
            return { ...(node && { arn: node.arn }), row: undefined, missing: unsupported }
          }
          return { ...(await partNamed(call, organization, memberType, id)), missing }
        },
      )
      return found.find(call, input)
    },
  }
}

export const describeEffectivePolicy = organizations
  .operation('DescribeEffectivePolicy')
  .on(accountIn('TargetId', targetNotFound))
  .conditions((input) => ({ 'organizations:PolicyType': input.PolicyType }))
  .run(async (_call, { PolicyType }, { organization, row }) => {
    const outcome = await outcomeFor(organization, row.id, PolicyType)
    if (!outcome) throw notFound()
    return {
      EffectivePolicy: {
        PolicyContent: JSON.stringify({ [outcome.topic]: outcome.effective }),
        LastUpdatedTimestamp: date(outcome.updatedAt),
        TargetId: row.id,
        PolicyType,
      },
    }
  })

export const listEffectivePolicyValidationErrors = organizations
  .operation('ListEffectivePolicyValidationErrors')
  .on(accountIn('AccountId', accountNotFound))
  .conditions((input) => ({ 'organizations:PolicyType': input.PolicyType }))
  .run(async (call, input, { organization, row }) => {
    const outcome = await outcomeFor(organization, row.id, input.PolicyType)
    if (!outcome) throw notFound()
    const { topic, problems, contributors } = outcome
    const pathOf = ({ path }: Invalid) => [topic, ...path].join('/')
    const { items, rest } = await listed(call, problems, (each) => `${pathOf(each)} ${each.message}`, input)
    return {
      AccountId: row.id,
      PolicyType: input.PolicyType,
      Path: `${organization.row.id}/${(await pathTo(organization, row.id)).join('/')}/`,
      EvaluationTimestamp: date(call.now),
      EffectivePolicyValidationErrors: items.map((each) => ({
        ErrorCode: each.code,
        ErrorMessage: each.message,
        PathToError: pathOf(each),
        ContributingPolicies: [...new Set(each.policies ?? contributors(each.path))],
      })),
      ...rest,
    }
  })

/** Evaluates as many accounts as a page may hold: a page can be empty without being the last. */
export const listAccountsWithInvalidEffectivePolicy = organizations
  .operation('ListAccountsWithInvalidEffectivePolicy')
  .on(ownOrganization('administrators'))
  .conditions((input) => ({ 'organizations:PolicyType': input.PolicyType }))
  .run(async (call, input, { organization }) => {
    if (!organization.row.enabledTypes.includes(input.PolicyType)) throw notFound()
    const { items, rest } = await listed(call, await organization.members(), ({ id }) => id, input)
    const invalid: MemberRow[] = []
    for (const row of items) {
      const outcome = await outcomeFor(organization, row.id, input.PolicyType)
      if (outcome && outcome.problems.length > 0) invalid.push(row)
    }
    return {
      Accounts: await Promise.all(invalid.map((row) => shownAccount(organization, row))),
      PolicyType: input.PolicyType,
      ...rest,
    }
  })
