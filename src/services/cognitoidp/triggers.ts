/**
 * Lambda triggers: a pool's functions, invoked as Cognito, which change or refuse what users do. Five seconds, three tries.
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
 */

import type { LambdaConfigType } from '@aws-sdk/client-cognito-identity-provider'
import type * as Lambda from '@aws-sdk/client-lambda'
import { userPoolCounts } from '../../kernel/ports/user-pool-counts.ts'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'
import { cognito, type Flow, type PoolRow, poolArn, SERVICE_PRINCIPAL } from './resources.ts'
import type { UserRow } from './user-rows.ts'

const functions: Api<typeof Lambda> = { id: 'lambda' }

const TIMEOUT_MS = 5_000
const TRIES = 3

export type Trigger = Exclude<
  keyof LambdaConfigType,
  'PreTokenGenerationConfig' | 'CustomSMSSender' | 'CustomEmailSender' | 'KMSKeyID' | 'InboundFederation'
>

export interface TriggerRequest {
  /** `PreSignUp_SignUp` */
  readonly source: string
  readonly userName: string
  readonly clientId: string
  readonly user?: UserRow | undefined
  readonly request: Readonly<Record<string, unknown>>
  /** The members that the function may set, empty. */
  readonly response: Readonly<Record<string, unknown>>
  readonly version?: string
}

export const functionOf = ({ settings }: PoolRow, trigger: Trigger): string | undefined => {
  const lambda = settings.LambdaConfig
  if (trigger === 'PreTokenGeneration') return lambda?.PreTokenGenerationConfig?.LambdaArn ?? lambda?.PreTokenGeneration
  return lambda?.[trigger]
}

/** The attributes of a user as triggers see them. */
export const triggerAttributes = (user: UserRow): Readonly<Record<string, string>> => ({
  sub: user.sub,
  'cognito:user_status': user.status,
  ...user.attributes,
})

type Response = Readonly<Record<string, unknown>>

/**
 * The function's response; undefined where the pool has none. Throws the error that the caller receives where it fails.
 */
export async function trigger(
  call: Pick<Flow, 'once' | 'actAs' | 'use'>,
  pool: PoolRow,
  name: Trigger,
  request: TriggerRequest,
): Promise<Response | undefined> {
  const arn = functionOf(pool, name)
  if (arn === undefined) return undefined
  const event = {
    version: request.version ?? '1',
    region: pool.region,
    userPoolId: pool.id,
    userName: request.userName,
    callerContext: { awsSdkVersion: 'aws-sdk-unknown-unknown', clientId: request.clientId },
    triggerSource: request.source,
    request: request.user ? { userAttributes: triggerAttributes(request.user), ...request.request } : request.request,
    response: request.response,
  }
  // A refusal is an outcome of the function, which runs once, though the caller's transaction may be retried.
  const outcome = await call.once(async () => {
    const answer = await invokeFunction(call, pool, arn, event)
    call.use(userPoolCounts).count('trigger_calls', { trigger: name, outcome: Object.keys(answer)[0]! })
    return answer
  })
  if ('refused' in outcome)
    throw cognito.fail('UserLambdaValidationException', `${name} failed with error ${outcome.refused}.`)
  if ('failed' in outcome)
    throw cognito.fail('UnexpectedLambdaException', `${name} invocation failed due to ${outcome.failed}.`)
  if ('invalid' in outcome)
    throw cognito.fail('InvalidLambdaResponseException', `Invalid lambda function output : ${outcome.invalid}`)
  return outcome.response
}

type Outcome =
  | { readonly response: Response }
  | { readonly refused: string }
  | { readonly failed: string }
  | { readonly invalid: string }

/** Calls the function of a trigger: five seconds, three tries. */
export async function invokeFunction(
  call: Pick<Flow, 'actAs'>,
  pool: PoolRow,
  arn: string,
  event: object,
): Promise<Outcome> {
  const acting = { service: SERVICE_PRINCIPAL, account: pool.account, region: pool.region, source: poolArn(pool) }
  const Payload = Buffer.from(JSON.stringify(event))
  let failed = 'error'
  for (let tried = 0; tried < TRIES; tried++) {
    const answer = await withinTime(
      call
        .actAs(acting, functions, 'Invoke', { FunctionName: arn, Payload })
        .catch((error: unknown) => (error instanceof Fault ? error : Promise.reject(error))),
    )
    if (answer === undefined) {
      failed = 'timeout'
      continue
    }
    if (answer instanceof Fault) {
      failed = answer.code
      // What is refused will be refused again; what is busy may not be.
      if (!/^(TooManyRequests|ServiceException|Service)/.test(answer.code)) break
      continue
    }
    const text = Buffer.from(answer.Payload ?? []).toString('utf8')
    const parsed = readJson(text)
    if (answer.FunctionError !== undefined) {
      const message = parsed && typeof parsed['errorMessage'] === 'string' ? parsed['errorMessage'] : ''
      return { refused: message.slice(0, 1000).replace(/\.$/, '') }
    }
    if (!parsed) return { invalid: 'Invalid JSON' }
    const { response } = parsed
    if (typeof response !== 'object' || response === null) return { invalid: 'Response is missing' }
    return { response: response as Response }
  }
  return { failed }
}

function readJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** undefined when it took too long. The function itself goes on, as in AWS. */
async function withinTime<T>(work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), TIMEOUT_MS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
