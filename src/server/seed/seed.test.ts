/** Seeds: everything that they can say, made by the API and read back as a seed. */
import { ACMClient, DescribeCertificateCommand } from '@aws-sdk/client-acm'
import {
  CognitoIdentityProviderClient,
  DescribeUserPoolClientCommand,
  InitiateAuthCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { DescribeSecurityGroupsCommand, EC2Client } from '@aws-sdk/client-ec2'
import { DescribeKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import { ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { describe, expect, onTestFinished, test } from 'vitest'
import { throughGate } from '../../../test/through-gate.ts'
import { MovableClock } from '../../kernel/state/clock.ts'
import { openStore } from '../../store/sqlite.ts'
import { ephemeralUnsealed } from '../../vault/ephemeral.ts'
import { openCloud } from '../compose/cloud.ts'
import { applySeed } from './apply-seed.ts'
import { exportSeed } from './export-seed.ts'
import { parts } from './parts.ts'
import { readSeed } from './seed.ts'

const KEY_ID = '11111111-2222-3333-4444-555555555555'
const MEMBER = '222222222222'

const SEED = `
accounts:
  - id: "111111111111"
    name: main
    policies:
      - { name: look, path: /team/, description: only look, document: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "iam:Get*", Resource: "*" }] } }
    groups:
      - { name: readers, policies: [look] }
    users:
      - name: ann
        groups: [readers]
        boundary: look
        tags: { team: blue }
        keys: [{ id: AKIAANNANNANNANNANNA, secret: ann-secret }]
        inline: { own: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "kms:*", Resource: "*" }] } }
    roles:
      - name: deploy
        description: by pipelines
        maxSessionDuration: 7200
        policies: ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
        trust: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::111111111111:user/ann" }, Action: "sts:AssumeRole" }] }
      - name: worker
        trust: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Service: lambda.amazonaws.com }, Action: "sts:AssumeRole" }] }
    kmsKeys:
      - { id: ${KEY_ID}, alias: orders, aliases: [orders-old], description: of orders, rotationDays: 90, tags: { team: blue } }
      - { alias: sign, spec: ECC_NIST_P256, usage: SIGN_VERIFY, enabled: false }
      - { id: mrk-0123456789abcdef0123456789abcdef }
    secrets:
      - { name: app/db, value: { username: app, password: hunter-secret-2 }, key: alias/orders, description: database }
    buckets:
      - name: seeded-logs
        objects: { hello.txt: hello }
        policy:
          Version: "2012-10-17"
          Statement:
            - { Effect: Allow, Principal: { Service: cloudtrail.amazonaws.com }, Action: "s3:GetBucketAcl", Resource: "arn:aws:s3:::seeded-logs" }
            - { Effect: Allow, Principal: { Service: cloudtrail.amazonaws.com }, Action: "s3:PutObject", Resource: "arn:aws:s3:::seeded-logs/*" }
    trails:
      - { name: all, bucket: seeded-logs, multiRegion: true }
    functions:
      - { name: echo, role: worker, image: merlon/Echo, timeout: 20, environment: { MODE: hidden-mode-1 }, tags: { team: blue } }
    logGroups:
      - { name: /seeded/app, days: 30, tags: { team: blue } }
    ipSets:
      - { name: office, id: dddddddd-1111-2222-3333-444444444444, addresses: [192.0.2.0/24], description: of the office }
    webAcls:
      - name: front
        default: block
        settings:
          Rules:
            - Name: office
              Priority: 1
              Statement: { IPSetReferenceStatement: { ARN: "arn:aws:wafv2:us-east-1:111111111111:regional/ipset/office/dddddddd-1111-2222-3333-444444444444" } }
              Action: { Allow: {} }
              VisibilityConfig: { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: office }
    authorities:
      - { name: Corp Root }
      - { name: Corp Issuing, id: aaaaaaaa-1111-2222-3333-444444444444, parent: Corp Root, days: 1825 }
    certificates:
      - { domain: app.corp.test, id: bbbbbbbb-1111-2222-3333-444444444444, names: [www.corp.test], authority: Corp Issuing }
      - { domain: public.example.com }
    zones:
      - name: corp.test
        id: ZSEEDED0000000000001
        comment: of the corporation
        records:
          - { name: app, type: A, values: [192.0.2.1] }
          - { name: "@", type: MX, ttl: 60, values: ["10 mail.corp.test."] }
    vpcs:
      - name: main
        id: vpc-0123456789abcdef0
        cidr: 10.0.0.0/16
        subnets: [{ name: a, cidr: 10.0.1.0/24, zone: us-east-1b }]
        securityGroups:
          - { name: web, ingress: [{ protocol: tcp, port: 443, cidr: 0.0.0.0/0 }] }
          - { name: db, description: databases, ingress: [{ protocol: tcp, port: 5432-5433, group: web }], egress: [] }
    userPools:
      - name: people
        id: us-east-1_SeededPoo
        domain: seeded-people
        settings: { AutoVerifiedAttributes: [email], Schema: [{ Name: plan, AttributeDataType: String }] }
        clients:
          - { name: web, id: seededclient0000000000000a, settings: { ExplicitAuthFlows: [ALLOW_USER_PASSWORD_AUTH, ALLOW_REFRESH_TOKEN_AUTH] } }
          - { name: machine, secret: true }
        groups: [{ name: admins, description: may all }]
        users: [{ name: bob, password: Correct-Horse-7, attributes: { email: bob@corp.test, "custom:plan": gold }, groups: [admins] }]
    identityPools:
      - { name: app, id: "us-east-1:cccccccc-1111-2222-3333-444444444444", guests: true, clients: [people/web], role: deploy }
  - id: "${MEMBER}"
organization:
  management: "111111111111"
  controls:
    - { name: no-users, document: { Version: "2012-10-17", Statement: [{ Effect: Deny, Action: "iam:CreateUser", Resource: "*" }] } }
    - { name: own-only, type: RESOURCE_CONTROL_POLICY, description: perimeter, document: { Version: "2012-10-17", Statement: [{ Effect: Deny, Principal: "*", Action: "s3:*", Resource: "*", Condition: { Bool: { "aws:SecureTransport": "false" } } }] } }
  policies: [own-only]
  units:
    - { name: workloads, policies: [no-users], accounts: ["${MEMBER}"], units: [{ name: test }] }
identityCenter:
  users: [{ name: eve, givenName: Eve, familyName: Moneypenny, email: eve@corp.test, password: Correct-Horse-7 }]
  groups: [{ name: auditors, members: [eve] }]
  permissionSets: [{ name: Audit, policies: ["arn:aws:iam::aws:policy/SecurityAudit"], session: PT8H }]
  assignments: [{ permissionSet: Audit, group: auditors, accounts: ["${MEMBER}"] }]
`

async function open() {
  const store = await openStore({ file: ':memory:' })
  const cloud = await openCloud({ store, unsealed: ephemeralUnsealed(), clock: new MovableClock() })
  onTestFinished(() => cloud.close())
  return cloud
}

async function seeded(text: string) {
  const cloud = await open()
  const [root] = (await applySeed(cloud, await readSeed(text, 'seed.yaml'), new Map())).values()
  // biome-ignore lint/suspicious/noExplicitAny: each client's own handler type is narrower than what all of them send.
  const client = <C>(Client: new (config: any) => C): C =>
    new Client({
      region: 'us-east-1',
      credentials: root,
      endpoint: 'http://localhost',
      maxAttempts: 1,
      systemClockOffset: cloud.clock.now() - Date.now(),
      requestHandler: throughGate(cloud.gate),
    })
  return { cloud, client }
}

describe('a seed of everything', () => {
  test('is there by the ids that it chose', async () => {
    const { client } = await seeded(SEED)

    const key = await client(KMSClient).send(new DescribeKeyCommand({ KeyId: KEY_ID }))
    expect(key.KeyMetadata?.Arn).toBe(`arn:aws:kms:us-east-1:111111111111:key/${KEY_ID}`)
    await client(KMSClient).send(new EncryptCommand({ KeyId: 'alias/orders-old', Plaintext: Buffer.from('x') }))
    const replicated = await client(KMSClient).send(
      new DescribeKeyCommand({ KeyId: 'mrk-0123456789abcdef0123456789abcdef' }),
    )
    expect(replicated.KeyMetadata?.MultiRegion).toBe(true)
    const secret = await client(SecretsManagerClient).send(new GetSecretValueCommand({ SecretId: 'app/db' }))
    expect(JSON.parse(secret.SecretString!)).toEqual({ username: 'app', password: 'hunter-secret-2' })
    const records = await client(Route53Client).send(
      new ListResourceRecordSetsCommand({ HostedZoneId: 'ZSEEDED0000000000001' }),
    )
    expect(records.ResourceRecordSets!.map(({ Name, Type }) => `${Name} ${Type}`)).toContain('app.corp.test. A')
    const certificate = await client(ACMClient).send(
      new DescribeCertificateCommand({
        CertificateArn: 'arn:aws:acm:us-east-1:111111111111:certificate/bbbbbbbb-1111-2222-3333-444444444444',
      }),
    )
    expect(certificate.Certificate).toMatchObject({ Status: 'ISSUED', Type: 'PRIVATE' })
    const groups = await client(EC2Client).send(
      new DescribeSecurityGroupsCommand({ Filters: [{ Name: 'vpc-id', Values: ['vpc-0123456789abcdef0'] }] }),
    )
    expect(groups.SecurityGroups!.find(({ GroupName }) => GroupName === 'db')!.IpPermissionsEgress).toEqual([])
    const cognito = client(CognitoIdentityProviderClient)
    const at = { UserPoolId: 'us-east-1_SeededPoo', ClientId: 'seededclient0000000000000a' }
    await cognito.send(new DescribeUserPoolClientCommand(at))
    const signedIn = await cognito.send(
      new InitiateAuthCommand({
        ClientId: at.ClientId,
        AuthFlow: 'USER_PASSWORD_AUTH',
        AuthParameters: { USERNAME: 'bob', PASSWORD: 'Correct-Horse-7' },
      }),
    )
    expect(signedIn.AuthenticationResult?.IdToken).toBeDefined()
  })

  test('is exported without secrets, and the export makes the same again', async () => {
    const { cloud } = await seeded(SEED)

    const first = await exportSeed(cloud)
    const text = JSON.stringify(first)
    const again = await seeded(JSON.stringify(first.seed))
    const second = await exportSeed(again.cloud)

    expect(second.seed).toEqual(first.seed)
    // The sentences about access keys and values are of what a seed does not make.
    expect(first.leftOut.join('\n')).toContain('the access keys of user ann in account 111111111111')
    expect(text).not.toMatch(/hunter-secret-2|hidden-mode-1|Correct-Horse-7|ann-secret|PRIVATE KEY/)
    const [account] = first.seed.accounts
    expect(Object.keys(account!).toSorted()).toEqual(['id', 'name', ...parts.map(({ kind }) => kind)].toSorted())
    expect(account).toMatchObject({
      users: [{ name: 'ann', boundary: 'look', groups: ['readers'], tags: { team: 'blue' } }],
      authorities: [{ name: 'Corp Root' }, { name: 'Corp Issuing', parent: 'Corp Root', days: 1825 }],
      zones: [{ name: 'corp.test', comment: 'of the corporation' }],
      userPools: [{ clients: [{ name: 'machine', secret: true }, { name: 'web' }] }],
      identityPools: [{ clients: ['people/web'], role: 'deploy' }],
    })
    expect(first.seed.organization).toMatchObject({
      policies: ['own-only'],
      units: [{ name: 'workloads', policies: ['no-users'], accounts: [MEMBER], units: [{ name: 'test' }] }],
    })
    expect(first.seed.identityCenter).toMatchObject({
      groups: [{ name: 'auditors', members: ['eve'] }],
      assignments: [{ permissionSet: 'Audit', group: 'auditors', accounts: [MEMBER] }],
    })
  })
})

describe('a seed is refused', () => {
  const only = (part: string) => `accounts:\n  - id: "111111111111"\n    ${part}`
  test.each([
    ['kmsKeys: [{ description: x }]', 'line 3: each of the kmsKeys has an alias or an id.'],
    ['kmsKeys: [{ id: not-a-uuid }]', "line 3: KMS key 'not-a-uuid' of account 111111111111 was refused."],
    [`kmsKeys: [{ id: ${KEY_ID} }, { id: ${KEY_ID} }]`, `KMS key '${KEY_ID}' of account 111111111111 was refused.`],
    ['zones: [{ name: a.test, record: [] }]', "zones 'a.test' has a member 'record'"],
    ['zones: [{ name: a.test, records: [{ nam: x }] }]', 'each of the records has a name'],
    ['zones: [{ name: a.test, records: [{ name: x, type: A, value: y }] }]', "records 'x' has a member 'value'"],
    ['zones: [{ name: a.test, records: [{ name: x, type: A, values: [y] }] }]', "record 'x A' of zone 'a.test'"],
    ['certificates: [{ domain: a.test, authority: None }]', "no active authority 'None'"],
    ['vpcs: [{ name: v, cidr: 10.0.0.0/99 }]', "VPC 'v' of account 111111111111 was refused. "],
    ['identityPools: [{ name: p, clients: [a/b] }]', "no user pool and client 'a/b'"],
    ['functions: [{ name: f, role: worker }]', "function 'f' has no code: write image, files, or zip in base64."],
    ['webAcls: [{ name: w, settings: { Rules: [{ Name: r }] } }]', "web ACL 'w' of account 111111111111 was refused."],
    ['userPools: [{ name: p, clients: [{ name: c, id: UPPER }] }]', "'UPPER' is not a client ID"],
  ])('that says %s, with the line and the reason', async (part, reason) => {
    await expect(seeded(only(part))).rejects.toThrow(reason)
  })

  test('whose identity center names what it does not have', async () => {
    const text = `${only('users: []')}\nidentityCenter: { groups: [{ name: g, members: [nobody] }] }`

    await expect(seeded(text)).rejects.toThrow("has no user 'nobody'")
  })
})
