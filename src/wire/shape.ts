/**
 * Shapes: the static schema arrays of the AWS SDK's clients, read once into plain objects the codecs walk.
 * The arrays' format is `StaticSchema` of `@smithy/types`: simple types are numbers, lists 1, maps 2, structures 3,
 * unions 4, errors -3, operations 9; traits are a bit vector or an object.
 */

export type Kind =
  | 'string'
  | 'number'
  | 'boolean'
  | 'timestamp'
  | 'document'
  | 'bigint'
  | 'bigdecimal'
  | 'blob'
  | 'stream'
  | 'list'
  | 'map'
  | 'struct'
  | 'union'
  | 'unit'

/** How a timestamp is written where it does not follow its protocol's default. */
export type TimestampFormat = 'date-time' | 'http-date' | 'epoch-seconds' | undefined

export interface Traits {
  readonly httpHeader?: string
  readonly httpQuery?: string
  readonly httpPrefixHeaders?: string
  readonly jsonName?: string
  readonly xmlName?: string
  readonly xmlFlattened?: 1
  readonly xmlAttribute?: 1
  readonly xmlNamespace?: readonly [prefix: string, uri: string]
  readonly ec2QueryName?: string
  readonly mediaType?: string
  readonly error?: 'client' | 'server'
  readonly httpError?: number
  readonly awsQueryError?: readonly [code: string, status: number]
  readonly http?: readonly [method: string, uri: string, status: number]
  readonly httpLabel?: 1
  readonly idempotencyToken?: 1
  readonly sensitive?: 1
  readonly httpPayload?: 1
  readonly httpResponseCode?: 1
  readonly httpQueryParams?: 1
  readonly hostLabel?: 1
  readonly streaming?: 1
}

export class Member {
  readonly name: string
  /** As messages and trails write the name: with a small first letter. */
  readonly awsName: string
  readonly traits: Traits
  readonly required: boolean
  readonly #reference: Schema
  #shape: Shape | undefined

  constructor(name: string, traits: Traits, required: boolean, reference: Schema) {
    this.name = name
    this.awsName = name.charAt(0).toLowerCase() + name.slice(1)
    this.traits = traits
    this.required = required
    this.#reference = reference
  }
  /** Resolved on first use: shapes refer to each other in circles. */
  get shape(): Shape {
    this.#shape ??= shapeOf(this.#reference)
    return this.#shape
  }
}

export class Shape {
  readonly kind: Kind
  readonly name: string
  readonly traits: Traits
  readonly format: TimestampFormat
  members: readonly Member[] = []
  /** Of lists and maps. */
  value!: Member
  /** Of maps. */
  key!: Member

  constructor(kind: Kind, name: string, traits: Traits, format?: TimestampFormat) {
    this.kind = kind
    this.name = name
    this.traits = traits
    this.format = format
  }
}

export class OperationShape {
  readonly name: string
  readonly traits: Traits
  readonly #input: Schema
  readonly #output: Schema
  #inputShape: Shape | undefined
  #outputShape: Shape | undefined

