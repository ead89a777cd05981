/** Callers and peers on threat lists. */
import { objectTactic } from '../api-classes.ts'
import { type Detection, NONE, type Rule, type RuleFactory, type ThreatMatch } from '../rule.ts'
import type { ApiEvent, ThreatListKind } from '../types.ts'
import { flowParts, probeOf } from './flow-parts.ts'

const IAM = 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-iam.html'
const S3 = 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-s3.html'
const EC2 = 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html'

type Caller = 'MaliciousIPCaller' | 'MaliciousIPCaller.Custom' | 'TorIPCaller'

const callerOf = (kind: ThreatListKind): Caller =>
  kind === 'custom' ? 'MaliciousIPCaller.Custom' : kind === 'tor' ? 'TorIPCaller' : 'MaliciousIPCaller'

const DISCOVERY = /^(?:Describe|List|Get(?!Secret|Password|Session|Federation)|Lookup|Search|Simulate|Head)/

function identityType(event: ApiEvent, caller: Caller): string {
  return `${DISCOVERY.test(event.action) ? 'Recon' : 'UnauthorizedAccess'}:IAMUser/${caller}`
}

function objectType(event: ApiEvent, caller: Caller): string {
  const tactic = objectTactic(event.action) ?? 'Exfiltration'
  if (tactic === 'Discovery') return `Discovery:S3/${caller}`
  return caller === 'MaliciousIPCaller' ? `${tactic}:S3/${caller}` : `UnauthorizedAccess:S3/${caller}`
}

const CALLERS: readonly Caller[] = ['MaliciousIPCaller', 'MaliciousIPCaller.Custom', 'TorIPCaller']

/** One detection for each kind of list, with all its lists as evidence. */
function byKind<T>(matches: readonly ThreatMatch[], typeOf: (kind: ThreatListKind) => T): Map<T, ThreatMatch[]> {
  const types = new Map<T, ThreatMatch[]>()
  for (const match of matches) types.set(typeOf(match.kind), [...(types.get(typeOf(match.kind)) ?? []), match])
  return types
}

export const threatListCaller: RuleFactory = ({ lookups }): Rule => ({
  name: 'threat-list-caller',
  types: [
    ...['Recon', 'UnauthorizedAccess'].flatMap((purpose) => CALLERS.map((caller) => `${purpose}:IAMUser/${caller}`)),
    ...CALLERS.map((caller) => `Discovery:S3/${caller}`),
    'Exfiltration:S3/MaliciousIPCaller',
    'Impact:S3/MaliciousIPCaller',
    'UnauthorizedAccess:S3/MaliciousIPCaller.Custom',
    'UnauthorizedAccess:S3/TorIPCaller',
  ],
  source: `${IAM} ${S3}`,
  api: (event) => {
    const matches = lookups.threats(event.address)
    if (matches.length === 0) return NONE
    return [...byKind(matches, callerOf)].map(([caller, evidence]) => ({
      type: event.source === 's3' ? objectType(event, caller) : identityType(event, caller),
      evidence,
    }))
  },
})

/** What an instance's traffic with a peer of a list means. `undefined`: nothing for this direction. */
function peerType(kind: ThreatListKind, isOutbound: boolean): string | undefined {
  if (kind === 'custom') return 'UnauthorizedAccess:EC2/MaliciousIPCaller.Custom'
  if (kind === 'tor') return `UnauthorizedAccess:EC2/${isOutbound ? 'TorClient' : 'TorRelay'}`
  if (!isOutbound) return undefined
  if (kind === 'mining') return 'CryptoCurrency:EC2/BitcoinTool.B'
  if (kind === 'black-hole') return 'Trojan:EC2/BlackholeTraffic'
  if (kind === 'drop-point') return 'Trojan:EC2/DropPoint'
  return kind === 'command-and-control' ? 'Backdoor:EC2/C&CActivity.B' : undefined
}

export const threatListPeer: RuleFactory = ({ lookups, endsOf }): Rule => ({
  name: 'threat-list-peer',
  types: [
    'UnauthorizedAccess:EC2/MaliciousIPCaller.Custom',
    'UnauthorizedAccess:EC2/TorClient',
    'UnauthorizedAccess:EC2/TorRelay',
    'CryptoCurrency:EC2/BitcoinTool.B',
    'Trojan:EC2/BlackholeTraffic',
    'Trojan:EC2/DropPoint',
    'Backdoor:EC2/C&CActivity.B',
    'Recon:EC2/PortProbeUnprotectedPort',
  ],
  source: EC2,
  flow: (event) => {
    const ends = endsOf(event)
    if (!ends) return NONE
    const matches = lookups.threats(ends.remoteAddress)
    if (matches.length === 0) return NONE
    const isOutbound = ends.direction === 'OUTBOUND'
    // An answer of the instance belongs to the connection that it answers.
    if (ends.isAnswer) return NONE
    const detections: Detection[] = []
    for (const [type, evidence] of byKind(matches, (kind) => peerType(kind, isOutbound))) {
      if (type === undefined || (!event.accepted && type !== 'UnauthorizedAccess:EC2/MaliciousIPCaller.Custom'))
        continue
      const isTarget = type.endsWith('.Custom') && !isOutbound
      detections.push({
        type,
        detail: `port ${ends.remotePort}`,
        evidence,
        resourceRole: isTarget ? 'TARGET' : 'ACTOR',
        ...flowParts(event, ends, lookups),
      })
    }
    // A scanner that reaches an open port; what the security group rejects is no exposure.
    const scanners = matches.filter(({ kind }) => kind === 'malicious')
    if (!isOutbound && event.accepted && scanners.length > 0) {
      detections.push({
        type: 'Recon:EC2/PortProbeUnprotectedPort',
        detail: `port ${ends.localPort}`,
        severity: RISKY_PORTS.has(ends.localPort) ? 8 : 2,
        evidence: scanners,
        ...flowParts(event, ends, lookups),
        action: probeOf(event, ends, lookups),
      })
    }
    return detections
  },
})

/** Ports on which a service must not face the internet: GuardDuty's example is Elasticsearch. */
const RISKY_PORTS: ReadonlySet<number> = new Set([2375, 5601, 6379, 8088, 9200, 9300, 11_211, 27_017])

/** What a lookup of a listed domain means. */
const DOMAIN_TYPES: Readonly<Partial<Record<ThreatListKind, string>>> = {
  custom: 'Impact:EC2/MaliciousDomainRequest.Custom',
  malicious: 'Impact:EC2/MaliciousDomainRequest.Reputation',
  'command-and-control': 'Backdoor:EC2/C&CActivity.B!DNS',
  mining: 'CryptoCurrency:EC2/BitcoinTool.B!DNS',
  'black-hole': 'Trojan:EC2/BlackholeTraffic!DNS',
  'drop-point': 'Trojan:EC2/DropPoint!DNS',
  phishing: 'Trojan:EC2/PhishingDomainRequest!DNS',
}

export const threatListDomain: RuleFactory = ({ lookups }): Rule => ({
  name: 'threat-list-domain',
  types: Object.values(DOMAIN_TYPES),
  source: EC2,
  dns: (event) => {
    const matches = lookups.domainThreats(event.name)
    if (matches.length === 0) return NONE
    return [...byKind(matches, (kind) => DOMAIN_TYPES[kind])].flatMap(([type, evidence]) =>
      type === undefined ? [] : [{ type, detail: event.name, evidence }],
    )
  },
})
