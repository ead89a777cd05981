/** Lock tokens of AWS WAF over two nodes of one PostgreSQL: of parallel updates by one token one wins, whichever node it reaches. */
import { CreateIPSetCommand, GetIPSetCommand, UpdateIPSetCommand, WAFV2Client } from '@aws-sdk/client-wafv2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MovableClock } from '../../src/kernel/state/clock.ts'
import { memoryBlobs } from '../../src/planes/objects/memory.ts'
import { type Cloud, openCloud } from '../../src/server/compose/cloud.ts'
import { openPostgres } from '../../src/store/postgres/postgres.ts'
import { ephemeralUnsealed } from '../../src/vault/ephemeral.ts'
import { ACCOUNT } from '../cloud.ts'
import { type Database, postgres } from '../rotation/databases.ts'
import { throughGate } from '../through-gate.ts'

const UPDATES = 20
const LATER = 3

let server: Database
const nodes: Cloud[] = []
beforeAll(async () => {
  server = await postgres("CREATE ROLE merlon LOGIN PASSWORD 'merlon'; GRANT CREATE ON DATABASE postgres TO merlon")
})
afterAll(async () => {
  for (const node of nodes) await node.close()
  await server.stop()
})

test('twenty parallel updates of one IP set over two nodes have one winner a token', async () => {
  const clock = new MovableClock()
  const unsealed = ephemeralUnsealed()
  const blobs = memoryBlobs()
  for (const node of ['one', 'two']) {
    const store = await openPostgres({ url: `postgres://merlon:merlon@127.0.0.1:${server.port}/postgres`, node })
    // Each node wipes the key that it was opened with.
    const own = { ...unsealed, rootKey: Buffer.from(unsealed.rootKey) }
    nodes.push(await openCloud({ store, unsealed: own, clock, blobs }))
  }
  const root = await nodes[0]!.addAccount({ id: ACCOUNT, name: 'test' })
  const clients = nodes.map(
    ({ gate }) =>
      new WAFV2Client({
        region: 'us-east-1',
        credentials: root,
        endpoint: 'http://localhost',
        maxAttempts: 1,
        requestHandler: throughGate(gate) as never,
      }),
  )
  const place = { Name: 'bad', Scope: 'REGIONAL' } as const
  const { Summary } = await clients[0]!.send(
    new CreateIPSetCommand({ ...place, IPAddressVersion: 'IPV4', Addresses: [] }),
  )
  const Id = Summary!.Id!
  let LockToken = Summary!.LockToken!
  for (let round = 0; round < LATER; round++) {
    const outcomes = await Promise.all(
      Array.from({ length: UPDATES }, (_, n) =>
        clients[n % 2]!.send(
          new UpdateIPSetCommand({ ...place, Id, LockToken, Addresses: [`198.51.100.${n}/32`] }),
        ).then(
          () => 'done',
          ({ name }: Error) => name,
        ),
      ),
    )
    expect(outcomes.filter((each) => each === 'done')).toHaveLength(1)
    expect(new Set(outcomes)).toEqual(new Set(['done', 'WAFOptimisticLockException']))
    const shown = await Promise.all(clients.map((client) => client.send(new GetIPSetCommand({ ...place, Id }))))
    expect(shown.map(({ IPSet }) => IPSet?.Addresses)).toEqual(
      [0, 1].map(() => [`198.51.100.${outcomes.indexOf('done')}/32`]),
    )
    LockToken = shown[1]!.LockToken!
  }
})