  constructor(schema: OperationSchema) {
    this.name = schema[2]
    this.traits = traitsOf(schema[3])
    this.#input = schema[4]
    this.#output = schema[5]
  }
  get input(): Shape {
    this.#inputShape ??= shapeOf(this.#input)
    return this.#inputShape
  }
  get output(): Shape {
    this.#outputShape ??= shapeOf(this.#output)
    return this.#outputShape
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a schema is a number, a tuple by its first element, or a thunk of one.
export type Schema = any
type OperationSchema = readonly [9, string, string, unknown, Schema, Schema]

const LIST = 1
const MAP = 2
const UNION = 4
const SIMPLE = 0
const OPERATION = 9
const ERROR = -3
const LIST_OF_SIMPLE = 64
const MAP_OF_SIMPLE = 128

const simpleKinds: Readonly<Record<number, readonly [Kind, TimestampFormat?]>> = {
  0: ['string'],
  1: ['number'],
  2: ['boolean'],
  4: ['timestamp'],
  5: ['timestamp', 'date-time'],
  6: ['timestamp', 'http-date'],
  7: ['timestamp', 'epoch-seconds'],
  15: ['document'],
  17: ['bigint'],
  19: ['bigdecimal'],
  21: ['blob'],
  42: ['stream'],
}

const traitBits = [
  'httpLabel',
  'idempotent',
  'idempotencyToken',
  'sensitive',
  'httpPayload',
  'httpResponseCode',
  'httpQueryParams',
] as const

function traitsOf(traits: unknown): Traits {
  if (traits !== null && typeof traits === 'object') return traits
  const bits = Number(traits ?? 0)
  return Object.fromEntries(traitBits.filter((_, i) => (bits >> i) & 1).map((name) => [name, 1]))
}

const simple = new Map<unknown, Shape>()
const compound = new WeakMap<object, Shape>()

export function shapeOf(reference: Schema): Shape {
  const [schema] = unwrap(reference)
  if (typeof schema === 'number' || typeof schema === 'string') {
    let shape = simple.get(schema)
    if (!shape) {
      shape = simpleShape(schema)
      simple.set(schema, shape)
    }
    return shape
  }
  return compound.get(schema) ?? compoundShape(schema)
}

function simpleShape(schema: number | string): Shape {
  if (schema === 'unit') return new Shape('unit', 'Unit', {})
  const code = Number(schema)
  if (code >= LIST_OF_SIMPLE) {
    const shape = new Shape(code >= MAP_OF_SIMPLE ? 'map' : 'list', '', {})
    shape.value = memberOf(code >= MAP_OF_SIMPLE ? 'value' : 'member', code & 63)
    if (code >= MAP_OF_SIMPLE) shape.key = memberOf('key', 0)
    return shape
  }
  const [kind, format] = simpleKinds[code] ?? []
  if (!kind) throw new Error(`unknown simple schema ${code}`)
  return new Shape(kind, kind, {}, format)
}

function compoundShape(schema: Schema): Shape {
  const [id, namespace, name, rawTraits] = schema
  const traits = traitsOf(rawTraits)
  if (id === SIMPLE) {
    const inner = shapeOf(schema[4])
    const shape = new Shape(inner.kind, name, { ...inner.traits, ...traits }, inner.format)
    Object.assign(shape, { members: inner.members, value: inner.value, key: inner.key })
    compound.set(schema, shape)
    return shape
  }
  const kind: Kind =
    id === LIST
      ? 'list'
      : id === MAP
        ? 'map'
        : namespace === 'smithy.api' && name === 'Unit'
          ? 'unit'
          : id === UNION
            ? 'union'
            : 'struct'
  const shape = new Shape(kind, name, traits)
  // Registered before its members are read: they may refer back to it.
  compound.set(schema, shape)
  if (kind === 'list') shape.value = memberOf('member', schema[4])
  else if (kind === 'map') {
    shape.key = memberOf('key', schema[4])
    shape.value = memberOf('value', schema[5])
  } else {
    const required = schema[6] ?? 0
    shape.members = (schema[4] as string[]).map((member, i) => memberOf(member, schema[5][i], i < required))
  }
  return shape
}

/** Follows thunks and `[schema, traits]` pairs down to the schema itself; outer traits win. */
function unwrap(reference: Schema): [Schema, Traits] {
  let traits: Traits = {}
  let current = reference
  for (;;) {
    if (typeof current === 'function') current = current()
    else if (Array.isArray(current) && current.length === 2) {
      traits = { ...traitsOf(current[1]), ...traits }
      current = current[0]
    } else return [current, traits]
  }
}

function memberOf(name: string, reference: Schema, required = false): Member {
  const [schema, own] = unwrap(reference)
  // A member inherits its target's traits, save the name the target goes by on its own.
  const { xmlName: _, ...inherited } =
    Array.isArray(schema) && schema[3] !== undefined ? traitsOf(schema[3]) : ({} as Traits)
  return new Member(name, { ...inherited, ...own }, required, schema)
}

/** The operations a client module exports (`CreateUser$`), by name. */
export function operationsOf(module: Readonly<Record<string, unknown>>): Map<string, OperationShape> {
  const schemas = Object.values(module).filter(
    (value): value is OperationSchema => Array.isArray(value) && value[0] === OPERATION,
  )
  return new Map(schemas.map((schema) => [schema[2], new OperationShape(schema)]))
}

/** The modelled errors a client module exports, by name. */
export function errorsOf(module: Readonly<Record<string, unknown>>): Map<string, Shape> {
  const schemas = Object.values(module).filter((value): value is Schema[] => Array.isArray(value) && value[0] === ERROR)
  return new Map(schemas.map((schema) => [schema[2] as string, shapeOf(schema)]))
}
