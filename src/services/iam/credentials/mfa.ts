/** Virtual MFA devices: created, enabled for a user or for root by two codes in a row, and checked for codes that count once. */
import { randomBytes } from 'node:crypto'
import { qrCodePng } from '../../../engines/qr-code/qr-code.ts'
import {
  base32,
  clockOf,
  type DeviceClock,
  ENROL_REACH,
  RESYNC_REACH,
  SEED_BYTES,
  stepOf,
} from '../../../engines/totp/totp.ts'
import type { Call, Scope } from '../../../kernel/gate/call.ts'
import type { MfaCaller } from '../../../kernel/ports/ports.ts'
import type { Row } from '../../../kernel/resource/facts.ts'
import {
  type GuessableSecret,
  onlineGuessing,
  resetFailures,
  retryText,
  type SecretCheck,
} from '../../../kernel/state/failure-budget.ts'
import type { Reader } from '../../../kernel/state/reader.ts'
import { key, type Unit, under } from '../../../store/store.ts'
import type { SealContext, Sealed } from '../../../vault/sealed-value.ts'
import type { Vault } from '../../../vault/vault.ts'
import { count } from '../counts.ts'
import { listItems } from '../lists.ts'
import { NAME_WITH_PATH, type UserRow, user } from '../resources.ts'
import { shownTags, tagRules } from '../tags.ts'
import { type Owner, ownerOf, ownerShown, userNamedOrRoot } from '../users/owners.ts'
import { type RootSelf, userNamedOrSelf } from '../users/self.ts'
import { date, iam, withinQuota } from '../words.ts'
import { passkeysOf, removePasskey } from './passkeys.ts'
import { hangingOf, subordinateKey } from './subordinates.ts'

export interface MfaDeviceRow extends Row {
  /** Path and name without the first slash: the part after `mfa/` in the serial number. */
  readonly id: string
  /** Sealed to a name of its own, so that a device made again under the old one cannot take over its seed. */
  readonly seed: Sealed
  readonly seedId: string
  /** Undefined until it is enabled. */
  readonly use?: DeviceUse
}

interface DeviceUse {
  /** A user's unique id; the account's number for the root user. */
  readonly ownerId: string
  readonly enabledAt: number
  readonly clock: DeviceClock
}

/** What hangs on the user: the device's id. */
interface Worn {
  readonly id: string
}

export const mfaDevice = iam.resource({
  kind: 'mfa',
  type: 'AWS::IAM::VirtualMFADevice',
  arn: 'arn:${Partition}:iam::${Account}:mfa/${MfaTokenIdWithPath}',
  patterns: { MfaTokenIdWithPath: NAME_WITH_PATH },
  storedPer: 'account',
  idOf: (row: MfaDeviceRow) => ({ MfaTokenIdWithPath: row.id }),
  tags: tagRules('iam:TagMFADevice'),
  faults: {
    notFound: (arn) => noSuchDevice(arn),
    invalidReference: (text) => noSuchDevice(text),
    alreadyExists: () =>
      iam.fail('EntityAlreadyExistsException', 'MFADevice entity at the same path and name already exists.'),
  },
})

/** `arn:aws:iam::111122223333:mfa/path/name` → `path/name`, for serial numbers of this account. */
function idOf(account: string, serial: string): string | undefined {
  const parsed = mfaDevice.form.parse(serial)
  return parsed?.account === account ? parsed.variables.MfaTokenIdWithPath : undefined
}

interface DeviceName {
  readonly Path?: string | undefined
  readonly VirtualMFADeviceName: string
}

const idIn = ({ Path = '/', VirtualMFADeviceName }: DeviceName) => ({
  MfaTokenIdWithPath: `${Path}${VirtualMFADeviceName}`.slice(1),
})

const placeOf = (account: string, row: Pick<MfaDeviceRow, 'seedId'>): SealContext => ({
  table: 'iam/mfa',
  key: row.seedId,
  column: 'seed',
  account,
})

