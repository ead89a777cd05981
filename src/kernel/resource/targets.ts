/** What operations act on: the targets of a resource type, and what a handler gets of each. */
import type { Key } from '../../store/store.ts'
import type { Call, Scope } from '../gate/call.ts'
import type { Variables } from './arn-form.ts'
import { type Collection, collectionOf } from './collection.ts'
import type { ResourceFacts, Row, TagAuthorization, Tags } from './facts.ts'
import type { Identity, NamedOptions, Reference, ResourceType } from './resource-type.ts'
import { creationTags, mergedTags, tagAuthorization } from './tag-rules.ts'
import type { Target } from './target.ts'

/** A resource that exists, wherever it is stored. What is written goes to where it was read. */
export interface ExistingResource<I, R> {
  readonly scope: Scope
  readonly id: I
  /** Of the resource itself. */
  readonly arn: string
  /** With the part that the request named: a qualifier. */
  readonly named: string
  /** As the operation was authorized on it: for further permission checks, `call.authorize(action, found.facts)`. */
  readonly facts: ResourceFacts
  readonly row: R
  save(row: R): R
  remove(): void
}

/** A resource that does not exist yet. */
export interface NewResource<I, R> {
  readonly scope: Scope
  readonly id: I
  /** As authorized; where a part is only known with the row, see {@link ResourceType.arn}. */
  readonly arn: string
  /** The tags of the request. Reading them throws the service's fault for wrong ones. */
  readonly tags: Tags
  /** Throws `alreadyExists`. For the place where AWS checks it: as a rule the operation's last check. */
  assertAvailable(): void
  /** Throws `alreadyExists` rather than overwrite. */
  create(row: R): R
}

/** A resource that is replaced when it exists, and created when not. */
export interface UpsertResource<I, R> {
  readonly scope: Scope
  readonly id: I
  readonly arn: string
  /** The tags of the request, as in {@link NewResource}. */
  readonly tags: Tags
  readonly before: R | undefined
  put(row: R): R
}

export interface CreatedOptions {
  /** The request does not name the resource. */
  readonly generated?: true
  /** The operation itself is authorized on `*`. Only with `generated`. */
  readonly authorizedOn?: '*'
}

type Named<K extends string> = { readonly [P in K]?: string | undefined }

export const named = <const T extends string, R extends Row, I extends Identity, K extends string>(
  type: ResourceType<T, R, I>,
  member: K,
  options?: NamedOptions<I>,
): Target<Named<K>, ExistingResource<I, R>> => ({
  about: { type, how: 'named', member },
  find: (call, input) => type.find(call, input[member] ?? '', input, options),
})

export const optional = <const T extends string, R extends Row, I extends Identity, K extends string>(
  type: ResourceType<T, R, I>,
  member: K,
  options?: NamedOptions<I>,
): Target<Named<K>, ExistingResource<I, R> | undefined> => ({
  about: { type, how: 'optional', member },
  find: async (call, input) => {
    const { acted, row } = await type.find(call, input[member] ?? '', input, options)
    return { acted, row }
  },
})

export const created = <const T extends string, R extends Row, I extends Identity, In extends object>(
  type: ResourceType<T, R, I>,
  identify: (input: In, call: Call) => I | Reference<I>,
  { generated, authorizedOn }: CreatedOptions,
): Target<In, NewResource<I, R>> => ({
  about: { type, how: 'created' },
  find: async (call, input) => {
    const { scope, id } = referenceOf(call, identify(input, call))
    const place = await placeFor(type, call, { scope, id, generated: generated ?? false, input })
    const tagging = taggingBy(type, input)
    const { before, arn } = place
    const assertAvailable = () => {
      if (before === undefined) return
      throw type.spec.faults.alreadyExists?.(arn, id) ?? new Error(`${arn} exists, and its type has no fault for that`)
    }
    return {
      acted: authorizedOn === '*' ? undefined : place.acted,
      row: Object.assign(new RequestedTags(type, input), {
        scope,
        id,
        arn,
        assertAvailable,
        create: (row: R) => {
          assertAvailable()
          return place.put(row)
        },
      }),
      tagging: tagging && { ...tagging, acted: place.acted },
    }
  },
})

export const createdOrReplaced = <
  const T extends string,
  R extends Row,
  I extends Identity,
  K extends string,
  In extends Named<K>,
