/**
 * Which condition keys an operation itself computes, found by running it on an input with every member and on any row.
 */
import type { Call } from '../../kernel/gate/call.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import { type Identity, ResourceType } from '../../kernel/resource/resource-type.ts'
import type { Operation } from '../../kernel/service/service.ts'
import { services as rows } from '../../wire/services.ts'
import type { Shape } from '../../wire/shape.ts'
import { loadService } from '../../wire/wire.ts'

const DEPTH_MAX = 6

function sample(shape: Shape, depth = 0): unknown {
  if (depth > DEPTH_MAX) return undefined
  switch (shape.kind) {
    case 'list':
      return [sample(shape.value.shape, depth + 1)]
    case 'map':
      return { name: sample(shape.value.shape, depth + 1) }
    case 'struct':
    case 'union':
      return Object.fromEntries(shape.members.map(({ name, shape }) => [name, sample(shape, depth + 1)]))
    case 'timestamp':
      return new Date(0)
    case 'boolean':
      return true
    case 'blob':
    case 'stream':
      return Buffer.from('x')
    // An alias is the one text that KMS reads more of.
    case 'string':
      return 'alias/x'
    default:
      return 1
  }
}

/** Has every member and method; is a text where a text is needed. */
const anyValue: object = new Proxy(() => undefined, {
  get: (_, name) => {
    if (name === 'then') return undefined
    if (name === Symbol.toPrimitive) return () => 'x'
    if (name === Symbol.iterator) return [][Symbol.iterator].bind([])
    return anyValue
  },
  apply: () => anyValue,
  ownKeys: () => ['member'],
  getOwnPropertyDescriptor: () => ({ value: anyValue, enumerable: true, configurable: true }),
})

/** An operation that fails here shows nothing of its keys. */
async function keysGiven(operation: Operation, input: object, row: unknown): Promise<readonly string[]> {
  const call = new Proxy(
    {
      operation: operation.name,
      account: '111122223333',
      region: 'us-east-1',
      partition: 'aws',
      now: 0,
      via: ['x'],
      caller: { principal: { kind: 'anonymous' } },
    },
    { get: (known, name) => (name in known ? known[name as keyof typeof known] : anyValue) },
  )
  const given = async () => Object.keys((await operation.conditions?.(input, call as never, row)) ?? {})
  return [...(await given().catch(() => [])), ...(await ofResource(operation, call as never, input, row))]
}

/** What comes with the resource; a resource that is still to be created has less. */
async function ofResource({ target: { about } }: Operation, call: Call, input: object, row: unknown) {
  if (!(about?.type instanceof ResourceType) || about.how === 'collection') return []
  const { facts } = about.type.spec as ResourceType<string, Row, Identity>['spec']
  const known = await facts?.(call, about.how === 'created' ? undefined : (row as Row | undefined), input)
  return Object.keys(known?.conditions ?? {})
}

/** In lower case. */
export async function keysComputed(service: string, operation: Operation): Promise<ReadonlySet<string>> {
  const model = await loadService(rows.find(({ id }) => id === service)!)
  const input = sample(model.operations.get(operation.name)!.input) as object
  const found = await Promise.all([keysGiven(operation, input, undefined), keysGiven(operation, input, anyValue)])
  return new Set(found.flat().map((key) => key.toLowerCase()))
}
