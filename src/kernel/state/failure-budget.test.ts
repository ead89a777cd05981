/** Failure budgets: delays that grow, parallel guesses, resets, restarts, the event of an exhausted budget. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import { checkSecret, delayMs, type GuessableSecret, onlineGuessing, resetFailures } from './failure-budget.ts'

const ACCOUNT = '111122223333'
const secret: GuessableSecret = {
  account: ACCOUNT,
  kind: 'mfa-device',
  id: 'seed-1',
  arn: `arn:aws:iam::${ACCOUNT}:mfa/ana`,
  type: 'AWS::IAM::VirtualMFADevice',
  policy: { free: 3, delayMs: 1_000, maxMs: 8_000 },
}
const region = 'us-east-1'

let folder: string
let store: Store
let now: number
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'merlon-budget-'))
  store = await openStore({ file: join(folder, 'merlon.db') })
  now = Date.UTC(2026, 0, 1)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const guess = (answer: boolean, of = secret) =>
  checkSecret(store, of, { now, region }, () => (answer ? 'opened' : undefined))

const events = async () =>
  (await store.log({ account: ACCOUNT, limit: 100 })).map(({ body }) => JSON.parse(body) as Record<string, unknown>)

/** Guesses wrong, waiting as long as it takes each time. */
async function fail(times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const checked = await guess(false)
    if (checked.outcome !== 'refused') continue
    now += checked.retryAfterMs
    expect(await guess(false)).toEqual({ outcome: 'wrong' })
  }
}

test.each([
  [0, 0],
  [3, 0],
  [4, 1_000],
  [5, 2_000],
  [7, 8_000],
  [8, 8_000],
  [5_000, 8_000],
])('after %i failures a secret waits %i ms', (failures, wait) => {
  expect(delayMs(secret.policy, failures)).toBe(wait)
})

test('a secret that waits is not compared, and neither refusal nor waiting counts', async () => {
  await fail(4)

  expect(await guess(true)).toEqual({ outcome: 'refused', retryAfterMs: 1_000 })
  now += 999
  expect(await guess(true)).toEqual({ outcome: 'refused', retryAfterMs: 1 })
  now += 1
  expect(await guess(true)).toEqual({ outcome: 'correct', value: 'opened' })
})

test('a correct answer resets the count', async () => {
  await fail(3)
  await guess(true)

  for (let i = 0; i < 4; i++) expect(await guess(false)).toEqual({ outcome: 'wrong' })
  expect(await guess(false)).toMatchObject({ outcome: 'refused' })
})

test('parallel guesses cost the same as guesses one after another', async () => {
  const outcomes = await Promise.all(Array.from({ length: 50 }, () => guess(false)))

  expect(outcomes.filter(({ outcome }) => outcome === 'wrong')).toHaveLength(4)
  expect(outcomes.filter(({ outcome }) => outcome === 'refused')).toHaveLength(46)
})

test('each secret has a budget of its own', async () => {
  await fail(4)

  expect(await guess(true, { ...secret, id: 'seed-2' })).toMatchObject({ outcome: 'correct' })
  expect(await guess(true, { ...secret, kind: 'password' })).toMatchObject({ outcome: 'correct' })
  expect(await guess(true, { ...secret, account: '444455556666' })).toMatchObject({ outcome: 'correct' })
})

test('a restart keeps the count', async () => {
  await fail(4)
  await store.close()
  store = await openStore({ file: join(folder, 'merlon.db') })

  expect(await guess(true)).toEqual({ outcome: 'refused', retryAfterMs: 1_000 })
})

test('a failure that could not be compared counts: the charge comes first', async () => {
  for (let i = 0; i < 4; i++) {
    await expect(
      checkSecret(store, secret, { now, region }, () => Promise.reject(new Error('the process died'))),
    ).rejects.toThrow()
  }

  expect(await guess(true)).toMatchObject({ outcome: 'refused' })
})

test('a replaced secret starts with a full budget', async () => {
  await fail(4)
  await store.run((unit) => resetFailures(unit, secret))

  expect(await guess(true)).toMatchObject({ outcome: 'correct' })
})

test('an exhausted budget is reported once, and again after a reset', async () => {
  await fail(6)
  expect(await events()).toEqual([])
  await fail(3)
  expect(await events()).toMatchObject([
    {
      eventName: 'FailureBudgetExhausted',
      eventSource: 'merlon.local',
      eventType: 'AwsServiceEvent',
      resources: [{ ARN: secret.arn, type: secret.type, accountId: ACCOUNT }],
      serviceEventDetails: { secret: 'mfa-device', failures: 7, refusedForSeconds: 8 },
    },
  ])
  now += 8_000
  await guess(true)
  await fail(7)

  expect(await events()).toHaveLength(2)
})

describe('the policy for codes and passwords', () => {
  test('compares 18 guesses in two hours, then one an hour', async () => {
    const coded = { ...secret, policy: onlineGuessing }
    const hourMs = 60 * 60_000
    const compared: number[] = []
    const start = now
    while (now < start + 12 * hourMs) {
      const checked = await guess(false, coded)
      if (checked.outcome === 'refused') now += checked.retryAfterMs
      else compared.push(now - start)
    }

    expect(compared.filter((at) => at <= 45_000).length).toBeLessThanOrEqual(11)
    expect(compared.filter((at) => at <= 2 * hourMs).length).toBeLessThanOrEqual(18)
    expect(compared.length).toBeLessThanOrEqual(29)
  })
})

/** The same data as another node sees it: with turns of its own, and conflicts that the store decides. */
const node = (): Store =>
  new Proxy(store, {
    get: (target, name) => {
      if (name === 'shared') return true
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })

test('correct answers at the same time cost nothing, on one node and on several', async () => {
  const nodes = [store, node(), node()]
  const correct = (n: number) =>
    checkSecret(nodes[n % 3]!, secret, { now, region }, async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return 'opened'
    })
  const outcomes = await Promise.all(Array.from({ length: 60 }, (_each, n) => correct(n)))

  expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['correct']))
  expect(await guess(false)).toEqual({ outcome: 'wrong' })
})

test('parallel guesses on several nodes cost the same, and a correct one among the last is refused', async () => {
  const nodes = [node(), node(), node()]
  const attempts = Array.from({ length: 60 }, (_each, n) =>
    checkSecret(nodes[n % 3]!, secret, { now, region }, async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return n < 57 ? undefined : 'opened'
    }),
  )
  const outcomes = (await Promise.all(attempts)).map(({ outcome }) => outcome)

  expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(4)
  expect(outcomes).not.toContain('correct')
})

test('so many attempts wait for their turn; those after them are refused', async () => {
  const outcomes = await Promise.all(Array.from({ length: 1_010 }, () => guess(true)))

  expect(outcomes.filter(({ outcome }) => outcome === 'correct')).toHaveLength(1_000)
  expect(outcomes.at(-1)).toEqual({ outcome: 'refused', retryAfterMs: 1_000 })
  expect(await guess(true)).toMatchObject({ outcome: 'correct' })
})
