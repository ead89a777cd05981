/** RotateSecret: its rules, its function, and whether it starts now. */
import type { Call } from '../../kernel/gate/call.ts'
import { cancelJob } from '../../kernel/jobs/jobs.ts'
import { Fault } from '../../wire/fault.ts'
import { keys } from './conditions.ts'
import { CURRENT, holder, PENDING } from './labels.ts'
import { refusals } from './messages.ts'
import {
  alive,
  invalidRequest,
  primary,
  type RotationRules,
  type Secret,
  type SecretRow,
  secretNamed,
  secrets,
  secretsmanager,
  withToken,
} from './resources.ts'
import { begun, currentAttempt, forgetAttempt, scheduled } from './rotating.ts'
import { checkRules } from './rotation-rules.ts'
import { functions, SERVICE_PRINCIPAL } from './steps.ts'

export const rotateSecret = secretsmanager
  .operation('RotateSecret')
  .on(withToken(secretNamed))
  .conditions(keys)
  .run(async (call, input, secret) => {
    alive(secret)
    primary(secret)
    if (input.ExternalSecretRotationMetadata ?? input.ExternalSecretRotationRoleArn) {
      throw new Fault('NotImplemented', 'Merlon does not rotate secrets that others manage.', { status: 400 })
    }
    const { row, scope, arn } = secret
    const functionArn = input.RotationLambdaARN || row.rotation?.functionArn
    if (!functionArn) throw invalidRequest('No Lambda rotation function ARN is associated with this secret.')
    const rules = rulesOf(input.RotationRules) ?? row.rotation?.rules
    if (!rules) throw invalidRequest('Rotation rules are needed the first time a secret is rotated.')
    checkRules(rules, call.now)
    const token = input.ClientRequestToken!
    await refuseUnfinished(call, secret, token)
    await mayInvoke(call, secret, functionArn)

    const rotation = { ...row.rotation, enabled: true, functionArn, rules }
    const ready: SecretRow = scheduled(call.unit, scope, { ...row, rotation }, row.rotation?.lastRotatedAt ?? call.now)
    const steps = input.RotateImmediately === false ? 'test' : 'all'
    await begun(call.unit, scope, ready, { token, steps, now: call.now })
    return { ARN: arn, Name: row.name, ...(steps === 'all' && { VersionId: token }) }
  })

function rulesOf(rules: RotationRules | undefined): RotationRules | undefined {
  if (!rules || Object.values(rules).every((value) => value === undefined)) return undefined
  const { AutomaticallyAfterDays, ScheduleExpression, Duration } = rules
  return {
    ...(AutomaticallyAfterDays !== undefined && { AutomaticallyAfterDays }),
    ...(ScheduleExpression !== undefined && { ScheduleExpression }),
    ...(Duration !== undefined && { Duration }),
  }
}

/** A pending version that is not the current one is a rotation that has yet to finish. */
async function refuseUnfinished(call: Call, { row, scope }: Secret, token: string): Promise<void> {
  const pending = holder(row.versions, PENDING)
  if (!pending || pending.id === token || pending.id === holder(row.versions, CURRENT)?.id) return
  if (await currentAttempt(call.unit, scope, row)) {
    throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.")
  }
}

/**
 * Before anything is scheduled: the caller must be allowed to invoke the function, since otherwise permission to rotate
 * a secret would give the use of every rotation function; and so must this service, by the function's own policy.
 */
async function mayInvoke(call: Call, { scope, arn }: Secret, FunctionName: string): Promise<void> {
  const acting = { service: SERVICE_PRINCIPAL, account: scope.account, region: scope.region, source: arn }
  const tried = { FunctionName, InvocationType: 'DryRun' } as const
  try {
    await call.forward(functions, 'Invoke', tried)
    await call.once(() => call.actAs(acting, functions, 'Invoke', tried)).catch(asServicesRefusal)
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'ResourceNotFoundException') throw error
    throw refusals.invoke(error)
  }
}

function asServicesRefusal(error: unknown): never {
  if (!(error instanceof Fault) || !/^AccessDenied/.test(error.code)) throw error
  throw refusals.invoke(error)
}

export const cancelRotateSecret = secretsmanager
  .operation('CancelRotateSecret')
  .on(secretNamed)
  .conditions(keys)
  .run(async (call, _input, secret) => {
    alive(secret)
    primary(secret)
    const { row, scope, arn } = secret
    if (!row.rotation) throw invalidRequest('The secret has no rotation to cancel.')
    const { due, nextAt: _never, ...rotation } = row.rotation
    if (due !== undefined) cancelJob(call.unit, due)
    await forgetAttempt(call.unit, scope, row)
    secrets.save(call, scope, { ...row, rotation: { ...rotation, enabled: false } })
    const pending = holder(row.versions, PENDING)
    return { ARN: arn, Name: row.name, ...(pending && { VersionId: pending.id }) }
  })
