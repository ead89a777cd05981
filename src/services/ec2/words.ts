/**
 * How EC2 is declared: kinds of resources, operations on several resources at once, descriptions by filters.
 *
 * EC2 authorizes an operation on each resource that it touches: `AttachInternetGateway` on the gateway and on the VPC. An
 * operation lists these parts; the first one is its target, the others are authorized on by the same actions. Only after
 * all permissions does a caller learn what exists, and what a dry run would do.
 */
import { createHash, randomBytes } from 'node:crypto'
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
import { page } from '../../kernel/service/page.ts'
import type { LooseInput, Operation, Service } from '../../kernel/service/service.ts'
import { type Key, key, under } from '../../store/store.ts'
import type { Fault } from '../../wire/fault.ts'
import type { Strict } from '../../wire/typed.ts'
import { fault, invalid, missing } from './faults.ts'
import { type Filter, parseFilters } from './filters.ts'
import type { Operations } from './operations.ts'

type Input<N extends keyof Operations> = Strict<Operations[N]['input']>
type Output<N extends keyof Operations> = Widened<Omit<Operations[N]['output'], '$metadata'>>
/** Enumerations are texts: what a spread copies from a row has lost its literal type. */
type Widened<T> = T extends string
  ? string
  : T extends Date | Uint8Array
    ? T
    : T extends readonly (infer E)[]
      ? readonly Widened<E>[]
      : T extends object
        ? { [K in keyof T]: Widened<T[K]> }
        : T

/** The part of the common declarations that is used, without types of operations: {@link op} types those. */
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

