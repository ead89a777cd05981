/**
 * Missing and forbidden are the same for every operation that names a resource of a type: to a caller without permission
 * the denial for a resource that exists and the denial for one that does not differ only in what the caller wrote. The
 * operations are those of all services, the resources those of one account that has something of most types.
 */
import * as iam from '@aws-sdk/client-iam'
import * as kms from '@aws-sdk/client-kms'
import * as s3 from '@aws-sdk/client-s3'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { beforeAll, describe, expect, test } from 'vitest'
import { authorize } from '../src/kernel/gate/authorize.ts'
import type { Call, Scope } from '../src/kernel/gate/call.ts'
import type { Subject } from '../src/kernel/gate/session.ts'
import type { Identity } from '../src/kernel/ports/ports.ts'
import type { Row } from '../src/kernel/resource/facts.ts'
import { type Identity as ResourceId, ResourceType } from '../src/kernel/resource/resource-type.ts'
import type { Operation } from '../src/kernel/service/service.ts'
import { services } from '../src/server/compose/services.ts'
import { withRole } from '../src/services/lambda/lambda.fixture.ts'
import { Fault } from '../src/wire/fault.ts'
import { ACCOUNT, allowing, OTHER_ACCOUNT } from './cloud.ts'

type AnyType = ResourceType<string, Row, ResourceId>
type Cloud = Awaited<ReturnType<typeof withRole>>

const here: Scope = { partition: 'aws', region: 'us-east-1', account: ACCOUNT }

/** Types whose names are public, as on AWS. */
const PUBLIC: Readonly<Record<string, string>> = {
  'AWS::S3::Bucket': 'a missing bucket is reported before any permission is evaluated',
}

interface Caller {
  readonly account: string
  readonly subject: Subject
  readonly identity: Identity
}

let it: Cloud
let user: Caller
let foreigner: Caller

beforeAll(async () => {
  it = await withRole()
  const { client, echo } = it
  const root = client(iam.IAMClient)
  const Path = '/people/'
  const AssumeRolePolicyDocument = allowing({ Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' })
  const PolicyDocument = allowing({ Action: '*', Resource: '*' })
  await root.send(new iam.CreateUserCommand({ UserName: 'there1', Path }))
  await root.send(new iam.CreateGroupCommand({ GroupName: 'there1', Path }))
  await root.send(new iam.CreateRoleCommand({ RoleName: 'there1', Path, AssumeRolePolicyDocument }))
  await root.send(new iam.CreateInstanceProfileCommand({ InstanceProfileName: 'there1', Path }))
  await root.send(new iam.CreatePolicyCommand({ PolicyName: 'there1', Path, PolicyDocument }))
  await root.send(new iam.CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'there1', Path }))
  await root.send(
    new iam.CreateOpenIDConnectProviderCommand({ Url: 'https://idp1.example.com', ThumbprintList: ['a'.repeat(40)] }),
  )
  const keys = client(kms.KMSClient)
  const { KeyMetadata } = await keys.send(new kms.CreateKeyCommand({}))
  await keys.send(new kms.CreateAliasCommand({ AliasName: 'alias/there1', TargetKeyId: KeyMetadata!.KeyId! }))
  await client(s3.S3Client).send(new s3.CreateBucketCommand({ Bucket: 'there1' }))
  // Under a key of its own. The policies of keys that AWS manages name no account: a denial on them says so.
  await client(SecretsManagerClient).send(
    new CreateSecretCommand({ Name: 'there1', SecretString: 'x', KmsKeyId: KeyMetadata!.KeyId! }),
  )
  await echo('there1')

  const created = await root.send(new iam.CreateUserCommand({ UserName: 'none' }))
  await it.account(OTHER_ACCOUNT)
  user = await caller(ACCOUNT, { kind: 'user', name: 'none', id: created.User!.UserId! })
  foreigner = await caller(OTHER_ACCOUNT, { kind: 'root' })
})

async function caller(account: string, subject: Subject): Promise<Caller> {
  return { account, subject, identity: (await it.ports.identity.identity(account, subject))! }
}

const operations = services.flatMap(({ operations }) => operations).filter(isNaming)

function isNaming({ target: { about } }: Operation): boolean {
  return about?.member !== undefined && about.type instanceof ResourceType && !(about.type.spec.type in PUBLIC)
}

const typeOf = ({ target }: Operation) => target.about!.type as AnyType

