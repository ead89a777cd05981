/** Automatic actions of Secrets Manager on a secret, recorded in the audit log of the secret's account and Region. */
import { serviceEvent } from '../../kernel/events/event.ts'
import type { Scope } from '../../kernel/gate/call.ts'
import type { Unit } from '../../store/store.ts'
import { arnOf, type SecretRow } from './resources.ts'

/** Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html */
type EventName =
  | 'RotationStarted'
  | 'RotationSucceeded'
  | 'RotationFailed'
  | 'RotationAbandoned'
  | 'EndSecretVersionDelete'

export function eventOf(
  unit: Unit,
  scope: Scope,
  row: SecretRow,
  eventName: EventName,
  now: number,
  error?: string,
): void {
  const arn = arnOf(scope, row)
  unit.append(
    serviceEvent({
      account: scope.account,
      region: scope.region,
      timeMs: now,
      eventSource: 'secretsmanager.amazonaws.com',
      eventName,
      resources: [{ arn, type: 'AWS::SecretsManager::Secret', account: scope.account }],
      details: { SecretId: arn },
      ...(error !== undefined && { error: { code: 'RotationFailed', message: error } }),
    }),
  )
}
