/** The services we speak for: a row each, with what routing needs and the SDK's schemas do not export. */
import { schemasOf } from './local.ts'

export type Protocol = 'query' | 'ec2' | 'json10' | 'json11' | 'restjson' | 'restxml' | 'cbor'

/** Clients of the protocol look for the encoded message of a denial in the sentence. */
export const saysEncodedMessage = (protocol: Protocol | undefined): boolean => protocol === 'ec2'

export interface ServiceRow {
  /** As in botocore; also names the constraint table. */
  readonly id: string
  /** What the service's own clients speak. */
  readonly protocol: Protocol
  /** Everything else it understands; an answer is in the protocol of its question. */
  readonly also: readonly Protocol[]
  /** Names a credential scope may carry. */
  readonly signingNames: readonly string[]
  /** First labels of host names. */
  readonly hosts: readonly string[]
  /** Prefixes of `X-Amz-Target`, and names in `/service/…/operation/…`. */
  readonly targets: readonly string[]
  readonly apiVersion?: string
  readonly xmlns?: string
  readonly iamPrefix: string
  /** CloudTrail's name. */
  readonly eventSource: string
  /** The code of a request that breaks a constraint. */
  readonly validationCode: string
  /** The code of too many calls, where it is not that of the protocol. */
  readonly throttlingCode?: string
  /** How far a request's clock may be off, where it is not {@link CLOCK_SKEW_MS}. */
  readonly clockSkewMs?: number
  /** One endpoint a partition: whatever Region a client signs for, the call happens in us-east-1. */
  readonly global?: true
  /** REST services whose requests carry no signature and are known by their paths. */
  readonly unsigned?: true
  /** Operations whose request bodies clients may compress (`requestCompression` in the models). */
  readonly compressed?: readonly string[]
  /** The largest request body, where it is not {@link BODY_BYTES_MAX}. */
  readonly bodyBytesMax?: number
  /** A service of AWS without a row here: see `unbuilt.ts`. */
  readonly unbuilt?: true
  /** The module with the schemas; one literal import a row, so that a bundler splits there. */
  readonly load: () => Promise<object>
}

/** How far a request's clock may be off. Measured on AWS, as are the rows that differ. */
export const CLOCK_SKEW_MS = 15 * 60_000
const SHORT_SKEW_MS = 5 * 60_000
/** Near AWS's own limits: what a service reads in one request besides uploads and invocations. */
export const BODY_BYTES_MAX = 1024 * 1024
/** The listener's limits apply. */
const NO_LIMIT = Number.POSITIVE_INFINITY
/** SAML metadata and certificate chains. */
const IAM_BODY_BYTES_MAX = 6 * 1024 * 1024
/** A SAML assertion of 100,000 characters, percent-encoded, and session policies. */
const STS_BODY_BYTES_MAX = 256 * 1024

/** A batch of events of a mebibyte, with what JSON adds to ten thousand of them. */
const LOGS_BODY_BYTES_MAX = 4 * 1024 * 1024

type Varied = Partial<Omit<ServiceRow, 'id' | 'protocol' | 'load'>>

/** Fills in what most services share. */
function row(id: string, protocol: Protocol, load: ServiceRow['load'], varied: Varied = {}): ServiceRow {
  const iamPrefix = varied.iamPrefix ?? varied.signingNames?.[0] ?? id
  return {
    id,
    protocol,
    load,
    also: [],
    signingNames: [id],
    hosts: [id],
    targets: [],
    eventSource: `${varied.iamPrefix ?? id}.amazonaws.com`,
    validationCode: protocol === 'query' || protocol === 'ec2' ? 'ValidationError' : 'ValidationException',
    ...varied,
    iamPrefix,
  }
}

