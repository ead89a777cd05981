/**
 * Nodes on one store while everything around them fails, round after round: what clients saw is linearizable, the audit
 * log has it and nothing else, and every job ran once. `MERLON_FAULT_ROUNDS=100` for the long one, with faults in pairs
 * and stops of ten seconds; `MERLON_FAULT_SEED` for the same clients and faults again; `MERLON_FAULT_STORE=sqlite` for
 * one node on a directory.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { temporaryFolder } from '../process.ts'
import { randomOf } from '../wire/random.ts'
import { violations } from './checker.ts'
import { Cluster, STORES, type StoreKind } from './cluster.ts'
import { type Operation, saveLog } from './history.ts'
import { type ExpiringKey, notOnce } from './jobs.ts'
import { FAULTS, schedule } from './nemesis.ts'
import { runRound } from './round.ts'
import { SignedCaller } from './signed-call.ts'
import { disagreements, type Page, wholeTrail } from './trail.ts'

const environment = process.env
const store = (environment['MERLON_FAULT_STORE'] ?? 'postgres') as StoreKind
const nodes = store === 'sqlite' ? 1 : Number(environment['MERLON_FAULT_NODES'] ?? 3)
const seed = Number(environment['MERLON_FAULT_SEED'] ?? Date.now() % 100_000)
/** By default each fault once. */
const rounds = Number(environment['MERLON_FAULT_ROUNDS'] ?? FAULTS.length)
const long = rounds > FAULTS.length
const logs = environment['MERLON_FAULT_LOGS'] ?? temporaryFolder()

let cluster: Cluster
beforeAll(async () => {
  if (!STORES.includes(store)) throw new Error(`MERLON_FAULT_STORE is ${STORES.join(' or ')}, not '${store}'.`)
  mkdirSync(logs, { recursive: true })
  cluster = await Cluster.start({ store, nodes })
}, 120_000)
afterAll(() => cluster?.close(), 60_000)

test(`${nodes} nodes on ${store}, ${rounds} rounds of faults: no violation, no event amiss, every job once`, async () => {
  console.log(`seed ${seed}; logs of violations go to ${logs}`)
  const wrong: string[] = []
  const operations: Operation[] = []
  const keys: ExpiringKey[] = []
  const plan = schedule(cluster, rounds, long ? 0.4 : 0, randomOf(seed))
  for (const [round, faults] of plan.entries()) {
    const options = { cluster, seed, round, faults, holdMs: 2_000, longMs: long ? 10_000 : 3_000 }
    const { log, surprises, silent, recoveredMs, ...made } = await runRound(options)
    const found = violations(log.operations)
    if (found.length > 0) {
      const file = join(logs, `violation-${seed}-${round}.jsonl`)
      saveLog(file, log, found)
      wrong.push(
        ...found.map(({ register, property, text }) => `round ${round}: ${register}: ${property}: ${text} ${file}`),
      )
    }
    wrong.push(...surprises.map((each) => `round ${round}: ${JSON.stringify(each)}`))
    wrong.push(...silent.map((text) => `round ${round}: after ${faults.map(({ name }) => name).join(', ')}: ${text}`))
    operations.push(...log.operations)
    keys.push(...made.keys)
    const unknown = log.operations.filter(({ outcome }) => outcome === 'unknown').length
    const struck = log.disturbances.map(({ fault, target }) => `${fault} (${target})`).join(' + ')
    console.log(
      `${round}: ${struck}: ${log.operations.length} operations, ${unknown} unanswered, whole again after ${recoveredMs} ms, ${found.length} violations`,
    )
  }
  const trail = await trailOnce(keys)
  const expiries = trail
    .filter(({ eventName }) => eventName === 'DeleteExpiredKeyMaterial')
    .map(({ serviceEventDetails }) => serviceEventDetails!.keyId)
  expect({ wrong, amiss: disagreements(operations, trail), notOnce: notOnce(keys, expiries) }).toEqual({
    wrong: [],
    amiss: [],
    notOnce: [],
  })
  // Little would be proven by clients that got nowhere.
  console.log(`${operations.length} operations, ${trail.length} events, ${keys.length} jobs`)
  expect(operations.length).toBeGreaterThan(rounds * 40)
  expect(keys.filter(({ acknowledged }) => acknowledged).length).toBeGreaterThan(rounds)
})

/** The whole trail, once every job that must run has. Leases of killed nodes last a minute. */
async function trailOnce(keys: readonly ExpiringKey[]) {
  const asking = new SignedCaller(cluster.account, 30_000)
  const [{ url }] = cluster.members as [Cluster['members'][0]]
  const told = async <T>(service: string, target: string, input: object): Promise<T> => {
    const answer = await asking.ask(url, (client) => client.json<T>(service, target, input))
    if (answer.is !== 'answered') throw new Error(JSON.stringify(answer))
    return answer.output
  }
  const states = () =>
    Promise.all(
      keys
        .filter(({ acknowledged }) => acknowledged)
        .map(async ({ keyId }) => {
          const { KeyMetadata } = await told<{ KeyMetadata: { KeyState: string } }>('kms', 'TrentService.DescribeKey', {
            KeyId: keyId,
          })
          return KeyMetadata.KeyState
        }),
    )
  await expect
    .poll(async () => new Set(await states()), { timeout: 120_000, interval: 1_000 })
    .toEqual(new Set(['PendingImport']))
  const page: Page = (NextToken) =>
    told('cloudtrail', 'CloudTrail_20131101.LookupEvents', { MaxResults: 50, ...(NextToken && { NextToken }) })
  try {
    return await wholeTrail(page)
  } finally {
    asking.close()
  }
}
