/** Guessing a secret through the whole gate: one-time codes and passwords, in every operation that checks one. */
import {
  ChangePasswordCommand,
  CreateAccessKeyCommand,
  CreateLoginProfileCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  IAMClient,
  PutUserPolicyCommand,
  ResyncMFADeviceCommand,
  UpdateLoginProfileCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts'
import { beforeEach, describe, expect, test } from 'vitest'
import { codeAt, STEP_MS, stepAt } from '../src/engines/totp/totp.ts'
import { MovableClock } from '../src/kernel/state/clock.ts'
import { openCloud } from '../src/server/compose/cloud.ts'
import { openStore } from '../src/store/sqlite.ts'
import type { Store } from '../src/store/store.ts'
import { ephemeralUnsealed } from '../src/vault/ephemeral.ts'
import { ACCOUNT, allowing, type Keys } from './cloud.ts'
import { throughGate } from './through-gate.ts'

const serial = `arn:aws:iam::${ACCOUNT}:mfa/ana`
const WRONG = 'MultiFactorAuthentication failed with invalid MFA one time pass code.'
const PASSWORD = 'Correct-horse-1'

let world: Awaited<ReturnType<typeof twoNodes>>
beforeEach(async () => {
  world = await twoNodes()
})

/** Two nodes on one store, and a user with a device of which the test knows the seed. */
async function twoNodes() {
  const store = await openStore({ file: ':memory:' })
  const shared = new Proxy<Store>(store, {
    get: (target, name) => {
      if (name === 'shared') return true
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  // Stopped: on a busy machine seconds pass between two calls, in which budgets recover and codes become old.
  const clock = new MovableClock(Date.now())
  const keys = ephemeralUnsealed()
  // Each node wipes its own copy of the root key.
  const unsealed = () => ({ ...keys, rootKey: Buffer.from(keys.rootKey) })
  const nodes = [
    await openCloud({ store: shared, unsealed: unsealed(), clock }),
    await openCloud({ store: shared, unsealed: unsealed(), clock }),
  ] as const
  const root = await nodes[0].addAccount({ id: ACCOUNT, name: 'test' })
  // biome-ignore lint/suspicious/noExplicitAny: any SDK client.
  const client = <C>(Client: new (config: any) => C, credentials: Keys, node: 0 | 1 = 0): C =>
    new Client({
      region: 'us-east-1',
      credentials,
      endpoint: 'http://localhost',
      maxAttempts: 1,
      systemClockOffset: clock.now() - Date.now(),
      requestHandler: throughGate(nodes[node].gate),
    })
  const iam = client(IAMClient, root)
  const createUser = async (UserName: string): Promise<Keys> => {
    await iam.send(new CreateUserCommand({ UserName }))
    const everything = allowing({ Action: '*', Resource: '*' })
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'all', PolicyDocument: everything }))
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
    return { accessKeyId: AccessKey!.AccessKeyId!, secretAccessKey: AccessKey!.SecretAccessKey! }
  }
  const ana = await createUser('ana')
  const { VirtualMFADevice } = await iam.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'ana' }))
  const seed = fromBase32(Buffer.from(VirtualMFADevice!.Base32StringSeed!).toString())
  const code = (steps = 0) => codeAt(seed, stepAt(clock.now()) + steps)
  const wrongCode = () =>
    (['111111', '222222', '333333', '444444'] as const).find((each) => ![-1, 0, 1].map(code).includes(each))!
  const pair = (first: string, second: string) => ({
    UserName: 'ana',
    SerialNumber: serial,
    AuthenticationCode1: first,
    AuthenticationCode2: second,
  })
  return { store, clock, client, iam, ana, createUser, code, wrongCode, pair, nodes }
}

function fromBase32(text: string): Buffer {
  const bits = [...text].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  return Buffer.from(bits.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)))
}

const message = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'OK',
    (error: Error) => error.message,
  )

const session = (TokenCode: string, node: 0 | 1 = 0, as = world.ana) =>
  message(world.client(STSClient, as, node).send(new GetSessionTokenCommand({ SerialNumber: serial, TokenCode })))

async function enable(): Promise<void> {
  const { iam, pair, code, clock } = world
  await iam.send(new EnableMFADeviceCommand(pair(code(-1), code(0))))
  clock.advance(2 * STEP_MS)
}