>(
  type: ResourceType<T, R, I>,
  member: K,
  identify: (input: In, call: Call) => I,
): Target<In, UpsertResource<I, R>> => ({
  about: { type, how: 'createdOrReplaced', member },
  find: async (call, input) => {
    const text = input[member]
    if (text === undefined) {
      const place = await placeFor(type, call, { scope: call, id: identify(input, call), generated: true, input })
      return { acted: place.acted, row: upsert(type, place, input), tagging: taggingBy(type, input) }
    }
    const { row: found, ...resolved } = await type.find(call, text, input)
    if (!found) return { ...resolved, row: undefined }
    const place = { ...found, before: found.row, put: found.save }
    return { ...resolved, row: upsert(type, place, input), tagging: taggingBy(type, input) }
  },
})

export const collection = <const T extends string, R extends Row, I extends Identity, In extends object>(
  type: ResourceType<T, R, I>,
  on: ((input: In) => Partial<Variables<T>>) | undefined,
): Target<In, Collection<R>> => ({
  about: { type, how: 'collection' },
  find: (call, input) => ({
    acted: on && { arn: type.form.printPattern(call, on(input)), type: type.spec.type, account: call.account },
    row: collectionOf<R>(call, (options) => type.list(call.unit, call, options)),
  }),
})

export const existing = <I, R extends object>(
  { unit }: { readonly unit: Pick<Call['unit'], 'put' | 'delete'> },
  key: Key,
  found: Omit<ExistingResource<I, R>, 'save' | 'remove'>,
): ExistingResource<I, R> => ({
  ...found,
  save: (row) => {
    unit.put(key, row)
    return row
  },
  remove: () => unit.delete(key),
})

/** Where a row will be written, and what is there now. */
type Place<I, R> = Pick<UpsertResource<I, R>, 'scope' | 'id' | 'arn' | 'before' | 'put'>

async function placeFor<const T extends string, R extends Row, I extends Identity>(
  type: ResourceType<T, R, I>,
  call: Call,
  {
    scope,
    id,
    generated,
    input,
  }: { readonly scope: Scope; readonly id: I; readonly generated: boolean; readonly input: object },
): Promise<Place<I, R> & { readonly acted: ResourceFacts }> {
  const { spec, form } = type
  const variables = type.variables(id)
  // A name out of the request makes an ARN of this type, or none.
  const wrong = form.mismatch(variables)
  if (wrong !== undefined) throw spec.faults.invalidReference(variables[wrong])
  const arn = form.print(scope, variables)
  const authorized = generated ? form.printPattern(scope) : arn
  const acted = await type.facts(call, { scope, arn: authorized, row: undefined, input })
  const put = (row: R): R => {
    const made = type.arn(scope, spec.idOf?.(row) ?? id, row)
    const { event } = call
    // The audit log names what was created, not the pattern that was authorized, nor nothing at all.
    if (event.resources.length === 0) event.resources = [{ ...acted, arn: made }]
    else if (made !== authorized) {
      event.resources = event.resources.map((each) => (each.arn === authorized ? { ...each, arn: made } : each))
    }
    call.unit.put(type.key(scope, id), row)
    return row
  }
  return {
    acted,
    scope,
    id,
    arn,
    before: generated ? undefined : await type.get(call.unit, scope, id),
    put,
  }
}

const upsert = <const T extends string, R extends Row, I extends Identity>(
  type: ResourceType<T, R, I>,
  { scope, id, arn, before, put }: Place<I, R>,
  input: object,
): UpsertResource<I, R> => Object.assign(new RequestedTags(type, input), { scope, id, arn, before, put })

const referenceOf = <I extends Identity>(call: Call, id: I | Reference<I>): Reference<I> =>
  typeof id.scope === 'object' ? (id as Reference<I>) : { scope: call, id: id as I }

// biome-ignore lint/suspicious/noExplicitAny: tags do not depend on what the type is about.
type AnyType = ResourceType<any, any, any>

/**
 * Tags of a request, checked when they are read, which is after authorization. A class: for accessors in an object literal
 * V8 makes a hidden class each time, which keeps all that they reach alive until a full collection.
 */
export class RequestedTags {
  readonly #type: AnyType
  readonly #input: object

  constructor(type: AnyType, input: object) {
    this.#type = type
    this.#input = input
  }

  get tags(): Tags {
    const { tags } = this.#type.spec
    return tags ? mergedTags(tags, undefined, creationTags(tags, this.#input)) : {}
  }
}

const taggingBy = ({ spec: { tags } }: AnyType, input: object): TagAuthorization | undefined =>
  tags && tagAuthorization(tags, creationTags(tags, input))