// biome-ignore format: a row a service
export const services: readonly ServiceRow[] = [
  row('iam', 'query', () => import('@aws-sdk/client-iam'), { global: true, bodyBytesMax: IAM_BODY_BYTES_MAX, apiVersion: '2010-05-08', xmlns: 'https://iam.amazonaws.com/doc/2010-05-08/' }),
  row('sts', 'query', () => import('@aws-sdk/client-sts'), { bodyBytesMax: STS_BODY_BYTES_MAX, apiVersion: '2011-06-15', xmlns: 'https://sts.amazonaws.com/doc/2011-06-15/' }),
  row('ec2', 'ec2', () => import('@aws-sdk/client-ec2'), { validationCode: 'InvalidParameterValue', apiVersion: '2016-11-15', xmlns: 'http://ec2.amazonaws.com/doc/2016-11-15/' }),
  row('elbv2', 'query', () => import('@aws-sdk/client-elastic-load-balancing-v2'), {
    signingNames: ['elasticloadbalancing'],
    hosts: ['elasticloadbalancing'],
    apiVersion: '2015-12-01',
    xmlns: 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/',
    iamPrefix: 'elasticloadbalancing',
  }),
  row('kms', 'json11', () => import('@aws-sdk/client-kms'), { targets: ['TrentService'], clockSkewMs: SHORT_SKEW_MS }),
  row('secretsmanager', 'json11', () => import('@aws-sdk/client-secrets-manager'), { targets: ['secretsmanager'] }),
  row('organizations', 'json11', () => import('@aws-sdk/client-organizations'), { global: true, targets: ['AWSOrganizationsV20161128'], throttlingCode: 'TooManyRequestsException' }),
  row('wafv2', 'json11', () => import('@aws-sdk/client-wafv2'), { targets: ['AWSWAF_20190729'], validationCode: 'WAFInvalidParameterException' }),
  row('shield', 'json11', () => import('@aws-sdk/client-shield'), { global: true, targets: ['AWSShield_20160616'] }),
  row('fms', 'json11', () => import('@aws-sdk/client-fms'), { targets: ['AWSFMS_20180101'], validationCode: 'InvalidInputException' }),
  row('acm', 'json11', () => import('@aws-sdk/client-acm'), { targets: ['CertificateManager'] }),
  row('cognito-idp', 'json11', () => import('@aws-sdk/client-cognito-identity-provider'), {
    targets: ['AWSCognitoIdentityProviderService'],
    validationCode: 'InvalidParameterException',
    throttlingCode: 'TooManyRequestsException',
  }),
  row('cognito-identity', 'json11', () => import('@aws-sdk/client-cognito-identity'), { targets: ['AWSCognitoIdentityService'], throttlingCode: 'TooManyRequestsException' }),
  row('sso-admin', 'json11', () => import('@aws-sdk/client-sso-admin'), { signingNames: ['sso'], hosts: ['sso'], targets: ['SWBExternalService'], iamPrefix: 'sso' }),
  row('identitystore', 'json11', () => import('@aws-sdk/client-identitystore'), { targets: ['AWSIdentityStore'] }),
  row('cloudtrail', 'json11', () => import('@aws-sdk/client-cloudtrail'), {
    targets: ['CloudTrail_20131101', 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101'],
  }),
  row('logs', 'json11', () => import('@aws-sdk/client-cloudwatch-logs'), { bodyBytesMax: LOGS_BODY_BYTES_MAX, targets: ['Logs_20140328'], validationCode: 'InvalidParameterException' }),
  row('monitoring', 'json10', () => import('@aws-sdk/client-cloudwatch'), {
    clockSkewMs: SHORT_SKEW_MS,
    also: ['cbor', 'query'],
    compressed: ['PutMetricData'],
    targets: ['GraniteServiceVersion20100801'],
    apiVersion: '2010-08-01',
    xmlns: 'http://monitoring.amazonaws.com/doc/2010-08-01/',
    iamPrefix: 'cloudwatch',
    eventSource: 'monitoring.amazonaws.com',
    validationCode: 'ValidationError',
  }),
  row('inspector', 'json11', async () => schemasOf(await import('../../models/schemas/inspector.json', { with: { type: 'json' } })), {
    targets: ['InspectorService'],
    validationCode: 'InvalidInputException',
  }),
  row('cloudhsmv2', 'json11', async () => schemasOf(await import('../../models/schemas/cloudhsmv2.json', { with: { type: 'json' } })), {
    signingNames: ['cloudhsm'],
    targets: ['BaldrApiService'],
    iamPrefix: 'cloudhsm',
    validationCode: 'CloudHsmInvalidRequestException',
  }),
  row('acm-pca', 'json11', async () => schemasOf(await import('../../models/schemas/acm-pca.json', { with: { type: 'json' } })), {
    targets: ['ACMPrivateCA'],
  }),
  row('ds', 'json11', () => import('@aws-sdk/client-directory-service'), { targets: ['DirectoryService_20150416'], validationCode: 'ValidationException' }),
  row('artifact', 'restjson', async () => schemasOf(await import('../../models/schemas/artifact.json', { with: { type: 'json' } }))),
  row('guardduty', 'restjson', () => import('@aws-sdk/client-guardduty'), { validationCode: 'BadRequestException' }),
  row('inspector2', 'restjson', () => import('@aws-sdk/client-inspector2')),
  row('securityhub', 'restjson', () => import('@aws-sdk/client-securityhub'), { validationCode: 'InvalidInputException' }),
  row('accessanalyzer', 'restjson', () => import('@aws-sdk/client-accessanalyzer'), {
    signingNames: ['access-analyzer'],
    hosts: ['access-analyzer'],
    iamPrefix: 'access-analyzer',
  }),
  row('lambda', 'restjson', () => import('@aws-sdk/client-lambda'), { clockSkewMs: SHORT_SKEW_MS, bodyBytesMax: NO_LIMIT, throttlingCode: 'TooManyRequestsException' }),
  row('sso', 'restjson', () => import('@aws-sdk/client-sso'), { signingNames: ['awsssoportal'], hosts: ['portal'], iamPrefix: 'sso', unsigned: true, throttlingCode: 'TooManyRequestsException' }),
  row('sso-oidc', 'restjson', () => import('@aws-sdk/client-sso-oidc'), {
    signingNames: ['sso-oauth'],
    hosts: ['oidc'],
    iamPrefix: 'sso-oauth',
    eventSource: 'sso.amazonaws.com',
    unsigned: true,
  }),
  row('route53', 'restxml', () => import('@aws-sdk/client-route-53'), { clockSkewMs: SHORT_SKEW_MS, global: true, validationCode: 'InvalidInput', apiVersion: '2013-04-01', xmlns: 'https://route53.amazonaws.com/doc/2013-04-01/' }),
  row('s3', 'restxml', () => import('@aws-sdk/client-s3'), { bodyBytesMax: NO_LIMIT, validationCode: 'InvalidArgument', apiVersion: '2006-03-01', xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/' }),
]

const index = (names: (service: ServiceRow) => readonly string[]): ReadonlyMap<string, ServiceRow> =>
  new Map(services.flatMap((service) => names(service).map((name) => [name, service] as const)))

/** awsJson 1.0 and 1.1 differ in their content type only: a service that reads one reads the other. */
export function understands(service: ServiceRow, protocol: Protocol): boolean {
  if (protocol === 'json10' || protocol === 'json11')
    return service.protocol === 'json10' || service.protocol === 'json11'
  return service.protocol === protocol || service.also.includes(protocol)
}

export const serviceBySigningName = index((service) => service.signingNames)
export const serviceByTarget = index((service) => service.targets)
export const serviceByApiVersion = index(({ apiVersion }) => (apiVersion === undefined ? [] : [apiVersion]))
export const serviceByHost = index((service) => service.hosts)
export const serviceById = index((service) => [service.id])
