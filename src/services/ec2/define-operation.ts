/**
 * Operations of EC2, on several resources at once.
 *
 * EC2 authorizes an operation on each resource that it touches: `AttachInternetGateway` on the gateway and on the VPC. An
 * operation lists these parts; the first one is its target, the others are authorized on by the same actions. Only after
 * all permissions does a caller learn what exists, and what a dry run would do.
 */
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { Awaitable } from '../../kernel/service/awaitable.ts'
import type { LooseInput, Operation } from '../../kernel/service/service.ts'
import type { Strict } from '../../wire/typed.ts'
import { idempotent } from './client-tokens.ts'
import { fault, invalid } from './faults.ts'
import type { Operations } from './operations.ts'
import { ec2, type Part, type Resolved, type TagSpecification, type Touched } from './words.ts'

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

type Values<P extends readonly Part<unknown>[]> = { [I in keyof P]: P[I] extends Part<infer V> ? V : never }

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
export function operationOn(
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
