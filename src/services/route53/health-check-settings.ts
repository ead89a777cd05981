/** The settings of health checks: completed by AWS's defaults, and refused where they do not fit their type. */
import { isIP } from 'node:net'
import type { HealthCheckConfig, HealthCheckType } from '@aws-sdk/client-route-53'
import { normalizeName } from '../../engines/dns/records.ts'
import type { EndpointProbesPort, ProbedEndpoint } from '../../kernel/ports/endpoint-probes.ts'
import { notImplemented, route53 } from './resources.ts'

const INTERVALS: readonly number[] = [10, 30]
const FAILURE_THRESHOLD = 3
const CHILDREN_MAX = 255
const PORTS: Readonly<Partial<Record<string, number>>> = {
  HTTP: 80,
  HTTP_STR_MATCH: 80,
  HTTPS: 443,
  HTTPS_STR_MATCH: 443,
}

const invalid = (message: string) => route53.fail('InvalidInput', `Invalid request: ${message}`)

export const isCalculated = ({ Type }: Pick<HealthCheckConfig, 'Type'>): boolean => Type === 'CALCULATED'

/** Throws for what cannot be checked. `config` is that of a request, or a stored one with its changes. */
export function readSettings(
  config: HealthCheckConfig,
  { isAllowed }: Pick<EndpointProbesPort, 'isAllowed'>,
): HealthCheckConfig {
  const { Type } = config
  if (Type === 'CLOUDWATCH_METRIC' || Type === 'RECOVERY_CONTROL') throw notImplemented(`health checks of type ${Type}`)
  if (config.MeasureLatency) throw notImplemented('health checks that measure latency')
  if (config.Regions?.length) throw notImplemented('health checkers in chosen Regions')
  refuse(config, 'an alarm', ['AlarmIdentifier', 'InsufficientDataHealthStatus'])
  refuse(config, 'a routing control', ['RoutingControlArn'])
  return Type === 'CALCULATED' ? calculated(config) : endpoint(config, isAllowed)
}

const OF_ENDPOINTS = [
  ...(['IPAddress', 'Port', 'ResourcePath', 'FullyQualifiedDomainName', 'SearchString'] as const),
  ...(['RequestInterval', 'FailureThreshold', 'EnableSNI'] as const),
]

function calculated(config: HealthCheckConfig): HealthCheckConfig {
  refuse(config, 'an endpoint', OF_ENDPOINTS)
  const { Type, HealthThreshold, ChildHealthChecks = [], Inverted = false, Disabled = false } = config
  if (HealthThreshold === undefined) throw invalid('a calculated health check needs a HealthThreshold.')
  if (ChildHealthChecks.length > CHILDREN_MAX)
    throw invalid(`a calculated health check has at most ${CHILDREN_MAX} child health checks.`)
  if (new Set(ChildHealthChecks).size < ChildHealthChecks.length) throw invalid('a child health check occurs twice.')
  return { Type, HealthThreshold, ChildHealthChecks, Inverted, Disabled, MeasureLatency: false }
}

function endpoint(config: HealthCheckConfig, isAllowed: EndpointProbesPort['isAllowed']): HealthCheckConfig {
  refuse(config, 'a calculation', ['HealthThreshold', 'ChildHealthChecks'])
  const { Type, IPAddress, FullyQualifiedDomainName: host, SearchString, RequestInterval = 30 } = config
  const Port = config.Port ?? PORTS[Type!]
  if (Port === undefined) throw invalid(`a health check of type ${Type} needs a Port.`)
  if (IPAddress === undefined && host === undefined)
    throw invalid('either IPAddress or FullyQualifiedDomainName is needed.')
  if (IPAddress !== undefined && (isIP(IPAddress) === 0 || !isAllowed(IPAddress)))
    throw invalid(`the IP address ${IPAddress} is in a range that health checks may not reach.`)
  if (host !== undefined && normalizeName(host) === undefined && isIP(host) === 0)
    throw invalid(`${host} is not a valid domain name.`)
  if (IPAddress === undefined && isIP(host!) !== 0) throw invalid('an IP address belongs into IPAddress.')
  const isSearching = Type!.endsWith('_STR_MATCH')
  if (isSearching !== Boolean(SearchString)) throw invalid(`SearchString is for the types that end with STR_MATCH.`)
  if (!INTERVALS.includes(RequestInterval)) throw invalid('RequestInterval is 10 or 30.')
  if (Type === 'TCP') refuse(config, 'HTTP', ['ResourcePath'])
  if (!Type!.startsWith('HTTPS') && config.EnableSNI) throw invalid('EnableSNI is for HTTPS.')
  const { ResourcePath } = config
  if (ResourcePath !== undefined && !/^[\x21-\x7e]*$/.test(ResourcePath)) throw invalid('ResourcePath is not a path.')
  return {
    Type,
    ...(IPAddress !== undefined && { IPAddress }),
    ...(host !== undefined && { FullyQualifiedDomainName: host }),
    Port,
    ...(ResourcePath && { ResourcePath }),
    ...(isSearching && { SearchString }),
    RequestInterval: RequestInterval as 10 | 30,
    FailureThreshold: config.FailureThreshold ?? FAILURE_THRESHOLD,
    MeasureLatency: false,
    Inverted: config.Inverted ?? false,
    Disabled: config.Disabled ?? false,
    ...(Type!.startsWith('HTTPS') && { EnableSNI: config.EnableSNI ?? true }),
  }
}

function refuse(config: HealthCheckConfig, of: string, members: readonly (keyof HealthCheckConfig)[]): void {
  const wrong = members.find((member) => config[member] !== undefined)
  if (wrong) throw invalid(`${wrong} is of ${of}, and does not fit the type ${config.Type}.`)
}

/** What is probed for a health check with these settings. `id` is shown to the endpoint. */
export function endpointOf(id: string, config: HealthCheckConfig): ProbedEndpoint {
  const path = config.ResourcePath ?? '/'
  return {
    protocol: (config.Type as HealthCheckType).replace('_STR_MATCH', '') as ProbedEndpoint['protocol'],
    address: config.IPAddress,
    host: config.FullyQualifiedDomainName,
    port: config.Port!,
    path: path.startsWith('/') ? path : `/${path}`,
    search: config.SearchString,
    sendsServerName: config.EnableSNI ?? false,
    reference: id,
  }
}
