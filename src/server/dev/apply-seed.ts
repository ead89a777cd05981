/** Fills a cloud from a seed, through the signed API: every step is authorized and recorded. */
import { randomUUID } from 'node:crypto'
import { ApiError, Client, type Transport } from '../../kernel/client/client.ts'
import { bootstrap, type RootKey } from '../../kernel/ports/bootstrap.ts'
import { accessKeyId, secretAccessKey } from '../../kernel/service/id.ts'
import type { Cloud } from '../compose/cloud.ts'
import { invalidSeed, type SeedPath } from './seed.ts'
import type { Seed, SeedAccount, SeedDocument, SeedHolder, SeedKey, SeedOrganization, SeedUnit } from './seed-format.ts'

/**
 * Adds what a seed has, as the root user of each account; returns the root keys by account, taken from `keys` or the
 * seed where it has them. `existing`: the root keys of accounts that exist.
 */
export async function applySeed(
  cloud: Cloud,
  seed: Seed,
  keys: ReadonlyMap<string, RootKey>,
  existing: ReadonlyMap<string, RootKey> = new Map(),
): Promise<Map<string, RootKey>> {
  const made = new Map<string, RootKey>()
  for (const [n, account] of seed.accounts.entries()) {
    const { id, name = id, rootKey } = account
    const given = rootKey ? { accessKeyId: rootKey.id, secretAccessKey: rootKey.secret } : keys.get(id)
    const placeOf = (path: SeedPath) => seed.placeOf?.(['accounts', n, ...path]) ?? 'The seed'
    made.set(id, existing.get(id) ?? (await cloud.addAccount({ id, name, rootKey: given })))
    await fill(cloud, account, made.get(id)!, placeOf)
  }
  if (seed.organization) await organize(cloud, seed, seed.organization, made)
  return made
}

/** An API client in this process. */
function clientOf(cloud: Cloud, rootKey: RootKey): Client {
  const transport: Transport = { host: 'localhost', send: (request) => cloud.gate.handle(request) }
  const credential = { accessKeyId: rootKey.accessKeyId, secret: rootKey.secretAccessKey }
  return new Client({ credential, transport, now: () => cloud.clock.now() })
}

