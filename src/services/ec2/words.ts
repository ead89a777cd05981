/** How EC2 is declared: kinds of resources, and how the input of an operation names them. Operations: define-operation.ts. */
import { randomBytes } from 'node:crypto'
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { ResourceFacts, Row, TagAuthorization, Tags } from '../../kernel/resource/facts.ts'
import type { Identity, ResourceSpec, ResourceType } from '../../kernel/resource/resource-type.ts'
import { mergedTags, tagAuthorization } from '../../kernel/resource/tag-rules.ts'
import { listTags, TAGS_MAX, type TagPair } from '../../kernel/resource/tags.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { Awaitable } from '../../kernel/service/awaitable.ts'
import { defineService, type ServiceParts } from '../../kernel/service/define-service.ts'
import type { LooseInput, Operation, Service } from '../../kernel/service/service.ts'
import type { Fault } from '../../wire/fault.ts'
import { fault, invalid, missing } from './faults.ts'

/** What a call's parts came to: the row of its target. */
export interface Touched {
  readonly values: readonly unknown[]
  readonly others: readonly ResourceFacts[]
  readonly taggings: readonly TagAuthorization[]
  readonly missing: (() => Fault) | undefined
  /** Of the first resource. */
  readonly conditions: Conditions | undefined
}

/** The part of the common declarations that is used, without types of operations: `op` types those. */
interface Words {
  resource<R extends Row>(spec: ResourceSpec<string, R, Identity>): ResourceType<string, R, Identity>
  operation(name: string): {
    on(target: Target<LooseInput, Touched>): Targeted
  }
  service(parts: ServiceParts): Service
}
interface Targeted {
  actions(first: string, ...more: readonly string[]): Targeted
  conditions(supply: (input: LooseInput) => Conditions): Targeted
  run(body: (call: Call, input: LooseInput, touched: Touched) => Promise<LooseInput>): Operation
}

export const ec2 = defineService('ec2') as unknown as Words

export const newId = (prefix: string): string => `${prefix}-${randomBytes(9).toString('hex').slice(0, 17)}`

/** A row: what EC2 shows of a resource, without its tags. Times are epoch milliseconds, beside it. */
export interface Item<S> extends Row {
  readonly id: string
  readonly account: string
  readonly createdAt: number
  readonly data: S
}

/** A resource that exists. */
export interface Existing<S, R extends Item<S>> {
  readonly id: string
  readonly row: R
  readonly data: S
  readonly arn: string
  /** Merges into what is shown. */
  set(data: Partial<S>, more?: Partial<R>): R
  remove(): void
}

export interface Created<S, R extends Item<S>> {
  readonly id: string
  readonly arn: string
  readonly tags: Tags
  create(data: S, more?: Omit<R, keyof Item<S>>): R
}

export interface Resolved<R> {
  readonly acted: readonly ResourceFacts[]
  readonly value: R
  readonly missing?: (() => Fault) | undefined
  readonly tagging?: TagAuthorization | undefined
}

/** What an operation touches, found in its input. */
export interface Part<V> {
  readonly about?: Target<LooseInput, unknown>['about']
  /** Whether the tags of the request are for what this part creates. */
  readonly tags?: string
  find(call: Call, input: LooseInput): Promise<Resolved<V>>
}

/** Tags of a request, checked when they are read. A class for the reason that `RequestedTags` in the kernel gives. */
class CheckedTags {
  readonly #pairs: ReturnType<typeof pairsFor>

  constructor(pairs: ReturnType<typeof pairsFor>) {
    this.#pairs = pairs
  }

