/**
 * Tags in a request that creates something need the permission to tag it: every operation with tags is tried by a user
 * that may do everything but tag.
 */
import * as acm from '@aws-sdk/client-acm'
import { CloudTrailClient, CreateTrailCommand } from '@aws-sdk/client-cloudtrail'
import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  CognitoIdentityClient,
  CreateIdentityPoolCommand,
  UpdateIdentityPoolCommand,
} from '@aws-sdk/client-cognito-identity'
import {
  CognitoIdentityProviderClient,
  CreateUserPoolCommand,
  UpdateUserPoolCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import * as ds from '@aws-sdk/client-directory-service'
import { EC2Client } from '@aws-sdk/client-ec2'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import * as guardduty from '@aws-sdk/client-guardduty'
import * as iam from '@aws-sdk/client-iam'
import * as kms from '@aws-sdk/client-kms'
import { CreateFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda'
import * as organizations from '@aws-sdk/client-organizations'
import * as s3 from '@aws-sdk/client-s3'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import * as sso from '@aws-sdk/client-sso-admin'
import * as sts from '@aws-sdk/client-sts'
import * as waf from '@aws-sdk/client-wafv2'
import { beforeAll, describe, expect, test } from 'vitest'
import { Client } from '../src/kernel/client/client.ts'
import { accessLevel } from '../src/kernel/gate/actions.ts'
import { services } from '../src/server/compose/services.ts'
import { services as rows } from '../src/wire/services.ts'
import type { Shape } from '../src/wire/shape.ts'
import { loadService } from '../src/wire/wire.ts'
import { ACCOUNT, allowing, cloud, type Keys } from './cloud.ts'
import { taggedRequests } from './tag-on-create-ec2.ts'

const Tags = [{ Key: 'team', Value: 'a' }]
const PEM = { Certificate: Buffer.from('c'), PrivateKey: Buffer.from('k') }
const ROLE_ARN = `arn:aws:iam::${ACCOUNT}:role/r`
const DOMAIN = { Name: 'corp.example.com', Password: 'Example-Passw0rd' }
const VpcSettings = { VpcId: 'vpc-12345678', SubnetIds: ['subnet-12345678'] }
const BALANCER = 'app/web/0123456789abcdef'
const elbArn = (resource: string) => `arn:aws:elasticloadbalancing:us-east-1:${ACCOUNT}:${resource}`
const WAF = { Name: 'x', Scope: 'REGIONAL', Tags } as const
const VisibilityConfig = { MetricName: 'x', SampledRequestsEnabled: false, CloudWatchMetricsEnabled: false }
const TRUST = allowing({ Principal: { AWS: ACCOUNT }, Action: ['sts:AssumeRole', 'sts:TagSession'] })
const DOCUMENT = allowing({ Action: 's3:*', Resource: '*' })

let it: Awaited<ReturnType<typeof cloud>>
let maker: Keys
let keyId: string
let parent: string
let AcmeEndpointArn: string
let InstanceArn: string

/** Clients differ in the types of their commands alone. */
interface AnyClient {
  send(command: object): Promise<unknown>
}
const by = (Client: object, command: object) => (it.client(Client as never, maker) as AnyClient).send(command)
const byAcm = (command: object) => by(acm.ACMClient, command)
/** Services without an official client. */
const byJson = (service: string, target: string, input: object) =>
  new Client({
    credential: { ...maker, secret: maker.secretAccessKey },
    now: () => it.clock.now(),
    transport: { host: 'localhost', send: (request) => it.handle(request) },
  }).json(service, target, input)
const byElb = (command: object) => by(elb.ElasticLoadBalancingV2Client, command)
const byDs = (command: object) => by(ds.DirectoryServiceClient, command)
const bySso = (command: object) => by(sso.SSOAdminClient, command)
const byWaf = (command: object) => by(waf.WAFV2Client, command)
const byIam = (command: object) => by(iam.IAMClient, command)
const bySts = (command: object) => by(sts.STSClient, command)
const byOrganizations = (command: object) => by(organizations.OrganizationsClient, command)

/** Operation → the permission it needs to tag, and a request with tags. */
const DetectorId = '0'.repeat(32)
const LIST = {
  DetectorId,
  Name: 'x',
  Format: 'TXT',
  Location: 's3://logs/x',
  Activate: false,
  Tags: { team: 'a' },
} as const

const cases: Readonly<Record<string, readonly [action: string, send: () => Promise<unknown>]>> = {
  'acm CreateAcmeDomainValidation': [
    'acm:TagResource',
    () =>
      byAcm(
        new acm.CreateAcmeDomainValidationCommand({
          AcmeEndpointArn,
          DomainName: 'x.example',
          PrevalidationOptions: { DnsPrevalidation: {} },
          Tags,
        }),
      ),
  ],
  'acm CreateAcmeEndpoint': [
    'acm:TagResource',
    () =>
      byAcm(
        new acm.CreateAcmeEndpointCommand({
          AuthorizationBehavior: 'PRE_APPROVED',
          CertificateAuthority: { PublicCertificateAuthority: {} },
          Tags,
        }),
      ),
  ],
  'acm CreateAcmeExternalAccountBinding': [
    'acm:TagResource',
    () => byAcm(new acm.CreateAcmeExternalAccountBindingCommand({ AcmeEndpointArn, RoleArn: ROLE_ARN, Tags })),
  ],
  'acm ImportCertificate': [
    'acm:AddTagsToCertificate',
    () => byAcm(new acm.ImportCertificateCommand({ ...PEM, Tags })),
  ],
  'acm RequestCertificate': [
    'acm:AddTagsToCertificate',
    () => byAcm(new acm.RequestCertificateCommand({ DomainName: 'x.example', ValidationMethod: 'DNS', Tags })),
  ],
  'acm-pca CreateCertificateAuthority': [
    'acm-pca:TagCertificateAuthority',
    () =>
      byJson('acm-pca', 'ACMPrivateCA.CreateCertificateAuthority', {
        CertificateAuthorityType: 'ROOT',
        CertificateAuthorityConfiguration: {
          KeyAlgorithm: 'EC_prime256v1',
          SigningAlgorithm: 'SHA256WITHECDSA',
          Subject: { CommonName: 'x' },
        },
        Tags,
      }),
  ],
  'cognito-identity CreateIdentityPool': [
    'cognito-identity:TagResource',
    () =>
      by(
        CognitoIdentityClient,
        new CreateIdentityPoolCommand({
          IdentityPoolName: 'x',
          AllowUnauthenticatedIdentities: false,
          IdentityPoolTags: { team: 'a' },
        }),
      ),
  ],
  'cognito-idp CreateUserPool': [
    'cognito-idp:TagResource',
    () => by(CognitoIdentityProviderClient, new CreateUserPoolCommand({ PoolName: 'x', UserPoolTags: { team: 'a' } })),
  ],
  ...Object.fromEntries(
    Object.entries(taggedRequests).map(([name, command]) => [
      `ec2 ${name}`,
      ['ec2:CreateTags', () => by(EC2Client, command)] as const,
    ]),
  ),
  'ds ConnectDirectory': [
    'ds:AddTagsToResource',
    () =>
      byDs(
        new ds.ConnectDirectoryCommand({
          ...DOMAIN,
          Size: 'Small',
          ConnectSettings: { ...VpcSettings, CustomerUserName: 'svc' },
          Tags,
        }),
      ),
  ],
  'ds CreateDirectory': [
    'ds:AddTagsToResource',
    () => byDs(new ds.CreateDirectoryCommand({ ...DOMAIN, Size: 'Small', Tags })),
  ],
  'ds CreateMicrosoftAD': [
    'ds:AddTagsToResource',
    () => byDs(new ds.CreateMicrosoftADCommand({ ...DOMAIN, VpcSettings, Tags })),
  ],
  'sso-admin CreateInstance': ['sso:TagResource', () => bySso(new sso.CreateInstanceCommand({ Tags }))],
  'sso-admin CreatePermissionSet': [
    'sso:TagResource',
    () => bySso(new sso.CreatePermissionSetCommand({ InstanceArn, Name: 'x', Tags })),
  ],
  'sso-admin CreateApplication': [
    'sso:TagResource',
    () =>
      bySso(
        new sso.CreateApplicationCommand({
          InstanceArn,
          ApplicationProviderArn: 'arn:aws:sso::aws:applicationProvider/custom',
          Name: 'x',
          Tags,
        }),
      ),
  ],
  'sso-admin CreateTrustedTokenIssuer': [
    'sso:TagResource',
    () =>
      bySso(
        new sso.CreateTrustedTokenIssuerCommand({
          InstanceArn,
          Name: 'x',
          TrustedTokenIssuerType: 'OIDC_JWT',
          TrustedTokenIssuerConfiguration: {
            OidcJwtConfiguration: {
              IssuerUrl: 'https://issuer.example',
              ClaimAttributePath: 'sub',
              IdentityStoreAttributePath: 'userName',
              JwksRetrievalOption: 'OPEN_ID_DISCOVERY',
            },
          },
          Tags,
        }),
      ),
  ],
  'iam CreateUser': ['iam:TagUser', () => byIam(new iam.CreateUserCommand({ UserName: 'x', Tags }))],
  'iam CreateRole': [
    'iam:TagRole',
    () => byIam(new iam.CreateRoleCommand({ RoleName: 'x', AssumeRolePolicyDocument: TRUST, Tags })),
  ],
  'iam CreatePolicy': [
    'iam:TagPolicy',
    () => byIam(new iam.CreatePolicyCommand({ PolicyName: 'x', PolicyDocument: DOCUMENT, Tags })),
  ],
  'elbv2 CreateListener': [
    'elasticloadbalancing:AddTags',
    () =>
      byElb(
        new elb.CreateListenerCommand({
          LoadBalancerArn: elbArn(`loadbalancer/${BALANCER}`),
          Port: 80,
          Protocol: 'HTTP',
          DefaultActions: [{ Type: 'forward' }],
          Tags,
        }),
      ),
  ],
  'elbv2 CreateLoadBalancer': [
    'elasticloadbalancing:AddTags',
    () => byElb(new elb.CreateLoadBalancerCommand({ Name: 'web', Subnets: VpcSettings.SubnetIds, Tags })),
  ],
  'elbv2 CreateRule': [
    'elasticloadbalancing:AddTags',
    () =>
      byElb(
        new elb.CreateRuleCommand({
          ListenerArn: elbArn(`listener/${BALANCER}/0123456789abcdef`),
          Priority: 1,
          Conditions: [{ Field: 'path-pattern', Values: ['/'] }],
          Actions: [{ Type: 'forward' }],
          Tags,
        }),
      ),
  ],
  'elbv2 CreateTargetGroup': [
    'elasticloadbalancing:AddTags',
    () => byElb(new elb.CreateTargetGroupCommand({ Name: 'web', Protocol: 'HTTP', Port: 80, Tags })),
  ],
  'iam CreateInstanceProfile': [
    'iam:TagInstanceProfile',
    () => byIam(new iam.CreateInstanceProfileCommand({ InstanceProfileName: 'x', Tags })),
  ],
  'iam CreateVirtualMFADevice': [
    'iam:TagMFADevice',
    () => byIam(new iam.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'x', Tags })),
  ],
  'iam UploadServerCertificate': [
    'iam:TagServerCertificate',
    () =>
      byIam(
        new iam.UploadServerCertificateCommand({
          ServerCertificateName: 'x',
          CertificateBody: 'c',
          PrivateKey: 'k',
          Tags,
        }),
      ),
  ],
  'iam CreateSAMLProvider': [
    'iam:TagSAMLProvider',
    () => byIam(new iam.CreateSAMLProviderCommand({ Name: 'x', SAMLMetadataDocument: ' '.repeat(1_000), Tags })),
  ],
  'iam CreateOpenIDConnectProvider': [
    'iam:TagOpenIDConnectProvider',
    () => byIam(new iam.CreateOpenIDConnectProviderCommand({ Url: 'https://idp.example.com', Tags })),
  ],
  'sts AssumeRole': [
    'sts:TagSession',
    () => bySts(new sts.AssumeRoleCommand({ RoleArn: `arn:aws:iam::${ACCOUNT}:role/r`, RoleSessionName: 'xx', Tags })),
  ],
  'sts GetFederationToken': ['sts:TagSession', () => bySts(new sts.GetFederationTokenCommand({ Name: 'xx', Tags }))],
  'sts GetWebIdentityToken': [
    'sts:TagGetWebIdentityToken',
    () => bySts(new sts.GetWebIdentityTokenCommand({ Audience: ['x'], SigningAlgorithm: 'RS256', Tags })),
  ],
  'organizations CreateAccount': [
    'organizations:TagResource',
    () => byOrganizations(new organizations.CreateAccountCommand({ AccountName: 'x', Email: 'x@example.com', Tags })),
  ],
  'organizations InviteAccountToOrganization': [
    'organizations:TagResource',
    () =>
      byOrganizations(
        new organizations.InviteAccountToOrganizationCommand({ Target: { Type: 'ACCOUNT', Id: '777788889999' }, Tags }),
      ),
  ],
  'organizations CreateOrganizationalUnit': [
    'organizations:TagResource',
    () => byOrganizations(new organizations.CreateOrganizationalUnitCommand({ Name: 'x', ParentId: parent, Tags })),
  ],
  'organizations CreatePolicy': [
    'organizations:TagResource',
    () =>
      byOrganizations(
        new organizations.CreatePolicyCommand({
          Name: 'x',
          Description: '',
          Type: 'SERVICE_CONTROL_POLICY',
          Content: DOCUMENT,
          Tags,
        }),
      ),
  ],
  'organizations PutResourcePolicy': [
    'organizations:TagResource',
    () =>
      byOrganizations(
        new organizations.PutResourcePolicyCommand({
          Content: allowing({ Principal: { AWS: ACCOUNT }, Action: 'organizations:ListAccounts', Resource: '*' }),
          Tags,
        }),
      ),
  ],
  'cloudtrail CreateTrail': [
    'cloudtrail:AddTags',
    () => by(CloudTrailClient, new CreateTrailCommand({ Name: 'xxx', S3BucketName: 'logs', TagsList: Tags })),
  ],
  'guardduty CreateDetector': [
    'guardduty:TagResource',
    () => by(guardduty.GuardDutyClient, new guardduty.CreateDetectorCommand({ Enable: true, Tags: { team: 'a' } })),
  ],
  'guardduty CreateFilter': [
    'guardduty:TagResource',
    () =>
      by(
        guardduty.GuardDutyClient,
        new guardduty.CreateFilterCommand({ DetectorId, Name: 'xxx', FindingCriteria: {}, Tags: { team: 'a' } }),
      ),
  ],
  'guardduty CreateIPSet': [
    'guardduty:TagResource',
    () => by(guardduty.GuardDutyClient, new guardduty.CreateIPSetCommand(LIST)),
  ],
  'guardduty CreateMalwareProtectionPlan': [
    'guardduty:TagResource',
    () =>
      by(
        guardduty.GuardDutyClient,
        new guardduty.CreateMalwareProtectionPlanCommand({
          Role: ROLE_ARN,
          ProtectedResource: { S3Bucket: { BucketName: 'logs' } },
          Tags: { team: 'a' },
        }),
      ),
  ],
  'guardduty CreatePublishingDestination': [
    'guardduty:TagResource',
    () =>
      by(
        guardduty.GuardDutyClient,
        new guardduty.CreatePublishingDestinationCommand({
          DetectorId,
          DestinationType: 'S3',
          DestinationProperties: { DestinationArn: 'arn:aws:s3:::logs' },
          Tags: { team: 'a' },
        }),
      ),
  ],
  'guardduty CreateThreatEntitySet': [
    'guardduty:TagResource',
    () => by(guardduty.GuardDutyClient, new guardduty.CreateThreatEntitySetCommand(LIST)),
  ],
  'guardduty CreateThreatIntelSet': [
    'guardduty:TagResource',
    () => by(guardduty.GuardDutyClient, new guardduty.CreateThreatIntelSetCommand(LIST)),
  ],
  'guardduty CreateTrustedEntitySet': [
    'guardduty:TagResource',
    () => by(guardduty.GuardDutyClient, new guardduty.CreateTrustedEntitySetCommand(LIST)),
  ],
  'kms CreateKey': [
    'kms:TagResource',
    () => by(kms.KMSClient, new kms.CreateKeyCommand({ Tags: [{ TagKey: 'team', TagValue: 'a' }] })),
  ],
  'kms ReplicateKey': [
    'kms:TagResource',
    () =>
      by(
        kms.KMSClient,
        new kms.ReplicateKeyCommand({
          KeyId: keyId,
          ReplicaRegion: 'eu-west-1',
          Tags: [{ TagKey: 'team', TagValue: 'a' }],
        }),
      ),
  ],
  'secretsmanager CreateSecret': [
    'secretsmanager:TagResource',
    () => by(SecretsManagerClient, new CreateSecretCommand({ Name: 'x', Tags })),
  ],
  'lambda CreateFunction': [
    'lambda:TagResource',
    () =>
      by(
        LambdaClient,
        new CreateFunctionCommand({
          FunctionName: 'x',
          Role: `arn:aws:iam::${ACCOUNT}:role/r`,
          PackageType: 'Image',
          Code: { ImageUri: 'merlon/Echo' },
          Tags: { team: 'a' },
        }),
      ),
  ],
  'logs CreateLogGroup': [
    'logs:TagResource',
    () => by(CloudWatchLogsClient, new CreateLogGroupCommand({ logGroupName: 'x', tags: { team: 'a' } })),
  ],
  's3 CreateBucket': [
    's3:TagResource',
    () => by(s3.S3Client, new s3.CreateBucketCommand({ Bucket: 'made', CreateBucketConfiguration: { Tags } })),
  ],
  's3 PutObject': [
    's3:PutObjectTagging',
    () => by(s3.S3Client, new s3.PutObjectCommand({ Bucket: 'logs', Key: 'x', Body: 'x', Tagging: 'team=a' })),
  ],
  'wafv2 CreateIPSet': [
    'wafv2:TagResource',
    () => byWaf(new waf.CreateIPSetCommand({ ...WAF, IPAddressVersion: 'IPV4', Addresses: [] })),
  ],
  'wafv2 CreateRegexPatternSet': [
    'wafv2:TagResource',
    () => byWaf(new waf.CreateRegexPatternSetCommand({ ...WAF, RegularExpressionList: [] })),
  ],
  'wafv2 CreateRuleGroup': [
    'wafv2:TagResource',
    () => byWaf(new waf.CreateRuleGroupCommand({ ...WAF, Capacity: 1, VisibilityConfig })),
  ],
  'wafv2 CreateWebACL': [
    'wafv2:TagResource',
    () => byWaf(new waf.CreateWebACLCommand({ ...WAF, DefaultAction: { Allow: {} }, VisibilityConfig })),
  ],
}

