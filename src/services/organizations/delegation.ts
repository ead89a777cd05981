/** The delegation policy: what members of the organisation may do beside its management account. */
import { PolicyError, parsePolicy } from '../../policy/index.ts'
import { itself } from './organization.ts'
import { arns, newIds, type OrganizationRow, organizations } from './resources.ts'
import { newTags } from './tags.ts'

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

export const putResourcePolicy = organizations
  .operation('PutResourcePolicy')
  .on(itself())
  .run((_call, input, { organization }) => {
    try {
      parsePolicy(input.Content, 'resource')
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error
      throw organizations.fail('InvalidInputException', error.message, { Reason: 'INVALID_RESOURCE_POLICY_JSON' })
    }
    const { delegation } = organization.row
    const id = delegation?.id ?? newIds.delegation()
    const tags = input.Tags ? newTags(input.Tags) : (delegation?.tags ?? {})
    return shown(organization.change({ delegation: { id, content: input.Content, tags } }))
  })

export const describeResourcePolicy = organizations
  .operation('DescribeResourcePolicy')
  .on(itself('administrators'))
  .run((_call, _input, { organization }) => {
    if (!organization.row.delegation) throw notFound()
    return shown(organization.row)
  })

export const deleteResourcePolicy = organizations
  .operation('DeleteResourcePolicy')
  .on(itself())
  .run((_call, _input, { organization }) => {
    const { delegation, ...row } = organization.row
    if (!delegation) throw notFound()
    organization.replace(row)
    return {}
  })
