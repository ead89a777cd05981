/** Automatic actions of KMS on a key, recorded in the audit log of the key's account and Region. */
import { serviceEvent } from '../../kernel/events/event.ts'
import type { Unit } from '../../store/store.ts'
import { arnOf } from './resources.ts'
import type { KeyRow } from './rows.ts'

export function recordServiceEvent(
  unit: Unit,
  row: KeyRow,
  eventName: 'RotateKey' | 'DeleteKey' | 'DeleteExpiredKeyMaterial' | 'CreateKey' | 'SynchronizeMultiRegionKey',
  timeMs: number,
  details: Readonly<Record<string, unknown>> = {},
): void {
  const { account, region, id } = row
  unit.append(
    serviceEvent({
      account,
      region,
      timeMs,
      eventSource: 'kms.amazonaws.com',
      eventName,
      details: { keyId: id, ...details },
      resources: [{ arn: arnOf(row), type: 'AWS::KMS::Key', account }],
    }),
  )
}
