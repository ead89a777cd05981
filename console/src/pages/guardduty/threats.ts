/** Findings of GuardDuty as the pages show them: by urgency, with the actor and the events behind them. */
import type { Client } from '../../api/client.ts'
import { inParallel } from '../../api/in-parallel.ts'
import type { Output } from '../../api/sdk.ts'

export type Finding = NonNullable<Output<'guardduty', 'GetFindings'>['Findings']>[number]

export interface Findings {
  readonly detector: string
  readonly findings: readonly Finding[]
}

const PER_CALL = 50

/** Undefined: nothing is watched in this Region. */
export async function detectorOf(client: Client): Promise<string | undefined> {
  const [detector] = await client.list('guardduty', 'ListDetectors', {}, 'DetectorIds')
  return detector
}

/** The most urgent first. */
export async function loadFindings(client: Client, detector: string, isArchived: boolean): Promise<Findings> {
  const ids = await client.list(
    'guardduty',
    'ListFindings',
    {
      DetectorId: detector,
      FindingCriteria: { Criterion: { 'service.archived': { Equals: [String(isArchived)] } } },
    },
    'FindingIds',
  )
  const pages = Array.from({ length: Math.ceil(ids.length / PER_CALL) }, (_, n) =>
    ids.slice(n * PER_CALL, (n + 1) * PER_CALL),
  )
  const found = await inParallel(
    pages,
    async (FindingIds) =>
      (await client.call('guardduty', 'GetFindings', { DetectorId: detector, FindingIds })).Findings ?? [],
  )
  const findings = found.flat().sort((a, b) => b.Severity! - a.Severity! || (a.UpdatedAt! < b.UpdatedAt! ? 1 : -1))
  return { detector, findings }
}

export type Urgency = 'critical' | 'high' | 'medium' | 'low'

/** Source: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html */
export const urgencyOf = ({ Severity = 0 }: Finding): Urgency =>
  Severity >= 9 ? 'critical' : Severity >= 7 ? 'high' : Severity >= 4 ? 'medium' : 'low'

/** The user, role or machine that did it, and what events of it are found by. */
export interface Actor {
  readonly name: string
  readonly attribute?: 'AccessKeyId' | 'Username'
  readonly value?: string
}

/** Without the beginning of an ARN: `root` of `arn:aws:iam::111122223333:root`. */
const shortName = (name: string): string => name.replace(/^arn:[^:]*:[^:]*:[^:]*:[^:]*:/, '')

export function actorOf({ Resource }: Finding): Actor {
  const key = Resource?.AccessKeyDetails
  if (key?.AccessKeyId)
    return {
      name: shortName(key.UserName || key.PrincipalId || key.AccessKeyId),
      attribute: 'AccessKeyId',
      value: key.AccessKeyId,
    }
  if (key?.UserName) return { name: shortName(key.UserName), attribute: 'Username', value: key.UserName }
  return { name: Resource?.InstanceDetails?.InstanceId ?? Resource?.S3BucketDetails?.[0]?.Name ?? 'unknown' }
}

export function targetOf({ Resource, AccountId }: Finding): string {
  return (
    Resource?.S3BucketDetails?.[0]?.Name ??
    Resource?.InstanceDetails?.InstanceId ??
    (Resource?.AccessKeyDetails?.UserName ? shortName(Resource.AccessKeyDetails.UserName) : AccountId) ??
    'unknown'
  )
}

export const addressOf = ({ Service }: Finding): string | undefined => {
  const { AwsApiCallAction: api, NetworkConnectionAction: network } = Service?.Action ?? {}
  const remote = api?.RemoteIpDetails ?? network?.RemoteIpDetails
  return remote?.IpAddressV4 ?? remote?.IpAddressV6
}

/** What an anomaly saw, and what the actor does otherwise. */
export interface Unusual {
  readonly dimension: string
  readonly observed: string
  readonly expected: readonly string[]
}

export interface Behind {
  readonly eventIds: readonly string[]
  readonly unusual: readonly Unusual[]
  /** Of an attack sequence: the IDs of the findings that are its steps. */
  readonly signals: readonly string[]
}

/** From the additional information, which is a text of JSON. */
export function behindOf({ Service }: Finding): Behind {
  const signals = (Service?.Detection?.Sequence?.Signals ?? []).flatMap(({ Uid }) => Uid ?? [])
  try {
    const info = JSON.parse(Service?.AdditionalInfo?.Value ?? '{}')
    return { eventIds: info.eventIds ?? [], unusual: info.unusualBehavior ?? [], signals }
  } catch {
    return { eventIds: [], unusual: [], signals }
  }
}