describe('one-time codes', () => {
  test('45 seconds of guessing on both nodes compare eleven codes at most, and then the right one is refused', async () => {
    await enable()
    const answers: string[] = []
    for (let i = 0; i < 45; i++) {
      const { wrongCode } = world
      answers.push(...(await Promise.all([0, 1, 0, 1].map((node) => session(wrongCode(), node as 0 | 1)))))
      world.clock.advance(1_000)
    }

    expect(answers.filter((each) => each === WRONG).length).toBeLessThanOrEqual(11)
    expect(new Set(answers.map((each) => each.replace(/\d+/, 'N').replace('second.', 'seconds.')))).toEqual(
      new Set([WRONG, 'MultiFactorAuthentication failed. Too many failed attempts. Try again in N seconds.']),
    )
    expect(await session(world.code(), 1)).toMatch(/Too many failed attempts/)
  })

  test('parallel guesses are compared one by one', async () => {
    await enable()
    const guesses = Array.from({ length: 40 }, (_each, i) => session(world.wrongCode(), (i % 2) as 0 | 1))
    const answers = await Promise.all(guesses)

    expect(answers.filter((each) => each === WRONG)).toHaveLength(6)
  })

  test('the right code after a few wrong ones opens a session, and all of the budget is there again', async () => {
    await enable()
    for (let i = 0; i < 5; i++) expect(await session(world.wrongCode())).toBe(WRONG)
    expect(await session(world.code())).toBe('OK')
    for (let i = 0; i < 6; i++) expect(await session(world.wrongCode(), 1)).toBe(WRONG)
  })

  test('a code counts once, also when two nodes see it at the same time or the call is denied in the end', async () => {
    await enable()
    expect((await Promise.all([session(world.code(), 0), session(world.code(), 1)])).sort()).toEqual([WRONG, 'OK'])

    world.clock.advance(STEP_MS)
    const assume = new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${ACCOUNT}:role/none`,
      RoleSessionName: 'ana',
      SerialNumber: serial,
      TokenCode: world.code(),
    })
    expect(await message(world.client(STSClient, world.ana).send(assume))).toMatch(/not authorized/)
    expect(await session(world.code())).toBe(WRONG)
  })

  test('AssumeRole, EnableMFADevice and ResyncMFADevice share the budget of the device', async () => {
    const { iam, pair, code, wrongCode } = world
    for (let i = 0; i < 6; i++) {
      expect(await message(iam.send(new EnableMFADeviceCommand(pair(wrongCode(), wrongCode()))))).toMatch(/not valid/)
    }
    const refused = await message(iam.send(new EnableMFADeviceCommand(pair(code(-1), code(0)))))
    expect(refused).toBe('Too many failed attempts. Try again in 1 second.')

    world.clock.advance(1_000)
    await enable()
    const RoleArn = `arn:aws:iam::${ACCOUNT}:role/none`
    const assume = () => {
      const input = { RoleArn, RoleSessionName: 'ana', SerialNumber: serial, TokenCode: wrongCode() }
      return message(world.client(STSClient, world.ana).send(new AssumeRoleCommand(input)))
    }
    for (let i = 0; i < 6; i++) expect(await assume()).toBe(WRONG)
    expect(await assume()).toMatch(/Too many failed attempts/)
    expect(await message(iam.send(new ResyncMFADeviceCommand(pair(code(0), code(1)))))).toMatch(/Too many failed/)
    expect(await session(code())).toMatch(/Too many failed attempts/)
  })

  test("another user cannot spend the device's budget", async () => {
    await enable()
    const bob = await world.createUser('bob')
    for (let i = 0; i < 20; i++) expect(await session(world.wrongCode(), 0, bob)).toBe(WRONG)

    expect(await session(world.code())).toBe('OK')
  })

  test('an exhausted budget is in the audit log, and the device works again after the wait', async () => {
    await enable()
    let waited = 0
    for (let i = 0; i < 18; i++) {
      let answer = await session(world.wrongCode())
      const [, seconds] = /in (\d+) second/.exec(answer) ?? []
      if (seconds === undefined) continue
      world.clock.advance(Number(seconds) * 1_000)
      waited += Number(seconds)
      answer = await session(world.wrongCode())
      expect(answer).toBe(WRONG)
    }

    const log = await world.store.log({ account: ACCOUNT, limit: 1_000 })
    expect(log.filter(({ body }) => body.includes('FailureBudgetExhausted'))).toHaveLength(1)
    expect(waited).toBeGreaterThan(4_000)
    world.clock.advance(60 * 60_000)
    expect(await session(world.code())).toBe('OK')
  })
})

test('the old password cannot be guessed, and an administrator who sets a new one resets the budget', async () => {
  const { iam, ana, client } = world
  await iam.send(new CreateLoginProfileCommand({ UserName: 'ana', Password: PASSWORD }))
  const change = (OldPassword: string, NewPassword = 'Another-horse-2') =>
    message(client(IAMClient, ana).send(new ChangePasswordCommand({ OldPassword, NewPassword })))

  for (let i = 0; i < 6; i++) expect(await change(`Wrong-horse-${i}`)).toBe('The old password was incorrect.')
  expect(await change(PASSWORD)).toBe('Too many failed attempts. Try again in 1 second.')

  await iam.send(new UpdateLoginProfileCommand({ UserName: 'ana', Password: 'Fresh-horse-3' }))
  expect(await change('Fresh-horse-3')).toBe('OK')
})
