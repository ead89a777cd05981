/** Uses of a message's data keys: KMS events with its keys and its encryption context, from CloudTrail. */
import type { Inspection } from '../../encryption-sdk/index.ts'
import type { Client } from '../../kernel/client/client.ts'

/** One use of the data key of a message, oldest first. */
export interface Use {
  readonly time: string
  readonly operation: string
  /** ARN, or what else the event has of the caller. */
  readonly caller: string
  readonly keyArn: string
  /** Absent: it succeeded. */
  readonly errorCode?: string
  /** Pairs of the event that the message does not store. */
  readonly more: Readonly<Record<string, string>>
  readonly eventId: string
}

interface Event {
  readonly eventID: string
  readonly eventTime: string
  readonly eventName: string
  readonly errorCode?: string
  readonly userIdentity: {
    readonly arn?: string
    readonly userName?: string
    readonly invokedBy?: string
    readonly type?: string
  }
  readonly requestParameters?: { readonly encryptionContext?: Readonly<Record<string, string>> } | null
}

const OPERATIONS: ReadonlySet<string> = new Set([
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'Encrypt',
  'Decrypt',
  'ReEncrypt',
])
const PAGE = 50
/** Further back than this is not looked. */
const PAGES_MAX = 200

/** `clientOf`: a client of a Region. */
export async function usesOf(message: Inspection, clientOf: (region: string) => Client): Promise<readonly Use[]> {
  const uses: Use[] = []
  for (const { providerId, providerInfo } of message.encryptedDataKeys) {
    const region = providerId === 'aws-kms' ? /^arn:[^:]+:kms:([^:]+):/.exec(providerInfo)?.[1] : undefined
    if (region === undefined) continue
    for await (const event of eventsOf(clientOf(region), providerInfo)) {
      const context = event.requestParameters?.encryptionContext ?? {}
      if (!OPERATIONS.has(event.eventName) || !contains(context, message.encryptionContext)) continue
      const { arn, userName, invokedBy, type } = event.userIdentity
      uses.push({
        time: event.eventTime,
        operation: event.eventName,
        caller: arn ?? userName ?? invokedBy ?? type ?? 'unknown',
        keyArn: providerInfo,
        ...(event.errorCode !== undefined && { errorCode: event.errorCode }),
        more: Object.fromEntries(
          Object.entries(context).filter(([key]) => !Object.hasOwn(message.encryptionContext, key)),
        ),
        eventId: event.eventID,
      })
    }
  }
  return uses.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

/** Newest first. */
async function* eventsOf(client: Client, keyArn: string): AsyncGenerator<Event> {
  let NextToken: string | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer = await client.json<{ Events?: { CloudTrailEvent: string }[]; NextToken?: string }>(
      'cloudtrail',
      'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents',
      {
        MaxResults: PAGE,
        LookupAttributes: [{ AttributeKey: 'ResourceName', AttributeValue: keyArn }],
        ...(NextToken && { NextToken }),
      },
    )
    const events = (answer.Events ?? []).map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent) as Event)
    // Within a second, the answer has the newest first.
    yield* events
    NextToken = answer.NextToken
    if (!NextToken) return
  }
}

const contains = (whole: Readonly<Record<string, string>>, part: Readonly<Record<string, string>>): boolean =>
  Object.entries(part).every(([key, value]) => Object.hasOwn(whole, key) && whole[key] === value)
