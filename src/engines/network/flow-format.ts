/**
 * The text of flow log records: fields of the versions 2 to 5, chosen by a format.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
 */

/** Each field, with the version that introduced it. */
export const FIELDS = {
  version: 2,
  'account-id': 2,
  'interface-id': 2,
  srcaddr: 2,
  dstaddr: 2,
  srcport: 2,
  dstport: 2,
  protocol: 2,
  packets: 2,
  bytes: 2,
  start: 2,
  end: 2,
  action: 2,
  'log-status': 2,
  'vpc-id': 3,
  'subnet-id': 3,
  'instance-id': 3,
  'tcp-flags': 3,
  type: 3,
  'pkt-srcaddr': 3,
  'pkt-dstaddr': 3,
  region: 4,
  'az-id': 4,
  'sublocation-type': 4,
  'sublocation-id': 4,
  'pkt-src-aws-service': 5,
  'pkt-dst-aws-service': 5,
  'flow-direction': 5,
  'traffic-path': 5,
} as const

export type FlowField = keyof typeof FIELDS

/** What is known of a flow; the version follows from the format. */
export type FlowRecord = Readonly<Partial<Record<Exclude<FlowField, 'version'>, string | number>>>

const DEFAULT_FIELDS = Object.keys(FIELDS).filter((name) => FIELDS[name as FlowField] === 2) as readonly FlowField[]
export const DEFAULT_FORMAT = DEFAULT_FIELDS.map((name) => `\${${name}}`).join(' ')

const FORMAT_LENGTH_MAX = 2_000

/** The fields of `${version} ${account-id} …`; undefined for a text of another form, or with a field that is not known. */
export function parseFormat(format: string): readonly FlowField[] | undefined {
  if (format.length > FORMAT_LENGTH_MAX) return undefined
  const fields: FlowField[] = []
  for (const part of format.trim().split(/ +/)) {
    const name = part.startsWith('${') && part.endsWith('}') ? part.slice(2, -1) : ''
    if (!Object.hasOwn(FIELDS, name)) return undefined
    fields.push(name as FlowField)
  }
  return fields.length > 0 ? fields : undefined
}

/** One line. What is not known is `-`. */
export function printRecord(fields: readonly FlowField[], record: FlowRecord): string {
  const version = Math.max(...fields.map((field) => FIELDS[field]))
  return fields.map((field) => (field === 'version' ? String(version) : String(record[field] ?? '-'))).join(' ')
}

export const header = (fields: readonly FlowField[]): string => fields.join(' ')

/** Reads lines of files: with their header, or of the default format. Lines of another form are left out. */
export function* readRecords(text: string, fields: readonly FlowField[] = DEFAULT_FIELDS): Generator<FlowRecord> {
  let columns: readonly string[] = fields
  for (const line of text.split('\n')) {
    const parts = line.trim().split(' ')
    if (parts.every((part) => Object.hasOwn(FIELDS, part))) {
      columns = parts
      continue
    }
    if (parts.length !== columns.length) continue
    yield Object.fromEntries(
      columns.flatMap((name, index) => (name === 'version' || parts[index] === '-' ? [] : [[name, parts[index]!]])),
    )
  }
}
