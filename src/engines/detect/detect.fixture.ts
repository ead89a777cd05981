/** Events for tests of the engine, with what a test does not mention filled in. */
import { createDetector } from './detector.ts'
import { normalizeCloudTrail } from './normalize/cloudtrail.ts'
import type { ApiEvent, DetectedFinding, DetectorConfiguration, DnsEvent, FlowEvent, NormalizedEvent } from './types.ts'

export const ACCOUNT = '111122223333'
export const START = Date.parse('2026-03-02T09:00:00Z')
export const MINUTE = 60_000
export const DAY = 86_400_000

let counter = 0
const nextId = (): string => `event-${++counter}`

export interface Call {
  readonly at?: number
  readonly user?: string
  readonly address?: string
  readonly userAgent?: string
  readonly region?: string
  readonly account?: string
  readonly request?: object | null
  readonly response?: object
  readonly error?: string
  readonly identity?: object
  readonly more?: object
}

export const userIdentity = (user: string, account: string = ACCOUNT) => ({
  type: 'IAMUser',
  principalId: `AIDA${user.toUpperCase()}`,
  arn: `arn:aws:iam::${account}:user/${user}`,
  accountId: account,
  accessKeyId: `AKIA${user.toUpperCase()}`,
  userName: user,
})

export const roleIdentity = (role: string, session: string, account: string = ACCOUNT) => ({
  type: 'AssumedRole',
  principalId: `AROA${role.toUpperCase()}:${session}`,
  arn: `arn:aws:sts::${account}:assumed-role/${role}/${session}`,
  accountId: account,
  accessKeyId: 'ASIAEXAMPLE',
  sessionContext: {
    sessionIssuer: {
      type: 'Role',
      principalId: `AROA${role.toUpperCase()}`,
      arn: `arn:aws:iam::${account}:role/${role}`,
      userName: role,
    },
    attributes: { mfaAuthenticated: 'false' },
  },
})

/** A CloudTrail record. `name`: `iam:CreateUser`. */
export function record(name: string, call: Call = {}): Record<string, unknown> {
  const [service, action] = name.split(':')
  const account = call.account ?? ACCOUNT
  return {
    eventVersion: '1.11',
    userIdentity: call.identity ?? userIdentity(call.user ?? 'ana', account),
    eventTime: new Date(START + (call.at ?? 0)).toISOString(),
    eventSource: `${service}.amazonaws.com`,
    eventName: action,
    awsRegion: call.region ?? 'eu-west-1',
    sourceIPAddress: call.address ?? '198.51.100.7',
    userAgent: call.userAgent ?? 'aws-cli/2.15.0 Python/3.11',
    requestParameters: call.request ?? null,
    responseElements: call.response ?? null,
    ...(call.error !== undefined && { errorCode: call.error }),
    eventID: nextId(),
    eventType: 'AwsApiCall',
    recipientAccountId: account,
    ...call.more,
  }
}

export const apiCall = (name: string, call: Call = {}): ApiEvent => normalizeCloudTrail(record(name, call))!

export const dataEvent = (action: string, call: Call = {}): ApiEvent =>
  apiCall(`s3:${action}`, { ...call, more: { eventCategory: 'Data', managementEvent: false, ...call.more } })

export const flow = (more: Partial<FlowEvent> = {}): FlowEvent => ({
  id: nextId(),
  source: 'flow',
  time: START,
  start: START,
  account: ACCOUNT,
  region: 'eu-west-1',
  interfaceId: 'eni-1',
  instanceId: 'i-0123456789abcdef0',
  vpcId: 'vpc-1',
  sourceAddress: '10.0.0.5',
  destinationAddress: '203.0.113.9',
  sourcePort: 40_000,
  destinationPort: 443,
  protocol: 6,
  packets: 10,
  bytes: 1_000,
  accepted: true,
  direction: 'egress',
  ...more,
})

export const query = (name: string, more: Partial<DnsEvent> = {}): DnsEvent => ({
  id: nextId(),
  source: 'dns',
  time: START,
  account: ACCOUNT,
  region: 'eu-west-1',
  vpcId: 'vpc-1',
  instanceId: 'i-0123456789abcdef0',
  sourceAddress: '10.0.0.5',
  name,
  type: 'A',
  responseCode: 'NOERROR',
  answers: [],
  transport: 'UDP',
  blocked: false,
  ...more,
})

export function findingsOf(
  events: readonly NormalizedEvent[],
  configuration: DetectorConfiguration = {},
): readonly DetectedFinding[] {
  const detector = createDetector(configuration)
  return [...events.flatMap((event) => [...detector.ingest(event)]), ...detector.advance(Number.POSITIVE_INFINITY)]
}

export const typesOf = (
  events: readonly NormalizedEvent[],
  configuration: DetectorConfiguration = {},
): readonly string[] => [...new Set(findingsOf(events, configuration).map(({ type }) => type))].sort()

export const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))
