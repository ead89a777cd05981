/** Every finding type of the catalog is found in log files as AWS writes them: CloudTrail, VPC flow logs, resolver queries. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { FINDING_TYPES } from '../../engines/detect/catalog.ts'
import { ACCOUNT, DAY, MINUTE, record, roleIdentity, START, times } from '../../engines/detect/detect.fixture.ts'
import { createDetector } from '../../engines/detect/detector.ts'
import { compileList } from '../../engines/detect/lists.ts'
import type { DetectorConfiguration, ThreatListKind } from '../../engines/detect/types.ts'
import { exposureOf } from '../../policy/exposure.ts'
import { wholeEvents } from './log-files.ts'

type Call = NonNullable<Parameters<typeof record>[1]>

const trail = (...records: readonly object[]): string => JSON.stringify({ Records: records })
const data = (action: string, call: Call = {}) =>
  record(`s3:${action}`, { ...call, more: { eventCategory: 'Data', managementEvent: false } })

const COLUMNS =
  'version account-id interface-id instance-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags flow-direction'

interface Flow {
  readonly from?: string
  readonly to?: string
  readonly sourcePort?: number
  readonly port?: number
  readonly protocol?: number
  readonly packets?: number
  readonly bytes?: number
  /** Seconds after the start. */
  readonly at?: number
  readonly seconds?: number
  readonly action?: string
  readonly inbound?: boolean
}

const PEER = '203.0.113.9'

function flows(...list: readonly Flow[]): string {
  const lines = list.map((each) => {
    const start = START / 1_000 + (each.at ?? 0)
    const [from, to] = each.inbound ? [PEER, '10.0.0.5'] : ['10.0.0.5', PEER]
    return [
      `5 ${ACCOUNT} eni-1 i-0123456789abcdef0`,
      `${each.from ?? from} ${each.to ?? to} ${each.sourcePort ?? 40_000} ${each.port ?? 443} ${each.protocol ?? 6}`,
      `${each.packets ?? 10} ${each.bytes ?? 1_000} ${start} ${start + (each.seconds ?? 1)} ${each.action ?? 'ACCEPT'} OK 3`,
      each.inbound ? 'ingress' : 'egress',
    ].join(' ')
  })
  return `${COLUMNS}\n${lines.join('\n')}\n`
}

const query = (name: string, more: object = {}): string =>
  JSON.stringify({
    version: '1.100000',
    account_id: ACCOUNT,
    region: 'eu-west-1',
    vpc_id: 'vpc-1',
    query_timestamp: new Date(START).toISOString(),
    query_name: `${name}.`,
    query_type: 'A',
    query_class: 'IN',
    rcode: 'NOERROR',
    answers: [],
    srcaddr: '10.0.0.5',
    srcport: '41000',
    transport: 'UDP',
    srcids: { instance: 'i-0123456789abcdef0' },
    ...more,
  })
const queries = (list: readonly string[]): string => `${list.join('\n')}\n`

function typesIn(text: string, configuration: DetectorConfiguration = {}): readonly string[] {
  const detector = createDetector({ publicAccess: exposureOf, ...configuration })
  const events = [...wholeEvents(Buffer.from(text), () => {})].flat()
  return [...new Set(events.flatMap((event) => detector.ingest(event)).map(({ type }) => type))]
}

const list = compileList({ name: 'feed', sha256: '', entries: [PEER, 'evil.example'] })
const on = (kind: ThreatListKind): DetectorConfiguration => ({ threatLists: [{ kind, list }] })

/** Three weeks of a user's work, and then a call of an attacker. */
const ATTACKER: Call = { address: '185.220.4.9', userAgent: 'exploit/1.0', at: 21 * DAY }
const history = times(210, (i) =>
  record(['ec2:DescribeInstances', 's3:ListBuckets', 'iam:GetUser'][i % 3]!, { at: i * 140 * MINUTE }),
)
const objects = times(300, (i) => data('GetObject', { at: i * 100 * MINUTE, request: { bucketName: 'shop' } }))
const anomaly = (name: string, request: object = {}) => trail(...history, record(name, { ...ATTACKER, request }))
const objectAnomaly = (action: string) =>
  trail(...objects, data(action, { ...ATTACKER, region: 'sa-east-1', request: { bucketName: 'shop' } }))

