/** An event of the audit log, with the decisions that Merlon adds to it. */
export interface RecordedDecision {
  readonly id: string
  readonly action: string
  readonly resource: string
  readonly effect: 'Allow' | 'Deny'
  readonly layer?: string
  readonly explicit?: true
  readonly policy?: string
  readonly statement?: string
  readonly context?: Readonly<Record<string, readonly string[]>>
}

export interface AuditEvent {
  readonly eventID: string
  readonly requestID?: string
  readonly eventTime: string
  readonly eventSource: string
  readonly eventName: string
  readonly awsRegion: string
  readonly sourceIPAddress?: string
  readonly userAgent?: string
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly recipientAccountId?: string
  readonly requestParameters?: Readonly<Record<string, unknown>> | null
  readonly resources?: readonly { readonly ARN?: string; readonly type?: string }[]
  readonly userIdentity?: {
    readonly type?: string
    readonly arn?: string
    readonly accountId?: string
    readonly userName?: string
    readonly invokedBy?: string
    readonly sessionContext?: {
      readonly sessionIssuer?: { readonly arn?: string; readonly userName?: string }
      readonly attributes?: { readonly mfaAuthenticated?: string; readonly creationDate?: string }
    }
  }
  readonly additionalEventData?: { readonly merlonDecisions?: readonly RecordedDecision[] }
}

export const isDenial = ({ errorCode = '' }: AuditEvent): boolean =>
  /(AccessDenied|UnauthorizedOperation|Forbidden)/.test(errorCode)

export const serviceOf = ({ eventSource }: AuditEvent): string => eventSource.replace(/\.amazonaws\.com$/, '')

/** `ann`, `Auditor/session`, `lambda.amazonaws.com` */
export function callerOf({ userIdentity = {} }: AuditEvent): string {
  const { type, arn, userName, invokedBy } = userIdentity
  if (type === 'Root') return 'root'
  return (
    userName ??
    arn
      ?.split(':')
      .at(-1)
      ?.replace(/^[^/]+\//, '') ??
    invokedBy ??
    'unknown'
  )
}