export const createVirtualMfaDevice = iam
  .operation('CreateVirtualMFADevice')
  .on(mfaDevice.created(idIn))
  .run(async (call, _input, { id: { MfaTokenIdWithPath: id }, arn, tags, assertAvailable, create }) => {
    assertAvailable()
    await count(call, 'MFADevices', 1)

    const seed = randomBytes(SEED_BYTES)
    const seedId = call.newId()
    const sealed = call.vault.seal(placeOf(call.account, { seedId }), seed)
    const row = create({ id, seedId, seed: sealed, tags })
    return {
      VirtualMFADevice: {
        SerialNumber: arn,
        Base32StringSeed: Buffer.from(base32(seed)),
        QRCodePNG: qrCodePng(keyUri(id, call.account, base32(seed))),
        ...shownTags(row),
      },
    }
  })

/** What authenticator apps read from a QR code. Source: https://github.com/google/google-authenticator/wiki/Key-Uri-Format */
function keyUri(device: string, account: string, secret: string): string {
  const issuer = encodeURIComponent('Amazon Web Services')
  const label = encodeURIComponent(device.slice(device.lastIndexOf('/') + 1))
  return `otpauth://totp/${issuer}:${label}@${account}?secret=${secret}&issuer=${issuer}`
}

export const deleteVirtualMfaDevice = iam
  .operation('DeleteVirtualMFADevice')
  .on(mfaDevice.named('SerialNumber'))
  .run(async (call, _input, { row, remove }) => {
    if (row.use) throw iam.fail('DeleteConflictException', 'MFA VirtualDevice in use. Must deactivate first.')
    remove()
    resetFailures(call.unit, guessable(call.account, row))
    await count(call, 'MFADevices', -1)
    return {}
  })

export const enableMfaDevice = iam
  .operation('EnableMFADevice')
  .on(userNamedOrRoot('UserName'))
  .run(async (call, input, self) => {
    const owner = ownerOf(call, self)
    const row = await deviceOf(call, input.SerialNumber)
    if (row.use) {
      const message = `MFA Device is already in use by ${row.use.ownerId === owner.id ? 'this user' : 'another user'}.`
      throw iam.fail('EntityAlreadyExistsException', message)
    }
    const worn = await hangingOf(call, owner.id, 'mfa-device')
    const passkeys = await passkeysOf(call.unit, { account: call.account, id: owner.id })
    withinQuota(call, 'MFADevicesPerUser', worn.length + passkeys.length + 1)

    const seed = openSeed(call.vault, call.account, row)
    const clock = await checked(call, row, () => clockOf(seed, codesOf(input), call.now, ENROL_REACH))
    mfaDevice.put(call.unit, call, { ...row, use: { ownerId: owner.id, enabledAt: call.now, clock } })
    call.unit.put(wornKey(call, owner, row), { id: row.id } satisfies Worn)
    await count(call, 'MFADevicesInUse', 1)
    return {}
  })

export const resyncMfaDevice = iam
  .operation('ResyncMFADevice')
  .on(userNamedOrRoot('UserName'))
  .run(async (call, input, self) => {
    const { row } = await wornBy(call, ownerOf(call, self), input.SerialNumber)
    const seed = openSeed(call.vault, call.account, row)
    await checked(call, row, async (unit) => {
      const clock = clockOf(seed, codesOf(input), call.now, RESYNC_REACH)
      return clock && spend(unit, call.account, row, clock)
    })
    return {}
  })

export const deactivateMfaDevice = iam
  .operation('DeactivateMFADevice')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const owner = ownerOf(call, self)
    // A passkey has no seed to keep: deactivating it deletes it, as AWS does with FIDO keys.
    if (await removePasskey(call.unit, { account: call.account, id: owner.id }, input.SerialNumber)) return {}
    const { row } = await wornBy(call, owner, input.SerialNumber)
    const { use: _ended, ...free } = row
    mfaDevice.put(call.unit, call, free)
    call.unit.delete(wornKey(call, owner, row))
    await count(call, 'MFADevicesInUse', -1)
    return {}
  })