const ports = flows(...times(600, (i) => ({ at: i * 1_800 })), { at: 15 * 86_400, port: 6_667 })
const after = (flow: Flow) => flows(...times(600, (i) => ({ at: i * 1_800 })), { at: 15 * 86_400, ...flow })
const letters = (seed: number, length: number): string =>
  times(length, (i) => 'bcdfghjklmnpqrstvwxz'[(seed * 7_919 + i * i * 31 + i * seed * 17) % 20]).join('')
/** Fifty characters, as data in base32 looks. */
const random = (seed: number): string =>
  createHash('sha512').update(String(seed)).digest('base64url').toLowerCase().replace(/[_-]/g, 'x').slice(0, 50)
const signIn = (address: string, at: number) =>
  record('signin:ConsoleLogin', {
    address,
    at,
    response: { ConsoleLogin: 'Success' },
    more: { eventType: 'AwsConsoleSignIn' },
  })
const instances = [
  { instanceId: 'i-0123456789abcdef0', account: ACCOUNT, addresses: ['198.51.100.7'] },
  { instanceId: 'i-0fedcba9876543210', account: ACCOUNT, addresses: ['198.51.100.8'] },
]
const ofInstance = (address: string) =>
  trail(record('s3:ListBuckets', { identity: roleIdentity('web', 'i-0123456789abcdef0'), address }))
const publicPolicy = (Principal: unknown) => ({
  bucketName: 'shop',
  bucketPolicy: {
    Statement: [{ Effect: 'Allow', Principal, Action: 's3:GetObject', Resource: 'arn:aws:s3:::shop/*' }],
  },
})
const caller = { address: PEER, request: { bucketName: 'shop' } }
const shadow = { PublicAccessBlockConfiguration: { BlockPublicAcls: false } }
const secondFactor = { mfaAuthenticated: 'false' }

