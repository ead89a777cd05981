/** Devices: enrollment, codes that count once, clocks that run wrong. */
import { createHmac } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { STEP_MS } from '../../../engines/totp/totp.ts'
import type { Subject } from '../../../kernel/gate/session.ts'
import { account, type Desk, desk } from '../desk.fixture.ts'
import type { UserRow } from '../resources.ts'
import {
  createVirtualMfaDevice,
  deactivateMfaDevice,
  deleteVirtualMfaDevice,
  enableMfaDevice,
  getMfaDevice,
  listMfaDevices,
  listVirtualMfaDevices,
  resyncMfaDevice,
  rootHasMfa,
  verifyMfa,
} from './mfa.ts'

/** An independent reading of the seed that was shown. */
function codeShown(seedText: string, nowMs: number, steps = 0): string {
  const bits = [...seedText]
    .map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0'))
    .join('')
  const seed = Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeUInt32BE(Math.floor(nowMs / 30_000) + steps, 4)
  const mac = createHmac('sha1', seed).update(counter).digest()
  const number = mac.readUInt32BE(mac[19]! & 15) & 0x7fffffff
  return `000000${number}`.slice(-6)
}

describe('devices', () => {
  let it: Desk
  let ana: UserRow
  let seed: string
  const serial = `arn:aws:iam::${account}:mfa/ana`
  const code = (steps: number) => codeShown(seed, it.now, steps)
  const codes = (first: number, second: number) => ({
    UserName: 'ana',
    SerialNumber: serial,
    AuthenticationCode1: code(first),
    AuthenticationCode2: code(second),
  })
  const verify = (given: string, subject: Subject = { kind: 'user', name: 'ana', id: ana.id }) =>
    it.within(async (call) => {
      const checked = await verifyMfa({ ...call, caller: { subject } }, call.unit, call.vault, serial, given)
      return checked.outcome === 'correct'
    })

  beforeEach(async () => {
    it = await desk()
    ana = await it.addUser('ana')
    const made = await it.run(createVirtualMfaDevice, { VirtualMFADeviceName: 'ana' })
    const device = made['VirtualMFADevice'] as { SerialNumber: string; Base32StringSeed: Uint8Array }
    expect(device.SerialNumber).toBe(serial)
    seed = Buffer.from(device.Base32StringSeed).toString()
  })

  test('a seed has 64 characters and is never stored open', async () => {
    expect(seed).toMatch(/^[A-Z2-7]{64}$/)

    expect(await it.stored()).not.toContain(seed)
    expect(JSON.stringify(await it.run(listVirtualMfaDevices, {}))).not.toContain('Seed')
  })

  test('a second device of the same path and name is refused', async () => {
    await expect(it.run(createVirtualMfaDevice, { VirtualMFADeviceName: 'ana' })).rejects.toMatchObject({
      code: 'EntityAlreadyExistsException',
    })
    await it.run(createVirtualMfaDevice, { VirtualMFADeviceName: 'ana', Path: '/people/' })
  })

  test('two codes in a row enrol it', async () => {
    await it.run(enableMfaDevice, codes(-1, 0))

    expect(await it.run(listMfaDevices, { UserName: 'ana' })).toMatchObject({
      MFADevices: [{ UserName: 'ana', SerialNumber: serial, EnableDate: new Date(it.now) }],
    })
    expect(await it.run(listVirtualMfaDevices, { AssignmentStatus: 'Assigned' })).toMatchObject({
      VirtualMFADevices: [{ SerialNumber: serial, User: { UserName: 'ana', UserId: ana.id } }],
    })
    expect(await it.run(listVirtualMfaDevices, { AssignmentStatus: 'Unassigned' })).toMatchObject({
      VirtualMFADevices: [],
    })
    expect(await it.run(getMfaDevice, { SerialNumber: serial, UserName: 'ana' })).toMatchObject({ UserName: 'ana' })
  })

  test.each([
    ['the same code twice', 0, 0],
    ['codes that are not in a row', -1, 1],
    ['codes in the wrong order', 0, -1],
    ['codes of long ago', -4, -3],
    ['codes of the future', 2, 3],
  ])('%s do not enrol it', async (_what, first, second) => {
    await expect(it.run(enableMfaDevice, codes(first, second))).rejects.toMatchObject({
      code: 'InvalidAuthenticationCodeException',
    })
  })

  test('a code counts once, and those of enrolment have counted', async () => {
    await it.run(enableMfaDevice, codes(-1, 0))

    expect(await verify(code(0))).toBe(false)
    expect(await verify(code(1))).toBe(true)
    expect(await verify(code(1))).toBe(false)
    it.now += 2 * STEP_MS
    expect(await verify(code(-1))).toBe(false)
    expect(await verify(code(0))).toBe(true)
  })

  test('a code is good one step late, not two', async () => {
    await it.run(enableMfaDevice, codes(-1, 0))

    it.now += 10 * STEP_MS
    expect(await verify(code(-2))).toBe(false)
    expect(await verify(code(2))).toBe(false)
    expect(await verify(code(-1))).toBe(true)
  })

  test('a code of the right device is worth nothing to another user, or to root', async () => {
    await it.run(enableMfaDevice, codes(-1, 0))
    it.now += 3 * STEP_MS

    expect(await verify(code(0), { kind: 'user', name: 'ana', id: 'AIDAANOTHER' })).toBe(false)
    const asRoot = it.within((call) => verifyMfa(call, call.unit, call.vault, serial, code(0)))
    expect(await asRoot).toEqual({ outcome: 'wrong' })
    expect(await verify(code(0))).toBe(true)
  })

  test('a device whose clock runs wrong is accepted again after resynchronization', async () => {
    await it.run(enableMfaDevice, codes(-1, 0))
    it.now += 100 * STEP_MS
    expect(await verify(code(10))).toBe(false)

    await it.run(resyncMfaDevice, codes(10, 11))

    expect(await verify(code(11))).toBe(false)
    it.now += STEP_MS
    expect(await verify(code(11))).toBe(true)
  })

  test('resynchronisation does not bring spent codes back', async () => {
    await it.run(enableMfaDevice, codes(-1, 0))

    await expect(it.run(resyncMfaDevice, codes(-1, 0))).rejects.toMatchObject({
      code: 'InvalidAuthenticationCodeException',
    })
  })

  test('a device in use is neither deleted nor assigned again; deactivated, it is', async () => {
    await it.run(enableMfaDevice, codes(-1, 0))
    await expect(it.run(deleteVirtualMfaDevice, { SerialNumber: serial })).rejects.toMatchObject({
      code: 'DeleteConflictException',
    })
    await expect(it.run(enableMfaDevice, codes(-1, 0))).rejects.toMatchObject({ code: 'EntityAlreadyExistsException' })

    await it.run(deactivateMfaDevice, { UserName: 'ana', SerialNumber: serial })

    expect(await verify(code(1))).toBe(false)
    expect(await it.run(listMfaDevices, { UserName: 'ana' })).toMatchObject({ MFADevices: [] })
    await it.run(deleteVirtualMfaDevice, { SerialNumber: serial })
    expect(await it.run(listVirtualMfaDevices, {})).toMatchObject({ VirtualMFADevices: [] })
    await expect(it.run(deleteVirtualMfaDevice, { SerialNumber: serial })).rejects.toMatchObject({
      code: 'NoSuchEntityException',
    })
  })

  test('another user cannot deactivate it', async () => {
    await it.addUser('bob')
    await it.run(enableMfaDevice, codes(-1, 0))

    await expect(it.run(deactivateMfaDevice, { UserName: 'bob', SerialNumber: serial })).rejects.toMatchObject({
      code: 'NoSuchEntityException',
    })
  })

  test('root enrols one by the name root', async () => {
    expect(await it.within(rootHasMfa)).toBe(false)

    await it.run(enableMfaDevice, { ...codes(-1, 0), UserName: 'root' })

    expect(await it.within(rootHasMfa)).toBe(true)
    await expect(it.run(enableMfaDevice, { ...codes(-1, 0), UserName: 'root' }, 'ana')).rejects.toMatchObject({
      code: 'NoSuchEntityException',
    })
  })

  test('a serial number of another account names nothing here', async () => {
    const foreign = serial.replace(account, '999988887777')

    await expect(it.run(enableMfaDevice, { ...codes(-1, 0), SerialNumber: foreign })).rejects.toMatchObject({
      code: 'NoSuchEntityException',
    })
  })
})
