/** When a key was last used: read from the audit log, which has every use. */
import type * as KMS from '@aws-sdk/client-kms'
import { arnOf } from './resources.ts'
import { requireState } from './states.ts'
import { ownKey } from './targets.ts'
import { date, kms } from './words.ts'

type Tracked = KMS.KeyLastUsageTrackingOperation

const TRACKED: ReadonlySet<string> = new Set<Tracked>([
  'Decapsulate',
  'Decrypt',
  'DeriveSharedSecret',
  'Encapsulate',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'ReEncrypt',
  'Sign',
  'Verify',
  'VerifyMac',
])

const PORTION = 100
/** So far back one call looks. */
const PORTIONS_MAX = 50

interface UseEvent {
  readonly eventName: string
  readonly eventID: string
  readonly requestID: string
  readonly errorCode?: string
}

export const getKeyLastUsage = kms
  .operation('GetKeyLastUsage')
  .on(ownKey)
  .run(async (call, _input, { row }) => {
    requireState(row, 'GetKeyLastUsage')
    const found = {
      KeyId: arnOf(row),
      TrackingStartDate: date(row.createdAt),
      KeyCreationDate: date(row.createdAt),
    }
    let oldest = row.createdAt
    let after: string | undefined
    for (let portion = 0; portion < PORTIONS_MAX; portion++) {
      const entries = await call.ports.events.query({
        account: row.account,
        region: row.region,
        attribute: ['ResourceName', arnOf(row)],
        after,
        limit: PORTION,
      })
      for (const entry of entries) {
        const event = JSON.parse(entry.body) as UseEvent
        if (!TRACKED.has(event.eventName) || event.errorCode !== undefined) continue
        const usage = {
          Operation: event.eventName as Tracked,
          Timestamp: date(entry.timeMs),
          CloudTrailEventId: event.eventID,
          KmsRequestId: event.requestID,
        }
        return { ...found, KeyLastUsage: usage }
      }
      if (entries.length < PORTION) return { ...found, KeyLastUsage: {} }
      after = entries.at(-1)!.position
      oldest = entries.at(-1)!.timeMs
    }
    // A key that is viewed more than it is used is not therefore unused: the response covers only what was searched.
    return { ...found, TrackingStartDate: date(oldest), KeyLastUsage: {} }
  })
