/** Devices that users sign in with: remembered ones prove themselves in place of a second factor. */
import type { DeviceType } from '@aws-sdk/client-cognito-identity-provider'
import type { SrpVerifier } from '../../engines/srp/srp.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { page } from '../../kernel/service/page.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { under } from '../../store/store.ts'
import type { Sealed } from '../../vault/sealed-value.ts'
import { accessToken, BY_TOKEN, self } from './access-token.ts'
import { at, cognito, type Flow, invalidParameter, notFound, type PoolRow, poolNamed, sealedAt } from './resources.ts'
import { requireUser, type UserRow } from './user-rows.ts'

/** Of one user. Ours: AWS documents none. */
const DEVICES_MAX = 100
const PAGE = 60

export interface DeviceRow {
  readonly key: string
  /** The SRP verifier of the device's secret. */
  readonly verifier: Sealed
  readonly name?: string | undefined
  readonly isRemembered: boolean
  readonly createdAt: number
  readonly modifiedAt: number
  readonly usedAt: number
  readonly address?: string | undefined
}

const placeOf = (pool: PoolRow, user: UserRow, key: string) => sealedAt(pool, 'device', `${pool.id}/${user.sub}/${key}`)

export const deviceOf = (
  reader: Reader,
  pool: PoolRow,
  user: Pick<UserRow, 'sub'>,
  key: string,
): Promise<DeviceRow | undefined> => reader.get<DeviceRow>(at.device(pool.id, user.sub, key))

export const deviceMissing = () => notFound('Device does not exist.')

async function requireDevice(reader: Reader, pool: PoolRow, user: UserRow, key: string): Promise<DeviceRow> {
  const row = await deviceOf(reader, pool, user, key)
  if (!row) throw deviceMissing()
  return row
}

export const deviceVerifier = (
  vault: Pick<Flow['vault'], 'open'>,
  pool: PoolRow,
  user: UserRow,
  row: DeviceRow,
): SrpVerifier => JSON.parse(vault.open(placeOf(pool, user, row.key), row.verifier).toString('utf8')) as SrpVerifier

const shown = (row: DeviceRow): DeviceType => ({
  DeviceKey: row.key,
  DeviceAttributes: [
    { Name: 'device_status', Value: 'valid' },
    { Name: 'device_name', Value: row.name ?? '' },
    { Name: 'dev:device_remembered_status', Value: row.isRemembered ? 'remembered' : 'not_remembered' },
    ...(row.address === undefined ? [] : [{ Name: 'last_ip_used', Value: row.address }]),
  ],
  DeviceCreateDate: new Date(row.createdAt),
  DeviceLastModifiedDate: new Date(row.modifiedAt),
  DeviceLastAuthenticatedDate: new Date(row.usedAt),
})

const hexOf = (base64: string): string | undefined => {
  const bytes = Buffer.from(base64, 'base64')
  return bytes.length > 0 && bytes.length <= 1024 ? bytes.toString('hex') : undefined
}

export const confirmDevice = cognito
  .operation('ConfirmDevice')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, user } = await self(call)
    const settings = pool.settings.DeviceConfiguration
    if (!settings) throw invalidParameter('Device tracking is not enabled for the user pool.')
    // A token confirms the device that it was issued to.
    if (input.DeviceKey !== call.bearer.claims.deviceKey) throw invalidParameter('Invalid device key given.')
    if (await deviceOf(call.unit, pool, user, input.DeviceKey))
      throw cognito.fail('DeviceKeyExistsException', 'Device already exists.')
    const { PasswordVerifier = '', Salt = '' } = input.DeviceSecretVerifierConfig ?? {}
    const verifier = hexOf(PasswordVerifier)
    const salt = hexOf(Salt)
    if (verifier === undefined || salt === undefined) throw invalidParameter('DeviceSecretVerifierConfig is not valid.')
    const known = await call.unit.range(under('cognito-idp', 'device', pool.id, user.sub), { limit: DEVICES_MAX })
    if (known.length >= DEVICES_MAX)
      throw cognito.fail('LimitExceededException', 'The user has as many devices as a user may.')
    const isPrompted = settings.DeviceOnlyRememberedOnUserPrompt === true
    const row: DeviceRow = {
      key: input.DeviceKey,
      verifier: call.vault.seal(
        placeOf(pool, user, input.DeviceKey),
        Buffer.from(JSON.stringify({ salt, verifier } satisfies SrpVerifier)),
      ),
      name: input.DeviceName,
      isRemembered: !isPrompted,
      createdAt: call.now,
      modifiedAt: call.now,
      usedAt: call.now,
    }
    call.unit.put(at.device(pool.id, user.sub, row.key), row)
    return { UserConfirmationNecessary: isPrompted }
  })