export const getMfaDevice = iam
  .operation('GetMFADevice')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const owner = ownerOf(call, self)
    const passkeys = await passkeysOf(call.unit, { account: call.account, id: owner.id })
    const passkey = passkeys.find(({ serialNumber }) => serialNumber === input.SerialNumber)
    if (passkey)
      return { UserName: owner.name, SerialNumber: passkey.serialNumber, EnableDate: date(passkey.enabledAt) }
    const { row, use } = await wornBy(call, owner, input.SerialNumber)
    return { UserName: owner.name, SerialNumber: mfaDevice.arnOf(call, row), EnableDate: date(use.enabledAt) }
  })

export const listMfaDevices = iam
  .operation('ListMFADevices')
  .on(userNamedOrSelf('UserName'))
  .run(async (call, input, self) => {
    const owner = ownerOf(call, self)
    const worn = await hangingOf<Worn>(call, owner.id, 'mfa-device')
    const rows = await Promise.all(
      worn.map(({ document }) => mfaDevice.require(call, { MfaTokenIdWithPath: document.id })),
    )
    const virtual = rows.map((row) => ({
      serialNumber: mfaDevice.arnOf(call, row),
      enabledAt: row.use?.enabledAt ?? 0,
    }))
    const devices = [...virtual, ...(await passkeysOf(call.unit, { account: call.account, id: owner.id }))]
    const { items, rest } = await listItems(call, devices, ({ serialNumber }) => serialNumber, input)
    return {
      MFADevices: items.map(({ serialNumber, enabledAt }) => ({
        UserName: owner.name,
        SerialNumber: serialNumber,
        EnableDate: date(enabledAt),
      })),
      ...rest,
    }
  })

export const listVirtualMfaDevices = iam
  .operation('ListVirtualMFADevices')
  .on(mfaDevice.collection())
  .run(async (call, input, devices) => {
    const wanted = input.AssignmentStatus ?? 'Any'
    const rows = (await devices.all()).filter(
      (row) => wanted === 'Any' || (row.use !== undefined) === (wanted === 'Assigned'),
    )
    const { items, rest } = await listItems(call, rows, (row) => row.id, input)
    return { VirtualMFADevices: await Promise.all(items.map((row) => shownVirtual(call, row))), ...rest }
  })

async function shownVirtual(call: Call, row: MfaDeviceRow) {
  const wearer = row.use && (await wearerOf(call, row.use.ownerId))
  return {
    SerialNumber: mfaDevice.arnOf(call, row),
    ...(row.use && { EnableDate: date(row.use.enabledAt) }),
    ...(wearer && { User: ownerShown(call, wearer) }),
  }
}

async function wearerOf(call: Call, ownerId: string): Promise<UserRow | RootSelf | undefined> {
  if (ownerId !== call.account) {
    const named = await call.unit.get<{ name: string }>(key('iam', 'user-id', call.account, ownerId))
    return named && user.get(call.unit, call, named)
  }
  const identity = await call.ports.identity.identity(call.account, { kind: 'root' })
  const arn = `arn:${call.partition}:iam::${call.account}:root`
  return {
    root: { Path: '/', UserName: 'root', UserId: call.account, Arn: arn, CreateDate: date(identity?.createdAt ?? 0) },
  }
}

/** Whether an MFA device protects the root user. */
export async function rootHasMfa(call: Call): Promise<boolean> {
  const owner = { account: call.account, id: call.account }
  return (await hangingOf(call, call.account, 'mfa-device')).length + (await passkeysOf(call.unit, owner)).length > 0
}

/** The enabled virtual devices of a user, or of root by the account's number. */
export async function devicesOf(reader: Reader, account: string, ownerId: string) {
  const worn = await reader.range<Worn>(under('iam', 'hangs', account, ownerId, 'mfa-device'))
  const scope = { ...globalScope, account }
  const rows = await Promise.all(
    worn.map(({ document }) => mfaDevice.get(reader, scope, { MfaTokenIdWithPath: document.id })),
  )
  return rows.flatMap((row) =>
    row?.use ? [{ serialNumber: mfaDevice.arnOf(scope, row), enabledAt: row.use.enabledAt }] : [],
  )
}

