/** An upgrade as an operator does it: nodes behind a load balancer restarted one after another, while clients work. */
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Cluster } from './cluster.ts'
import type { RoundRobin } from './round-robin.ts'
import { SignedCaller } from './signed-call.ts'

const CLIENTS = 6
/** The balancer looks five times a second. */
const LAME_DUCK = '1'

let cluster: Cluster
let balancer: RoundRobin
beforeAll(async () => {
  cluster = await Cluster.start({ store: 'postgres', nodes: 3, words: ['--lame-duck', LAME_DUCK] })
  balancer = await cluster.balanced()
}, 120_000)
afterAll(async () => {
  await balancer?.close()
  await cluster?.close()
}, 60_000)

test('three nodes restarted one after another under load fail no call', async () => {
  const asking = new SignedCaller(cluster.account, 10_000)
  const failed: unknown[] = []
  const made: string[] = []
  let stopped = false
  const client = async (n: number) => {
    for (let turn = 0; !stopped; turn++) {
      const UserName = `user-${n}-${turn}`
      const wrote = await asking.ask(balancer.url, (api) => api.query('iam', 'CreateUser', { UserName }))
      // By another node than the one that made it.
      const read = await asking.ask(balancer.url, (api) => api.query('iam', 'GetUser', { UserName }))
      made.push(UserName)
      failed.push(...[wrote, read].filter(({ is }) => is !== 'answered'))
    }
  }
  const clients = Array.from({ length: CLIENTS }, (_, n) => client(n))
  await wait(1_000)
  for (const member of cluster.members) {
    const before = made.length
    expect(await member.stop('SIGTERM')).toBe(0)
    expect(made.length).toBeGreaterThan(before)
    await member.start()
    await expect.poll(() => balancer.up, { timeout: 20_000 }).toEqual([true, true, true])
    await wait(500)
  }
  stopped = true
  await Promise.all(clients)

  console.log(`${made.length * 2} calls, ${failed.length} failed; by node: ${balancer.served.join(', ')}`)
  expect(failed).toEqual([])
  const found = await Promise.all(
    made.slice(-50).map((UserName) => asking.ask(balancer.url, (api) => api.query('iam', 'GetUser', { UserName }))),
  )
  expect(found.map(({ is }) => is)).toEqual(found.map(() => 'answered'))
  asking.close()
})