interface Resolved<R> {
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

interface TagSpecification {
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

type Values<P extends readonly Part<unknown>[]> = { [I in keyof P]: P[I] extends Part<infer V> ? V : never }

/** What a call's parts came to: the row of its target. */
interface Touched {
  readonly values: readonly unknown[]
  readonly others: readonly ResourceFacts[]
  readonly taggings: readonly TagAuthorization[]
  readonly missing: (() => Fault) | undefined
  /** Of the first resource. */
  readonly conditions: Conditions | undefined
}

/** Runs before an account's first operation in a Region. Set by `defaults.ts`, which needs these declarations. */
let before: (call: Call) => Promise<void> = async () => undefined
export const beforeFirst = (run: typeof before): void => {
  before = run
}

/** Names of the actions on the rest of what an operation touches, where they are not its own. */
interface OperationOptions {
  readonly actions?: readonly [string, ...string[]]
}

type Run<P extends readonly Part<unknown>[]> = (
  call: Call,
  input: LooseInput,
  values: Values<P>,
) => Awaitable<LooseInput>

/** See {@link op}. */
function operationOn(
  name: string,
  parts: readonly Part<unknown>[],
  run: Run<LooseInput>,
  { actions = [`ec2:${name}`] }: OperationOptions = {},
): Operation {
  const allowed = parts.flatMap(({ tags }) => tags ?? [])
  const [first] = parts
  const target: Target<LooseInput, Touched> = {
    ...(first?.about && { about: first.about }),
    find: async (call, input) => {
      await before(call)
      checkTagSpecifications(allowed, input)
      const resolved: Resolved<unknown>[] = []
      for (const part of parts) resolved.push(await part.find(call, input))
      const acted = resolved.flatMap((each) => each.acted)
      const taggings = resolved.flatMap(({ tagging }) => tagging ?? [])
      return {
        acted: acted[0],
        tagging: taggings[0],
        row: {
          values: resolved.map(({ value }) => value),
          others: acted.slice(1),
          taggings: taggings.slice(1),
          missing: resolved.find((each) => each.missing)?.missing,
          conditions: acted[0]?.conditions,
        },
      }
    },
  }
  const [action, ...more] = actions
  return ec2
    .operation(name)
    .on(target)
    .actions(action, ...more)
    .conditions((input) => attributesIn(input))
    .run(async (call, input, touched) => {
      for (const other of touched.others) for (const each of actions) await call.authorize(each, other)
      for (const { action: tag, acted, conditions } of touched.taggings) {
        if (acted) await call.authorize(tag, acted, conditions)
      }
      if (touched.missing) throw touched.missing()
      if (input.DryRun === true) {
        throw fault('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', 412)
      }
      return idempotent<LooseInput>(call, input, async () => run(call, input, touched.values as LooseInput))
    })
}

/**
 * An operation on several resources. The types of its input and output follow from its name; they are resolved for each name
 * alone, because a body that were generic in the name would have the compiler expand all operations of EC2.
 */
export const op = operationOn as unknown as <N extends keyof Operations, const P extends readonly Part<unknown>[]>(
  name: N,
  parts: P,
  run: (call: Call, input: Input<N>, values: Values<P>) => Awaitable<Output<N>>,
  options?: OperationOptions,
) => Operation

/** The attributes that a request sets to a value: `ec2:Attribute/MapPublicIpOnLaunch`. */
function attributesIn(input: LooseInput): Conditions {
  const values = Object.entries(input as Readonly<Record<string, { readonly Value?: unknown } | undefined>>).flatMap(
    ([name, member]) => {
      const value = typeof member === 'object' && member !== null ? member.Value : undefined
      const isPlain = typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number'
      return isPlain ? [[`ec2:Attribute/${name}`, String(value)] as const] : []
    },
  )
  return Object.fromEntries(values)
}

/** On all resources: IAM sees `*`. */
export const nothing: readonly Part<unknown>[] = []

function checkTagSpecifications(allowed: readonly string[], input: LooseInput): void {
  for (const { ResourceType } of (input.TagSpecifications ?? []) as readonly TagSpecification[]) {
    if (ResourceType === undefined || !allowed.includes(ResourceType)) {
      throw invalid(`'${ResourceType ?? ''}' is not a valid taggable resource type for this operation.`)
    }
  }
}

const DAY_MS = 86_400_000
const PRUNED_AT_ONCE = 20

interface TokenRow {
  readonly request: string
  readonly output: string
  readonly at: number
}

/** AWS, "Ensuring idempotency": within a day the same token and the same request give the same answer. */
async function idempotent<T>(call: Call, input: LooseInput, run: () => Awaitable<T>): Promise<T> {
  const token: string | undefined = input.ClientToken
  if (token === undefined || token === '') return run()
  if (token.length > 128) throw invalid('A ClientToken has at most 128 characters.')
  const place = (text: string): Key => key('ec2', 'token', call.account, call.region, call.operation, text)
  const request = createHash('sha256')
    .update(JSON.stringify({ ...input, ClientToken: undefined }))
    .digest('base64')
  const known = await call.unit.get<TokenRow>(place(token))
  if (known && call.now - known.at < DAY_MS) {
    if (known.request !== request) {
      throw fault(
        'IdempotentParameterMismatch',
        'The client token you have provided is associated with a request whose parameters differ.',
      )
    }
    return JSON.parse(known.output, (_, value) => (isStoredDate(value) ? new Date(value.$date) : value)) as T
  }
  const output = await run()
  const row: TokenRow = { request, output: JSON.stringify(output, keepingDates), at: call.now }
  const old = await call.unit.range<TokenRow>(under('ec2', 'token', call.account, call.region, call.operation), {
    limit: PRUNED_AT_ONCE,
  })
  for (const { key: at, document } of old) if (call.now - document.at >= DAY_MS) call.unit.delete(at)
  call.unit.put(place(token), row)
  return output
}

const isStoredDate = (value: unknown): value is { readonly $date: number } =>
  typeof value === 'object' && value !== null && '$date' in value

/** `JSON.stringify` has made a text of a date before the replacer sees the value. */
function keepingDates(this: unknown, name: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[name]
  return original instanceof Date ? { $date: original.getTime() } : value
}

interface DescribeOptions<S, R extends Item<S>> {
  /** The member that names resources. */
  readonly ids?: string
  /** The member of the answer. */
  readonly result: string
  /** Names of filters: `vpc-id` reads `VpcId`, others say what they read: `cidr=CidrBlock`. */
  readonly filters: string
  /** Where AWS names the actions otherwise, or shows other members. */
  readonly show?: (row: R, call: Call, related: LooseInput) => LooseInput
  /** What showing needs besides the row, read once. */
  readonly load?: (call: Call) => Promise<LooseInput>
  readonly filterMember?: string
  /** Other members of the request that say which resources are shown. */
  readonly narrow?: (shown: S, input: LooseInput) => boolean
}

/** The description of a kind's resources, by IDs, filters and pages. */
export function describe<S, R extends Item<S>>(
  name: keyof Operations,
  kind: Kind<S, R>,
  { ids, result, filters, show, load, filterMember = 'Filters', narrow }: DescribeOptions<S, R>,
): Operation {
  const known = parseFilters(filters)
  return operationOn(name, nothing, async (call, loose) => {
    const wanted: readonly string[] = (ids && loose[ids]) || []
    if (wanted.length > IDS_MAX) throw invalid(`The request names ${wanted.length} resources: at most ${IDS_MAX}.`)
    const filter = known((loose[filterMember] ?? []) as readonly Filter[])
    const keeps = (each: LooseInput) => filter.keeps(each) && (narrow?.(each as S, loose) ?? true)
    const related = await load?.(call)
    const shown = (row: R): LooseInput =>
      show ? { ...show(row, call, related), Tags: listTags(row.tags) } : kind.show(row, call.now)
    if (wanted.length > 0) {
      const rows: R[] = []
      for (const id of wanted) rows.push(await kind.require(call, id))
      return { [result]: rows.map(shown).filter(keeps) } as LooseInput
    }
    const { items, next } = await pageRows(call, kind, loose, (row) => keeps(shown(row)))
    return { [result]: items.map(shown), ...(next !== undefined && { NextToken: next }) } as LooseInput
  })
}

/** A page of a kind's rows; all of them where the request sets no size, as EC2 answers. */
export async function pageRows<S, R extends Item<S>>(
  call: Call,
  kind: Kind<S, R>,
  input: LooseInput,
  keep: (row: R) => boolean,
): Promise<{ readonly items: readonly R[]; readonly next: string | undefined }> {
  const isOver = (row: R) => kind.spec.isGone?.(row, call.now) ?? false
  const { MaxResults, NextToken, ...query } = input
  if (MaxResults !== undefined && (MaxResults < 1 || MaxResults > PAGE_MAX)) {
    throw invalid(
      `Value ( ${MaxResults} ) for parameter maxResults is invalid. Expecting a value between 5 and ${PAGE_MAX}.`,
    )
  }
  if (MaxResults === undefined && NextToken === undefined) {
    const rows = await kind.all(call)
    return { items: rows.filter((row) => keep(row)), next: undefined }
  }
  return page<R>(call, (after, limit) => kind.type.list(call.unit, call, { after, limit }), {
    size: MaxResults ?? PAGE_MAX,
    token: NextToken,
    query,
    keep: (row) => !isOver(row) && keep(row),
    bad: () => fault('InvalidNextToken', 'The token is invalid.'),
  })
}

/** Of one request. */
const IDS_MAX = 1000
const PAGE_MAX = 1000
