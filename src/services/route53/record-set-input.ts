/** Record sets as requests have them, read to rows: values of their type, an alias, and how one of several sets is chosen. */
import type { ResourceRecordSet } from '@aws-sdk/client-route-53'
import { isRecordType, normalizeName, parseValue, RecordValueError } from '../../engines/dns/records.ts'
import type { Routing } from '../../engines/dns/routing.ts'
import type { Strict } from '../../wire/typed.ts'
import { isWithin, printedName } from './names.ts'
import { type HostedZoneRow, notImplemented, type RecordSetRow, route53 } from './resources.ts'

/** Kinds of routing that are not built: they need to know where clients are, or a policy. */
const NOT_BUILT = [
  'Region',
  'GeoLocation',
  'TrafficPolicyInstanceId',
  'CidrRoutingConfig',
  'GeoProximityLocation',
] as const

/** Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html */
const VALUES_MAX = 400

export const labelOf = ({
  name,
  type,
  setIdentifier,
}: Pick<RecordSetRow, 'name' | 'type' | 'setIdentifier'>): string => {
  const of = setIdentifier === undefined ? '' : `, set-identifier='${setIdentifier}'`
  return `resource record set [name='${printedName(name)}', type='${type}'${of}]`
}

/** A text is what is wrong with it. */
export function readSet(zone: HostedZoneRow, set: Strict<ResourceRecordSet>): RecordSetRow | string {
  const member = NOT_BUILT.find((each) => set[each] !== undefined)
  if (member) throw notImplemented(`record sets with ${member}`)
  if (!isRecordType(set.Type)) throw notImplemented(`record sets of type ${set.Type}`)
  const name = normalizeName(set.Name)
  if (name === undefined) return `Invalid resource record name: ${set.Name}`
  if (!isWithin(name, zone.name))
    return `RRSet with DNS name ${printedName(name)} is not permitted in zone ${zone.name}`
  const routing = readRouting(name, set)
  if (typeof routing === 'string') return routing
  const chosen = {
    ...(routing && { routing, setIdentifier: set.SetIdentifier! }),
    ...(set.HealthCheckId !== undefined && { healthCheckId: set.HealthCheckId }),
  }
  if (set.AliasTarget) {
    const alias = readAlias(zone, name, set)
    return typeof alias === 'string' ? alias : { ...alias, ...chosen }
  }
  if (set.TTL === undefined || !set.ResourceRecords?.length)
    throw route53.fail(
      'InvalidInput',
      `Invalid request: Expected TTL and ResourceRecords, or an AliasTarget, for ${set.Name}`,
    )
  const values = set.ResourceRecords.map(({ Value }) => Value)
  if (values.length > VALUES_MAX) return `Number of values limit of ${VALUES_MAX} exceeded in ${set.Name}`
  try {
    for (const value of values) parseValue(set.Type, value)
  } catch (error) {
    if (!(error instanceof RecordValueError)) throw error
    return `Invalid Resource Record: ${error.message}`
  }
  if (new Set(values).size < values.length) return `Duplicate Resource Record in ${labelOf({ name, type: set.Type })}`
  if (values.length > 1 && (set.Type === 'CNAME' || set.Type === 'SOA'))
    return `${labelOf({ name, type: set.Type })} can have only one value`
  return { name, type: set.Type, ttl: set.TTL, values, ...chosen }
}

/** undefined: the only set of its name and type. */
function readRouting(name: string, set: Strict<ResourceRecordSet>): Routing | string | undefined {
  const { Type, SetIdentifier, Failover, Weight, MultiValueAnswer, HealthCheckId, AliasTarget } = set
  const kinds = [Failover, Weight, MultiValueAnswer].filter((each) => each !== undefined)
  const label = `RRSet with DNS name ${printedName(name)}, type ${Type}`
  if (kinds.length > 1)
    throw route53.fail('InvalidInput', `Invalid request: ${label} has more than one kind of routing`)
  if (kinds.length === 0) {
    if (SetIdentifier !== undefined)
      throw route53.fail('InvalidInput', `Invalid request: ${label} has a SetIdentifier, and no routing`)
    return undefined
  }
  if (SetIdentifier === undefined) throw route53.fail('InvalidInput', `Invalid request: ${label} lacks a SetIdentifier`)
  if (Type === 'NS' || Type === 'SOA') return `${label} cannot have routing`
  if (Failover !== undefined) {
    const isPrimary = Failover === 'PRIMARY'
    if (isPrimary && HealthCheckId === undefined && !AliasTarget?.EvaluateTargetHealth)
      return `${label} is primary, and lacks a health check`
    return { kind: 'failover', isPrimary }
  }
  if (Weight !== undefined) return { kind: 'weighted', weight: Number(Weight) }
  if (!MultiValueAnswer) throw route53.fail('InvalidInput', `Invalid request: MultiValueAnswer of ${label} is false`)
  if (Type === 'CNAME') return `${label} cannot have several answers`
  return AliasTarget ? `${label} is an alias, and cannot have several answers` : { kind: 'multivalue' }
}

/** To another name of the same zone; other targets of AWS's aliases do not exist here. */
function readAlias(zone: HostedZoneRow, name: string, set: Strict<ResourceRecordSet>): RecordSetRow | string {
  const { HostedZoneId, DNSName, EvaluateTargetHealth } = set.AliasTarget!
  if (!isRecordType(set.Type) || set.Type === 'NS' || set.Type === 'SOA') return `Invalid type of an alias: ${set.Type}`
  if (set.TTL !== undefined || set.ResourceRecords?.length)
    throw route53.fail('InvalidInput', 'Invalid request: An alias has neither TTL nor ResourceRecords')
  if (HostedZoneId.replace(/^\/hostedzone\//, '') !== zone.id) throw notImplemented('aliases to other hosted zones')
  const target = normalizeName(DNSName)
  if (target === undefined || !isWithin(target, zone.name) || target === name)
    return `Tried to create an alias that targets ${DNSName}, but the alias target name does not lie within the target zone`
  const alias = { hostedZoneId: zone.id, name: target, evaluatesHealth: EvaluateTargetHealth }
  return { name, type: set.Type, ttl: 0, values: [], alias }
}