/** Those whose tags no permission of its own covers. */
const EXEMPT: Readonly<Record<string, string>> = {
  'cognito-identity UpdateIdentityPool': 'it changes tags of what is there: see below',
  'cognito-idp UpdateUserPool': 'it changes tags of what is there: see below',
  'guardduty UpdateMalwareProtectionPlan': 'whether scanned objects are tagged; it creates nothing',
  'sts AssumeRoleWithWebIdentity': 'the trust policy allows its session tags',
}

beforeAll(async () => {
  it = await cloud()
  maker = await it.user(
    'maker',
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: '*', Resource: '*' },
        {
          Effect: 'Deny',
          Action: [...new Set(Object.values(cases).map(([action]) => action)), 'cognito-idp:UntagResource'],
          Resource: '*',
        },
      ],
    }),
  )
  const root = it.client(iam.IAMClient)
  await root.send(new iam.CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: TRUST }))
  await root.send(new iam.EnableOutboundWebIdentityFederationCommand({}))
  const endpoint = new acm.CreateAcmeEndpointCommand({
    AuthorizationBehavior: 'PRE_APPROVED',
    CertificateAuthority: { PublicCertificateAuthority: {} },
  })
  AcmeEndpointArn = (await it.client(acm.ACMClient).send(endpoint)).AcmeEndpointArn!
  const tree = it.client(organizations.OrganizationsClient)
  await tree.send(new organizations.CreateOrganizationCommand({ FeatureSet: 'ALL' }))
  parent = (await tree.send(new organizations.ListRootsCommand({}))).Roots![0]!.Id!
  const key = await it.client(kms.KMSClient).send(new kms.CreateKeyCommand({ MultiRegion: true }))
  keyId = key.KeyMetadata!.KeyId!
  await it.client(s3.S3Client).send(new s3.CreateBucketCommand({ Bucket: 'logs' }))
  InstanceArn = (await it.client(sso.SSOAdminClient).send(new sso.CreateInstanceCommand({}))).InstanceArn!
})

