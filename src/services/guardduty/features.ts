/** Features of a detector: what it watches, and the older `DataSources` members, which mirror some of them. */
import type * as GuardDuty from '@aws-sdk/client-guardduty'
import { badRequest } from './faults.ts'

type Status = 'ENABLED' | 'DISABLED'

export interface FeatureState {
  readonly status: Status
  /** Epoch milliseconds. */
  readonly updatedAt: number
  readonly additional?: Readonly<Record<string, { readonly status: Status; readonly updatedAt: number }>>
}
export type FeatureStates = Readonly<Record<string, FeatureState>>

/** Source: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-features-activation-model.html */
const DEFAULT_ON = [
  'S3_DATA_EVENTS',
  'EKS_AUDIT_LOGS',
  'EBS_MALWARE_PROTECTION',
  'RDS_LOGIN_EVENTS',
  'LAMBDA_NETWORK_LOGS',
]
const RUNTIME = ['EKS_RUNTIME_MONITORING', 'RUNTIME_MONITORING'] as const
/** Watched as long as the detector is enabled; no request names them. */
const FOUNDATIONAL = ['CLOUD_TRAIL', 'DNS_LOGS', 'FLOW_LOGS'] as const
const ADDITIONAL: Readonly<Record<string, readonly string[]>> = {
  EKS_RUNTIME_MONITORING: ['EKS_ADDON_MANAGEMENT'],
  RUNTIME_MONITORING: ['EKS_ADDON_MANAGEMENT', 'ECS_FARGATE_AGENT_MANAGEMENT', 'EC2_AGENT_MANAGEMENT'],
}

export interface FeatureRequest {
  readonly Name?: string | undefined
  readonly Status?: string | undefined
  readonly AdditionalConfiguration?:
    | readonly { readonly Name?: string | undefined; readonly Status?: string | undefined }[]
    | undefined
}

/** A new detector watches what needs no agent, unless the request says otherwise. */
export const initialFeatures = (now: number): FeatureStates =>
  Object.fromEntries([
    ...DEFAULT_ON.map((name) => [name, { status: 'ENABLED', updatedAt: now }] as const),
    ...RUNTIME.map((name) => [name, withAdditional(name, { status: 'DISABLED', updatedAt: now }, [], now)] as const),
  ])

/** Throws where a request names a feature twice or both ways, or enables both features of runtime monitoring. */
export function changedFeatures(
  before: FeatureStates,
  requested: readonly FeatureRequest[] | undefined,
  sources: GuardDuty.DataSourceConfigurations | undefined,
  now: number,
): FeatureStates {
  if (requested?.length && sources)
    throw badRequest('The request is rejected because features and data sources cannot be configured in one request.')
  const wanted = requested ?? fromDataSources(sources)
  const names = wanted.map(({ Name }) => Name)
  if (new Set(names).size < names.length)
    throw badRequest('The request is rejected because a feature is configured more than once.')
  if (RUNTIME.every((name) => wanted.some(({ Name, Status }) => Name === name && Status === 'ENABLED')))
    throw badRequest(
      'The request is rejected because EKS_RUNTIME_MONITORING and RUNTIME_MONITORING cannot be configured in one request.',
    )
  const after: Record<string, FeatureState> = { ...before }
  for (const { Name: name = '', Status: status, AdditionalConfiguration: additional = [] } of wanted) {
    const known = before[name] ?? { status: 'DISABLED', updatedAt: now }
    const next: FeatureState =
      status === undefined || status === known.status ? known : { ...known, status: status as Status, updatedAt: now }
    after[name] = withAdditional(name, next, additional, now)
  }
  const both = RUNTIME.every((name) => after[name]?.status === 'ENABLED')
  if (both)
    throw badRequest(
      'The request is rejected because EKS_RUNTIME_MONITORING and RUNTIME_MONITORING cannot be enabled at the same time.',
    )
  return after
}

function withAdditional(
  name: string,
  state: FeatureState,
  requested: readonly { readonly Name?: string | undefined; readonly Status?: string | undefined }[],
  now: number,
): FeatureState {
  const known = ADDITIONAL[name]
  for (const { Name } of requested)
    if (!known?.includes(Name ?? ''))
      throw badRequest(`The request is rejected because ${name} has no additional configuration ${Name}.`)
  if (!known) return state
  const additional = Object.fromEntries(
    known.map((each) => {
      const before = state.additional?.[each] ?? { status: 'DISABLED' as const, updatedAt: now }
      const wanted = requested.find(({ Name }) => Name === each)?.Status as Status | undefined
      return [each, wanted === undefined || wanted === before.status ? before : { status: wanted, updatedAt: now }]
    }),
  )
  return { ...state, additional }
}

function fromDataSources(sources: GuardDuty.DataSourceConfigurations | undefined): readonly FeatureRequest[] {
  const entry = (Name: string, on: boolean | undefined) =>
    on === undefined ? [] : [{ Name, Status: on ? 'ENABLED' : 'DISABLED' }]
  return [
    ...entry('S3_DATA_EVENTS', sources?.S3Logs?.Enable),
    ...entry('EKS_AUDIT_LOGS', sources?.Kubernetes?.AuditLogs?.Enable),
    ...entry('EBS_MALWARE_PROTECTION', sources?.MalwareProtection?.ScanEc2InstanceWithFindings?.EbsVolumes),
  ]
}

interface Shown {
  readonly isEnabled: boolean
  readonly createdAt: number
  readonly features: FeatureStates
}

const seconds = (ms: number): Date => new Date(Math.floor(ms / 1000) * 1000)

/** Of members the foundational sources are not listed. */
export function shownFeatures(
  { isEnabled, createdAt, features }: Shown,
  isOwn = true,
): GuardDuty.DetectorFeatureConfigurationResult[] {
  const own = Object.entries(features).map(([Name, { status, updatedAt, additional }]) => ({
    Name: Name as GuardDuty.DetectorFeatureResult,
    Status: status,
    UpdatedAt: seconds(updatedAt),
    ...(additional && {
      AdditionalConfiguration: Object.entries(additional).map(([name, each]) => ({
        Name: name as GuardDuty.FeatureAdditionalConfiguration,
        Status: each.status,
        UpdatedAt: seconds(each.updatedAt),
      })),
    }),
  }))
  const foundational = FOUNDATIONAL.map((Name) => ({
    Name,
    Status: isEnabled ? ('ENABLED' as const) : ('DISABLED' as const),
    UpdatedAt: seconds(createdAt),
  }))
  return isOwn ? [...foundational, ...own] : own
}

export function shownDataSources({ isEnabled, features }: Shown, serviceRole: string) {
  const foundational = { Status: isEnabled ? ('ENABLED' as const) : ('DISABLED' as const) }
  const of = (name: string): Status => features[name]?.status ?? 'DISABLED'
  return {
    CloudTrail: foundational,
    DNSLogs: foundational,
    FlowLogs: foundational,
    S3Logs: { Status: of('S3_DATA_EVENTS') },
    Kubernetes: { AuditLogs: { Status: of('EKS_AUDIT_LOGS') } },
    MalwareProtection: {
      ScanEc2InstanceWithFindings: { EbsVolumes: { Status: of('EBS_MALWARE_PROTECTION') } },
      ServiceRole: serviceRole,
    },
  }
}
