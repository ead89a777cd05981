/**
 * What the detection engine reads and what it returns. The engine is pure: no input, output, clock or randomness of its own.
 * Finding fields: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-summary.html
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
export type JsonObject = { readonly [name: string]: Json }

// ---------------------------------------------------------------- events

interface EventBase {
  /** Unique in the log; an event with an ID that was seen before is ignored. */
  readonly id: string
  /** When it happened, in milliseconds since 1970. */
  readonly time: number
  readonly account: string
  readonly region: string
}

/** `Unknown`: a record without an identity, such as a failed sign-in. */
export type PrincipalType =
  | 'Root'
  | 'IAMUser'
  | 'AssumedRole'
  | 'FederatedUser'
  | 'Role'
  | 'WebIdentityUser'
  | 'SAMLUser'
  | 'IdentityCenterUser'
  | 'Directory'
  | 'AWSAccount'
  | 'AWSService'
  | 'Unknown'

/** The caller, as `userIdentity` of a CloudTrail record names it. */
export interface EventPrincipal {
  readonly type: PrincipalType
  /** `principalId`: `AIDA…`, or `AROA…:session`. */
  readonly id: string
  readonly arn: string
  readonly account: string
  readonly userName: string
  readonly accessKeyId: string
  /** The role behind a session. */
  readonly issuer?:
    | { readonly type: string; readonly id: string; readonly arn: string; readonly userName: string }
    | undefined
  /** The service on whose behalf the call was made: `ec2.amazonaws.com`. */
  readonly invokedBy?: string | undefined
  readonly mfa?: boolean | undefined
  /** `userIdentity.sessionContext.ec2RoleDelivery`: the session was issued by the instance metadata service. */
  readonly instanceDelivery?: boolean | undefined
}

export interface EventResource {
  readonly arn: string
  readonly type: string
  readonly account?: string | undefined
}

/** An API call or a sign-in. */
export interface ApiEvent extends EventBase {
  /** `cloudtrail`: management events; `s3`: data events of objects; `sign-in`: console, Identity Center and user pools. */
  readonly source: 'cloudtrail' | 's3' | 'sign-in'
  readonly principal: EventPrincipal
  /** The event source without its suffix: `iam`, `s3`, `signin`. */
  readonly service: string
  /** The event name without a version suffix: `CreateFunction`, not `CreateFunction20150331`. */
  readonly action: string
  readonly resources: readonly EventResource[]
  /** The remote address, or the name of an AWS service. */
  readonly address: string
  readonly userAgent: string
  /** Empty: the call succeeded. */
  readonly errorCode: string
  readonly errorMessage: string
  readonly readOnly: boolean
  readonly request: JsonObject
  readonly response: JsonObject
  readonly additional: JsonObject
  readonly vpcEndpointId?: string | undefined
  /** The original record, for rules that operators wrote; absent where the record was larger than the limit. */
  readonly record?: JsonObject | undefined
}

/** One record of a VPC flow log, as the interface saw it. */
export interface FlowEvent extends EventBase {
  readonly source: 'flow'
  readonly interfaceId: string
  readonly instanceId: string
  readonly vpcId: string
  readonly sourceAddress: string
  readonly destinationAddress: string
  readonly sourcePort: number
  readonly destinationPort: number
  /** IANA number: 6 TCP, 17 UDP. */
  readonly protocol: number
  readonly packets: number
  readonly bytes: number
  /** Milliseconds since 1970. `time` is the end. */
  readonly start: number
  readonly accepted: boolean
  /** Bit mask of the TCP flags seen; undefined where the format does not have it. */
  readonly tcpFlags?: number
  /** Of the record, where the format has it; otherwise derived from the addresses of the instance, or unknown. */
  readonly direction?: 'ingress' | 'egress'
}

export interface DnsEvent extends EventBase {
  readonly source: 'dns'
  readonly vpcId: string
  readonly instanceId: string
  readonly sourceAddress: string
  /** Lower case, without the final dot. */
  readonly name: string
  /** `A`, `TXT`, … */
  readonly type: string
  readonly responseCode: string
  readonly answers: readonly { readonly type: string; readonly data: string }[]
  readonly transport: 'UDP' | 'TCP'
  /** By a DNS firewall rule. */
  readonly blocked: boolean
}

export type NormalizedEvent = ApiEvent | FlowEvent | DnsEvent

// -------------------------------------------------------------- findings

export interface RemoteAddress {
  readonly address: string
  readonly port?: number
  readonly country?: string
  readonly asn?: number
  readonly organization?: string
}

