/** Verdicts as people read them: the way with what matched on it, or the component that blocks. */
import type { Range } from '../../engines/network/boxes.ts'
import type { FamilyVerdict } from '../../engines/network/families.ts'
import type { Block, Code, Hop, Question, Snapshot } from '../../engines/network/reachability.ts'
import { plain } from '../plain.ts'
import { table } from '../policy/shown.ts'
import type { NetworkFile } from './network-file.ts'

const SENTENCES: Readonly<Record<Code, string>> = {
  ENI_SG_RULES_MISMATCH: 'no rule of the security groups allows it',
  SUBNET_ACL_RESTRICTION: 'the network ACL denies it',
  NO_ROUTE_TO_DESTINATION: 'the route table has no route there',
  NO_POSSIBLE_DESTINATION: 'no address of a common family, or nothing that can be reached from there',
  BAD_STATE_ROUTE: 'the route leads to something that is gone',
  IGW_PUBLIC_IP_ASSOCIATION_FOR_INGRESS: 'the interface has no public address',
  IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS: 'the interface has no public address',
  IGW_NOT_ATTACHED_TO_VPC: 'the VPC has no internet gateway',
  IGW_SUBNET_BLOCKED_BY_VPC_BPA: 'VPC Block Public Access blocks the subnet',
  BAD_STATE_PCX: 'the peering connection is not active',
  UNSUPPORTED_COMPONENT: 'the component is not analyzed',
}

const BY: Readonly<Partial<Record<Hop['kind'], string>>> = {
  'security-group': 'rule',
  'network-acl': 'entry',
  'route-table': 'route',
}

function rowOf({ component, kind, by = [] }: Hop): readonly string[] {
  const matched = by.length > 0 ? `${BY[kind] ?? 'by'} ${by.join(', ')}` : ''
  return [kind.replaceAll('-', ' '), component, matched].map(plain)
}

const blockText = ({ code, component, direction, by }: Block): string =>
  plain(
    `${direction === 'return' ? 'The answer is blocked' : 'Blocked'} at ${component}: ${SENTENCES[code]}${by === undefined ? '' : ` (${by})`} [${code}]`,
  )

const NAMES: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp' }

export const questionText = ({ protocol, port }: Pick<Question, 'protocol' | 'port'>): string =>
  protocol === undefined ? 'any protocol' : `${NAMES[protocol]}${port === undefined ? '' : ` ${port}`}`

export function verdictText(network: NetworkFile, question: Question, { verdict, snapshot }: FamilyVerdict): string {
  const { isReachable, forward, back, blocked } = verdict
  const over = snapshot.space.family === 6 ? ', over IPv6' : ''
  const [from, to] = [question.from, question.to].map((id) => network.label(id))
  const head = `${from} ${isReachable ? 'reaches' : 'does not reach'} ${to}: ${questionText(question)}${over}\n`
  return [
    head,
    ...blocked.map((block) => `${blockText(block)}\n`),
    ...(forward.length > 0
      ? [isReachable ? 'Request:\n' : 'Request, as far as it gets:\n', table(forward.map(rowOf), '  ')]
      : []),
    ...(back.length > 0 ? ['Answer:\n', table(back.map(rowOf), '  ')] : []),
  ].join('')
}

const rangeText = ({ space }: Snapshot, range: Range): string => [...new Set(space.print(range))].join('-')

/** For programs. */
export const verdictJson = (
  question: Question,
  { verdict: { isReachable, forward, back, blocked, packets }, snapshot }: FamilyVerdict,
) => ({
  from: question.from,
  to: question.to,
  protocol: question.protocol,
  port: question.port,
  family: snapshot.space.family === 4 ? 'IPv4' : 'IPv6',
  isReachable,
  blocked,
  forward,
  back,
  packets: packets.map((packet) => ({
    protocol: packet.protocol,
    source: rangeText(snapshot, packet.source),
    destination: rangeText(snapshot, packet.destination),
    sourcePort: packet.sourcePort,
    destinationPort: packet.destinationPort,
  })),
})