async function fill(
  cloud: Cloud,
  account: SeedAccount,
  rootKey: RootKey,
  placeOf: (path: SeedPath) => string,
): Promise<void> {
  const client = clientOf(cloud, rootKey)
  const iam = client.query.bind(client, 'iam')
  const paths = new Map(account.policies?.map(({ name, path }) => [name, path ?? '/']))
  const arnOf = (policy: string) =>
    policy.startsWith('arn:') ? policy : `arn:aws:iam::${account.id}:policy${paths.get(policy) ?? '/'}${policy}`
  /** What is refused is named with its line. */
  const at = async (path: SeedPath, what: string, work: () => Promise<unknown>) => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const code = error instanceof ApiError ? `${error.code}: ` : ''
      throw invalidSeed(
        `${placeOf(path)}: ${what} of account ${account.id} was refused. ${code}${error.message}`,
        error,
      )
    }
  }
  const furnish = async (word: 'User' | 'Group' | 'Role', here: SeedPath, { name, policies, inline }: SeedHolder) => {
    const who = `${word.toLowerCase()} '${name}'`
    for (const [n, policy] of (policies ?? []).entries())
      await at([...here, 'policies', n], `policy '${policy}' for ${who}`, () =>
        iam(`Attach${word}Policy`, { [`${word}Name`]: name, PolicyArn: arnOf(policy) }),
      )
    for (const [PolicyName, document] of Object.entries(inline ?? {})) {
      const input = { [`${word}Name`]: name, PolicyName, PolicyDocument: textOf(document) }
      await at([...here, 'inline', PolicyName], `inline policy '${PolicyName}' of ${who}`, () =>
        iam(`Put${word}Policy`, input),
      )
    }
  }

  for (const [n, { name, path, document }] of (account.policies ?? []).entries()) {
    await at(['policies', n, 'document'], `policy '${name}'`, () =>
      iam('CreatePolicy', { PolicyName: name, Path: path, PolicyDocument: textOf(document) }),
    )
  }
  for (const [n, group] of (account.groups ?? []).entries()) {
    const here = ['groups', n]
    await at(here, `group '${group.name}'`, () => iam('CreateGroup', { GroupName: group.name, Path: group.path }))
    await furnish('Group', here, group)
  }
  for (const [n, each] of (account.users ?? []).entries()) {
    const here = ['users', n]
    await at(here, `user '${each.name}'`, () =>
      iam('CreateUser', { UserName: each.name, Path: each.path, Tags: tagsOf(each.tags) }),
    )
    await furnish('User', here, each)
    for (const [m, GroupName] of (each.groups ?? []).entries())
      await at([...here, 'groups', m], `group '${GroupName}' for user '${each.name}'`, () =>
        iam('AddUserToGroup', { UserName: each.name, GroupName }),
      )
    for (const [m, key] of (each.keys ?? []).entries())
      await at([...here, 'keys', m], `a key for user '${each.name}'`, () => addKey(cloud, account.id, each.name, key))
  }
  for (const [n, each] of (account.roles ?? []).entries()) {
    const here = ['roles', n]
    await at([...here, 'trust'], `role '${each.name}'`, () =>
      iam('CreateRole', {
        RoleName: each.name,
        Path: each.path,
        AssumeRolePolicyDocument: textOf(each.trust),
        Tags: tagsOf(each.tags),
      }),
    )
    await furnish('Role', here, each)
  }
  for (const [n, each] of (account.kmsKeys ?? []).entries()) {
    const AliasName = each.alias.startsWith('alias/') ? each.alias : `alias/${each.alias}`
    await at(['kmsKeys', n], `KMS key '${each.alias}'`, async () => {
      const { KeyMetadata } = await client.json<{ KeyMetadata: { KeyId: string } }>('kms', 'TrentService.CreateKey', {
        Description: each.description,
        KeySpec: each.spec,
        KeyUsage: each.usage,
        Policy: each.policy && textOf(each.policy),
        Tags: tagsOf(each.tags).map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })),
      })
      await client.json('kms', 'TrentService.CreateAlias', { AliasName, TargetKeyId: KeyMetadata.KeyId })
    })
  }
  for (const [n, each] of (account.secrets ?? []).entries())
    await at(['secrets', n], `secret '${each.name}'`, async () => {
      await client.json('secretsmanager', 'secretsmanager.CreateSecret', {
        ClientRequestToken: randomUUID(),
        Name: each.name,
        Description: each.description,
        KmsKeyId: each.key,
        SecretString: textOf(each.value),
        Tags: tagsOf(each.tags),
      })
      if (each.policy)
        await client.json('secretsmanager', 'secretsmanager.PutResourcePolicy', {
          SecretId: each.name,
          ResourcePolicy: textOf(each.policy),
        })
    })
  for (const [n, { name, policy, objects }] of (account.buckets ?? []).entries()) {
    const here = ['buckets', n]
    await at(here, `bucket '${name}'`, () => client.rest('s3', 'PUT', `/${name}`))
    for (const [key, content] of Object.entries(objects ?? {}))
      await at([...here, 'objects', key], `object '${key}' of bucket '${name}'`, () =>
        client.rest('s3', 'PUT', `/${name}/${key.split('/').map(encodeURIComponent).join('/')}`, content),
      )
    if (policy)
      await at([...here, 'policy'], `the policy of bucket '${name}'`, () =>
        client.rest('s3', 'PUT', `/${name}?policy=`, textOf(policy)),
      )
  }
}

