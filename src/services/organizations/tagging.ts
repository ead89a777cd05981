/** Tags on the root, units, accounts, policies and the delegation policy. */
import type { Tags } from '../../kernel/resource/facts.ts'
import { mergedTags } from '../../kernel/resource/tag-rules.ts'
import { listTags, withoutTags } from '../../kernel/resource/tags.ts'
import { targetNotFound } from './nodes.ts'
import type { Organization } from './organization.ts'
import { listed } from './pages.ts'
import { policyTypeOf } from './policies.ts'
import { arns, organizations, tagRules } from './resources.ts'
import { type AllowedCallers, within } from './within.ts'

/** A resource with tags, of any type. */
interface Tagged {
  readonly arn: string
  readonly tags: Tags
  save(tags: Tags): void
}

async function tagged(organization: Organization, id: string): Promise<Tagged | undefined> {
  const { row } = organization
  if (id === row.rootId) {
    return { arn: arns.root(row, id), tags: row.tags ?? {}, save: (tags) => void organization.change({ tags }) }
  }
  if (row.delegation?.id === id) {
    const { delegation } = row
    const save = (tags: Tags) => void organization.change({ delegation: { ...delegation, tags } })
    return { arn: arns.delegation(row, id), tags: delegation.tags, save }
  }
  const unit = await organization.unit(id)
  if (unit)
    return {
      arn: arns.unit(row, id),
      tags: unit.tags ?? {},
      save: (tags) => void organization.saveUnit({ ...unit, tags }),
    }
  const member = await organization.member(id)
  if (member)
    return {
      arn: arns.account(row, id),
      tags: member.tags ?? {},
      save: (tags) => void organization.saveMember({ ...member, tags }),
    }
  const policy = await organization.policy(id)
  return (
    policy && {
      arn: arns.policy(row, policy),
      tags: policy.tags ?? {},
      save: (tags) => void organization.savePolicy({ ...policy, tags }),
    }
  )
}

const target = (callers: AllowedCallers) =>
  within<{ readonly ResourceId?: string | undefined }, Tagged>(callers, async (organization, { ResourceId = '' }) => {
    const row = await tagged(organization, ResourceId)
    return { ...(row && { arn: row.arn, tags: row.tags }), row, missing: targetNotFound }
  })

export const tagResource = organizations
  .operation('TagResource')
  .on(target('management'))
  .conditions(({ ResourceId }, call) => policyTypeOf(call, ResourceId))
  .run((_call, input, { row }) => {
    row.save(mergedTags(tagRules, row.tags, input.Tags))
    return {}
  })

export const untagResource = organizations
  .operation('UntagResource')
  .on(target('management'))
  .conditions(({ ResourceId }, call) => policyTypeOf(call, ResourceId))
  .run((_call, input, { row }) => {
    row.save(withoutTags(row.tags, input.TagKeys))
    return {}
  })

export const listTagsForResource = organizations
  .operation('ListTagsForResource')
  .on(target('administrators'))
  .conditions(({ ResourceId }, call) => policyTypeOf(call, ResourceId))
  .run(async (call, input, { row }) => {
    const { items, rest } = await listed(call, listTags(row.tags), ({ Key }) => Key, input)
    return { Tags: [...items], ...rest }
  })
