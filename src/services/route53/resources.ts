/** Route 53's resource types: hosted zones with their record sets, and health checks. */
import type * as Route53 from '@aws-sdk/client-route-53'
import type { HealthCheckConfig } from '@aws-sdk/client-route-53'
import type { Alias, RecordSet } from '../../engines/dns/records.ts'
import type { Row } from '../../kernel/resource/facts.ts'
import { TAGS_MAX } from '../../kernel/resource/tags.ts'
import { defineService } from '../../kernel/service/define-service.ts'
import { type Key, key, under } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import { reversedName } from './names.ts'

export const route53 = defineService<typeof Route53>('route53')

export interface HostedZoneRow extends Row {
  readonly id: string
  readonly account: string
  /** Fully qualified, lower case, with its last dot. */
  readonly name: string
  readonly callerReference: string
  readonly comment?: string
  readonly createdAt: number
  /** Of the delegation set, without last dots. */
  readonly nameServers: readonly string[]
  readonly recordSetCount: number
  /** Of a private zone: whose resolvers answer it. undefined: a public zone. */
  readonly vpcs?: readonly AssociatedVpc[]
}

export interface AssociatedVpc {
  readonly id: string
  readonly region: string
  /** The account of the VPC, which may be another one than that of the zone. */
  readonly account: string
}

/** A record set as it is stored; an alias has the target's name in place of values. */
export interface RecordSetRow extends RecordSet {
  readonly alias?: Alias & { readonly hostedZoneId: string }
  /** Of sets with routing: tells those of one name and type apart. */
  readonly setIdentifier?: string
}

export const notImplemented = (what: string): Fault =>
  new Fault('NotImplemented', `Merlon does not implement ${what}.`, { status: 400 })

const invalidInput = (message: string) => () => route53.fail('InvalidInput', message)
const noSuchZone = (id: string) => route53.fail('NoSuchHostedZone', `No hosted zone found with ID: ${id}`)

const tagRules = (what: string) => ({
  action: 'route53:ChangeTagsForResource',
  member: 'AddTags',
  problems: {
    duplicate: invalidInput('Duplicate tag keys found.'),
    reserved: invalidInput('Tag keys that begin with aws: are reserved.'),
    'too-many': invalidInput(`A ${what} can have at most ${TAGS_MAX} tags.`),
  },
})

export const hostedZone = route53.resource({
  kind: 'hosted-zone', // begins the keys of the rows: never change it
  type: 'AWS::Route53::HostedZone',
  arn: 'arn:${Partition}:route53:::hostedzone/${Id}',
  patterns: { Id: '[A-Z0-9]{1,32}' },
  storedPer: 'account',
  shortForm: 'Id',
  idOf: (row: HostedZoneRow) => ({ Id: row.id }),
  tags: tagRules('hosted zone'),
  faults: { notFound: (_arn, { Id }) => noSuchZone(Id), invalidReference: noSuchZone },
})

export interface HealthCheckRow extends Row {
  readonly id: string
  readonly account: string
  readonly callerReference: string
  readonly createdAt: number
  /** Counts changes, from 1. */
  readonly version: number
  /** With all defaults. */
  readonly config: HealthCheckConfig
}

const noSuchCheck = (id: string) =>
  route53.fail('NoSuchHealthCheck', `No health check exists with the specified ID: ${id}`)

export const healthCheck = route53.resource({
  kind: 'health-check', // begins the keys of the rows: never change it
  type: 'AWS::Route53::HealthCheck',
  arn: 'arn:${Partition}:route53:::healthcheck/${Id}',
  patterns: { Id: '[0-9a-f-]{1,64}' },
  storedPer: 'account',
  shortForm: 'Id',
  idOf: (row: HealthCheckRow) => ({ Id: row.id }),
  tags: tagRules('health check'),
  faults: { notFound: (_arn, { Id }) => noSuchCheck(Id), invalidReference: noSuchCheck },
})

/** One row for each caller reference, so that a repeated request creates no second health check. */
export const healthCheckReferenceKey = (account: string, reference: string): Key =>
  key('route53', 'health-check-reference', account, reference)

/** All record sets of a zone. */
export const recordSetsOf = (zoneId: string): Key => under('route53', 'record-set', zoneId)
export const recordSetsNamed = (zoneId: string, name: string): Key =>
  under('route53', 'record-set', zoneId, reversedName(name))
export const recordSetKey = (
  zoneId: string,
  { name, type, setIdentifier }: Pick<RecordSetRow, 'name' | 'type' | 'setIdentifier'>,
): Key =>
  key(
    'route53',
    'record-set',
    zoneId,
    reversedName(name),
    type,
    ...(setIdentifier === undefined ? [] : [setIdentifier]),
  )

/** One row for each caller reference, so that a repeated request creates no second zone. */
export const callerReferenceKey = (account: string, reference: string): Key =>
  key('route53', 'caller-reference', account, reference)

/** Public zones of all accounts by their name: what the resolver and validations look up. */
export interface ZoneNameRow {
  readonly id: string
  readonly account: string
  readonly name: string
  readonly createdAt: number
  readonly nameServers: readonly string[]
}
export const zonesNamed = (name: string): Key => under('route53', 'zone-name', name)
export const allZoneNames = under('route53', 'zone-name')
export const zoneNameKey = ({ name, id }: Pick<ZoneNameRow, 'name' | 'id'>): Key =>
  key('route53', 'zone-name', name, id)