  get tags(): Tags {
    return mergedTags(TAGS, undefined, this.#pairs)
  }
}

export interface KindSpec<S, R extends Item<S>> {
  /** Begins the keys of the rows: never change it. Also the type of `TagSpecifications` and of ARNs. */
  readonly kind: string
  /** CloudFormation's name. */
  readonly type: string
  /** Exactly as the service authorization reference writes it. */
  readonly arn: string
  /** Of IDs: `vpc`. */
  readonly prefix: string
  /** The code for a missing one; `.NotFound` and `.Malformed` follow it. */
  readonly code: string
  /** The sentence for a missing one. */
  readonly absent: (id: string) => string
  /** The code for a missing one, where it has another form. */
  readonly notFoundCode?: string
  /** Of IDs, where they are not a prefix and hexadecimal digits: names of key pairs. */
  readonly pattern?: string
  /** Condition keys of the resource. `row` is undefined for one that is to be created. */
  readonly keys?: (row: R | undefined, call: Call, input: LooseInput) => Conditions
  /** As described, without tags. Default: what is stored. */
  readonly show?: (row: R, now: number) => S
  /** Rows that are over at this time are not found. */
  readonly isGone?: (row: R, now: number) => boolean
}

type AnyType<R extends Row> = ResourceType<string, R, Identity>

export interface Kind<S, R extends Item<S> = Item<S>> {
  readonly spec: KindSpec<S, R>
  readonly type: AnyType<R>
  /** The resource that the member names. */
  at(member: string): Part<Existing<S, R>>
  /** The same, if the request has the member. */
  maybe(member: string): Part<Existing<S, R> | undefined>
  /** Resources that a function finds in the request. */
  by(
    ids: (input: LooseInput, call: Call) => Awaitable<readonly (string | undefined)[]>,
  ): Part<readonly Existing<S, R>[]>
  each(member: string): Part<readonly Existing<S, R>[]>
  /** The same, where the operation itself says which of them do not exist. */
  eachThatExists(member: string): Part<readonly Existing<S, R>[]>
  /**
   * Resources that something else in the request leads to, such as the ID of an association. Denials name their type: a caller without
   * permission does not learn which they are, nor whether they exist.
   */
  behind(
    ids: (input: LooseInput, call: Call) => Awaitable<readonly (string | undefined)[]>,
  ): Part<readonly Existing<S, R>[]>
  /** A resource that the operation creates. */
  created(): Part<Created<S, R>>
  /** The same for as many as the operation needs; their tags alike. */
  many(): Part<() => Created<S, R>>
  get(call: Call, id: string): Promise<R | undefined>
  require(call: Call, id: string): Promise<R>
  all(call: Call): Promise<readonly R[]>
  put(call: Call, row: R): R
  existing(call: Call, row: R): Existing<S, R>
  create(call: Call, id: string, data: S, more?: Omit<R, keyof Item<S>>, tags?: Tags): R
  delete(call: Call, id: string): void
  arn(call: Call, id: string): string
  facts(call: Call, row: R | undefined, input: LooseInput): Promise<ResourceFacts>
  /** As described, with tags. */
  show(row: R, now: number): S & { Tags?: EC2.Tag[] }
}

const PROBLEMS = {
  duplicate: () => fault('InvalidParameterValue', 'Duplicate tag key specified.'),
  reserved: () => fault('InvalidParameterValue', "Tag keys starting with 'aws:' are reserved for internal use"),
  'too-many': () => fault('TagLimitExceeded', `The maximum number of tags for a resource is ${TAGS_MAX}.`),
}

/** EC2's tag keys are case-sensitive. */
export function mergedEc2Tags(before: Tags | undefined, pairs: readonly TagPair[]): Tags {
  const keys = pairs.map(({ Key }) => Key)
  if (keys.some((each) => each.toLowerCase().startsWith('aws:'))) throw PROBLEMS.reserved()
  if (keys.some((each) => each.length > 127) || pairs.some(({ Value = '' }) => Value.length > 255)) {
    throw invalid('Tag keys have at most 127 characters, and values at most 255.')
  }
  if (new Set(keys).size < keys.length) throw PROBLEMS.duplicate()
  const kept = Object.entries(before ?? {}).filter(([name]) => !keys.includes(name))
  const merged = [...kept, ...pairs.map(({ Key, Value }) => [Key, Value ?? ''] as const)]
  if (merged.length > TAGS_MAX) throw PROBLEMS['too-many']()
  return Object.fromEntries(merged)
}

const TAGS = { action: 'ec2:CreateTags', member: 'TagSpecifications', merge: mergedEc2Tags } as const

const kinds: Kind<LooseInput, LooseInput>[] = []
/** Every kind that is defined. */
export const allKinds: readonly Kind<LooseInput, LooseInput>[] = kinds

export interface TagSpecification {
  readonly ResourceType?: string | undefined
  readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined
}
const pairsFor = (kind: string, input: LooseInput): readonly TagPair[] =>
  ((input.TagSpecifications ?? []) as readonly TagSpecification[])
    .filter(({ ResourceType }) => ResourceType === kind)
    .flatMap(({ Tags = [] }) => Tags.map(({ Key = '', Value = '' }) => ({ Key, Value })))

export function define<S, R extends Item<S> = Item<S>>(spec: KindSpec<S, R>): Kind<S, R> {
  const [, variable = ''] = /\$\{(\w+)\}$/.exec(spec.arn) ?? []
  const notFound = (id: string) => fault(spec.notFoundCode ?? `${spec.code}.NotFound`, spec.absent(id))
  const malformed = (text: string) =>
    fault(`${spec.code}.Malformed`, `Invalid id: "${text}" (expecting "${spec.prefix}-...")`)
  const type: AnyType<R> = ec2.resource<R>({
    kind: spec.kind,
    type: spec.type,
    arn: spec.arn,
    patterns: { [variable]: spec.pattern ?? `${spec.prefix}-[0-9a-f]{8,17}` },
    storedPer: 'region',
    shortForm: variable,
    idOf: (row: R) => ({ [variable]: row.id }),
    tags: TAGS,
    facts: (call, row, input) => ({
      conditions: { 'ec2:Region': call.region, ...spec.keys?.(row, call, input as LooseInput) },
    }),
    faults: {
      notFound: (_arn, id) => notFound(id[variable] ?? ''),
      invalidReference: (text) => (text === '' ? missing(camel(variable)) : malformed(text)),
    },
  })
  const idOf = (id: string) => ({ [variable]: id })
  const get = async (call: Call, id: string): Promise<R | undefined> => {
    const row = await type.get(call.unit, call, idOf(id))
    return row && spec.isGone?.(row, call.now) ? undefined : row
  }
  const put = (call: Call, row: R): R => {
    call.unit.put(type.key(call, idOf(row.id)), row)
    return row
  }
  const existing = (call: Call, row: R): Existing<S, R> => ({
    id: row.id,
    row,
    data: row.data,
    arn: type.arn(call, idOf(row.id)),
    set: (data, more) => put(call, { ...row, ...more, data: { ...row.data, ...data } }),
    remove: () => call.unit.delete(type.key(call, idOf(row.id))),
  })
  const create: Kind<S, R>['create'] = (call, id, data, more, tags) =>
    put(call, { id, account: call.account, createdAt: call.now, data, ...more, ...(tags && { tags }) } as unknown as R)
  const facts = (call: Call, row: R | undefined, input: LooseInput): Promise<ResourceFacts> =>
    type.facts(call, {
      scope: call,
      arn: row ? type.arn(call, idOf(row.id)) : type.form.printPattern(call),
      row,
      input,
    })

  const found = async (call: Call, text: string, input: LooseInput) => {
    const { acted, row, missing: absent } = await type.find(call, text, input)
    const own = row && spec.isGone?.(row.row, call.now) ? undefined : row
    return { acted: acted!, value: own && existing(call, own.row), missing: absent ?? (() => notFound(text)) }
  }

  const fresh = async (call: Call, input: LooseInput): Promise<Resolved<() => Created<S, R>>> => {
    const acted = await facts(call, undefined, input)
    const pairs = pairsFor(spec.kind, input)
    const tagging = tagAuthorization(TAGS, pairs)
    return {
      acted: [acted],
      tagging: tagging && {
        ...tagging,
        conditions: { ...tagging.conditions, 'ec2:CreateAction': call.operation },
        acted,
      },
      value: () => {
        const id = call.newId(() => newId(spec.prefix))
        const arn = type.arn(call, idOf(id))
        return Object.assign(new CheckedTags(pairs), {
          id,
          arn,
          create: (data: S, more?: Omit<R, keyof Item<S>>) => {
            const { event } = call
            event.resources = event.resources.map((each) => (each.arn === acted.arn ? { ...each, arn } : each))
            return create(call, id, data, more, mergedTags(TAGS, undefined, pairs))
          },
        })
      },
    }
  }

  const kind: Kind<S, R> = {
    spec,
    type,
    at: (member) => ({
      about: { type, how: 'named', member },
      find: async (call, input) => {
        const { acted, value, missing: absent } = await found(call, String(input[member] ?? ''), input)
        return { acted: [acted], value: value!, ...(value === undefined && { missing: absent }) }
      },
    }),
    maybe: (member) => ({
      find: async (call, input) => {
        if (input[member] === undefined || input[member] === '') return { acted: [], value: undefined }
        const { acted, value, missing: absent } = await found(call, String(input[member]), input)
        return { acted: [acted], value, ...(value === undefined && { missing: absent }) }
      },
    }),
    by: (ids) => ({
      find: async (call, input) => {
        const texts = (await ids(input, call)).filter((text) => text !== undefined)
        if (texts.length > BATCH_MAX) throw invalid(`A request names at most ${BATCH_MAX} resources of a type.`)
        const all = []
        for (const text of new Set(texts)) all.push(await found(call, text, input))
        const absent = all.find(({ value }) => value === undefined)
        return {
          acted: all.map(({ acted }) => acted),
          value: all.flatMap(({ value }) => value ?? []),
          ...(absent && { missing: absent.missing }),
        }
      },
    }),
    each: (member) => kind.by((input) => input[member] ?? []),
    eachThatExists: (member) => ({
      find: async (call, input) => {
        const { missing: _, ...resolved } = await kind.each(member).find(call, input)
        return resolved
      },
    }),
    behind: (ids) => ({
      find: async (call, input) => {
        const { acted, ...resolved } = await kind.by(ids).find(call, input)
        const requested = type.form.printPattern(call)
        const hidden = acted.map((each) => ({ ...each, requested }))
        return { ...resolved, acted: hidden.length > 0 ? hidden : [await facts(call, undefined, input)] }
      },
    }),
    created: () => ({
      about: { type, how: 'created' },
      tags: spec.kind,
      find: async (call, input) => {
        const made = await fresh(call, input)
        return { ...made, value: made.value() }
      },
    }),
    many: () => ({ about: { type, how: 'created' }, tags: spec.kind, find: fresh }),
    get,
    require: async (call, id) => {
      if (type.form.mismatch(idOf(id)) !== undefined) throw malformed(id)
      const row = await get(call, id)
      if (!row) throw notFound(id)
      return row
    },
    all: async (call) =>
      (await type.list(call.unit, call)).map(({ document }) => document).filter((row) => !spec.isGone?.(row, call.now)),
    put,
    existing,
    create,
    delete: (call, id) => call.unit.delete(type.key(call, idOf(id))),
    arn: (call, id) => type.arn(call, idOf(id)),
    facts,
    show: (row, now) => ({ ...(spec.show?.(row, now) ?? row.data), Tags: listTags(row.tags) }),
  }
  kinds.push(kind as Kind<LooseInput, LooseInput>)
  return kind
}

/** More IDs of one type are refused: each one is authorized on. */
const BATCH_MAX = 1000

const camel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)
