/** Logging configurations: where the requests that a web ACL inspects are recorded. */
import type { FieldToMatch, LoggingConfiguration, LoggingFilter } from '@aws-sdk/client-wafv2'
import { fromJson, toJson } from '../../engines/waf/json.ts'
import type { Call } from '../../kernel/gate/call.ts'
import type { Target } from '../../kernel/resource/target.ts'
import type { ExistingResource } from '../../kernel/resource/targets.ts'
import { onlyMember } from './actions.ts'
import { invalidParameter, nonexistent, notImplemented, wafv2 } from './faults.ts'
import { listedOf } from './lists.ts'
import { bucketIn, groupIn, requireDestination } from './log-destination.ts'
import { type LoggingRow, loggingKey } from './logging-rows.ts'
import { scopeName, type WebAclRow, webAcl } from './resources.ts'

type Named = { readonly LoggingConfiguration: { readonly ResourceArn: string } }

/** The web ACL that the configuration names. */
const configured: Target<Named, ExistingResource<unknown, WebAclRow>> = {
  find: (call, { LoggingConfiguration: { ResourceArn } }) => webAcl.find(call, ResourceArn, {}, { ownAccount: true }),
}

const REDACTABLE = ['SingleHeader', 'UriPath', 'QueryString', 'Method']
const invalidDestination = (arn: string) =>
  invalidParameter(
    'LOG_DESTINATION',
    arn,
    "The ARN isn't valid. The name of the destination begins with aws-waf-logs-.",
  )

/** Throws for a destination that is not one, or not built. */
function assertDestination(arn: string): void {
  const [, , service] = arn.split(':')
  if (service === 'logs' && groupIn(arn) !== undefined) return
  if (service === 'firehose') throw notImplemented('Firehose streams as the destination of WAF logs')
  if (!bucketIn(arn)) throw invalidDestination(arn)
}

const shown = (row: LoggingRow): LoggingConfiguration => ({
  ResourceArn: row.webAcl,
  LogDestinationConfigs: [row.destination],
  ...(row.redactedFields && { RedactedFields: row.redactedFields.map((field) => fromJson<FieldToMatch>(field)) }),
  ManagedByFirewallManager: false,
  ...(row.filter && { LoggingFilter: fromJson<LoggingFilter>(row.filter) }),
  LogType: 'WAF_LOGS',
  LogScope: 'CUSTOMER',
})

function assertScope({ LogScope }: { readonly LogScope?: string | undefined }): void {
  if (LogScope !== undefined && LogScope !== 'CUSTOMER') throw notImplemented(`the log scope ${LogScope}`)
}

export const putLoggingConfiguration = wafv2
  .operation('PutLoggingConfiguration')
  .on(configured)
  .run(async (call, { LoggingConfiguration: given }, { row: acl, arn }) => {
    const { LogDestinationConfigs: destinations, RedactedFields, LoggingFilter: filter } = given
    assertScope(given)
    const [destination = ''] = destinations
    if (destinations.length !== 1)
      throw invalidParameter('LOG_DESTINATION', destinations.join(), 'A web ACL has exactly one log destination.')
    assertDestination(destination)
    for (const field of RedactedFields ?? [])
      if (!REDACTABLE.includes(onlyMember(field, 'FIELD_TO_MATCH', 'RedactedFields')))
        throw invalidParameter('FIELD_TO_MATCH', 'RedactedFields', `Only ${REDACTABLE.join(', ')} can be redacted.`)
    for (const { Conditions } of filter?.Filters ?? [])
      for (const condition of Conditions) onlyMember(condition, 'FILTER_CONDITION', 'Condition')
    const row: LoggingRow = {
      webAcl: arn,
      account: acl.account,
      region: acl.region,
      scope: acl.scope,
      destination,
      redactedFields: RedactedFields && (toJson(RedactedFields) as LoggingRow['redactedFields']),
      filter: filter && (toJson(filter) as LoggingRow['filter']),
    }
    await requireDestination(call, row)
    call.unit.put(loggingKey(arn), row)
    return { LoggingConfiguration: shown(row) }
  })

const existing = async (call: Call, arn: string): Promise<LoggingRow> => {
  const row = await call.unit.get<LoggingRow>(loggingKey(arn))
  if (!row) throw nonexistent()
  return row
}

export const getLoggingConfiguration = wafv2
  .operation('GetLoggingConfiguration')
  .on(webAcl.named('ResourceArn', { ownAccount: true }))
  .run(async (call, input, { arn }) => {
    assertScope(input)
    return { LoggingConfiguration: shown(await existing(call, arn)) }
  })

export const deleteLoggingConfiguration = wafv2
  .operation('DeleteLoggingConfiguration')
  .on(webAcl.named('ResourceArn', { ownAccount: true }))
  .run(async (call, input, { arn }) => {
    assertScope(input)
    await existing(call, arn)
    call.unit.delete(loggingKey(arn))
    return {}
  })

export const listLoggingConfigurations = wafv2
  .operation('ListLoggingConfigurations')
  .on(webAcl.collection())
  .run(async (call, input, acls) => {
    assertScope(input)
    const scope = scopeName(call, input.Scope)
    const found: LoggingRow[] = []
    for (const row of await acls.all()) {
      const logging = row.scope === scope && (await call.unit.get<LoggingRow>(loggingKey(webAcl.arnOf(row, row))))
      if (logging) found.push(logging)
    }
    const { items, next } = await listedOf(call, input, found, (row) => row.webAcl)
    return { LoggingConfigurations: items.map(shown), ...next }
  })
