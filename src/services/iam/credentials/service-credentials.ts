/** Service-specific credentials: user names and passwords (or keys) for the services that cannot take a signature. */
import { randomBytes } from 'node:crypto'
import type { Call } from '../../../kernel/gate/call.ts'
import type { Conditions } from '../../../kernel/resource/conditions.ts'
import { type Key, under } from '../../../store/store.ts'
import type { SealContext, Sealed } from '../../../vault/sealed-value.ts'
import { Fault } from '../../../wire/fault.ts'
import { listItems } from '../lists.ts'
import { type UserRow, user } from '../resources.ts'
import { userOnly } from '../users/owners.ts'
import { type RootSelf, userNamedOrSelf } from '../users/self.ts'
import { date, iam } from '../words.ts'
import { hangingOf, subordinateKey } from './subordinates.ts'

interface ServiceCredentialRow {
  /** `ACCA…` */
  readonly id: string
  readonly service: Service
  /** The name to sign in with, or the key's alias. */
  readonly name: string
  readonly secret: Sealed
  readonly active: boolean
  readonly createdAt: number
  readonly expiresAt?: number
}

/** Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html */
const services = {
  'codecommit.amazonaws.com': { shape: 'password', ages: false },
  'cassandra.amazonaws.com': { shape: 'password', ages: false },
  'bedrock.amazonaws.com': { shape: 'key', ages: true },
} as const
type Service = keyof typeof services

const PER_SERVICE_MAX = 2
const DAY_MS = 24 * 3600 * 1000

export const createServiceSpecificCredential = iam
  .operation('CreateServiceSpecificCredential')
  .on(user.named('UserName'))
  .conditions((input) => ({ 'iam:ServiceSpecificCredentialServiceName': input.ServiceName }))
  .run(async (call, input, { row: owner }) => {
    const service = serviceNamed(input.ServiceName)
    const days = input.CredentialAgeDays
    if (days !== undefined && !services[service].ages) {
      throw iam.fail('ServiceNotSupportedException', `${service} does not support CredentialAgeDays.`)
    }
    const existing = (await credentialsOf(call, owner)).filter((row) => row.service === service)
    if (existing.length >= PER_SERVICE_MAX) {
      const message = `Cannot exceed quota for ServiceSpecificCredentialsPerUser: ${PER_SERVICE_MAX}`
      throw iam.fail('LimitExceededException', message)
    }

    const id = call.uniqueId('ACCA')
    const secret = newSecret()
    const row: ServiceCredentialRow = {
      id,
      service,
      name: freeName(call, owner, existing),
      secret: call.vault.seal(placeOf(call, id), Buffer.from(secret)),
      active: true,
      createdAt: call.now,
      ...(days !== undefined && { expiresAt: call.now + days * DAY_MS }),
    }
    save(call, owner, row)
    return { ServiceSpecificCredential: { ...shown(call, owner, row), ...shownSecret(row, secret) } }
  })

export const listServiceSpecificCredentials = iam
  .operation('ListServiceSpecificCredentials')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const wanted = input.ServiceName === undefined ? undefined : serviceNamed(input.ServiceName)
    const all = input.AllUsers ? await everyones(call) : await ownersOwn(call, userOnly(self))
    const rows = all.filter(({ row }) => wanted === undefined || row.service === wanted)
    const { items, rest } = await listItems(call, rows, ({ row }) => row.id, input)
    const credentials = items.map(({ owner, row }) => shown(call, owner, row))
    return { ServiceSpecificCredentials: credentials, ...(rest.IsTruncated && rest) }
  })

export const resetServiceSpecificCredential = iam
  .operation('ResetServiceSpecificCredential')
  .on(userNamedOrSelf('UserName'))
  .conditions(serviceOf)
  .run(async (call, input, self) => {
    const owner = userOnly(self)
    const row = await required(call, owner, input.ServiceSpecificCredentialId)
    const secret = newSecret()
    save(call, owner, { ...row, secret: call.vault.seal(placeOf(call, row.id), Buffer.from(secret)) })
    return { ServiceSpecificCredential: { ...shown(call, owner, row), ...shownSecret(row, secret) } }
  })

export const updateServiceSpecificCredential = iam
  .operation('UpdateServiceSpecificCredential')
  .on(userNamedOrSelf('UserName'))
  .conditions(serviceOf)
  .run(async (call, input, self) => {
    const owner = userOnly(self)
    const row = await required(call, owner, input.ServiceSpecificCredentialId)
    if (input.Status === 'Expired') throw new Fault('ValidationError', 'Status must be Active or Inactive.')
    save(call, owner, { ...row, active: input.Status === 'Active' })
    return {}
  })

