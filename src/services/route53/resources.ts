/** Route 53's resource types: hosted zones, and the changes made to them. Record sets are rows of their zone. */
import type * as Route53 from '@aws-sdk/client-route-53'
import type { RecordSet } from '../../engines/dns/records.ts'
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
}

/** A record set as it is stored; an alias has the target's name in place of values. */
export interface RecordSetRow extends RecordSet {
  readonly alias?: { readonly hostedZoneId: string; readonly name: string; readonly evaluatesHealth: boolean }
}

export const notImplemented = (what: string): Fault =>
  new Fault('NotImplemented', `Merlon does not implement ${what}.`, { status: 400 })

const invalidInput = (message: string) => () => route53.fail('InvalidInput', message)
const noSuchZone = (id: string) => route53.fail('NoSuchHostedZone', `No hosted zone found with ID: ${id}`)

export const hostedZone = route53.resource({
  kind: 'hosted-zone', // begins the keys of the rows: never change it
  type: 'AWS::Route53::HostedZone',
  arn: 'arn:${Partition}:route53:::hostedzone/${Id}',
  patterns: { Id: '[A-Z0-9]{1,32}' },
  storedPer: 'account',
  shortForm: 'Id',
  idOf: (row: HostedZoneRow) => ({ Id: row.id }),
  tags: {
    action: 'route53:ChangeTagsForResource',
    member: 'AddTags',
    problems: {
      duplicate: invalidInput('Duplicate tag keys found.'),
      reserved: invalidInput('Tag keys that begin with aws: are reserved.'),
      'too-many': invalidInput(`A hosted zone can have at most ${TAGS_MAX} tags.`),
    },
  },
  faults: { notFound: (_arn, { Id }) => noSuchZone(Id), invalidReference: noSuchZone },
})

/** All record sets of a zone. */
export const recordSetsOf = (zoneId: string): Key => under('route53', 'record-set', zoneId)
export const recordSetsNamed = (zoneId: string, name: string): Key =>
  under('route53', 'record-set', zoneId, reversedName(name))
export const recordSetKey = (zoneId: string, { name, type }: Pick<RecordSet, 'name' | 'type'>): Key =>
  key('route53', 'record-set', zoneId, reversedName(name), type)

/** One row for each caller reference, so that a repeated request creates no second zone. */
export const callerReferenceKey = (account: string, reference: string): Key =>
  key('route53', 'caller-reference', account, reference)

/** Zones of all accounts by their name: what the resolver and validations look up. */
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
