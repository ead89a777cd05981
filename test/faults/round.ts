/** One round: clients on fresh registers, faults among them, everything healed, every register read everywhere. */
import { setTimeout as wait } from 'node:timers/promises'
import { randomOf } from '../wire/random.ts'
import type { Cluster } from './cluster.ts'
import { type Disturbance, History, microseconds, type RoundLog } from './history.ts'
import { type ExpiringKey, expiringKey } from './jobs.ts'
import { type Fault, inOrderOfHealing, type Struck } from './nemesis.ts'
import { SignedCaller } from './signed-call.ts'
import { readAll, registersOf, type Surprise, type Workload, work } from './workload.ts'

export interface RoundOptions {
  readonly cluster: Cluster
  readonly seed: number
  readonly round: number
  readonly faults: readonly Fault[]
  /** How long a fault lasts, and one that is to be long. */
  readonly holdMs: number
  readonly longMs: number
}

export interface RoundResult {
  readonly log: RoundLog
  readonly keys: readonly ExpiringKey[]
  readonly surprises: readonly Surprise[]
  /** Registers a node did not answer for, though nothing was wrong any more. */
  readonly silent: readonly string[]
  /** From the end of the faults until every node had answered a call made after it. */
  readonly recoveredMs: number
}

const CALM_MS = 700
/** Shorter than a stop: a node that received the call before it may still do it, long after its caller timed out. */
const CALL_MS_MAX = 2_000
const RECOVERY_MS_MAX = 45_000
const JOBS = 3
const HOPPERS = 3

export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { cluster, seed, round, faults } = options
  const targets = cluster.members.map(({ name, url }) => ({ name, url }))
  const asking = new SignedCaller(cluster.account, CALL_MS_MAX)
  const surprises: Surprise[] = []
  const workload: Workload = { asking, history: new History(), surprises, round }
  const registers = registersOf(round)
  let stopped = false
  const stop = () => stopped
  const random = (client: number) => randomOf(seed * 1_000 + round * 50 + client)
  const hold = faults.some(({ long }) => long) ? options.longMs : options.holdMs

  const settled = targets.map((target, n) => work(workload, `at-${target.name}`, [target], registers, random(n), stop))
  const hopping = Array.from({ length: HOPPERS }, (_, n) =>
    work(workload, `hopper-${n}`, targets, registers, random(20 + n), stop),
  )
  // They fall due while the fault lasts, shortly after it, and before.
  const jobs = Array.from({ length: JOBS }, (_, n) =>
    expiringKey(asking, targets, random(30 + n), 1_000 + (n * hold) / (JOBS - 1), stop),
  )
  await wait(CALM_MS)
  const disturbances = await disturb(options, hold, random(40))
  const healedAt = microseconds()
  await wait(CALM_MS)
  stopped = true
  await Promise.all([...settled, ...hopping])
  const keys = (await Promise.all(jobs)).filter((key) => key !== undefined)
  const silent = await readAll(workload, targets, registers, RECOVERY_MS_MAX)
  asking.close()

  const log: RoundLog = {
    seed,
    round,
    nodes: targets.map(({ name }) => name),
    store: cluster.store,
    disturbances,
    operations: workload.history.operations,
  }
  return { log, keys, surprises, silent, recoveredMs: recovery(log, healedAt) }
}

/** They begin one after the other, and end together. */
async function disturb(
  { cluster, faults }: RoundOptions,
  holdMs: number,
  random: ReturnType<typeof randomOf>,
): Promise<Disturbance[]> {
  const struck: { fault: Fault; what: Struck; beganAt: number }[] = []
  const until = Date.now() + holdMs
  for (const fault of faults) {
    const beganAt = microseconds()
    struck.push({ fault, what: await fault.strike(cluster, random), beganAt })
    await wait(random.below(holdMs / 2))
  }
  await wait(until - Date.now())
  const ended: Disturbance[] = []
  for (const { fault, what, beganAt } of inOrderOfHealing(struck)) {
    await what.end()
    ended.push({ fault: fault.name, target: what.target, beganAt, endedAt: microseconds() })
  }
  return ended
}

function recovery({ nodes, operations }: RoundLog, healedAt: number): number {
  const first = nodes.map((node) =>
    Math.min(
      ...operations
        .filter((each) => each.node === node && each.invokedAt > healedAt)
        .map(({ returnedAt }) => returnedAt ?? Number.POSITIVE_INFINITY),
    ),
  )
  return Math.round((Math.max(...first) - healedAt) / 1_000)
}
