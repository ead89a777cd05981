/**
 * Where CloudTrail's names for a call are not those of the model.
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html and the examples
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-understanding-s3-entries.html
 */

import { lambdaEvents } from './lambda-events.ts'

interface EventNames {
  readonly events?: Readonly<Record<string, string>>
  readonly parameters?: Readonly<Record<string, string>>
  /** Parameters whose text is a JSON document, by their shown names: shown as objects. */
  readonly documents?: readonly string[]
  /** Parameters that keep the names of their XML elements, by their shown names. */
  readonly elements?: readonly string[]
  /** Contents, not parameters. */
  readonly left?: readonly string[]
  /** Operations whose answers are contents: what a function returned and printed is not the log's. */
  readonly silent?: readonly string[]
  /** Operations whose answer does not name their resource; the event's `responseElements` do, by its ARN. */
  readonly resourceInAnswer?: {
    readonly member: string
    /** As CloudTrail shows it. */
    readonly type: string
    readonly pattern: RegExp
    readonly operations: readonly string[]
  }
}

const names: Readonly<Record<string, EventNames>> = {
  s3: {
    events: {
      DeletePublicAccessBlock: 'DeleteBucketPublicAccessBlock',
      GetBucketAccelerateConfiguration: 'GetAccelerateConfiguration',
      GetBucketLifecycleConfiguration: 'GetBucketLifecycle',
      GetBucketNotificationConfiguration: 'GetBucketNotification',
      GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
      GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
      ListObjectsV2: 'ListObjects',
      PutBucketAccelerateConfiguration: 'PutAccelerateConfiguration',
      PutBucketLifecycleConfiguration: 'PutBucketLifecycle',
      PutBucketNotificationConfiguration: 'PutBucketNotification',
      PutObjectLockConfiguration: 'PutBucketObjectLockConfiguration',
      PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
    },
    parameters: {
      bucket: 'bucketName',
      policy: 'bucketPolicy',
      createBucketConfiguration: 'CreateBucketConfiguration',
      publicAccessBlockConfiguration: 'PublicAccessBlockConfiguration',
      tagging: 'Tagging',
    },
    documents: ['bucketPolicy'],
    elements: ['CreateBucketConfiguration', 'PublicAccessBlockConfiguration', 'Tagging'],
    left: ['body'],
  },
  lambda: { events: lambdaEvents, silent: ['Invoke'] },
  // Source: the examples of https://docs.aws.amazon.com/kms/latest/developerguide/understanding-kms-entries.html: since
  // December 2022. Those of TagResource, PutKeyPolicy, UpdateKeyDescription, RetireGrant and RevokeGrant have no answer.
  kms: {
    resourceInAnswer: {
      member: 'keyId',
      type: 'AWS::KMS::Key',
      pattern: /:key\//,
      operations: [
        'CreateAlias',
        'CreateGrant',
        'DeleteAlias',
        'DisableKey',
        'DisableKeyRotation',
        'EnableKey',
        'EnableKeyRotation',
        'UntagResource',
        'UpdateAlias',
      ],
    },
  },
}

export const eventNameOf = (service: string, operation: string): string =>
  names[service]?.events?.[operation] ?? operation

export const isSilent = (service: string, operation: string): boolean =>
  names[service]?.silent?.includes(operation) ?? false

/** The operation behind an event's name: of those it may be, the first. */
export const operationOf = (service: string, eventName: string): string =>
  Object.entries(names[service]?.events ?? {}).find(([, shown]) => shown === eventName)?.[0] ?? eventName

/** What `responseElements` show: the answer that `redact` has left, and the resource where the answer does not name it. */
export function responseElementsOf(
  service: string,
  operation: string,
  shown: unknown,
  resources: readonly { readonly type: string; readonly arn: string }[],
): unknown {
  const rule = names[service]?.resourceInAnswer
  if (!rule?.operations.includes(operation)) return shown
  const found = resources.find(({ type, arn }) => type === rule.type && rule.pattern.test(arn))
  return found ? { ...(shown as object), [rule.member]: found.arn } : shown
}

type Parameters = Readonly<Record<string, unknown>>

/** Takes back what {@link parametersOf} has changed. */
export function inputNamesOf(service: string, shown: Parameters): Record<string, unknown> {
  const { parameters = {}, documents = [], elements = [] } = names[service] ?? {}
  const plain = new Map(Object.entries(parameters).map(([name, changed]) => [changed, name]))
  return Object.fromEntries(
    Object.entries(shown).map(([name, value]) => {
      const text = documents.includes(name) && typeof value === 'object' ? JSON.stringify(value) : value
      return [plain.get(name) ?? name, elements.includes(name) ? renamed(text, lowerFirst) : text]
    }),
  )
}

/** Of what `redact` has left. */
export function parametersOf(service: string, shown: unknown): unknown {
  const { parameters, left, documents = [], elements = [] } = names[service] ?? {}
  if (!parameters || typeof shown !== 'object' || shown === null) return shown
  return Object.fromEntries(
    Object.entries(shown)
      .filter(([name]) => !left?.includes(name))
      .map(([name, value]) => {
        const changed = parameters[name] ?? name
        if (documents.includes(changed)) return [changed, documentOf(value)]
        return [changed, elements.includes(changed) ? renamed(value, upperFirst) : value]
      }),
  )
}

/** The text itself where it is no JSON object. */
function documentOf(value: unknown): unknown {
  try {
    const parsed: unknown = JSON.parse(String(value))
    return parsed !== null && typeof parsed === 'object' ? parsed : value
  } catch {
    return value
  }
}

const upperFirst = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)
const lowerFirst = (name: string) => name.charAt(0).toLowerCase() + name.slice(1)

function renamed(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => renamed(each, rename))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [rename(name), renamed(inner, rename)]))
}
