/** Recorded calls, as CloudTrail keeps them: the action, the principal, the resources and the outcome. */
import { parseNetwork } from '../values.ts'
import type { ContextValues } from './principal-context.ts'

export interface RecordedCall {
  readonly id: string
  readonly time: string
  /** `s3:GetObject` */
  readonly action: string
  /** The user or role; undefined for a service, root or another account. */
  readonly principal: string | undefined
  readonly resources: readonly string[]
  readonly allowed: boolean
  /** Condition keys that the record holds. */
  readonly context: ContextValues
}

/** As much of a CloudTrail record as is read. */
export interface RawRecord {
  readonly eventID?: string
  readonly eventTime?: string
  readonly eventSource?: string
  readonly eventName?: string
  readonly awsRegion?: string
  readonly sourceIPAddress?: string
  readonly userAgent?: string
  readonly errorCode?: string
  readonly resources?: readonly { readonly ARN?: string }[]
  readonly userIdentity?: {
    readonly type?: string
    readonly arn?: string
    readonly sessionContext?: {
      readonly sessionIssuer?: { readonly arn?: string }
      readonly attributes?: { readonly mfaAuthenticated?: string; readonly creationDate?: string }
    }
  }
}

/** Where CloudTrail's source is not the prefix of the actions. */
const PREFIXES: Readonly<Record<string, string>> = {
  monitoring: 'cloudwatch',
}

const REFUSALS =
  /^(AccessDenied|AccessDeniedException|Client\.UnauthorizedOperation|UnauthorizedOperation|.*\.AccessDenied)$/

export function recordedCall(raw: RawRecord): RecordedCall {
  const { userIdentity = {}, sourceIPAddress = '', userAgent, awsRegion, eventTime = '' } = raw
  const source = raw.eventSource!.replace(/\.amazonaws\.com$/, '')
  const { attributes } = userIdentity.sessionContext ?? {}
  const context: ContextValues = {
    'aws:ViaAWSService': [String(sourceIPAddress.endsWith('.amazonaws.com'))],
    ...(isAddress(sourceIPAddress) && { 'aws:SourceIp': [sourceIPAddress] }),
    ...(userAgent !== undefined && { 'aws:UserAgent': [userAgent] }),
    ...(awsRegion !== undefined && { 'aws:RequestedRegion': [awsRegion] }),
    ...(eventTime !== '' && {
      'aws:CurrentTime': [eventTime],
      'aws:EpochTime': [String(Date.parse(eventTime) / 1000)],
    }),
    ...(attributes?.mfaAuthenticated !== undefined && { 'aws:MultiFactorAuthPresent': [attributes.mfaAuthenticated] }),
    ...(attributes?.creationDate !== undefined && { 'aws:TokenIssueTime': [attributes.creationDate] }),
  }
  const resources = (raw.resources ?? []).map(({ ARN }) => ARN).filter((arn) => arn !== undefined)
  return {
    id: raw.eventID ?? '',
    time: eventTime,
    action: `${PREFIXES[source] ?? source}:${raw.eventName}`,
    principal: principalIn(userIdentity),
    resources: resources.length > 0 ? resources : ['*'],
    allowed: !REFUSALS.test(raw.errorCode ?? ''),
    context,
  }
}

function principalIn({ type, arn, sessionContext }: NonNullable<RawRecord['userIdentity']>): string | undefined {
  if (type === 'IAMUser') return arn
  return type === 'AssumedRole' ? sessionContext?.sessionIssuer?.arn : undefined
}

const isAddress = (text: string) => parseNetwork(text) !== undefined && !text.includes('/')
