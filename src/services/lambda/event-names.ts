/**
 * Lambda's names in the audit log: operations of its first APIs carry the API's date, and a second form its version.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
 */
import type { EventNames } from '../../kernel/events/event-names.ts'

const dated = (date: string, ...operations: readonly string[]): Record<string, string> =>
  Object.fromEntries(operations.map((operation) => [operation, `${operation}${date}`]))

const events: Readonly<Record<string, string>> = {
  ...dated(
    '20150331',
    'CreateAlias',
    'CreateEventSourceMapping',
    'CreateFunction',
    'DeleteAlias',
    'DeleteEventSourceMapping',
    'DeleteFunction',
    'GetAlias',
    'GetEventSourceMapping',
    'ListAliases',
    'ListEventSourceMappings',
    'ListFunctions',
    'ListVersionsByFunction',
    'PublishVersion',
    'UpdateAlias',
    'UpdateEventSourceMapping',
  ),
  ...dated(
    '20150331v2',
    'AddPermission',
    'GetFunction',
    'GetFunctionConfiguration',
    'GetPolicy',
    'RemovePermission',
    'UpdateFunctionCode',
    'UpdateFunctionConfiguration',
  ),
  ...dated('20160819', 'GetAccountSettings'),
  ...dated('20170331', 'ListTags'),
  ...dated('20170331v2', 'TagResource', 'UntagResource'),
  ...dated('20171031', 'DeleteFunctionConcurrency', 'PutFunctionConcurrency'),
  ...dated(
    '20181031',
    'AddLayerVersionPermission',
    'DeleteLayerVersion',
    'GetLayerVersion',
    'GetLayerVersionPolicy',
    'ListLayers',
    'ListLayerVersions',
    'PublishLayerVersion',
    'RemoveLayerVersionPermission',
  ),
}

/** What a function returned and printed is not the log's. */
export const eventNames: EventNames = { events, silent: ['Invoke'] }