/** Creates the organization, invites the other accounts, and attaches control policies last. */
async function organize(
  cloud: Cloud,
  seed: Seed,
  organization: SeedOrganization,
  keys: ReadonlyMap<string, RootKey>,
): Promise<void> {
  const management = organization.management ?? seed.accounts[0]?.id ?? ''
  const place = seed.placeOf?.(['organization']) ?? 'The seed'
  const clients = new Map([...keys].map(([id, rootKey]) => [id, clientOf(cloud, rootKey)]))
  const clientFor = (account: string): Client => {
    const client = clients.get(account)
    if (!client) throw invalidSeed(`${place}: account '${account}' of the organization is not an account of the seed.`)
    return client
  }
  const call = async <T>(account: string, operation: string, input: object = {}): Promise<T> => {
    try {
      return await clientFor(account).json<T>('organizations', `AWSOrganizationsV20161128.${operation}`, input)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      throw invalidSeed(
        `${place}: ${operation} of account ${account} was refused. ${error.code}: ${error.message}`,
        error,
      )
    }
  }
  await call(management, 'CreateOrganization', { FeatureSet: 'ALL' })
  const { Roots } = await call<{ Roots: { Id: string }[] }>(management, 'ListRoots')
  const root = Roots[0]!.Id
  const controls = new Map<string, string>()
  const types = new Set((organization.controls ?? []).map(({ type = 'SERVICE_CONTROL_POLICY' }) => type))
  for (const PolicyType of types) await call(management, 'EnablePolicyType', { RootId: root, PolicyType })
  for (const { name, type = 'SERVICE_CONTROL_POLICY', document } of organization.controls ?? []) {
    const made = await call<{ Policy: { PolicySummary: { Id: string } } }>(management, 'CreatePolicy', {
      Name: name,
      Type: type,
      Content: textOf(document),
      Description: '',
    })
    controls.set(name, made.Policy.PolicySummary.Id)
  }
  const attachments: { readonly TargetId: string; readonly PolicyId: string }[] = []
  const build = async (unit: SeedUnit, TargetId: string): Promise<void> => {
    for (const policy of unit.policies ?? []) {
      const PolicyId = controls.get(policy)
      if (PolicyId === undefined) throw invalidSeed(`${place}: the organization has no policy '${policy}'.`)
      attachments.push({ TargetId, PolicyId })
    }
    for (const account of unit.accounts ?? []) {
      if (account === management) continue
      const { Handshake } = await call<{ Handshake: { Id: string } }>(management, 'InviteAccountToOrganization', {
        Target: { Id: account, Type: 'ACCOUNT' },
      })
      await call(account, 'AcceptHandshake', { HandshakeId: Handshake.Id })
      if (TargetId !== root)
        await call(management, 'MoveAccount', {
          AccountId: account,
          SourceParentId: root,
          DestinationParentId: TargetId,
        })
    }
    for (const child of unit.units ?? []) {
      const made = await call<{ OrganizationalUnit: { Id: string } }>(management, 'CreateOrganizationalUnit', {
        ParentId: TargetId,
        Name: child.name,
      })
      await build(child, made.OrganizationalUnit.Id)
    }
  }
  await build(organization, root)
  for (const attachment of attachments) await call(management, 'AttachPolicy', attachment)
}

/** The user of development servers who may do everything an IAM user may; unlike root, it can assume roles. */
export interface Administrator {
  readonly userName: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Creates the user `admin`; with the key that it had before a reset. */
export async function addAdministrator(
  cloud: Cloud,
  account: string,
  rootKey: RootKey,
  before: Administrator | undefined,
): Promise<Administrator> {
  const { userName, ...key } = before ?? {
    userName: 'admin',
    accessKeyId: accessKeyId('AKIA', account),
    secretAccessKey: secretAccessKey(),
  }
  const policies = ['arn:aws:iam::aws:policy/AdministratorAccess']
  const keys = [{ id: key.accessKeyId, secret: key.secretAccessKey }]
  await fill(cloud, { id: account, users: [{ name: userName, policies, keys }] }, rootKey, () => 'The administrator')
  return { userName, ...key }
}

/** A key of one's own choosing: what no API offers, and a seed is for. */
async function addKey(cloud: Cloud, account: string, name: string, key: SeedKey): Promise<void> {
  const owner = { account, name, now: cloud.clock.now() }
  await cloud.store.run((unit) => cloud.use(bootstrap).addUserKey(unit, owner, key))
}

const textOf = (document: SeedDocument): string => (typeof document === 'string' ? document : JSON.stringify(document))

const tagsOf = (tags: Readonly<Record<string, string>> | undefined) =>
  Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }))