/** Checks a code of the named device of the caller within its failure budget, and spends it durably. */
export async function verifyMfa(
  { account, caller: { subject }, now, checkSecret }: MfaCaller,
  reader: Reader,
  vault: Vault,
  serial: string,
  code: string,
): Promise<SecretCheck<true>> {
  const ownerId = subject.kind === 'user' ? subject.id : subject.kind === 'root' ? account : undefined
  const id = idOf(account, serial)
  if (ownerId === undefined || id === undefined) return { outcome: 'wrong' }
  const row = await mfaDevice.get(reader, { ...globalScope, account }, { MfaTokenIdWithPath: id })
  // Only its owner spends a device's budget.
  if (row?.use?.ownerId !== ownerId) return { outcome: 'wrong' }

  const { clock } = row.use
  const seed = openSeed(vault, account, row)
  return checkSecret(guessable(account, row), async (unit) => {
    const spent = stepOf(seed, code, now, clock)
    return spent === undefined ? undefined : spend(unit, account, row, { ...clock, spent })
  })
}

/** The device as its budget counts it: a device that is created again has another seed and a budget of its own. */
const guessable = (account: string, row: MfaDeviceRow): GuessableSecret => ({
  account,
  kind: 'mfa-device',
  id: row.seedId,
  arn: mfaDevice.arnOf({ ...globalScope, account }, row),
  type: mfaDevice.spec.type,
  policy: onlineGuessing,
})

/**
 * Moves the device's clock to a code that was just found correct. Codes of the past never count again, whatever the
 * device's clock says: of two calls with one code only one commits.
 */
async function spend(unit: Unit, account: string, seen: MfaDeviceRow, clock: DeviceClock): Promise<true | undefined> {
  const at = mfaDevice.key({ ...globalScope, account }, { MfaTokenIdWithPath: seen.id })
  const row = await unit.get<MfaDeviceRow>(at)
  if (row?.seedId !== seen.seedId || row.use?.ownerId !== seen.use?.ownerId) return undefined
  if (row.use === undefined || clock.spent <= row.use.clock.spent) return undefined
  unit.put(at, { ...row, use: { ...row.use, clock } } satisfies MfaDeviceRow)
  return true
}

/** What two codes in a row prove, within the device's failure budget. */
async function checked<T>(
  call: Call,
  row: MfaDeviceRow,
  compare: (unit: Unit) => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const result = await call.checkSecret(guessable(call.account, row), compare)
  if (result.outcome === 'correct') return result.value
  throw wrongCode(result.outcome === 'refused' ? retryText(result.retryAfterMs) : undefined)
}

const globalScope: Omit<Scope, 'account'> = { partition: 'aws', region: '' }

function openSeed(vault: Vault, account: string, row: MfaDeviceRow): Buffer {
  return vault.open(placeOf(account, row), row.seed)
}

const wornKey = (call: Call, owner: Owner, row: MfaDeviceRow) =>
  subordinateKey(call.account, owner.id, 'mfa-device', row.id)

async function deviceOf(call: Call, serial: string): Promise<MfaDeviceRow> {
  const id = idOf(call.account, serial)
  const row = id === undefined ? undefined : await mfaDevice.get(call.unit, call, { MfaTokenIdWithPath: id })
  if (!row) throw noSuchDevice(serial)
  return row
}

async function wornBy(call: Call, owner: Owner, serial: string): Promise<{ row: MfaDeviceRow; use: DeviceUse }> {
  const row = await deviceOf(call, serial)
  if (row.use?.ownerId !== owner.id) {
    throw iam.fail('NoSuchEntityException', `MFA Device with serial number ${serial} is not assigned to ${owner.name}.`)
  }
  return { row, use: row.use }
}

const codesOf = (input: { readonly AuthenticationCode1: string; readonly AuthenticationCode2: string }) =>
  [input.AuthenticationCode1, input.AuthenticationCode2] as const

function noSuchDevice(serial: string) {
  return iam.fail('NoSuchEntityException', `VirtualMFADevice with serial number ${serial} doesn't exist.`)
}

function wrongCode(message = 'Authentication code for device is not valid.') {
  return iam.fail('InvalidAuthenticationCodeException', message)
}
