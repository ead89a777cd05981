/** What a zone answers, as `TestDNSAnswer` shows it: from the zone itself, not through a resolver. */
import { normalizeName, parseValue, printData, type RecordData, type RecordType } from '../../engines/dns/records.ts'
import type { Unit } from '../../store/store.ts'
import { lookupIn } from './published-zones.ts'
import {
  type HostedZoneRow,
  hostedZone,
  notImplemented,
  type RecordSetRow,
  recordSetsOf,
  route53,
} from './resources.ts'

export const testDnsAnswer = route53
  .operation('TestDNSAnswer')
  .on(hostedZone.named('HostedZoneId'))
  .run(async (call, input, { row }) => {
    if (input.ResolverIP !== undefined || input.EDNS0ClientSubnetIP !== undefined)
      throw notImplemented('answers that depend on the address of a client')
    const name = normalizeName(input.RecordName)
    if (name === undefined) throw route53.fail('InvalidInput', `${input.RecordName} is not a valid domain name.`)
    const { answers, rcode } = await lookupIn(call.unit, row, name, input.RecordType)
    const texts =
      answers.length > 0 ? await textsOf(call.unit, row, new Set(answers.map(({ type }) => type))) : undefined
    return {
      Nameserver: row.nameServers[0],
      RecordName: name,
      RecordType: input.RecordType,
      RecordData: answers.map(({ type, data }) => texts?.get(nameOf(type, data)) ?? printData(data)),
      ResponseCode: rcode,
      Protocol: 'UDP',
    }
  })

const nameOf = (type: RecordType, data: RecordData): string => `${type} ${JSON.stringify(data)}`

/** Values as they were written, by the data that they were read to. In one pass: a zone has thousands. */
async function textsOf(
  unit: Unit,
  { id }: Pick<HostedZoneRow, 'id'>,
  types: ReadonlySet<RecordType>,
): Promise<ReadonlyMap<string, string>> {
  const sets = (await unit.range<RecordSetRow>(recordSetsOf(id))).map(({ document }) => document)
  return new Map(
    sets
      .filter(({ type }) => types.has(type))
      .flatMap(({ type, values }) => values.map((value) => [nameOf(type, parseValue(type, value)), value] as const)),
  )
}
