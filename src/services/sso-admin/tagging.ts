/** Tags of instances, permission sets, applications and trusted token issuers: one operation serves every type. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import { mergedTags, requestedTags, requestTagConditions } from '../../kernel/resource/tag-rules.ts'
import { listTags, withoutTags } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import { rowsOf } from './lists.ts'
import { application, instance, invalid, permissionSet, SCOPE, sso, tagRules, tokenIssuer } from './resources.ts'
import { type InInstance, type Located, resolved } from './target.ts'

interface Named {
  readonly ResourceArn: string
}

interface Tagged {
  readonly row: Row
  save(row: Row): void
}

// biome-ignore lint/suspicious/noExplicitAny: tags do not depend on what the type is about.
type AnyType = any

const TYPES: readonly AnyType[] = [instance, permissionSet, application, tokenIssuer]

const resource: Target<Named, InInstance<Tagged>> = {
  find: (call, { ResourceArn: arn }) => {
    const type = TYPES.find((each) => each.form.parse(arn) !== undefined)
    if (!type) throw invalid(`${arn} is not a valid ARN.`)
    const { account, variables } = type.form.parse(arn)
    return resolved(
      call,
      {},
      variables.InstanceId,
      async (): Promise<Located<Tagged>> => {
        const row = (await type.get(call.unit, SCOPE, variables)) as (Row & { readonly account: string }) | undefined
        const isNamed = account === undefined || account === row?.account
        return {
          on: [{ arn, type: type.spec.type, tags: row?.tags }],
          row: row && isNamed ? { row, save: (changed: Row) => void type.put(call.unit, SCOPE, changed) } : undefined,
          missing: `Could not find ${arn}.`,
          applicationAccount: type === application ? row?.account : undefined,
        }
      },
      { isInstanceListed: false },
    )
  },
}

const keysOf = ({ TagKeys }: { readonly TagKeys: readonly string[] }): Conditions => ({ 'aws:TagKeys': TagKeys })

export const tagResource = sso
  .operation('TagResource')
  .on(resource)
  .conditions((input) => requestTagConditions(requestedTags(tagRules, input)))
  .run((_call: Call, input, { row: { row, save } }) => {
    save({ ...row, tags: mergedTags(tagRules, row.tags, requestedTags(tagRules, input)) })
    return {}
  })

export const untagResource = sso
  .operation('UntagResource')
  .on(resource)
  .conditions(keysOf)
  .run((_call, { TagKeys }, { row: { row, save } }) => {
    save({ ...row, tags: withoutTags(row.tags, TagKeys) })
    return {}
  })

export const listTagsForResource = sso
  .operation('ListTagsForResource')
  .on(resource)
  .run(async (call, input, { row: { row } }) => {
    const { items, rest } = await rowsOf(call, listTags(row.tags), ({ Key }) => Key, input)
    return { Tags: [...items], ...rest }
  })
