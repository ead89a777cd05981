/** What a zone answers, as `TestDNSAnswer` shows it: from the zone itself, not through a resolver. */
import { isDeepStrictEqual } from 'node:util'
import { normalizeName, parseValue, printData } from '../../engines/dns/records.ts'
import type { ResourceRecord } from '../../engines/dns/zones.ts'
import { lookupIn } from './published-zones.ts'
import { hostedZone, notImplemented, type RecordSetRow, recordSetsOf, route53 } from './resources.ts'

export const testDnsAnswer = route53
  .operation('TestDNSAnswer')
  .on(hostedZone.named('HostedZoneId'))
  .run(async (call, input, { row }) => {
    if (input.ResolverIP !== undefined || input.EDNS0ClientSubnetIP !== undefined)
      throw notImplemented('answers that depend on the address of a client')
    const name = normalizeName(input.RecordName)
    if (name === undefined) throw route53.fail('InvalidInput', `${input.RecordName} is not a valid domain name.`)
    const { answers, rcode } = await lookupIn(call.unit, row, name, input.RecordType)
    const rows = answers.length > 0 ? await call.unit.range<RecordSetRow>(recordSetsOf(row.id)) : []
    const textOf = ({ type, data }: ResourceRecord): string =>
      rows
        .flatMap(({ document: set }) => (set.type === type ? set.values : []))
        .find((value) => isDeepStrictEqual(parseValue(type, value), data)) ?? printData(data)
    return {
      Nameserver: row.nameServers[0],
      RecordName: name,
      RecordType: input.RecordType,
      RecordData: answers.map(textOf),
      ResponseCode: rcode,
      Protocol: 'UDP',
    }
  })
