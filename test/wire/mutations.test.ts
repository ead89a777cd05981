/**
 * Inputs that break the schema, over every built operation: each member, nested ones too, is null, of another type, huge,
 * empty, negative, or a list with null. Whatever the answer, it is never a 5xx.
 */
import { CloudTrailClient, CreateTrailCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateGroupCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { CreateOrganizationCommand, ListRootsCommand, OrganizationsClient } from '@aws-sdk/client-organizations'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { beforeAll, expect, test } from 'vitest'
import { Throttle } from '../../src/kernel/gate/throttle.ts'
import type { Operation, Service } from '../../src/kernel/service/service.ts'
import { services as built } from '../../src/server/compose/services.ts'
import type { Constraint } from '../../src/wire/constraints.ts'
import type { HttpRequest } from '../../src/wire/http.ts'
import { loadService, type ServiceModel } from '../../src/wire/service.ts'
import { type ServiceRow, serviceById } from '../../src/wire/services.ts'
import type { Member, Shape } from '../../src/wire/shape.ts'
import { sign } from '../../src/wire/sigv4/index.ts'
import { ACCOUNT, allowing, cloud } from '../cloud.ts'

const POLICY = allowing({ Action: 's3:GetObject', Resource: '*' })
const TRUST = allowing({ Action: 'sts:AssumeRole', Principal: { AWS: ACCOUNT } })

const UNLIMITED = {
  perSecond: Number.POSITIVE_INFINITY,
  burst: Number.POSITIVE_INFINITY,
  runningMax: Number.POSITIVE_INFINITY,
}

let opened: Awaited<ReturnType<typeof cloud>>
/** What a member of this name refers to, so that calls reach the code behind the lookups. */
const known: Record<string, unknown> = {}

beforeAll(async () => {
  opened = await cloud({
    throttle: new Throttle({ account: UNLIMITED, principal: UNLIMITED, address: UNLIMITED, accounts: new Map() }),
  })
  const { client } = opened
  const iam = client(IAMClient)
  await iam.send(new CreateUserCommand({ UserName: 'u' }))
  await iam.send(new CreateGroupCommand({ GroupName: 'g' }))
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'i' }))
  await iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: TRUST }))
  const policy = await iam.send(new CreatePolicyCommand({ PolicyName: 'p', PolicyDocument: POLICY }))
  const key = await client(KMSClient).send(new CreateKeyCommand({}))
  const secret = await client(SecretsManagerClient).send(new CreateSecretCommand({ Name: 's', SecretString: 'x' }))
  await client(S3Client).send(new CreateBucketCommand({ Bucket: 'bucket' }))
  await client(OrganizationsClient).send(new CreateOrganizationCommand({ FeatureSet: 'ALL' }))
  const roots = await client(OrganizationsClient).send(new ListRootsCommand({}))
  await client(CloudTrailClient)
    .send(new CreateTrailCommand({ Name: 'trail', S3BucketName: 'bucket' }))
    .catch(() => undefined)
  Object.assign(known, {
    UserName: 'u',
    GroupName: 'g',
    RoleName: 'r',
    InstanceProfileName: 'i',
    PolicyArn: policy.Policy!.Arn,
    PolicySourceArn: policy.Policy!.Arn,
    RoleArn: `arn:aws:iam::${ACCOUNT}:role/r`,
    Role: `arn:aws:iam::${ACCOUNT}:role/r`,
    PolicyDocument: POLICY,
    AssumeRolePolicyDocument: TRUST,
    KeyId: key.KeyMetadata!.KeyId,
    SecretId: secret.ARN,
    TargetId: roots.Roots![0]!.Id,
    ParentId: roots.Roots![0]!.Id,
    AccountId: ACCOUNT,
    Bucket: 'bucket',
    S3BucketName: 'bucket',
    TrailName: 'trail',
  })
})

const HUGE = 5_000

/** Other values for a member, whatever it is. */
function mutations(shape: Shape, value: unknown): readonly unknown[] {
  const wrong = [null, '', 'x'.repeat(HUGE), '\0', -1, 0, 1.5, 1e300, true, [], [null], {}, { a: null }, '__proto__']
  switch (shape.kind) {
    case 'list':
      return [...wrong, [value, null].flat(), [[]], [{}], ['x'.repeat(HUGE)], Array.from({ length: 300 }, () => 'x')]
    case 'map':
      return [...wrong, { '': '' }, { ['k'.repeat(HUGE)]: 'v' }, { constructor: 'v' }, { k: [null] }]
    case 'struct':
    case 'union':
      return [...wrong, [{}]]
    case 'timestamp':
      return [...wrong, 8.65e15, -8.65e15, '9999-99-99T00:00:00Z']
    default:
      return [...wrong, 'a/b', 'arn:aws:iam::1:x', '{"Statement":null}', '-----BEGIN X-----', '\ud800', '%', '*']
  }
}

