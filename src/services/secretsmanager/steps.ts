/** One step of a rotation: the function is invoked as Secrets Manager, and says by its error whether it failed. */
import type * as Lambda from '@aws-sdk/client-lambda'
import type { Scope } from '../../kernel/gate/call.ts'
import type { ActAs } from '../../kernel/gate/service-caller.ts'
import type { Api } from '../../kernel/service/api.ts'
import { Fault } from '../../wire/fault.ts'

export const functions: Api<typeof Lambda> = { id: 'lambda' }
export const SERVICE_PRINCIPAL = 'secretsmanager.amazonaws.com'

export type Step = 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret'

export interface StepRequest {
  readonly functionArn: string
  readonly secretArn: string
  readonly token: string
  readonly rotationToken: string
  readonly step: Step
}

/** Returns why it failed; undefined when it did not. The customer may read the function's own error text. */
export async function invokeStep(act: ActAs, scope: Scope, request: StepRequest): Promise<string | undefined> {
  const { functionArn, secretArn, token, rotationToken, step } = request
  const acting = { service: SERVICE_PRINCIPAL, account: scope.account, region: scope.region, source: secretArn }
  const event = { SecretId: secretArn, ClientRequestToken: token, Step: step, RotationToken: rotationToken }
  try {
    const { FunctionError, Payload } = await act(acting, functions, 'Invoke', {
      FunctionName: functionArn,
      Payload: Buffer.from(JSON.stringify(event)),
    })
    return FunctionError === undefined ? undefined : `${step}: ${wordsOf(Payload)}`
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return `${step}: ${error.code}: ${error.message}`
  }
}

function wordsOf(payload: Uint8Array | undefined): string {
  const text = Buffer.from(payload ?? []).toString('utf8')
  try {
    const { errorMessage, errorType } = JSON.parse(text) as { errorMessage?: unknown; errorType?: unknown }
    return `${errorType ?? 'Error'}: ${errorMessage ?? ''}`.slice(0, 1000)
  } catch {
    return text.slice(0, 1000)
  }
}