const LOGS: readonly (readonly [type: string, text: string, configuration?: DetectorConfiguration])[] = [
  ['Stealth:IAMUser/CloudTrailLoggingDisabled', trail(record('cloudtrail:StopLogging'))],
  ['Stealth:IAMUser/PasswordPolicyChange', trail(record('iam:DeleteAccountPasswordPolicy'))],
  [
    'Policy:IAMUser/RootCredentialUsage',
    trail(record('iam:ListUsers', { identity: { type: 'Root', principalId: ACCOUNT, sessionContext: secondFactor } })),
  ],
  ['Stealth:S3/ServerAccessLoggingDisabled', trail(record('s3:PutBucketLogging', { request: { bucketName: 'shop' } }))],
  ['Policy:S3/BucketAnonymousAccessGranted', trail(record('s3:PutBucketPolicy', { request: publicPolicy('*') }))],
  [
    'Policy:S3/BucketPublicAccessGranted',
    trail(record('s3:PutBucketAcl', { request: { bucketName: 'shop', 'x-amz-acl': ['authenticated-read'] } })),
  ],
  [
    'Policy:S3/BucketBlockPublicAccessDisabled',
    trail(record('s3:PutBucketPublicAccessBlock', { request: { bucketName: 'shop', ...shadow } })),
  ],
  ['Policy:S3/AccountBlockPublicAccessDisabled', trail(record('s3:PutAccountPublicAccessBlock', { request: shadow }))],
  ...['Kali', 'Parrot', 'Pentoo'].flatMap((name) => {
    const userAgent = `aws-cli/2.15 Linux/6.6-${name.toLowerCase()}`
    return [
      [`PenTest:IAMUser/${name}Linux`, trail(record('iam:ListUsers', { userAgent }))],
      [`PenTest:S3/${name}Linux`, trail(data('GetObject', { userAgent, request: { bucketName: 'shop' } }))],
    ] as const
  }),
  [
    'UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B',
    trail(signIn('198.51.100.7', 0), signIn(PEER, 30 * MINUTE)),
    { geography: (address) => ({ country: address === PEER ? 'JP' : 'IE' }) },
  ],
  ['UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS', ofInstance(PEER), { instances }],
  ['UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS', ofInstance('198.51.100.8'), { instances }],

  ...(
    [
      ['malicious', 'MaliciousIPCaller'],
      ['custom', 'MaliciousIPCaller.Custom'],
      ['tor', 'TorIPCaller'],
    ] as const
  ).flatMap(([kind, name]) => [
    [`Recon:IAMUser/${name}`, trail(record('iam:ListUsers', caller)), on(kind)] as const,
    [`UnauthorizedAccess:IAMUser/${name}`, trail(record('iam:CreateUser', caller)), on(kind)] as const,
    [`Discovery:S3/${name}`, trail(data('ListObjects', caller)), on(kind)] as const,
  ]),
  ['Exfiltration:S3/MaliciousIPCaller', trail(data('GetObject', caller)), on('malicious')],
  ['Impact:S3/MaliciousIPCaller', trail(data('DeleteObject', caller)), on('malicious')],
  ['UnauthorizedAccess:S3/MaliciousIPCaller.Custom', trail(data('GetObject', caller)), on('custom')],
  ['UnauthorizedAccess:S3/TorIPCaller', trail(data('GetObject', caller)), on('tor')],

  ['CredentialAccess:IAMUser/AnomalousBehavior', anomaly('ec2:GetPasswordData')],
  ['DefenseEvasion:IAMUser/AnomalousBehavior', anomaly('ec2:DeleteFlowLogs')],
  ['Discovery:IAMUser/AnomalousBehavior', anomaly('iam:GetAccountAuthorizationDetails')],
  [
    'Exfiltration:IAMUser/AnomalousBehavior',
    anomaly('rds:ModifyDBSnapshotAttribute', { attributeName: 'restore', valuesToAdd: ['all'] }),
  ],
  ['Impact:IAMUser/AnomalousBehavior', anomaly('ec2:RunInstances', { instanceType: 'p4d.24xlarge' })],
  ['InitialAccess:IAMUser/AnomalousBehavior', anomaly('ecr:GetAuthorizationToken')],
  ['Persistence:IAMUser/AnomalousBehavior', anomaly('iam:CreateAccessKey')],
  ['PrivilegeEscalation:IAMUser/AnomalousBehavior', anomaly('iam:UpdateLoginProfile')],
  ['Discovery:S3/AnomalousBehavior', objectAnomaly('ListObjects')],
  ['Exfiltration:S3/AnomalousBehavior', objectAnomaly('GetObject')],
  ['Impact:S3/AnomalousBehavior.Delete', objectAnomaly('DeleteObject')],
  ['Impact:S3/AnomalousBehavior.Permission', objectAnomaly('PutObjectAcl')],
  ['Impact:S3/AnomalousBehavior.Write', objectAnomaly('PutObject')],
  [
    'AttackSequence:IAM/CompromisedCredentials',
    trail(
      ...history,
      ...['iam:CreateAccessKey', 'ec2:GetPasswordData', 'ec2:DeleteFlowLogs'].map((name) => record(name, ATTACKER)),
    ),
  ],
  [
    'AttackSequence:S3/CompromisedData',
    trail(
      ...history,
      ...['iam:CreateAccessKey', 'ec2:DeleteFlowLogs'].map((name) => record(name, ATTACKER)),
      record('s3:PutBucketPolicy', { ...ATTACKER, request: publicPolicy('*') }),
    ),
  ],

  ['Recon:EC2/Portscan', flows(...times(60, (i) => ({ port: i + 1, packets: 1, bytes: 44, action: 'REJECT' })))],
  ['Impact:EC2/PortSweep', flows(...times(120, (i) => ({ to: `203.0.113.${i}`, port: 445, packets: 1, bytes: 44 })))],
  ...(
    [
      ['UnauthorizedAccess:EC2/SSHBruteForce', 22],
      ['UnauthorizedAccess:EC2/RDPBruteForce', 3389],
      ['Impact:EC2/WinRMBruteForce', 5985],
    ] as const
  ).map(
    ([type, port]) =>
      [
        type,
        flows(
          ...times(20, (i) => ({
            inbound: port !== 5985,
            sourcePort: 40_000 + i,
            port,
            packets: 20,
            bytes: 3_000,
            at: i * 2,
          })),
        ),
      ] as const,
  ),
  ['Backdoor:EC2/DenialOfService.Tcp', flows({ packets: 300_000, bytes: 300_000 * 60 })],
  ['Backdoor:EC2/DenialOfService.Udp', flows({ protocol: 17, port: 9_999, packets: 300_000, bytes: 3e8 })],
  ['Backdoor:EC2/DenialOfService.Dns', flows({ protocol: 17, port: 53, packets: 60_000, bytes: 6e6 })],
  ['Backdoor:EC2/DenialOfService.UdpOnTcpPorts', flows({ protocol: 17, port: 80, packets: 60_000, bytes: 6e6 })],
  ['Backdoor:EC2/DenialOfService.UnusualProtocol', flows({ protocol: 99, port: 0, packets: 60_000, bytes: 6e6 })],
  ['Backdoor:EC2/Spambot', flows(...times(25, (i) => ({ to: `203.0.113.${i}`, port: 25 })))],
  ['Behavior:EC2/NetworkPortUnusual', ports],
  ['Behavior:EC2/TrafficVolumeUnusual', after({ packets: 1e6, bytes: 1.2e9 })],
  ['DefenseEvasion:EC2/UnusualDNSResolver', after({ protocol: 17, port: 53 })],
  ['DefenseEvasion:EC2/UnusualDoTActivity', after({ port: 853 })],
  ['UnauthorizedAccess:EC2/MaliciousIPCaller.Custom', flows({}), on('custom')],
  ['UnauthorizedAccess:EC2/TorClient', flows({}), on('tor')],
  ['UnauthorizedAccess:EC2/TorRelay', flows({ inbound: true }), on('tor')],
  ['CryptoCurrency:EC2/BitcoinTool.B', flows({}), on('mining')],
  ['Trojan:EC2/BlackholeTraffic', flows({}), on('black-hole')],
  ['Trojan:EC2/DropPoint', flows({}), on('drop-point')],
  ['Backdoor:EC2/C&CActivity.B', flows({}), on('command-and-control')],
  ['Recon:EC2/PortProbeUnprotectedPort', flows({ inbound: true, port: 9_200 }), on('malicious')],

  ['CryptoCurrency:EC2/BitcoinTool.B!DNS', queries([query('xmr.nanopool.org')])],
  ['Impact:EC2/MaliciousDomainRequest.Custom', queries([query('a.evil.example')]), on('custom')],
  ['Impact:EC2/MaliciousDomainRequest.Reputation', queries([query('a.evil.example')]), on('malicious')],
  ['Backdoor:EC2/C&CActivity.B!DNS', queries([query('a.evil.example')]), on('command-and-control')],
  ['Trojan:EC2/BlackholeTraffic!DNS', queries([query('a.evil.example')]), on('black-hole')],
  ['Trojan:EC2/DropPoint!DNS', queries([query('a.evil.example')]), on('drop-point')],
  ['Trojan:EC2/PhishingDomainRequest!DNS', queries([query('a.evil.example')]), on('phishing')],
  ['Trojan:EC2/DNSDataExfiltration', queries(times(60, (i) => query(`${random(i)}.t.evil.example`)))],
  ['Trojan:EC2/DGADomainRequest.B', queries(times(25, (i) => query(`${letters(i, 14)}.com`, { rcode: 'NXDOMAIN' })))],
  [
    'Trojan:EC2/DGADomainRequest.C!DNS',
    queries(times(25, (i) => query(`${letters(i, 14)}.com`, { answers: [{ Rdata: PEER, Type: 'A', Class: 'IN' }] }))),
  ],
  [
    'UnauthorizedAccess:EC2/MetadataDNSRebind',
    queries([query('rebind.example', { answers: [{ Rdata: '169.254.169.254', Type: 'A', Class: 'IN' }] })]),
  ],
]

describe('A log has a finding of type', () => {
  test.each(LOGS.map((log) => [log[0], log] as const))('%s', (type, [, text, configuration]) => {
    expect(typesIn(text, configuration)).toContain(type)
  })
})

test('There is a log of every type of the catalog', () => {
  expect(LOGS.map(([type]) => type).sort()).toEqual(Object.keys(FINDING_TYPES).sort())
})