export const deleteServiceSpecificCredential = iam
  .operation('DeleteServiceSpecificCredential')
  .on(userNamedOrSelf('UserName'))
  .conditions(serviceOf)
  .run(async (call, input, self) => {
    const owner = userOnly(self)
    const row = await required(call, owner, input.ServiceSpecificCredentialId)
    call.unit.delete(rowKey(call, owner, row.id))
    return {}
  })

/** The service of the credential that is named, whether or not the caller may learn that it exists. */
async function serviceOf(
  input: { readonly ServiceSpecificCredentialId: string },
  call: Call,
  self: UserRow | RootSelf | undefined,
): Promise<Conditions> {
  const rows = self && !('root' in self) ? await credentialsOf(call, self) : []
  const row = rows.find(({ id }) => id === input.ServiceSpecificCredentialId)
  return { 'iam:ServiceSpecificCredentialServiceName': row?.service }
}

const newSecret = (): string => randomBytes(33).toString('base64')

function serviceNamed(name: string): Service {
  if (Object.hasOwn(services, name)) return name as Service
  throw iam.fail('NoSuchEntityException', `No such service ${name} is supported for Service Specific Credentials`)
}

/** `ana-at-111122223333`, then `ana+1-at-111122223333`. */
function freeName(call: Call, owner: UserRow, existing: readonly ServiceCredentialRow[]): string {
  const taken = new Set(existing.map((row) => row.name))
  const name = (suffix: string) => `${owner.name}${suffix}-at-${call.account}`
  return taken.has(name('')) ? name('+1') : name('')
}

const rowKey = (call: Call, owner: { readonly id: string }, id: string): Key =>
  subordinateKey(call.account, owner.id, 'service-credential', id)

const placeOf = (call: Call, id: string): SealContext => ({
  table: 'iam/service-credential',
  key: id,
  column: 'secret',
  account: call.account,
})

function save(call: Call, owner: UserRow, row: ServiceCredentialRow): void {
  call.unit.put(rowKey(call, owner, row.id), row)
}

interface Owned {
  readonly owner: UserRow
  readonly row: ServiceCredentialRow
}

async function credentialsOf(call: Call, owner: UserRow): Promise<readonly ServiceCredentialRow[]> {
  const entries = await hangingOf<ServiceCredentialRow>(call, owner.id, 'service-credential')
  return entries.map(({ document }) => document)
}

async function ownersOwn(call: Call, owner: UserRow): Promise<readonly Owned[]> {
  return (await credentialsOf(call, owner)).map((row) => ({ owner, row }))
}

async function everyones(call: Call): Promise<readonly Owned[]> {
  const owners = new Map((await user.list(call.unit, call)).map(({ document }) => [document.id, document]))
  const entries = await call.unit.range<ServiceCredentialRow>(under('iam', 'hangs', call.account))
  return entries.flatMap(({ key, document: row }) => {
    const [, , , ownerId = '', kind] = key.split('/')
    const owner = kind === 'service-credential' ? owners.get(ownerId) : undefined
    return owner ? [{ owner, row }] : []
  })
}

async function required(call: Call, owner: UserRow, id: string): Promise<ServiceCredentialRow> {
  const row = (await credentialsOf(call, owner)).find((each) => each.id === id)
  if (!row) throw iam.fail('NoSuchEntityException', `No such credential ${id} exists`)
  return row
}

function shown(call: Call, owner: UserRow, row: ServiceCredentialRow) {
  const expired = row.expiresAt !== undefined && row.expiresAt <= call.now
  return {
    UserName: owner.name,
    ServiceName: row.service,
    ServiceSpecificCredentialId: row.id,
    Status: expired ? ('Expired' as const) : row.active ? ('Active' as const) : ('Inactive' as const),
    CreateDate: date(row.createdAt),
    ...(row.expiresAt !== undefined && { ExpirationDate: date(row.expiresAt) }),
    ...(services[row.service].shape === 'key' ? { ServiceCredentialAlias: row.name } : { ServiceUserName: row.name }),
  }
}

function shownSecret(row: ServiceCredentialRow, secret: string) {
  return services[row.service].shape === 'key' ? { ServiceCredentialSecret: secret } : { ServicePassword: secret }
}