describe('Creating with tags needs the permission to tag:', () => {
  test.each(Object.entries(cases).map(([name, [action, send]]) => [name, action, send] as const))(
    '%s (%s)',
    async (_name, action, send) => {
      await expect(send()).rejects.toThrow(`perform: ${action} `)
    },
  )
})

const memberNames = (shape: Shape, depth: number): readonly string[] =>
  shape.kind !== 'struct'
    ? []
    : shape.members.flatMap(({ name, shape: inner }) => [name, ...(depth > 0 ? memberNames(inner, depth - 1) : [])])

/** A service of web pages alone has no model. */
const withOperations = services.filter(({ operations }) => operations.length > 0)

const isTags = (member: string): boolean =>
  /^((UserPool|IdentityPool|Certificate)?Tags|TagsList|Tagging|TagSpecifications)$/i.test(member)

test('Every resource type reads tags where the requests that create it carry them', async () => {
  const wrong: string[] = []
  let created = 0
  for (const { api, operations } of withOperations) {
    const model = await loadService(rows.find(({ id }) => id === api.id)!)
    for (const { name, target } of operations) {
      if (target.about?.how !== 'created' && target.about?.how !== 'createdOrReplaced') continue
      created++
      const { input } = model.operations.get(name)!
      const members = input.kind === 'struct' ? input.members : []
      const carriers = members.filter((each) => isTags(each.name) || memberNames(each.shape, 0).some(isTags))
      const { tags } = target.about.type.spec
      const member = tags?.memberOnCreation ?? tags?.member
      if (carriers.length > 0 && !carriers.some((each) => each.name === member)) wrong.push(`${api.id} ${name}`)
    }
  }

  expect(created).toBeGreaterThan(5)
  expect(wrong).toEqual([])
})

