/** Tags of what belongs to ACME: on creation below an endpoint, and by one operation for three types. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Row, Tags } from '../../kernel/resource/facts.ts'
import type { Identity, ResourceType } from '../../kernel/resource/resource-type.ts'
import { mergedTags, requestedTags, requestTagConditions, tagAuthorization } from '../../kernel/resource/tag-rules.ts'
import { listTags, withoutTags } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { type ExistingResource, RequestedTags } from '../../kernel/resource/targets.ts'
import { binding, domainValidation, endpoint } from './acme-resources.ts'
import { acm } from './resources.ts'

// biome-ignore lint/suspicious/noExplicitAny: tags do not depend on what a type is about.
type AnyType = ResourceType<any, any, any>

interface Owner<R> {
  readonly row: R
  /** The tags of the request, for what is created. */
  readonly tags: Tags
}

/** The endpoint below which something is created: permission to create on the endpoint, to tag on the type's pattern. */
export const taggingOf =
  <const T extends string, R extends Row, I extends Identity>(owner: ResourceType<T, R, I>, made: AnyType) =>
  <K extends string>(member: K): Target<{ readonly [P in K]?: string | undefined }, Owner<R>> => ({
    about: { type: owner, how: 'named', member },
    find: async (call, input) => {
      const found = await owner.find(call, input[member] ?? '', input)
      const rules = made.spec.tags!
      const tagging = tagAuthorization(rules, requestedTags(rules, input))
      const arn = made.form.printPattern(call)
      return {
        ...found,
        row: found.row && Object.assign(new RequestedTags(made, input), { row: found.row.row }),
        tagging: tagging && { ...tagging, acted: { arn, type: made.spec.type, account: call.account } },
      }
    },
  })

/** By the form of the ARN. */
const tagged: Target<{ readonly ResourceArn: string }, ExistingResource<Identity, Row>> = {
  about: { type: endpoint, how: 'named', member: 'ResourceArn' },
  find: (call: Call, { ResourceArn }) => {
    const type: AnyType = /\/acme-domain-validation\//.test(ResourceArn)
      ? domainValidation
      : /\/acme-external-account-binding\//.test(ResourceArn)
        ? binding
        : endpoint
    return type.find(call, ResourceArn)
  },
}

const rules = endpoint.spec.tags!

export const tagResource = acm
  .operation('TagResource')
  .on(tagged)
  .conditions((input) => requestTagConditions(requestedTags(rules, input)))
  .run((_call, input, { row, save }) => {
    save({ ...row, tags: mergedTags(rules, row.tags, requestedTags(rules, input)) })
    return {}
  })

export const untagResource = acm
  .operation('UntagResource')
  .on(tagged)
  .conditions(({ TagKeys }) => ({ 'aws:TagKeys': TagKeys }))
  .run((_call, { TagKeys }, { row, save }) => {
    save({ ...row, tags: withoutTags(row.tags, TagKeys) })
    return {}
  })

export const listTagsForResource = acm
  .operation('ListTagsForResource')
  .on(tagged)
  .run((_call, _input, { row }) => ({ Tags: listTags(row.tags) }))
