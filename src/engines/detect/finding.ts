/** From what a rule says of an event to a whole finding. Pure: the same input gives the same bytes. */
import { createHash } from 'node:crypto'
import { FINDING_TYPES } from './catalog.ts'
import { textOf } from './normalize/json.ts'
import type { Detection, Lookups, Rule } from './rule.ts'
import type {
  ApiEvent,
  DetectedFinding,
  DnsEvent,
  FindingAction,
  FindingResource,
  FlowEvent,
  NormalizedEvent,
  RemoteAddress,
} from './types.ts'

export const EVENT_IDS_MAX = 100
const TEXT_LENGTH_MAX = 512

export const isApi = (event: NormalizedEvent): event is ApiEvent => event.source !== 'flow' && event.source !== 'dns'

/** Of the actor: its user, role session or service, as texts name it. */
export const actorOf = ({ principal }: ApiEvent): string => {
  if (principal.type === 'Root') return 'The root user'
  if (principal.issuer) return `Role ${principal.issuer.userName || principal.issuer.arn}`
  return principal.userName === '' ? principal.arn || principal.type : `User ${principal.userName}`
}

/** The same for all sessions of a role and all keys of a user. */
export const actorKey = ({ principal, account }: ApiEvent): string =>
  principal.issuer?.id || principal.issuer?.arn || principal.id.split(':')[0] || principal.arn || account

export const accessKeyResource = ({ principal }: ApiEvent): FindingResource => ({
  resourceType: 'AccessKey',
  accessKeyId: principal.accessKeyId,
  principalId: principal.id,
  userName: principal.issuer?.userName || principal.userName,
  userType: principal.type,
  arn: principal.arn,
})

export function bucketResource(event: ApiEvent, publicAccess?: 'PUBLIC' | 'NOT_PUBLIC'): FindingResource {
  const name = bucketOf(event)
  const partition = event.region.startsWith('cn-')
    ? 'aws-cn'
    : event.region.startsWith('us-gov-')
      ? 'aws-us-gov'
      : 'aws'
  const { resourceType, ...accessKey } = accessKeyResource(event) as Extract<
    FindingResource,
    { resourceType: 'AccessKey' }
  >
  return {
    resourceType: 'S3Bucket',
    buckets: name === '' ? [] : [{ name, arn: `arn:${partition}:s3:::${name}`, ...(publicAccess && { publicAccess }) }],
    accessKey,
  }
}

export const bucketOf = ({ request }: ApiEvent): string => textOf(request.bucketName, 255)

export const remoteOf = (lookups: Lookups, address: string, port?: number): RemoteAddress => {
  const place = lookups.geography(address)
  return {
    address,
    ...(port !== undefined && { port }),
    ...(place?.country !== undefined && { country: place.country }),
    ...(place?.asn !== undefined && { asn: place.asn }),
    ...(place?.organization !== undefined && { organization: place.organization }),
  }
}

const DOMAIN = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*\.amazonaws\.com$|^AWS Internal$/

function apiAction(event: ApiEvent, lookups: Lookups): FindingAction {
  const isDomain = DOMAIN.test(event.address)
  const { principal } = event
  return {
    actionType: 'AWS_API_CALL',
    api: event.action,
    serviceName: `${event.service}.amazonaws.com`,
    callerType: isDomain ? 'Domain' : 'Remote IP',
    userAgent: event.userAgent,
    errorCode: event.errorCode,
    ...(isDomain ? { domain: event.address } : { remote: remoteOf(lookups, event.address) }),
    ...(principal.account !== '' && principal.account !== event.account && { remoteAccount: principal.account }),
    affectedResources: Object.fromEntries(event.resources.slice(0, 5).map(({ type, arn }) => [type || 'Unknown', arn])),
  }
}

/** The end of a flow that is the instance, and the other one. */
export interface FlowEnds {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  readonly direction: 'INBOUND' | 'OUTBOUND'
}

export const PROTOCOLS: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP' }

export const flowAction = (event: FlowEvent, ends: FlowEnds, lookups: Lookups): FindingAction => ({
  actionType: 'NETWORK_CONNECTION',
  direction: ends.direction,
  protocol: PROTOCOLS[event.protocol] ?? String(event.protocol),
  blocked: !event.accepted,
  localAddress: ends.localAddress,
  localPort: ends.localPort,
  interfaceId: event.interfaceId,
  remote: remoteOf(lookups, ends.remoteAddress, ends.remotePort),
})

const dnsAction = (event: DnsEvent): FindingAction => ({
  actionType: 'DNS_REQUEST',
  domain: event.name,
  domainWithSuffix: event.name.split('.').slice(-2).join('.'),
  protocol: event.transport,
  blocked: event.blocked,
})

