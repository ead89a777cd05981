/**
 * Route 53 Resolver query logs: one JSON object a query.
 * Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html
 */
import type { DnsEvent } from '../types.ts'
import { isObject, listOf, objectOf, textOf } from './json.ts'

const NAME_LENGTH_MAX = 255
const ANSWERS_MAX = 32

/** Undefined for what is no query log record. */
export function normalizeDns(input: unknown): DnsEvent | undefined {
  if (!isObject(input) || typeof input.query_name !== 'string') return undefined
  const time = Date.parse(textOf(input.query_timestamp, 40))
  if (Number.isNaN(time)) return undefined
  const source = objectOf(input.srcids)
  const name = textOf(input.query_name, NAME_LENGTH_MAX).toLowerCase().replace(/\.$/, '')
  const type = textOf(input.query_type, 16)
  const address = textOf(input.srcaddr, 64)
  const port = textOf(input.srcport, 8)
  const request = textOf(input.query_id, 100)
  return {
    id: request || `dns:${time}:${address}:${port}:${type}:${name}`,
    time,
    account: textOf(input.account_id, 12),
    region: textOf(input.region, 40) || 'us-east-1',
    source: 'dns',
    vpcId: textOf(input.vpc_id, 40),
    instanceId: textOf(source.instance, 40),
    sourceAddress: address,
    name,
    type,
    responseCode: textOf(input.rcode, 20),
    answers: listOf(input.answers)
      .slice(0, ANSWERS_MAX)
      .flatMap((each) =>
        isObject(each)
          ? [{ type: textOf(each.Type ?? each.type, 16), data: textOf(each.Rdata ?? each.rdata, 512) }]
          : [],
      ),
    transport: input.transport === 'TCP' ? 'TCP' : 'UDP',
    blocked: textOf(input.firewall_rule_action, 16) === 'BLOCK',
  }
}
