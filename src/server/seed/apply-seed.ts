/** Fills a cloud from a seed, as the root user of each account: every step is authorized and recorded like a signed call. */
import type { RootKey } from '../../kernel/ports/bootstrap.ts'
import { accessKeyId, secretAccessKey } from '../../kernel/service/id.ts'
import { Fault } from '../../wire/fault.ts'
import type { Cloud } from '../compose/cloud.ts'
import { addIdentityCenter } from './identity-center.ts'
import { addOrganization } from './organization.ts'
import { type Account, type AnyPart, accountOf, type SeedPath, type Step } from './part.ts'
import { identities, resources } from './parts.ts'
import { invalidSeed } from './seed.ts'
import type { Seed, SeedAccount } from './seed-format.ts'

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
  const accounts = new Map<string, Account>()
  for (const account of seed.accounts) {
    const { id, name = id, rootKey } = account
    const given = rootKey ? { accessKeyId: rootKey.id, secretAccessKey: rootKey.secret } : keys.get(id)
    made.set(id, existing.get(id) ?? (await cloud.addAccount({ id, name, rootKey: given })))
    accounts.set(id, accountOf(cloud, account))
  }
  for (const parts of [identities, resources])
    for (const [n, { id }] of seed.accounts.entries())
      for (const part of parts) await fill(accounts.get(id)!, part, stepAt(seed, ['accounts', n], id))
  const { organization, identityCenter } = seed
  const first = seed.accounts[0]?.id ?? ''
  const management = organization?.management ?? first
  const placeOf = (path: SeedPath) => seed.placeOf?.(path) ?? 'The seed'
  if (organization) await addOrganization(accounts, organization, management, placeOf(['organization']))
  if (identityCenter) {
    const account = identityCenter.account ?? management
    const owner = accounts.get(account)
    const path = ['identityCenter']
    if (!owner) throw invalidSeed(`${placeOf(path)}: account '${account}' is not an account of the seed.`)
    await addIdentityCenter(owner, identityCenter, stepAt(seed, path, account))
  }
  return made
}

async function fill(account: Account, part: AnyPart, step: Step): Promise<void> {
  // Each part gets the items of its own kind.
  for (const [n, item] of (account.seed[part.kind] ?? []).entries())
    await part.add(account, item as never, (path, what, work) => step([part.kind, n, ...path], what, work))
}

/** What is refused is named with its line. */
function stepAt(seed: Seed, base: SeedPath, account: string): Step {
  return async (path, what, work) => {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const code = error instanceof Fault ? `${error.code}: ` : ''
      const place = seed.placeOf?.([...base, ...path]) ?? 'The seed'
      throw invalidSeed(`${place}: ${what} of account ${account} was refused. ${code}${error.message}`, error)
    }
  }
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
  before: Administrator | undefined,
): Promise<Administrator> {
  const { userName, ...key } = before ?? {
    userName: 'admin',
    accessKeyId: accessKeyId('AKIA', account),
    secretAccessKey: secretAccessKey(),
  }
  const policies = ['arn:aws:iam::aws:policy/AdministratorAccess']
  const keys = [{ id: key.accessKeyId, secret: key.secretAccessKey }]
  const administrator: SeedAccount = { id: account, users: [{ name: userName, policies, keys }] }
  await applySeedTo(cloud, administrator)
  return { userName, ...key }
}

/** Adds to an account that is there. */
async function applySeedTo(cloud: Cloud, seed: SeedAccount): Promise<void> {
  const account = accountOf(cloud, seed)
  for (const part of identities) await fill(account, part, stepAt({ accounts: [seed] }, [], seed.id))
}
