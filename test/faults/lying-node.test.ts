/**
 * The whole harness against nodes that break promises: real clients, a real server, and between them a proxy that
 * breaks one.
 */
import { once } from 'node:events'
import { Agent, request as ask, createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { randomOf } from '../wire/random.ts'
import { violations } from './checker.ts'
import { Cluster } from './cluster.ts'
import { History } from './history.ts'
import { SignedCaller } from './signed-call.ts'
import { readAll, registersOf, type Surprise, type Target, type Workload, work } from './workload.ts'

/** Enough to meet every broken promise, however busy the machine. */
const OPERATIONS = 300

let cluster: Cluster
beforeAll(async () => {
  cluster = await Cluster.start({ store: 'sqlite', nodes: 1 })
}, 60_000)
afterAll(() => cluster?.close())

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

type Lie = (
  request: { readonly method: string; readonly body: string },
  honest: () => Promise<Answer>,
) => Promise<Answer>

/** Listens for itself, and signs nothing: the Host that was signed goes on. */
async function lying(url: string, lie: Lie): Promise<{ url: string; close(): void }> {
  const agent = new Agent({ keepAlive: true })
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const honest = () =>
      new Promise<Answer>((resolve, reject) => {
        const { method, headers } = request
        const passed = ask(url + request.url, { method, headers, agent }, async (answer) => {
          const told: Buffer[] = []
          for await (const chunk of answer) told.push(chunk)
          resolve({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(told) })
        })
        passed.on('error', reject).end(Buffer.concat(chunks))
      })
    const { status, headers, body } = await lie(
      { method: request.method!, body: String(Buffer.concat(chunks)) },
      honest,
    )
    response.writeHead(status, headers).end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => server.close().closeAllConnections(),
  }
}

let rounds = 0
/** Two clients on the honest node, two on the dishonest one, two on both. */
async function judged(lie: Lie) {
  const liar = await lying(cluster.members[0]!.url, lie)
  const honest: Target = { name: 'honest', url: cluster.members[0]!.url }
  const other: Target = { name: 'liar', url: liar.url }
  const asking = new SignedCaller(cluster.account, 5_000)
  const surprises: Surprise[] = []
  const workload: Workload = { asking, history: new History(), surprises, round: ++rounds }
  const registers = registersOf(workload.round)
  let stopped = false
  const clients = [[honest], [honest], [other], [other], [honest, other], [honest, other]].map((targets, n) =>
    work(workload, `client-${n}`, targets, registers, randomOf(n), () => stopped),
  )
  while (workload.history.operations.length < OPERATIONS) await wait(20)
  stopped = true
  await Promise.all(clients)
  const silent = await readAll(workload, [honest, other], registers, 5_000)
  asking.close()
  liar.close()
  const { operations } = workload.history
  return { operations, surprises, silent, found: violations(operations).map(({ property }) => property) }
}

const isRead = (body: string) => /Action=GetUser|"SecretId":"[^"]*"}$/.test(body)
const isChange = (body: string) => /Action=UpdateUser/.test(body)

test('an honest node passes, and clients met every kind of response', async () => {
  const { operations, surprises, silent, found } = await judged((_, honest) => honest())

  expect({ surprises, silent, found }).toEqual({ surprises: [], silent: [], found: [] })
  for (const outcome of ['done', 'exists', 'missing']) {
    expect(operations.filter((each) => each.outcome === outcome).length).toBeGreaterThan(3)
  }
})

test('a node that answers from a cache it never clears is found out', async () => {
  const cache = new Map<string, Promise<Answer>>()
  const { found } = await judged(({ body }, honest) => {
    if (!isRead(body)) return honest()
    const kept = cache.get(body) ?? honest()
    cache.set(body, kept)
    return kept
  })

  expect(found.length).toBeGreaterThan(0)
  expect(found.join()).toMatch(/lost acknowledged write|stale read|backwards/)
})

test('a node that acknowledges changes it did not make is found out', async () => {
  const template = '<UpdateUserResponse><ResponseMetadata/></UpdateUserResponse>'
  const { found } = await judged(({ body }, honest) =>
    isChange(body) ? Promise.resolve({ status: 200, headers: {}, body: Buffer.from(template) }) : honest(),
  )

  expect(found.length).toBeGreaterThan(0)
})

test('a node that makes a change and then says it was refused is found out', async () => {
  const { found } = await judged(async ({ body }, honest) => {
    const answer = await honest()
    if (!isChange(body) || answer.status !== 200) return answer
    const text = '<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>m</Message></Error></ErrorResponse>'
    return { status: 404, headers: {}, body: Buffer.from(text) }
  })

  expect(found.length).toBeGreaterThan(0)
})
