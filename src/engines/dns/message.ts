/** DNS messages (RFC 1035 §4, EDNS of RFC 6891): one question in, one response out. Pure. */
import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  type Question,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet'
import type { LookupResult } from './zones.ts'

export interface Query {
  readonly id: number
  /** As it was written: some resolvers compare its case. */
  readonly name: string
  /** `A`, `TXT`, … or `UNKNOWN_65` for types without a name. */
  readonly type: string
  readonly recursionDesired: boolean
  /** The largest response the client takes over UDP, in bytes; undefined without EDNS. */
  readonly udpBytes: number | undefined
}

/** RFC 1035 §4.2.1. */
export const UDP_BYTES = 512
/** What fits into one packet of most networks: DNS flag day 2020. */
const EDNS_BYTES_MAX = 1_232
const RCODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const
const HEADER_BYTES = 12
export const QUERY_BYTES_MAX = 1_024
const ADDITIONALS_MAX = 2

const NO_RECORDS: LookupResult = {
  rcode: 'NOERROR',
  authoritative: false,
  answers: [],
  authorities: [],
  additionals: [],
}

/** undefined for everything but an ordinary query with one question: no response is sent, so that none can be reflected. */
export function parseQuery(message: Buffer): Query | undefined {
  if (message.length <= HEADER_BYTES || message.length > QUERY_BYTES_MAX) return undefined
  // QR and OPCODE are 0; one question, no answers, no authorities, EDNS and a signature at most.
  const isQuery = (message.readUInt16BE(2) & 0xf800) === 0
  const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => message.readUInt16BE(at))
  if (!isQuery || questions !== 1 || answers !== 0 || authorities !== 0 || additionals! > ADDITIONALS_MAX)
    return undefined
  try {
    const packet = decode(message)
    const [question] = packet.questions ?? []
    if (question?.class !== 'IN' || !isRepeatable(message, question)) return undefined
    const edns = packet.additionals?.find(({ type }) => type === 'OPT') as { udpPayloadSize?: number } | undefined
    return {
      id: message.readUInt16BE(0),
      name: question.name,
      type: question.type,
      recursionDesired: ((packet.flags ?? 0) & RECURSION_DESIRED) !== 0,
      udpBytes: edns && Math.max(UDP_BYTES, Math.min(edns.udpPayloadSize ?? 0, EDNS_BYTES_MAX)),
    }
  } catch {
    return undefined
  }
}

/**
 * Whether the question is the same when it is written again. Names whose bytes are no text are not: they grow to three times their
 * length, and a response must not be longer than its sender expects.
 */
function isRepeatable(message: Buffer, question: Question): boolean {
  const repeated = encode({ questions: [question] })
  return message.subarray(HEADER_BYTES, repeated.length).equals(repeated.subarray(HEADER_BYTES))
}

/** A response of at most `bytesMax`; one that is longer is sent without records, marked as truncated. */
export function printResponse(query: Query, result: LookupResult, bytesMax: number): Buffer {
  const whole = print(query, result, result.rcode)
  return whole.length <= bytesMax
    ? whole
    : print(query, { ...NO_RECORDS, authoritative: result.authoritative }, result.rcode, true)
}

/** The server cannot answer now: SERVFAIL. */
export const printFailure = (query: Query): Buffer => print(query, NO_RECORDS, 'SERVFAIL')

function print(query: Query, result: LookupResult, rcode: keyof typeof RCODES, truncated = false): Buffer {
  const section = (records: LookupResult['answers']) =>
    records.map(({ name, ...record }) => ({ ...record, name: withoutDot(name), class: 'IN' as const }))
  const packet = {
    type: 'response',
    id: query.id,
    flags:
      (result.authoritative ? AUTHORITATIVE_ANSWER : 0) |
      (query.recursionDesired ? RECURSION_DESIRED : 0) |
      (truncated ? TRUNCATED_RESPONSE : 0) |
      RCODES[rcode],
    questions: [{ name: query.name, type: query.type, class: 'IN' }],
    answers: section(result.answers),
    authorities: section(result.authorities),
    additionals: [
      ...section(result.additionals),
      ...(query.udpBytes === undefined
        ? []
        : [{ type: 'OPT', name: '.', udpPayloadSize: EDNS_BYTES_MAX, flags: 0, options: [] }]),
    ],
  }
  // The type of the data of each record is decided by its type, which TypeScript cannot follow here.
  return encode(packet as unknown as Packet)
}

const withoutDot = (name: string): string => (name === '.' ? '.' : name.replace(/\.$/, ''))
