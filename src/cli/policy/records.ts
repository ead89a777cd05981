/** Recorded calls, as CloudTrail keeps them: what they asked, who asked, and what was decided. */
import { isIP } from 'node:net'
import { InputError, readText } from './files.ts'

export interface RecordedCall {
  readonly id: string
  readonly time: string
  /** `s3:GetObject` */
  readonly action: string
  /** The user or role; undefined for a service, root or somebody of another account. */
  readonly principal: string | undefined
  readonly resources: readonly string[]
  readonly allowed: boolean
  /** What the record tells of the request: `key=value`. */
  readonly context: readonly string[]
}

interface Raw {
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

/** `lookup-events` output, a log file's `Records`, or a record a line. Throws an `InputError`. */
export function readRecords(file: string): readonly RecordedCall[] {
  return rawRecords(file, readText(file)).map((raw) => {
    if (typeof raw?.eventName !== 'string' || typeof raw.eventSource !== 'string') {
      throw new InputError(`${file}: holds something that is no CloudTrail record.`)
    }
    return recordedCall(raw)
  })
}

function rawRecords(file: string, text: string): readonly Raw[] {
  try {
    const whole = JSON.parse(text) as
      | Raw
      | readonly Raw[]
      | { Records?: Raw[]; Events?: { CloudTrailEvent?: string }[] }
    if (Array.isArray(whole)) return whole as readonly Raw[]
    if ('Records' in whole && whole.Records) return whole.Records
    if ('Events' in whole && whole.Events) return whole.Events.map((event) => JSON.parse(event.CloudTrailEvent ?? ''))
    return [whole as Raw]
  } catch {
    return lines(file, text)
  }
}

function lines(file: string, text: string): readonly Raw[] {
  return text.split('\n').flatMap((line, at) => {
    if (line.trim() === '') return []
    try {
      return [JSON.parse(line) as Raw]
    } catch (error) {
      throw new InputError(`${file}:${at + 1}: is not JSON: ${(error as Error).message}`)
    }
  })
}

/** Where CloudTrail's source is not the prefix of the actions. */
const PREFIXES: Readonly<Record<string, string>> = {
  monitoring: 'cloudwatch',
}

const REFUSALS =
  /^(AccessDenied|AccessDeniedException|Client\.UnauthorizedOperation|UnauthorizedOperation|.*\.AccessDenied)$/

function recordedCall(raw: Raw): RecordedCall {
  const { userIdentity = {}, sourceIPAddress = '', userAgent, awsRegion, eventTime = '' } = raw
  const source = raw.eventSource!.replace(/\.amazonaws\.com$/, '')
  const { attributes } = userIdentity.sessionContext ?? {}
  const context = [
    `aws:ViaAWSService=${sourceIPAddress.endsWith('.amazonaws.com')}`,
    ...(isIP(sourceIPAddress) ? [`aws:SourceIp=${sourceIPAddress}`] : []),
    ...(userAgent === undefined ? [] : [`aws:UserAgent=${userAgent}`]),
    ...(awsRegion === undefined ? [] : [`aws:RequestedRegion=${awsRegion}`]),
    ...(eventTime === '' ? [] : [`aws:CurrentTime=${eventTime}`, `aws:EpochTime=${Date.parse(eventTime) / 1000}`]),
    ...(attributes?.mfaAuthenticated === undefined
      ? []
      : [`aws:MultiFactorAuthPresent=${attributes.mfaAuthenticated}`]),
    ...(attributes?.creationDate === undefined ? [] : [`aws:TokenIssueTime=${attributes.creationDate}`]),
  ]
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

function principalIn({ type, arn, sessionContext }: NonNullable<Raw['userIdentity']>): string | undefined {
  if (type === 'IAMUser') return arn
  return type === 'AssumedRole' ? sessionContext?.sessionIssuer?.arn : undefined
}
