/** A user pool with functions. The functions are a mock: the lambda service as far as triggers call it. */
import { type LambdaConfigType, UpdateUserPoolCommand } from '@aws-sdk/client-cognito-identity-provider'
import type * as Lambda from '@aws-sdk/client-lambda'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import type { Service } from '../../kernel/service/service.ts'
import { compilePolicy, parsePolicy } from '../../policy/index.ts'
import { services } from '../../server/compose/services.ts'
import { poolFixture } from './user-pool.fixture.ts'

export interface Event {
  readonly triggerSource: string
  readonly userName: string
  // biome-ignore lint/suspicious/noExplicitAny: each trigger has its own members.
  readonly request: any
  // biome-ignore lint/suspicious/noExplicitAny: see above
  readonly response: any
}
export type TriggerFunction = (event: Event) => object | string

export const arnOf = (name: string) => `arn:aws:lambda:us-east-1:${ACCOUNT}:function:${name}`
const bytes = (text: string) => Buffer.from(text) as never

/**
 * The lambda service as far as triggers call it. Text is the response as it is; a thrown error is the function's error.
 */
function mockLambda(functions: Readonly<Record<string, TriggerFunction>>, calls: Event[], policy: string): Service {
  const lambda = defineService<typeof Lambda>('lambda')
  const compiled = compilePolicy(parsePolicy(policy, 'resource'), { id: 'function', kind: 'resource' })
  return {
    api: lambda.api,
    operations: [
      lambda
        .operation('Invoke')
        .on({
          find: (_call, { FunctionName = '' }: { readonly FunctionName?: string | undefined }) => ({
            acted: { arn: FunctionName, type: 'AWS::Lambda::Function', account: ACCOUNT, policy: compiled },
            row: functions[FunctionName.split(':').at(-1)!],
            missing: () => lambda.fail('ResourceNotFoundException', `Function not found: ${FunctionName}`),
          }),
        })
        .actions('lambda:InvokeFunction')
        .run((_call, { Payload }, run) => {
          const event = JSON.parse(Buffer.from(Payload as Uint8Array).toString()) as Event
          calls.push(event)
          try {
            const answer = run!(event)
            return { StatusCode: 200, Payload: bytes(typeof answer === 'string' ? answer : JSON.stringify(answer)) }
          } catch (error) {
            const said = { errorMessage: (error as Error).message, errorType: 'Error' }
            return { StatusCode: 200, FunctionError: 'Unhandled', Payload: bytes(JSON.stringify(said)) }
          }
        }),
    ],
  }
}

const POLICY = allowing({
  Principal: { Service: 'cognito-idp.amazonaws.com' },
  Action: 'lambda:InvokeFunction',
  Resource: '*',
})

export async function withFunctions(functions: Readonly<Record<string, TriggerFunction>>, policy = POLICY) {
  const calls: Event[] = []
  const mock = mockLambda(functions, calls, policy)
  const it = await poolFixture({}, {}, { services: [...services.filter(({ api }) => api.id !== 'lambda'), mock] })
  const configure = (LambdaConfig: LambdaConfigType) =>
    it.idp.send(
      new UpdateUserPoolCommand({ UserPoolId: it.UserPoolId, AutoVerifiedAttributes: ['email'], LambdaConfig }),
    )
  return { ...it, calls, configure }
}
