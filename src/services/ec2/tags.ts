/** Tags of every kind of resource, by ID. */
import type { Call } from '../../kernel/gate/call.ts'
import type { Tags } from '../../kernel/resource/facts.ts'
import { removedKeys } from '../../kernel/resource/tag-rules.ts'
import { pageOf } from '../../kernel/service/page.ts'
import type { LooseInput } from '../../kernel/service/service.ts'
import { key } from '../../store/store.ts'
import { nothing, op } from './define-operation.ts'
import { fault, invalid, missing } from './faults.ts'
import { parseFilters } from './filters.ts'
import { keyPair } from './machine-resources.ts'
import { type SecurityGroupRow, securityGroup, securityGroupRule } from './resources.ts'
import { allKinds, mergedEc2Tags, type Part } from './words.ts'

const RESOURCES_MAX = 1000

interface Tagged {
  readonly tags: Tags | undefined
  save(tags: Tags): void
}

const kindOf = (id: string) => allKinds.find(({ spec }) => id.startsWith(`${spec.prefix}-`))

/** The resources that the request names, of whatever kinds. */
const resources: Part<readonly Tagged[]> = {
  find: async (call, input) => {
    const ids: readonly string[] = input.Resources ?? []
    if (ids.length === 0) throw missing('resourceIdSet')
    if (ids.length > RESOURCES_MAX) throw invalid(`A request names at most ${RESOURCES_MAX} resources.`)
    const all = []
    for (const id of new Set(ids)) all.push(await resolve(call, id))
    const absent = all.find((each) => each.missing)
    return {
      acted: all.flatMap(({ acted }) => acted),
      value: all.flatMap(({ value }) => value ?? []),
      ...(absent && { missing: absent.missing }),
    }
  },
}

async function resolve(call: Call, id: string) {
  const kind = kindOf(id)
  if (!kind) throw fault('InvalidID', `The ID '${id}' is not valid`)
  if ((kind as object) === securityGroupRule) return resolveRule(call, id)
  const name = (kind as object) === keyPair ? await keyName(call, id) : id
  const { acted, value, missing: absent } = await kind.by(() => [name]).find(call, {})
  const [found] = value
  const tagged: Tagged | undefined = found && {
    tags: found.row.tags,
    // Read again: a request may name a resource twice in different ways.
    save: (tags) => kind.put(call, { ...found.row, tags }),
  }
  return { acted, value: tagged, missing: absent }
}

const keyName = async (call: Call, id: string): Promise<string> =>
  (await call.unit.get<{ readonly name: string }>(key('ec2', 'key-pair-id', call.account, call.region, id)))?.name ?? id

/** Rules are part of the rows of their groups. */
async function resolveRule(call: Call, id: string) {
  const group = (await securityGroup.all(call)).find(({ rules }) => rules.some((rule) => rule.id === id))
  const rule = group?.rules.find((each) => each.id === id)
  const facts = await securityGroupRule.facts(call, undefined, {})
  const acted = [{ ...facts, arn: securityGroupRule.arn(call, id), tags: rule?.tags }]
  if (!group || !rule)
    return {
      acted,
      value: undefined,
      missing: () => fault('InvalidSecurityGroupRuleId.NotFound', securityGroupRule.spec.absent(id)),
    }
  const tagged: Tagged = {
    tags: rule.tags,
    save: (tags) => void saveRule(call, group, id, tags),
  }
  return { acted, value: tagged, missing: undefined }
}

function saveRule(call: Call, group: SecurityGroupRow, id: string, tags: Tags): SecurityGroupRow {
  const rules = group.rules.map((rule) => (rule.id === id ? { ...rule, tags } : rule))
  return securityGroup.put(call, { ...group, rules })
}

export const createTags = op('CreateTags', [resources], async (_call, input, [found]) => {
  const pairs = (input.Tags ?? []).map(({ Key = '', Value = '' }) => ({ Key, Value }))
  if (pairs.length === 0) throw missing('tagSet')
  for (const each of found) each.save(mergedEc2Tags(each.tags, pairs))
  return {}
})

/** Without tags all of the resource's go; a tag with a value goes only if it has that value. */
export const deleteTags = op('DeleteTags', [resources], (_call, input, [found]) => {
  for (const each of found) {
    const gone = new Set(input.Tags ? removedKeys(input.Tags, each.tags) : Object.keys(each.tags ?? {}))
    each.save(Object.fromEntries(Object.entries(each.tags ?? {}).filter(([name]) => !gone.has(name))))
  }
  return {}
})

const FILTERS = parseFilters('key resource-id resource-type value')
const PAGE_MAX = 1000

export const describeTags = op('DescribeTags', nothing, async (call, input) => {
  // Here `tag:KEY` filters by the tag itself.
  const filters = (input.Filters ?? []).flatMap(({ Name = '', Values = [] }) =>
    Name.startsWith('tag:')
      ? [
          { Name: 'key', Values: [Name.slice('tag:'.length)] },
          { Name: 'value', Values },
        ]
      : [{ Name, Values }],
  )
  const { keeps } = FILTERS(filters)
  const described: {
    readonly Key: string
    readonly Value: string
    readonly ResourceId: string
    readonly ResourceType: string
  }[] = []
  const add = (tags: Tags | undefined, ResourceId: string, ResourceType: string) => {
    for (const [Key, Value] of Object.entries(tags ?? {})) described.push({ Key, Value, ResourceId, ResourceType })
  }
  for (const kind of allKinds) {
    for (const row of await kind.all(call)) {
      add(row.tags, (row.data as LooseInput).KeyPairId ?? row.id, kind.spec.kind)
      if ((kind as object) === securityGroup)
        for (const rule of (row as SecurityGroupRow).rules) add(rule.tags, rule.id, 'security-group-rule')
    }
  }
  const position = ({ ResourceId, Key }: { readonly ResourceId: string; readonly Key: string }) =>
    `${ResourceId} ${Key}`
  const kept = described.filter(keeps).sort((a, b) => (position(a) < position(b) ? -1 : 1))
  if (input.MaxResults === undefined && input.NextToken === undefined) return { Tags: kept as never }
  const { items, next } = await pageOf(call, kept, position, {
    token: input.NextToken,
    size: input.MaxResults ?? PAGE_MAX,
    query: filters,
    bad: () => fault('InvalidNextToken', 'The token is invalid.'),
  })
  return { Tags: items as never, ...(next !== undefined && { NextToken: next }) }
})