export type FindingAction =
  | {
      readonly actionType: 'AWS_API_CALL'
      readonly api: string
      /** `iam.amazonaws.com`. */
      readonly serviceName: string
      readonly callerType: 'Remote IP' | 'Domain'
      readonly userAgent: string
      readonly errorCode: string
      readonly remote?: RemoteAddress
      /** The calling service, where there is no remote address. */
      readonly domain?: string
      /** The caller's account, where it is another one. */
      readonly remoteAccount?: string
      readonly affectedResources: Readonly<Record<string, string>>
    }
  | {
      readonly actionType: 'NETWORK_CONNECTION'
      readonly direction: 'INBOUND' | 'OUTBOUND' | 'UNKNOWN'
      /** `TCP`, `UDP`, `ICMP`, or the number. */
      readonly protocol: string
      readonly blocked: boolean
      readonly localAddress: string
      readonly localPort: number
      readonly interfaceId: string
      readonly remote: RemoteAddress
    }
  | {
      readonly actionType: 'DNS_REQUEST'
      readonly domain: string
      readonly domainWithSuffix: string
      readonly protocol: 'UDP' | 'TCP'
      readonly blocked: boolean
    }
  | {
      readonly actionType: 'PORT_PROBE'
      readonly blocked: boolean
      readonly probes: readonly {
        readonly localAddress: string
        readonly localPort: number
        readonly remote: RemoteAddress
      }[]
    }

export type FindingResource =
  | {
      readonly resourceType: 'AccessKey'
      readonly accessKeyId: string
      readonly principalId: string
      readonly userName: string
      /** `IAMUser`, `AssumedRole`, `Root`, … */
      readonly userType: string
      readonly arn: string
    }
  | {
      readonly resourceType: 'S3Bucket'
      readonly buckets: readonly {
        readonly name: string
        readonly arn: string
        readonly publicAccess?: 'PUBLIC' | 'NOT_PUBLIC'
      }[]
      /** The caller, where there is one. */
      readonly accessKey?: {
        readonly accessKeyId: string
        readonly principalId: string
        readonly userName: string
        readonly userType: string
        readonly arn: string
      }
    }
  | {
      readonly resourceType: 'Instance'
      /** Empty where the interface is of no known instance. */
      readonly instanceId: string
      readonly interfaceId: string
      readonly vpcId: string
      readonly privateAddress: string
      readonly publicAddress?: string
    }

/** The list of which an entry matched. */
export interface ThreatListEvidence {
  readonly listName: string
  /** SHA-256 of the list's bytes, hexadecimal. */
  readonly listSha256: string
  /** The entries that matched: addresses, networks or domains. */
  readonly threatNames: readonly string[]
}

/** A dimension of behavior: what was usual, and what was seen. */
export interface Unusual {
  /** `action`, `service`, `region`, `network`, `country`, `userAgent`, `hour`, `errors`, `tactic`, `resource`. */
  readonly dimension: string
  readonly observed: string
  /** The usual values, the most frequent first, at most 5. Empty: nothing was ever seen. */
  readonly expected: readonly string[]
  /** −log2 of the back-off probability. */
  readonly surpriseBits: number
  /** The baseline that has the expected values. */
  readonly scope: 'principal' | 'role' | 'account' | 'organization' | 'prior'
}

/**
 * One detection. Later ones with the same `aggregationKey` are the same finding: add `count`, take over the newer details
 * and event IDs, and move `lastSeen` (`aggregate` of aggregate.ts does all of it).
 */
export interface DetectedFinding {
  /** 32 hexadecimal digits: of the account, Region and `aggregationKey`. */
  readonly id: string
  /** `Recon:EC2/Portscan`; rules of operators have `Custom:…/…`. */
  readonly type: string
  /** 1 to 10. */
  readonly severity: number
  readonly title: string
  readonly description: string
  readonly account: string
  readonly region: string
  readonly resource: FindingResource
  readonly action: FindingAction
  readonly resourceRole: 'TARGET' | 'ACTOR'
  readonly evidence: readonly ThreatListEvidence[]
  /** IDs of the events that it follows from, oldest first, at most 100 a detection. */
  readonly eventIds: readonly string[]
  /** Milliseconds since 1970. */
  readonly firstSeen: number
  readonly lastSeen: number
  readonly count: number
  readonly aggregationKey: string
  /** Of anomalies: expected versus observed. */
  readonly unusual: readonly Unusual[]
  /** Details of a type, such as the ports of a scan. */
  readonly additionalInfo: JsonObject
  /** Of attack sequences: the IDs of the findings that are its signals. */
  readonly signals: readonly string[]
  /** The protection that it belongs to: `CloudTrail`, `S3DataEvents`, `FlowLogs`, `DNSLogs`. */
  readonly feature: DetectionFeature
  /** The rule, for `disabledRules`. */
  readonly rule: string
}

export type DetectionFeature = 'CloudTrail' | 'S3DataEvents' | 'FlowLogs' | 'DNSLogs'

// --------------------------------------------------------- configuration

