/** Logging configurations as rows: one a web ACL. */
import type { FieldToMatch, LoggingFilter } from '@aws-sdk/client-wafv2'
import type { Json } from '../../engines/waf/json.ts'
import { type Key, key } from '../../store/store.ts'

export interface LoggingRow {
  readonly webAcl: string
  readonly account: string
  readonly region: string
  readonly scope: string
  /** ARN. */
  readonly destination: string
  readonly redactedFields?: readonly Json<FieldToMatch>[] | undefined
  readonly filter?: Json<LoggingFilter> | undefined
}

export const loggingKey = (webAcl: string): Key => key('wafv2', 'logging', webAcl)
