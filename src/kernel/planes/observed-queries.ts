/**
 * Queries that a resolver has answered, as it reports them: members of Route 53 Resolver query logs, without those that name the
 * network. Threat detection looks up the interface at the client's address.
 * Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html
 */
import { isIP } from 'node:net'

export const RESOLVER = 'resolver'

export interface ObservedQuery {
  /** ISO 8601, UTC. */
  readonly query_timestamp: string
  /** Fully qualified, with its last dot, as the client wrote it. */
  readonly query_name: string
  readonly query_type: string
  readonly query_class: 'IN'
  readonly rcode: string
  readonly answers: readonly { readonly Rdata: string; readonly Type: string; readonly Class: 'IN' }[]
  readonly srcaddr: string
  readonly srcport: string
  readonly transport: 'UDP' | 'TCP'
}

export interface QueriesRecord {
  readonly kind: 'queries'
  readonly queries: readonly ObservedQuery[]
}

/** Of one record. */
export const QUERIES_MAX = 100
/** Of one query: the rest of the answers is left out. */
export const ANSWERS_MAX = 8
/** Characters of one answer. */
export const ANSWER_LENGTH_MAX = 255

const isText = (value: unknown, max: number): boolean => typeof value === 'string' && value.length <= max

function isAnswer(value: unknown): boolean {
  const { Rdata, Type } = (value ?? {}) as Partial<ObservedQuery['answers'][number]>
  return isText(Rdata, ANSWER_LENGTH_MAX) && isText(Type, 16)
}

function isQuery(value: unknown): value is ObservedQuery {
  const query = (value ?? {}) as Partial<ObservedQuery>
  return (
    isText(query.query_timestamp, 40) &&
    isText(query.query_name, 1_024) &&
    isText(query.query_type, 16) &&
    isText(query.rcode, 20) &&
    isText(query.srcport, 5) &&
    isIP(String(query.srcaddr)) !== 0 &&
    (query.transport === 'UDP' || query.transport === 'TCP') &&
    Array.isArray(query.answers) &&
    query.answers.length <= ANSWERS_MAX &&
    query.answers.every(isAnswer)
  )
}

/** undefined for a record of another kind, or one that is not whole. */
export function queriesRecordOf(record: object): QueriesRecord | undefined {
  const { kind, queries } = record as Partial<QueriesRecord>
  const isWhole =
    kind === 'queries' && Array.isArray(queries) && queries.length <= QUERIES_MAX && queries.every(isQuery)
  return isWhole ? (record as QueriesRecord) : undefined
}