async function setStatus(
  call: Pick<Call, 'unit' | 'now'>,
  pool: PoolRow,
  user: UserRow,
  key: string,
  status: string | undefined,
): Promise<void> {
  const row = await requireDevice(call.unit, pool, user, key)
  call.unit.put(at.device(pool.id, user.sub, key), {
    ...row,
    isRemembered: status === 'remembered',
    modifiedAt: call.now,
  })
}

export const updateDeviceStatus = cognito
  .operation('UpdateDeviceStatus')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, user } = await self(call)
    await setStatus(call, pool, user, input.DeviceKey, input.DeviceRememberedStatus)
    return {}
  })

export const adminUpdateDeviceStatus = cognito
  .operation('AdminUpdateDeviceStatus')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const user = await requireUser(call.unit, row, input.Username)
    await setStatus(call, row, user, input.DeviceKey, input.DeviceRememberedStatus)
    return {}
  })

export const getDevice = cognito
  .operation('GetDevice')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, user } = await self(call)
    return { Device: shown(await requireDevice(call.unit, pool, user, input.DeviceKey)) }
  })

export const adminGetDevice = cognito
  .operation('AdminGetDevice')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    const user = await requireUser(call.unit, row, input.Username)
    return { Device: shown(await requireDevice(call.unit, row, user, input.DeviceKey)) }
  })

async function forget(call: Pick<Call, 'unit'>, pool: PoolRow, user: UserRow, key: string): Promise<void> {
  await requireDevice(call.unit, pool, user, key)
  call.unit.delete(at.device(pool.id, user.sub, key))
}

export const forgetDevice = cognito
  .operation('ForgetDevice')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, user } = await self(call)
    await forget(call, pool, user, input.DeviceKey)
    return {}
  })

export const adminForgetDevice = cognito
  .operation('AdminForgetDevice')
  .on(poolNamed)
  .run(async (call, input, { row }) => {
    await forget(call, row, await requireUser(call.unit, row, input.Username), input.DeviceKey)
    return {}
  })

async function list(call: Call, pool: PoolRow, user: UserRow, token: string | undefined, limit: number | undefined) {
  const { items, next } = await page<DeviceRow>(
    call,
    (after, size) => call.unit.range(under('cognito-idp', 'device', pool.id, user.sub), { after, limit: size }),
    { token, size: limit ?? PAGE, query: [pool.id, user.sub], bad: () => invalidParameter('Invalid pagination token') },
  )
  return { Devices: items.map(shown), ...(next !== undefined && { PaginationToken: next }) }
}

export const listDevices = cognito
  .operation('ListDevices')
  .bearer(accessToken)
  .withoutPermission(BY_TOKEN)
  .run(async (call, input) => {
    const { pool, user } = await self(call)
    return list(call, pool, user, input.PaginationToken, input.Limit)
  })

export const adminListDevices = cognito
  .operation('AdminListDevices')
  .on(poolNamed)
  .run(async (call, input, { row }) =>
    list(call, row, await requireUser(call.unit, row, input.Username), input.PaginationToken, input.Limit),
  )
