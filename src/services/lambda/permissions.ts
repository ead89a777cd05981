/**
 * The policy on a function, statement by statement, as AddPermission's parameters say them.
 * Source: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
 */
import type { AddPermissionRequest } from '@aws-sdk/client-lambda'
import { isKnownAction } from '../../kernel/gate/actions.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'
import { type Pinned, pinPolicy, shownPolicy } from '../../kernel/resource/pinned.ts'
import { PolicyError } from '../../policy/index.ts'
import { functionNamed, invalid, lambda, type NamedFunction } from './resources.ts'

const BYTES_MAX = 20_480

interface Statement {
  readonly Sid: string
  readonly [element: string]: unknown
}

/** Parameter → the condition that it becomes. */
const CONDITIONS: readonly (readonly [keyof AddPermissionRequest, operator: string, key: string])[] = [
  ['SourceAccount', 'StringEquals', 'AWS:SourceAccount'],
  ['SourceArn', 'ArnLike', 'AWS:SourceArn'],
  ['PrincipalOrgID', 'StringEquals', 'aws:PrincipalOrgID'],
  ['EventSourceToken', 'StringEquals', 'lambda:EventSourceToken'],
  ['FunctionUrlAuthType', 'StringEquals', 'lambda:FunctionUrlAuthType'],
  ['InvokedViaFunctionUrl', 'Bool', 'lambda:InvokedViaFunctionUrl'],
]

function conditionsIn(input: Partial<AddPermissionRequest>): { readonly Condition?: object } {
  const Condition: Record<string, Record<string, string>> = {}
  for (const [parameter, operator, key] of CONDITIONS) {
    const value = input[parameter]
    if (value !== undefined) Condition[operator] = { ...Condition[operator], [key]: String(value) }
  }
  return Object.keys(Condition).length > 0 ? { Condition } : {}
}

function principalIn(text: string): unknown {
  if (text === '*') return '*'
  if (/^\d{12}$/.test(text)) return { AWS: `arn:aws:iam::${text}:root` }
  if (/^arn:aws[a-z-]*:(iam|sts)::\d{12}:./.test(text)) return { AWS: text }
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$/.test(text)) return { Service: text }
  throw badPrincipal()
}

const badPrincipal = () => invalid('The provided principal was invalid. Please check the principal and try again.')

/** Condition keys of the permission that is added. */
const keys = (input: Partial<AddPermissionRequest>): Conditions => ({
  'lambda:Principal': input.Principal,
  'lambda:FunctionUrlAuthType': input.FunctionUrlAuthType,
})

/** As they read today. Deleted principals are shown by their ID, so that a later principal with the same name can be added. */
async function statementsOf(call: Call, { row: { policy } }: NamedFunction): Promise<readonly Statement[]> {
  return policy ? JSON.parse(await shownPolicy(call, policy.text, policy.pins)).Statement : []
}

function requirePolicyRevision({ row }: NamedFunction, wanted: string | undefined): void {
  if (wanted === undefined || wanted === (row.policy?.revision ?? row.revision)) return
  throw lambda.fail(
    'PreconditionFailedException',
    'The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id',
  )
}

export const addPermission = lambda
  .operation('AddPermission')
  .on(functionNamed)
  .conditions(keys)
  .run(async (call, input, found) => {
    requirePolicyRevision(found, input.RevisionId)
    if (/^lambda:[A-Za-z]+$/.test(input.Action) && !isKnownAction(input.Action)) {
      throw invalid(`Lambda has no action '${input.Action}'.`)
    }
    const before = await statementsOf(call, found)
    if (before.some(({ Sid }) => Sid === input.StatementId)) {
      throw lambda.fail(
        'ResourceConflictException',
        `The statement id (${input.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
        { Type: 'User' },
      )
    }
    const statement: Statement = {
      Sid: input.StatementId,
      Effect: 'Allow',
      Principal: principalIn(input.Principal),
      Action: input.Action,
      Resource: found.named,
      ...conditionsIn(input),
    }
    await savePolicy(call, found, [...before, statement], input.Principal)
    return { Statement: JSON.stringify(statement) }
  })

export const removePermission = lambda
  .operation('RemovePermission')
  .on(functionNamed)
  .run(async (call, input, found) => {
    const before = await statementsOf(call, found)
    if (before.length === 0) throw noResource('No policy is associated with the given resource.')
    requirePolicyRevision(found, input.RevisionId)
    const after = before.filter(({ Sid }) => Sid !== input.StatementId)
    if (after.length === before.length) {
      throw noResource(`Statement ${input.StatementId} is not found in resource policy.`)
    }
    await savePolicy(call, found, after)
    return {}
  })

export const getPolicy = lambda
  .operation('GetPolicy')
  .on(functionNamed)
  .run(async (call, _input, { row }) => {
    if (!row.policy) throw noResource('The resource you requested does not exist.')
    const { text, pins, revision } = row.policy
    return { Policy: await shownPolicy(call, text, pins), RevisionId: revision }
  })

const noResource = (message: string) => lambda.fail('ResourceNotFoundException', message)

/** `newcomer` is the principal of the last statement, when that is new. */
async function savePolicy(
  call: Call,
  { row, save }: NamedFunction,
  statements: readonly Statement[],
  newcomer?: string,
): Promise<void> {
  const { policy: _before, ...rest } = row
  if (statements.length === 0) {
    save(rest)
    return
  }
  const text = JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: statements })
  if (Buffer.byteLength(text) > BYTES_MAX) {
    throw lambda.fail(
      'PolicyLengthExceededException',
      `The final policy size (${Buffer.byteLength(text)}) is bigger than the limit (${BYTES_MAX}).`,
    )
  }
  const { pins, missing } = await pinned(call, text)
  // Principals of earlier statements may have been deleted since.
  if (newcomer !== undefined && missing.includes(newcomer)) throw badPrincipal()
  save({ ...rest, policy: { text, pins, revision: call.newId() } })
}

async function pinned(call: Call, text: string): Promise<Pinned> {
  try {
    return await pinPolicy(call, text)
  } catch (error) {
    if (error instanceof PolicyError) throw invalid(error.message)
    throw error
  }
}
