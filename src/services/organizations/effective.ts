/** Effective policies: what the management policies of root, units and account come to for one account. */
import type * as Organizations from '@aws-sdk/client-organizations'
import type { Call } from '../../kernel/call.ts'
import { type Conflict, type Effective, effective, type Inherited } from './inheritance.ts'
import { targetNotFound } from './nodes.ts'
import type { Organization } from './organization.ts'
import { listed } from './pages.ts'
import type { PolicyType } from './policy-types.ts'
import type { MemberRow } from './resources.ts'
import { arns, date, invalidInput, organizations } from './resources.ts'
import { pathTo } from './tree.ts'
import { type Audience, itself, within } from './within.ts'

interface Asks {
  readonly PolicyType?: Organizations.EffectivePolicyType | undefined
}

const typeKey = ({ PolicyType }: Asks) => ({ 'organizations:PolicyType': PolicyType })

async function computed(organization: Organization, account: string, type: PolicyType): Promise<Effective & Newest> {
  const levels: Inherited[][] = []
  let updatedAt = 0
  for (const target of await pathTo(organization, account)) {
    const ids = (await organization.attachments(target)).policies[type] ?? []
    const rows = await Promise.all(ids.map((id) => organization.policy(id)))
    const found = rows.filter((row) => row !== undefined)
    levels.push(found.map(({ id, content }) => ({ id, document: JSON.parse(content) })))
    updatedAt = Math.max(updatedAt, ...found.map((row) => row.updatedAt ?? 0))
  }
  return { ...effective(levels), updatedAt }
}

interface Newest {
  /** When the youngest of its policies was written; 0 when none tells. */
  readonly updatedAt: number
}

/** The account that is asked about: by default the caller's own, which any member may ask. */
function account(audience: Audience, member: 'TargetId' | 'AccountId') {
  return within<Asks & { readonly [member: string]: unknown }, MemberRow>(
    audience,
    async (organization, input, call) => {
      const id = (input[member] as string | undefined) ?? call.account
      const row = await organization.member(id)
      return {
        arn: arns.account(organization.row, id),
        tags: row?.tags,
        row,
        missing: member === 'TargetId' ? targetNotFound : accountNotFound,
        own: id === call.account,
      }
    },
  )
}

const accountNotFound = () =>
  organizations.fail('AccountNotFoundException', "You specified an account that doesn't exist.")

function refuseDisabled(organization: Organization, type: PolicyType): void {
  if (organization.row.enabledTypes.includes(type)) return
  throw invalidInput('INVALID_ENUM_POLICY_TYPE', `Policies of type ${type} are not enabled in this organization.`)
}

export const describeEffectivePolicy = organizations
  .operation('DescribeEffectivePolicy')
  .on(account('administrators', 'TargetId'))
  .given(typeKey)
  .run(async (call, { PolicyType: type }, { organization, row }) => {
    const { document, updatedAt } = await computed(organization, row.id, type)
    if (!document || !organization.row.enabledTypes.includes(type)) {
      throw organizations.fail(
        'EffectivePolicyNotFoundException',
        'If you ran this action on the management account, this policy type is not enabled, or no policy of it applies to the account.',
      )
    }
    return {
      EffectivePolicy: {
        PolicyContent: JSON.stringify(document),
        LastUpdatedTimestamp: date(updatedAt || call.now),
        TargetId: row.id,
        PolicyType: type,
      },
    }
  })

const shownConflict = ({ code, path, message, policies }: Conflict) => ({
  ErrorCode: code,
  ErrorMessage: message,
  PathToError: path,
  ContributingPolicies: [...new Set(policies)],
})

export const listEffectivePolicyValidationErrors = organizations
  .operation('ListEffectivePolicyValidationErrors')
  .on(account('administrators', 'AccountId'))
  .given(typeKey)
  .run(async (call: Call, input, { organization, row }) => {
    refuseDisabled(organization, input.PolicyType)
    const { conflicts } = await computed(organization, row.id, input.PolicyType)
    const numbered = conflicts.map((conflict, at) => ({ ...conflict, at: String(at).padStart(6, '0') }))
    const { items, rest } = await listed(call, numbered, ({ at }) => at, input)
    return {
      AccountId: row.id,
      PolicyType: input.PolicyType,
      Path: `${[organization.row.id, ...(await pathTo(organization, row.id))].join('/')}/`,
      EvaluationTimestamp: date(call.now),
      EffectivePolicyValidationErrors: items.map(shownConflict),
      ...rest,
    }
  })

export const listAccountsWithInvalidEffectivePolicy = organizations
  .operation('ListAccountsWithInvalidEffectivePolicy')
  .on(itself('administrators'))
  .given(typeKey)
  .run(async (call, input, { organization }) => {
    refuseDisabled(organization, input.PolicyType)
    const invalid: MemberRow[] = []
    for (const member of await organization.members()) {
      if ((await computed(organization, member.id, input.PolicyType)).conflicts.length > 0) invalid.push(member)
    }
    const { items, rest } = await listed(call, invalid, ({ id }) => id, input)
    return {
      Accounts: items.map((row) => ({
        Id: row.id,
        Arn: arns.account(organization.row, row.id),
        Email: row.email,
        Name: row.name,
        Status: row.state,
        State: row.state,
        JoinedMethod: row.joined,
        JoinedTimestamp: date(row.joinedAt),
      })),
      PolicyType: input.PolicyType,
      ...rest,
    }
  })