/** Texts besides the ARN and the names of a resource. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  'AWS::KMS::Key': ['alias/there1', `arn:aws:kms:us-east-1:${ACCOUNT}:alias/there1`],
  'AWS::Lambda::Function': [
    `${ACCOUNT}:function:there1`,
    `arn:aws:lambda:us-east-1:${ACCOUNT}:function:there1:$LATEST`,
  ],
  'AWS::SecretsManager::Secret': [`arn:aws:secretsmanager:us-east-1:${ACCOUNT}:secret:there1`],
}

/** The texts that name an existing resource, each with the text that names a missing one in the same way. */
async function textsFor(type: AnyType): Promise<readonly (readonly [there: string, missing: string])[]> {
  const { idOf } = type.spec
  const rows = idOf ? await type.list(it.store.reader, here) : []
  const also = (ALSO[type.spec.type] ?? []).map((text) => [text, text.replace('there1', 'there2')] as const)
  return rows
    .flatMap(({ document }) => {
      const names = Object.values(idOf!(document))
      const another = (text: string) =>
        names.reduce((changed, name) => (name.length > 1 ? changed.replaceAll(name, otherName(name)) : changed), text)
      return [type.arnOf(here, document), ...names].map((text) => [text, another(text)] as const)
    })
    .filter(([there, missing]) => there !== missing)
    .concat(also)
}

const otherName = (name: string): string => name.replaceAll(/[0-9]/g, (digit) => DIGITS[digit]!)

/** Another digit for each: forms stay forms. */
const DIGITS = Object.fromEntries([...'0123456789'].map((digit) => [digit, String((Number(digit) + 1) % 10)]))

/** What the caller is sent: the fault of the reference, the denial, or what would come after permission. */
async function answer(operation: Operation, { account, subject, identity }: Caller, text: string): Promise<string> {
  const { target, actions } = operation
  // Members that some targets read before they look for the resource.
  const input = { GrantId: '0'.repeat(64), Operations: [], [target.about!.member!]: text }
  try {
    return await it.store.run(async (unit) => {
      const call = {
        ...here,
        account,
        unit,
        vault: it.vault,
        ports: it.ports,
        operation: operation.name,
        origin: '',
        now: it.clock.now(),
        via: [],
        event: { resources: [], decided: [] },
        caller: { principal: identity.principal, subject, accessKeyId: '' },
      } as unknown as Call
      const { acted } = await target.find(call, input)
      const facts = {
        caller: call.caller,
        identity,
        sessionPolicies: undefined,
        region: here.region,
        standing: undefined,
        ownerStanding: undefined,
        sourceStanding: undefined,
        now: call.now,
        sourceAddress: '203.0.113.7',
        secure: true,
        userAgent: undefined,
        referer: undefined,
        via: [],
      }
      for (const action of actions) authorize({ action, acted, input, conditions: {} }, facts)
      return 'allowed'
    })
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return `${error.code}: ${error.message}`
  }
}

/** The reference of the request, and the name in it, replaced by placeholders. */
const anonymous = (answer: string, text: string) => {
  const name = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf(':')) + 1)
  return answer.replaceAll(text, 'TEXT').replaceAll(name, 'NAME')
}

describe.each(operations.map((operation) => [`${operation.actions[0]} (${operation.name})`, operation] as const))(
  '%s',
  (_name, operation) => {
    test('answers the same for a resource that exists and for one that does not', async () => {
      for (const [there, missing] of await textsFor(typeOf(operation))) {
        const callers = there.startsWith('arn:') ? [user, foreigner] : [user]
        for (const each of callers) {
          const [exists, absent] = [await answer(operation, each, there), await answer(operation, each, missing)]
          if (exists === 'allowed' && absent === 'allowed') continue
          expect(anonymous(exists, there)).toBe(anonymous(absent, missing))
        }
      }
    })
  },
)

test('Resources of these types are tried, among others', async () => {
  const types = [...new Set(operations.map(typeOf))]
  const tried: string[] = []
  for (const type of types) if ((await textsFor(type)).length > 0) tried.push(type.spec.type)

  expect(tried).toEqual(
    expect.arrayContaining([
      'AWS::IAM::OIDCProvider',
      'AWS::IAM::Role',
      'AWS::IAM::User',
      'AWS::KMS::Alias',
      'AWS::KMS::Key',
      'AWS::Lambda::Function',
      'AWS::SecretsManager::Secret',
    ]),
  )
  expect(operations.length).toBeGreaterThan(60)
})