const DEPTH_MAX = 4

/** A value that fits: required members only, unless `all`. */
function fitting(
  model: ServiceModel,
  shape: Shape,
  name: string,
  constraint: Constraint | undefined,
  depth = 0,
): unknown {
  if (Object.hasOwn(known, name)) return known[name]
  if (constraint?.e) return constraint.e[0]
  switch (shape.kind) {
    case 'string':
      return 'abcdefghijklmnopqrstuvwxyz0123456789'.repeat(40).slice(0, Math.max(constraint?.n ?? 1, 12))
    case 'number':
    case 'bigdecimal':
    case 'bigint':
      return Math.max(constraint?.n ?? 1, 1)
    case 'boolean':
      return true
    case 'timestamp':
      return 1_800_000_000
    case 'blob':
    case 'stream':
      return 'AAAA'
    case 'list':
      return depth > DEPTH_MAX ? [] : [fitting(model, shape.value.shape, '', constraint?.m, depth + 1)]
    case 'map':
      return depth > DEPTH_MAX ? {} : { key: fitting(model, shape.value.shape, '', constraint?.v, depth + 1) }
    case 'struct':
      return Object.fromEntries(
        shape.members
          .filter(({ required }) => required)
          .map((member) => [member.name, fittingMember(model, shape, member, depth + 1)]),
      )
    default:
      return {}
  }
}

const fittingMember = (model: ServiceModel, shape: Shape, member: Member, depth: number): unknown =>
  fitting(model, member.shape, member.name, model.constraints[shape.name]?.[member.name], depth)

/** Every input with one member of another value, to a depth. */
function* inputs(model: ServiceModel, shape: Shape, depth = 0): Generator<Record<string, unknown>> {
  const base = fitting(model, shape, '', undefined, depth) as Record<string, unknown>
  if (depth === 0) yield base
  for (const member of shape.members) {
    const fits = fittingMember(model, shape, member, depth + 1)
    for (const value of mutations(member.shape, fits)) yield { ...base, [member.name]: value }
    if (depth >= DEPTH_MAX) continue
    const inner = member.shape.kind === 'list' ? member.shape.value.shape : member.shape
    if (inner.kind !== 'struct' && inner.kind !== 'union') continue
    for (const nested of inputs(model, inner, depth + 1))
      yield { ...base, [member.name]: inner === member.shape ? nested : [nested] }
  }
}

/** Names and values as clients write them in a form. */
function pairs(value: unknown, name: string): string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value.flatMap((item, i) => pairs(item ?? '', `${name}.member.${i + 1}`))
  if (typeof value !== 'object') return [`${name}=${encodeURIComponent(String(value).toWellFormed())}`]
  return Object.entries(value).flatMap(([key, item]) => pairs(item, name === '' ? key : `${name}.${key}`))
}

/** The same for EC2: lists are flat, and members have names of their own. */
function ec2Pairs(shape: Shape | undefined, value: unknown, name: string): string[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) {
    const item = shape?.kind === 'list' ? shape.value.shape : undefined
    return value.flatMap((each, i) => ec2Pairs(item, each ?? '', `${name}.${i + 1}`))
  }
  if (typeof value !== 'object') return [`${name}=${encodeURIComponent(String(value).toWellFormed())}`]
  return Object.entries(value).flatMap(([key, each]) => {
    const member = shape?.kind === 'struct' ? shape.members.find((known) => known.name === key) : undefined
    const plain = member?.traits.xmlName ?? key
    const wired = member?.traits.ec2QueryName ?? plain.charAt(0).toUpperCase() + plain.slice(1)
    return ec2Pairs(member?.shape, each, name === '' ? wired : `${name}.${wired}`)
  })
}

const text = (value: unknown): string =>
  (typeof value === 'object' ? JSON.stringify(value) : String(value)).toWellFormed()