export const flowResource = (event: FlowEvent, localAddress: string, instanceId: string): FindingResource => ({
  resourceType: 'Instance',
  instanceId: event.instanceId || instanceId,
  interfaceId: event.interfaceId,
  vpcId: event.vpcId,
  privateAddress: localAddress,
})

const dnsResource = (event: DnsEvent): FindingResource => ({
  resourceType: 'Instance',
  instanceId: event.instanceId,
  interfaceId: '',
  vpcId: event.vpcId,
  privateAddress: event.sourceAddress,
})

const nameOf = (resource: FindingResource): string => {
  if (resource.resourceType === 'AccessKey') return resource.userName || resource.principalId
  if (resource.resourceType === 'S3Bucket') return resource.buckets.map(({ name }) => name).join(', ') || 'the account'
  return resource.instanceId || resource.interfaceId || resource.privateAddress
}

function keyOf(resource: FindingResource, event: NormalizedEvent): string {
  if (resource.resourceType === 'S3Bucket')
    return JSON.stringify([resource.buckets.map(({ name }) => name), isApi(event) ? actorKey(event) : ''])
  if (resource.resourceType === 'AccessKey') return isApi(event) ? actorKey(event) : resource.principalId
  return resource.instanceId || `${resource.interfaceId} ${resource.privateAddress}`
}

const remoteText = (action: FindingAction): string => {
  if (action.actionType === 'AWS_API_CALL') return action.remote?.address ?? action.domain ?? ''
  if (action.actionType === 'NETWORK_CONNECTION') return action.remote.address
  return action.actionType === 'PORT_PROBE' ? (action.probes[0]?.remote.address ?? '') : action.domain
}

/** Hostile text of events stays text, of bounded length and without control characters. */
const clean = (text: string): string =>
  [...text.slice(0, TEXT_LENGTH_MAX)].map((each) => (each < ' ' || each === '\u007f' ? ' ' : each)).join('')

function fill(template: string, values: Readonly<Record<string, string>>): string {
  return clean(template.replace(/\{(\w+)\}/g, (_, name: string) => (Object.hasOwn(values, name) ? values[name]! : '')))
}

export function findingOf(detection: Detection, event: NormalizedEvent, rule: Rule, lookups: Lookups): DetectedFinding {
  const facts = Object.hasOwn(FINDING_TYPES, detection.type) ? FINDING_TYPES[detection.type] : undefined
  const isBucket = facts?.resourceType === 'S3Bucket'
  const resource =
    detection.resource ??
    (isApi(event)
      ? isBucket
        ? bucketResource(event)
        : accessKeyResource(event)
      : event.source === 'dns'
        ? dnsResource(event)
        : flowResource(event, event.sourceAddress, ''))
  const action =
    detection.action ??
    (isApi(event)
      ? apiAction(event, lookups)
      : event.source === 'dns'
        ? dnsAction(event)
        : flowAction(
            event,
            {
              localAddress: event.sourceAddress,
              localPort: event.sourcePort,
              remoteAddress: event.destinationAddress,
              remotePort: event.destinationPort,
              direction: 'OUTBOUND',
            },
            lookups,
          ))
  const aggregationKey = JSON.stringify([detection.type, keyOf(resource, event), detection.aggregate ?? ''])
  const values = {
    actor: isApi(event) ? actorOf(event) : '',
    resource: nameOf(resource),
    remote: remoteText(action),
    api: isApi(event) ? event.action : '',
    detail: detection.detail ?? '',
  }
  const eventIds = detection.eventIds ?? [event.id]
  return {
    id: createHash('sha256')
      .update(JSON.stringify([event.account, event.region, aggregationKey]))
      .digest('hex')
      .slice(0, 32),
    type: detection.type,
    severity: detection.severity ?? facts?.severity ?? 5,
    title: fill(detection.title ?? facts?.title ?? detection.type, values),
    description: fill(detection.description ?? facts?.description ?? '', values),
    account: event.account,
    region: event.region,
    resource,
    action,
    resourceRole: detection.resourceRole ?? facts?.resourceRole ?? 'TARGET',
    evidence: (detection.evidence ?? []).map(({ listName, listSha256, threatNames }) => ({
      listName,
      listSha256,
      threatNames,
    })),
    eventIds: eventIds.slice(-EVENT_IDS_MAX),
    firstSeen: detection.firstSeen ?? event.time,
    lastSeen: event.time,
    count: detection.count ?? 1,
    aggregationKey,
    unusual: detection.unusual ?? [],
    additionalInfo: detection.additionalInfo ?? {},
    signals: detection.signals ?? [],
    feature: event.source === 's3' ? 'S3DataEvents' : (facts?.feature ?? 'CloudTrail'),
    rule: rule.name,
  }
}