test('Every operation that is built and creates with tags is among these', async () => {
  const found: string[] = []
  for (const { api, operations } of withOperations) {
    const model = await loadService(rows.find(({ id }) => id === api.id)!)
    for (const { name, actions } of operations) {
      const carries = memberNames(model.operations.get(name)!.input, 1).some(isTags)
      const isTagging = /^(Tag|Untag|AddTags|RemoveTags|CreateTags|DeleteTags|PutObjectTagging|PutBucketTagging)/.test(
        name,
      )
      if (carries && !isTagging && actions.every((action) => !['Read', 'List'].includes(accessLevel(action) ?? '')))
        found.push(`${api.id} ${name}`)
    }
  }

  expect(found.filter((name) => !(name in EXEMPT)).sort()).toEqual(Object.keys(cases).sort())
})

describe('An update with other tags needs the permissions to tag and to untag:', () => {
  test('UpdateUserPool', async () => {
    const tagged = { PoolName: 'x', UserPoolTags: { team: 'a' } }
    const { UserPool } = await it.client(CognitoIdentityProviderClient).send(new CreateUserPoolCommand(tagged))
    const update = (UserPoolTags: Record<string, string>) =>
      by(CognitoIdentityProviderClient, new UpdateUserPoolCommand({ UserPoolId: UserPool!.Id, UserPoolTags }))

    await expect(update({ team: 'b' })).rejects.toThrow('perform: cognito-idp:TagResource ')
    await expect(update({ team: 'a', more: 'x' })).rejects.toThrow('perform: cognito-idp:TagResource ')
    await expect(update({})).rejects.toThrow('perform: cognito-idp:UntagResource ')
    await expect(update({ team: 'a' })).resolves.toBeDefined()
  })

  test('UpdateIdentityPool', async () => {
    const settings = { IdentityPoolName: 'x', AllowUnauthenticatedIdentities: false }
    const tagged = new CreateIdentityPoolCommand({ ...settings, IdentityPoolTags: { team: 'a' } })
    const { IdentityPoolId } = await it.client(CognitoIdentityClient).send(tagged)
    const update = (IdentityPoolTags: Record<string, string>) =>
      by(CognitoIdentityClient, new UpdateIdentityPoolCommand({ ...settings, IdentityPoolId, IdentityPoolTags }))

    await expect(update({ team: 'b' })).rejects.toThrow('perform: cognito-identity:TagResource ')
    await expect(update({ team: 'a' })).resolves.toBeDefined()
  })
})