function xml(tag: string, value: unknown): string {
  if (value === null) return `<${tag}/>`
  if (Array.isArray(value)) return `<${tag}>${value.map((item) => xml('member', item)).join('')}</${tag}>`
  if (typeof value !== 'object') return `<${tag}>${text(value).replace(/[&<\0]/g, '')}</${tag}>`
  return `<${tag}>${Object.entries(value as object)
    .map(([name, item]) => xml(name.replace(/\W/g, '_') || '_', item))
    .join('')}</${tag}>`
}

function written(row: ServiceRow, model: ServiceModel, name: string, input: Record<string, unknown>): HttpRequest {
  const shape = model.operations.get(name)!
  const bare = { method: 'POST', path: '/', query: '', remoteAddress: '127.0.0.1', secure: false }
  const host = ['Host', 'localhost']
  if (row.protocol === 'json11') {
    const headers = ['X-Amz-Target', `${row.targets[0]}.${name}`, 'Content-Type', 'application/x-amz-json-1.1']
    return { ...bare, rawHeaders: [...host, ...headers], body: Buffer.from(JSON.stringify(input)) }
  }
  if (row.protocol === 'query' || row.protocol === 'ec2') {
    const members = row.protocol === 'ec2' ? ec2Pairs(shape.input, input, '') : pairs(input, '')
    const form = [`Action=${name}`, `Version=${row.apiVersion}`, ...members].join('&')
    return {
      ...bare,
      rawHeaders: [...host, 'Content-Type', 'application/x-www-form-urlencoded'],
      body: Buffer.from(form),
    }
  }
  const [method, uri] = shape.traits.http!
  let [path = '', query = ''] = uri.split('?')
  const headers = [...host]
  const body: Record<string, unknown> = {}
  let payload: unknown
  for (const member of shape.input.members) {
    const value = input[member.name]
    if (value === undefined) continue
    const { traits } = member
    if (traits.httpLabel)
      path = path.replace(new RegExp(`\\{${member.name}\\+?\\}`), encodeURIComponent(text(value)) || '-')
    else if (traits.httpQuery) query += `&${traits.httpQuery}=${encodeURIComponent(text(value))}`
    else if (traits.httpHeader) headers.push(traits.httpHeader, text(value).replace(/[^\x20-\x7e]/g, ''))
    else if (traits.httpPayload) payload = value
    else body[traits.jsonName ?? member.name] = value
  }
  // Labels without a value: S3's bucket is one even where no path says so.
  if (row.id === 's3' && !path.startsWith('/bucket') && input['Bucket'] !== undefined)
    path = `/${encodeURIComponent(text(input['Bucket'])) || '-'}${path}`
  path = path.replace(/\{[^}]+\}/g, 'x')
  const content =
    row.protocol === 'restxml' ? (payload === undefined ? '' : xml('Root', payload)) : JSON.stringify(payload ?? body)
  return { ...bare, method, path, query: query.replace(/^&/, ''), rawHeaders: headers, body: Buffer.from(content) }
}

/** Operations that take away what others need come last. */
const isLast = ({ name }: Operation) => /^(Delete|Remove|Schedule|Disable|Leave|Close|Detach|Stop|Cancel)/.test(name)

async function failures(service: Service): Promise<string[]> {
  const row = serviceById.get(service.api.id)!
  const model = await loadService(row)
  const found: string[] = []
  const operations = [...service.operations].sort((a, b) => Number(isLast(a)) - Number(isLast(b)))
  for (const operation of operations) {
    for (const input of inputs(model, model.operations.get(operation.name)!.input)) {
      const request = written(row, model, operation.name, input)
      const { accessKeyId, secretAccessKey } = opened.root
      const signed = sign(
        request,
        { accessKeyId, secret: secretAccessKey },
        {
          region: 'us-east-1',
          service: row.signingNames[0]!,
          nowMs: opened.clock.now(),
        },
      )
      const { status, body } = await opened.gate.handle({ ...request, ...signed })
      // S3's own answer for what is not built is 501.
      if (status < 500 || (status === 501 && row.id === 's3')) continue
      const cause = opened.answers.at(-1)?.cause
      found.push(
        `${operation.name} ${JSON.stringify(input).slice(0, 300)}: ${status} ${body.toString().slice(0, 200)} ${cause}`,
      )
      if (found.length > 40) return found
    }
    opened.answers.length = 0
  }
  return found
}

const withOperations = built.filter(({ operations }) => operations.length > 0)

test.each(withOperations.map((service) => [service.api.id, service] as const))(
  '%s answers no broken input with a 5xx',
  async (_, service) => {
    expect(await failures(service)).toEqual([])
  },
  600_000,
)
