/** What a zone answers, as `TestDNSAnswer` shows it: from the zone itself, not through a resolver. */
import { normalizeName } from '../../engines/dns/records.ts'
import { compileZones, lookup } from '../../engines/dns/zones.ts'
import { readZone } from './published-zones.ts'
import { hostedZone, notImplemented, type RecordSetRow, recordSetKey, route53 } from './resources.ts'

export const testDnsAnswer = route53
  .operation('TestDNSAnswer')
  .on(hostedZone.named('HostedZoneId'))
  .run(async (call, input, { row }) => {
    if (input.ResolverIP !== undefined || input.EDNS0ClientSubnetIP !== undefined)
      throw notImplemented('answers that depend on the address of a client')
    const name = normalizeName(input.RecordName)
    if (name === undefined) throw route53.fail('InvalidInput', `${input.RecordName} is not a valid domain name.`)
    const { answers, rcode } = lookup(compileZones([await readZone(call.unit, row)]), name, input.RecordType)
    const texts = await Promise.all(
      [...new Set(answers.map((answer) => `${answer.name} ${answer.type}`))].map(async (each) => {
        const [owner = '', type = ''] = each.split(' ')
        const at = recordSetKey(row.id, { name: owner, type: type as RecordSetRow['type'] })
        return (await call.unit.get<RecordSetRow>(at))?.values ?? []
      }),
    )
    return {
      Nameserver: row.nameServers[0],
      RecordName: name,
      RecordType: input.RecordType,
      RecordData: texts.flat(),
      ResponseCode: rcode,
      Protocol: 'UDP',
    }
  })
