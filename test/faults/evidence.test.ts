/** Checks after the rounds: the audit log against the histories, the runs of jobs, and a saved log with the command. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../process.ts'
import { randomOf } from '../wire/random.ts'
import type { Cluster } from './cluster.ts'
import { type Operation, type RoundLog, saveLog } from './history.ts'
import { notOnce } from './jobs.ts'
import { FAULTS, schedule } from './nemesis.ts'
import { distribution, staleness } from './staleness.ts'
import { disagreements, type TrailEvent } from './trail.ts'

const base = { client: 'c', node: 'a', register: 'user-1', invokedAt: 0, returnedAt: 1 } as const
const operations: readonly Operation[] = [
  { ...base, id: 1, action: 'create', value: 'v1', outcome: 'done', requestId: 'q1' },
  { ...base, id: 2, action: 'create', value: 'v2', outcome: 'exists', requestId: 'q2' },
  { ...base, id: 3, action: 'write', value: 'v3', outcome: 'done', requestId: 'q3' },
  { ...base, id: 4, action: 'delete', outcome: 'done', requestId: 'q4' },
]
const event = (requestID: string, eventName: string, requestParameters: object, errorCode?: string): TrailEvent => ({
  eventID: `e-${requestID}-${errorCode ?? ''}`,
  requestID,
  eventName,
  requestParameters: requestParameters as TrailEvent['requestParameters'],
  ...(errorCode && { errorCode }),
})
const trail: readonly TrailEvent[] = [
  event('q1', 'CreateUser', { userName: 'user-1', path: '/v1/' }),
  event('q2', 'CreateUser', { userName: 'user-1', path: '/v2/' }, 'EntityAlreadyExists'),
  event('q3', 'UpdateUser', { userName: 'user-1', newPath: '/v3/' }),
  event('q4', 'DeleteUser', { userName: 'user-1' }),
]

test('an audit log that matches what was done agrees', () => {
  expect(disagreements(operations, trail)).toEqual([])
})

test.each([
  ['an acknowledged change without an event', trail.slice(0, 3), /delete of user-1 .* has no event/],
  [
    'an event of a change that was not requested',
    [...trail, event('q9', 'CreateUser', { path: '/v9/' })],
    /was not requested/,
  ],
  ['an event of a change that was refused', [...trail, event('q8', 'CreateUser', { path: '/v2/' })], /was refused/],
  [
    'a change done twice',
    [...trail, event('q7', 'UpdateUser', { newPath: '/v3/' })],
    /UpdateUser of v3 .* more than once/,
  ],
  ['an event recorded twice', [...trail, trail[3]!], /1 events are on the trail twice/],
])('%s is found', (_, told, complaint) => {
  expect(disagreements(operations, told)).toEqual([expect.stringMatching(complaint)])
})

test('a job that ran twice, never, or without a request is found; one that was not acknowledged may never run', () => {
  const keys = [
    { keyId: 'a', acknowledged: true },
    { keyId: 'b', acknowledged: false },
  ]

  expect(notOnce(keys, ['a'])).toEqual([])
  expect(notOnce(keys, ['b', 'a'])).toEqual([])
  expect(notOnce(keys, ['a', 'a'])).toEqual(['the job of key a ran 2 times'])
  expect(notOnce(keys, ['a', 'b', 'b'])).toEqual(['the job of key b ran 2 times'])
  expect(notOnce(keys, [])).toEqual(['the job of key a ran 0 times'])
  expect(notOnce(keys, ['a', 'z'])).toEqual(['the job of key z was not requested'])
})

test('a seed gives the same faults, each of them before any comes twice', () => {
  const cluster = { members: [{}, {}, {}], postgres: { ownDisk: true, slowable: true } } as unknown as Cluster
  const names = (seed: number) =>
    schedule(cluster, 60, 0.4, randomOf(seed)).map((faults) => faults.map(({ name }) => name))

  expect(names(7)).toEqual(names(7))
  expect(names(7)).not.toEqual(names(8))
  const possible = FAULTS.filter((fault) => fault.possible(cluster)).length
  const firsts = names(7).map(([first]) => first)
  expect(new Set(firsts.slice(0, possible)).size).toBe(possible)
  expect(names(7).some((faults) => faults.length === 2)).toBe(true)
})

test('what is served for 200 ms after it was taken away is measured as such, and what is not as nothing', async () => {
  const after = async (ms: number) => {
    let takenAt = Number.POSITIVE_INFINITY
    const works = async (where: string) => {
      await wait(2)
      return performance.now() < takenAt + (where === 'there' ? ms : 0)
    }
    return staleness({ take: async () => (takenAt = performance.now()), works })
  }

  const late = await after(200)
  expect(late.ms).toBeGreaterThan(100)
  expect(late.ms).toBeLessThanOrEqual(200)
  expect(late).toMatchObject({ worksHere: false, servedBefore: expect.any(Number) })
  expect(late.servedBefore).toBeGreaterThanOrEqual(5)
  expect((await after(0)).ms).toBe(0)
  expect(distribution([1, 2, 3, 100])).toEqual({ p50: 3, p99: 100, max: 100 })
})

test('the command checks a saved log again, and its status says whether anything was wrong', () => {
  const script = fileURLToPath(new URL('./replay.mjs', import.meta.url))
  const run = (...files: readonly string[]) => spawnSync(process.execPath, [script, ...files], { encoding: 'utf8' })
  const folder = temporaryFolder()
  const file = (name: string, read: string | null) => {
    const seen: Operation = {
      ...base,
      id: 5,
      action: 'read',
      read,
      outcome: 'done',
      invokedAt: 2_000,
      returnedAt: 9_000,
    }
    const disturbances = [{ fault: 'kill -9 of a node', target: 'node-1', beganAt: 1_000, endedAt: 5_000 }]
    const log: RoundLog = {
      seed: 7,
      round: 3,
      nodes: ['a'],
      store: 'sqlite',
      disturbances,
      operations: [operations[0]!, seen],
    }
    saveLog(join(folder, name), log)
    return join(folder, name)
  }

  const good = run(file('good.jsonl', 'v1'))
  expect(good).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing is wrong') })

  const bad = run(file('good.jsonl', 'v1'), file('bad.jsonl', null))
  expect(bad.status).toBe(1)
  expect(bad.stdout).toMatch(/seed 7, round 3/)
  expect(bad.stdout).toMatch(/kill -9 of a node of node-1: 1 ms to 5 ms/)
  expect(bad.stdout).toMatch(/user-1: lost acknowledged write/)
  expect(bad.stdout).toMatch(/2 ms to 9 ms c at a: read → nothing done/)

  writeFileSync(join(folder, 'bad.jsonl'), 'not a log\n')
  expect(run(join(folder, 'bad.jsonl')).status).toBeGreaterThan(0)
  expect(run().status).toBe(64)
})