/** A compiled list: compileList of lists.ts. */
export interface AddressList {
  readonly name: string
  /** Of the list's bytes, hexadecimal. */
  readonly sha256: string
  /** What matches the address, as the list writes it. */
  matchAddress(address: string): string | undefined
  /** What matches the domain or one of its parents. */
  matchDomain(name: string): string | undefined
}

/** `custom`: of the account's own threat lists, whose findings end with `.Custom`. The others are of feeds, by what they list. */
export type ThreatListKind =
  | 'custom'
  | 'malicious'
  | 'tor'
  | 'command-and-control'
  | 'mining'
  | 'black-hole'
  | 'drop-point'
  | 'phishing'

export interface Geography {
  /** ISO 3166-1, two letters. */
  readonly country?: string
  readonly asn?: number
  readonly organization?: string
  readonly latitude?: number
  readonly longitude?: number
}

/** What is known of an instance. */
export interface InstanceRecord {
  readonly instanceId: string
  readonly account: string
  readonly vpcId?: string
  readonly interfaceIds?: readonly string[]
  /** Private, public and NAT addresses from which its credentials may be used. */
  readonly addresses: readonly string[]
}

export interface PolicyExposure {
  /** Anyone in the world. */
  readonly anonymous: boolean
  /** Any AWS account's principals, signed in. */
  readonly anyAccount: boolean
  /** Accounts other than the owner's that the policy trusts by name, sorted. */
  readonly accounts: readonly string[]
  /** Allows every action on every resource. */
  readonly administrator: boolean
}

/** Decided by the policy evaluator; the engine reads no policy itself. Undefined: the document cannot be read. */
export type PolicyJudge = (document: string, account: string) => PolicyExposure | undefined

export interface OperatorRule {
  /** `Custom:IAMUser/name-of-the-rule`. */
  readonly type: string
  readonly rule: string
  readonly severity: number
  readonly title: string
  readonly description: string
  readonly matches: (event: NormalizedEvent) => boolean
  /** The only CloudTrail events that can match, in lower case; absent: any event. */
  readonly events?: readonly { readonly source: string | undefined; readonly name: string }[] | undefined
}

export interface DetectorConfiguration {
  readonly threatLists?: readonly { readonly kind: ThreatListKind; readonly list: AddressList }[]
  /** Addresses and domains of which no finding is made. */
  readonly trustedLists?: readonly AddressList[]
  readonly geography?: (address: string) => Geography | undefined
  readonly instances?: readonly InstanceRecord[]
  readonly publicAccess?: PolicyJudge
  readonly operatorRules?: readonly OperatorRule[]
  /** Names of rules (`DetectedFinding.rule`) or of finding types. */
  readonly disabledRules?: readonly string[]
  /**
   * How late an event may arrive and still be put into order, in milliseconds. 0, for a log that is in order: findings are
   * returned by the `ingest` of their event. Otherwise events wait until the watermark has passed them. Default 0.
   */
  readonly latenessMs?: number
  /** How long after its first event an account raises no anomaly, in milliseconds. Default 14 days. */
  readonly learningMs?: number
  /** Whether `changes` is called: otherwise nothing is noted for it. Default true. */
  readonly tracksChanges?: boolean
  /** Limits of the state; each has a default (state.ts). */
  readonly limits?: Partial<StateLimits>
}

export interface StateLimits {
  /** Baselines of principals, roles and accounts. */
  readonly baselines: number
  /** Entries of each other table: windows of flows, sessions, recent findings. */
  readonly entries: number
  /** Events that wait for the watermark. */
  readonly waiting: number
}

// --------------------------------------------------------------- detector

/** State in parts, so that a caller stores only the ones that changed. A part is a few kilobytes at most. */
export interface DetectorCheckpoint {
  readonly version: 1
  readonly parts: Readonly<Record<string, Json>>
}

export interface CheckpointChanges {
  readonly put: Readonly<Record<string, Json>>
  readonly removed: readonly string[]
}

/** Deterministic: the same configuration and events give the same findings, byte for byte. */
export interface Detector {
  /** Never throws for an event; what a rule cannot read it does not match. */
  ingest(event: NormalizedEvent): readonly DetectedFinding[]
  /** Learns from the event and returns nothing: for history that is known to be good. */
  learn(event: NormalizedEvent): void
  /** No event older than this is still to come, in milliseconds. `Infinity` at the end of the input. */
  advance(watermark: number): readonly DetectedFinding[]
  /** The whole state. */
  checkpoint(): DetectorCheckpoint
  /** What changed since the last call of `changes` or since the start; apply it to a stored checkpoint. See `tracksChanges`. */
  changes(): CheckpointChanges
}

/** `createDetector(configuration, checkpoint?)` of detector.ts. */
export type CreateDetector = (configuration: DetectorConfiguration, checkpoint?: DetectorCheckpoint) => Detector
