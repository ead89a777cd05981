/** Flows of a lab as a flow log in the default format. */
import { DEFAULT_FORMAT, header, parseFormat, printRecord } from '../../engines/network/flow-format.ts'
import type { LabFlow } from '../../engines/network/lab-flows.ts'

const FIELDS = parseFormat(DEFAULT_FORMAT)!

export interface FlowLines {
  readonly accountOf: (eni: string) => string | undefined
  /** Of the lab; epoch milliseconds. */
  readonly start: number
  readonly end: number
}

/** With a header, for programs that read flow logs. */
export const flowLines = (
  flows: readonly (LabFlow & { readonly interface: string })[],
  { accountOf, start, end }: FlowLines,
): readonly string[] => [
  header(FIELDS),
  ...flows.map((flow) =>
    printRecord(FIELDS, {
      'account-id': accountOf(flow.interface) ?? '-',
      'interface-id': flow.interface,
      srcaddr: flow.source,
      dstaddr: flow.destination,
      srcport: flow.sourcePort,
      dstport: flow.destinationPort,
      protocol: flow.protocol,
      packets: flow.packets,
      bytes: flow.bytes,
      start: Math.floor(start / 1_000),
      end: Math.ceil(end / 1_000),
      action: flow.accepted ? 'ACCEPT' : 'REJECT',
      'log-status': 'OK',
    }),
  ),
]
