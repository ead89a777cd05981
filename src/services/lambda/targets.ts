/**
 * The function a request names: by name, by account and name, or by ARN, each with or without a qualifier.
 * Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (FunctionName)
 */
import type { Call, Scope } from '../../kernel/call.ts'
import { compilePinned } from '../../kernel/pinned.ts'
import type { Acted, Found, Target } from '../../kernel/resource.ts'
import type { CompiledPolicy } from '../../policy/index.ts'
import { Fault } from '../../wire/fault.ts'
import { arnOf, at, type FunctionRow, invalid, LATEST, lambda, notFound, TYPE } from './resources.ts'

const FORM =
  /^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9_.-]+)(?::([$a-zA-Z0-9_.-]+))?$/
const NAME_LENGTH_MAX = 64

/** A function as an operation works on it: where it lives, which may be another account's, and its row. */
export interface NamedFunction {
  readonly scope: Scope
  readonly row: FunctionRow
  /** Unqualified. */
  readonly arn: string
  /** As the request named it: qualified when that was. */
  readonly named: string
}

interface Reference {
  readonly scope: Scope
  readonly name: string
  readonly qualifier: string | undefined
}

export function referenceOf(call: Call, text: string, asked?: string): Reference {
  const [, region = call.region, account = call.account, name, own] = FORM.exec(text) ?? []
  if (name === undefined) {
    throw new Fault(
      'ValidationError',
      `1 validation error detected: Value '${text}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${FORM.source}`,
    )
  }
  if (name.length > NAME_LENGTH_MAX) {
    throw invalid(
      `1 validation error detected: Value '${name}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to ${NAME_LENGTH_MAX}`,
    )
  }
  if (region !== call.region) {
    throw lambda.fail(
      'ResourceNotFoundException',
      `Functions from '${region}' are not reachable in this region ('${call.region}')`,
    )
  }
  if (own !== undefined && asked !== undefined && own !== asked) {
    throw invalid('The derived qualifier from the function name does not match the specified qualifier.')
  }
  return { scope: { partition: call.partition, region, account }, name, qualifier: asked ?? own }
}

interface Naming {
  readonly FunctionName?: string | undefined
  readonly Qualifier?: string | undefined
}

export async function functionOf(call: Call, text: string, asked?: string): Promise<Found<NamedFunction>> {
  const { scope, name, qualifier } = referenceOf(call, text, asked)
  const arn = arnOf(scope, name)
  const named = qualifier === undefined ? arn : `${arn}:${qualifier}`
  const latest = await call.unit.get<FunctionRow>(at.function(scope, name))
  const row = await qualified(call, scope, latest, qualifier)
  return {
    acted: actedOn(scope, named, latest, row),
    row: row && { scope, row, arn, named },
    missing: () => notFound(named),
  }
}

const NUMBER = /^[1-9]\d{0,9}$/

async function qualified(
  call: Call,
  scope: Scope,
  latest: FunctionRow | undefined,
  qualifier: string | undefined,
): Promise<FunctionRow | undefined> {
  if (!latest || qualifier === undefined || qualifier === LATEST) return latest
  return NUMBER.test(qualifier)
    ? call.unit.get<FunctionRow>(at.version(scope, latest.name, Number(qualifier)))
    : undefined
}

/** Tags are the function's; a policy is of what it was put on, the function or a version. */
const actedOn = (
  { account }: Scope,
  arn: string,
  latest: FunctionRow | undefined,
  row: FunctionRow | undefined,
): Acted => ({
  arn,
  type: TYPE,
  account,
  tags: latest?.tags,
  ...(row?.policy && { policy: compiled(row) }),
})

export const functionNamed: Target<Naming, NamedFunction> = {
  find: (call, { FunctionName = '', Qualifier }) => functionOf(call, FunctionName, Qualifier),
}

/** For what only `$LATEST` bears: changes, and what is the function's as a whole. */
export const latestNamed: Target<Naming, NamedFunction> = {
  find: async (call, { FunctionName = '', Qualifier }) => {
    const found = await functionOf(call, FunctionName, Qualifier)
    return found.row?.row.version === undefined ? found : { ...found, row: undefined }
  },
}

/** Authorised by the ARN it will have. */
export const functionToBe: Target<Naming, undefined> = {
  find: (call, { FunctionName = '' }) => {
    const { scope, name } = referenceOf(call, FunctionName)
    return { acted: { arn: arnOf(scope, name), type: TYPE, account: scope.account }, row: undefined }
  },
}

export const functionTagged: Target<{ readonly Resource?: string | undefined }, NamedFunction> = {
  find: (call, { Resource = '' }) => {
    if (referenceOf(call, Resource).qualifier !== undefined) {
      throw invalid('Tags on function aliases and versions are not supported. Please specify a function ARN.')
    }
    return functionOf(call, Resource)
  },
}

/** Rows never change in place, so a policy is compiled once for each version of its row. */
const policies = new WeakMap<FunctionRow, CompiledPolicy>()

function compiled(row: FunctionRow): CompiledPolicy {
  let policy = policies.get(row)
  if (!policy) {
    policy = compilePinned(row.policy!.text, row.policy!.pins, { id: 'default', kind: 'resource' })
    policies.set(row, policy)
  }
  return policy
}
