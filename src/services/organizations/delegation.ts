/** The delegation policy: what members of the organization may do like its management account. */
import { PolicyError, parsePolicy, type Statement } from '../../policy/index.ts'
import { isDelegable } from './delegable.ts'
import { policyTypes } from './policy-types.ts'
import { arns, invalidInput, newIds, type OrganizationRow, organizations, violates } from './resources.ts'
import { mayTag, newTags } from './tags.ts'
import { ownOrganization, within } from './within.ts'

const notFound = () =>
  organizations.fail(
    'ResourcePolicyNotFoundException',
    "We can't find a resource policy with the parameter that you specified.",
  )

const shown = (row: OrganizationRow) => ({
  ResourcePolicy: {
    ResourcePolicySummary: { Id: row.delegation!.id, Arn: arns.delegation(row, row.delegation!.id) },
    Content: row.delegation!.content,
  },
})

/** The current delegation policy, or the one that will be created. */
const delegationPolicy = within<unknown, string>('management', ({ row }) => {
  const id = row.delegation?.id ?? newIds.delegation()
  return { arn: arns.delegation(row, id), tags: row.delegation?.tags, row: id }
})

/** Throws the fault for a statement that a delegation policy must not contain. */
function check(content: string): void {
  for (const statement of readable(content).statements) {
    if (!isForAccounts(statement)) {
      throw invalidInput('INVALID_PRINCIPAL', 'The policy delegates to accounts, users and roles only.')
    }
    const foreign = statement.resource?.values.find(
      (name) => name !== '*' && !/^arn:aws[^:]*:organizations:/.test(name),
    )
    if (foreign) {
      throw invalidInput('UNSUPPORTED_RESOURCE_IN_RESOURCE_POLICY', `${foreign} is no resource of organizations.`)
    }
    const type = typesIn(statement).find((name) => !/[*?$]/.test(name) && !Object.hasOwn(policyTypes, name))
    if (type) throw invalidInput('UNSUPPORTED_POLICY_TYPE_IN_RESOURCE_POLICY', `There are no policies of type ${type}.`)
    const { effect, action } = statement
    if (effect === 'Deny') continue
    const wrong = action.negated ? 'NotAction' : action.values.find((name) => !isDelegable(name))
    if (wrong) throw invalidInput('UNSUPPORTED_ACTION_IN_RESOURCE_POLICY', `The policy cannot delegate ${wrong}.`)
  }
}

const isForAccounts = ({ effect, principal }: Statement): boolean =>
  principal !== undefined &&
  (effect === 'Deny' || !principal.negated) &&
  Object.keys(principal.values).every((type) => type === 'AWS')

const typesIn = ({ conditions }: Statement): readonly string[] =>
  conditions.flatMap(({ key, values }) => (key.toLowerCase() === 'organizations:policytype' ? values : []))

function readable(content: string) {
  try {
    return parsePolicy(content, 'resource')
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw invalidInput('INVALID_RESOURCE_POLICY_JSON', error.message)
  }
}

export const putResourcePolicy = organizations
  .operation('PutResourcePolicy')
  .on(delegationPolicy)
  .run(async (_call, input, { organization, row: id, alsoOn }) => {
    await mayTag(alsoOn, { arn: arns.delegation(organization.row, id) }, input.Tags)
    if (organization.row.features !== 'ALL') {
      throw violates('ORGANIZATION_NOT_IN_ALL_FEATURES_MODE', 'Delegation needs an organization with all features.')
    }
    check(input.Content)
    const { delegation } = organization.row
    const tags = input.Tags ? newTags(input.Tags) : (delegation?.tags ?? {})
    return shown(organization.change({ delegation: { id, content: input.Content, tags } }))
  })

export const describeResourcePolicy = organizations
  .operation('DescribeResourcePolicy')
  .on(ownOrganization('administrators'))
  .run((_call, _input, { organization }) => {
    if (!organization.row.delegation) throw notFound()
    return shown(organization.row)
  })

export const deleteResourcePolicy = organizations
  .operation('DeleteResourcePolicy')
  .on(ownOrganization())
  .run((_call, _input, { organization }) => {
    const { delegation, ...row } = organization.row
    if (!delegation) throw notFound()
    organization.replace(row)
    return {}
  })
