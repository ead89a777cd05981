/**
 * A stream of three nodes while its sender is killed, and the next one stopped: a remaining node continues within the
 * time that docs/streams.md states, and every acknowledged change arrives.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Client, overHttp } from '../../src/kernel/client/client.ts'
import { merlon } from '../process.ts'
import { Cluster } from './cluster.ts'
import type { Member } from './member.ts'

/** Fifteen seconds, and what a busy machine adds. */
const TAKEN_OVER_MS_MAX = 25_000
const BATCH = 500

interface Sent {
  readonly eventID: string
  readonly eventName: string
  readonly errorCode?: string
  readonly requestParameters: { readonly userName?: string } | null
}

async function receiver() {
  const taken: Sent[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    taken.push(...(JSON.parse(Buffer.concat(chunks).toString()) as { Records: Sent[] }).Records)
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { taken, url: `http://127.0.0.1:${port}/`, close: () => server.close() }
}

test('a sender that is killed or stopped is replaced in time, and nothing acknowledged is missing', async () => {
  const { taken, url, close } = await receiver()
  const cluster = await Cluster.start({ store: 'postgres', nodes: 3, words: ['--stream', url] })
  try {
    const { accessKeyId, secretAccessKey: secret } = cluster.account
    const made: string[] = []
    const create = async (member: Member) => {
      const client = new Client({ credential: { accessKeyId, secret }, transport: overHttp(member.url) })
      const UserName = `user-${made.length}`
      await client.query('iam', 'CreateUser', { UserName })
      made.push(UserName)
    }
    const arrived = () =>
      new Set(
        taken
          .filter(({ eventName, errorCode }) => eventName === 'CreateUser' && !errorCode)
          .map(({ requestParameters }) => requestParameters!.userName!),
      )
    /** How long until all that was made is there. */
    const caughtUp = async () => {
      const begun = performance.now()
      while (!made.every((name) => arrived().has(name))) {
        if (performance.now() - begun > TAKEN_OVER_MS_MAX) throw new Error(`${arrived().size} of ${made.length}`)
        await wait(50)
      }
    }
    const senderOf = async (members: readonly Member[]): Promise<Member> => {
      for (;;) {
        for (const member of members) {
          const { stdout } = await merlon(['status', '--data', member.data, '--json'])
          const [stream] = JSON.parse(stdout).streams as { sent: number; elsewhere?: string }[]
          if (stream!.elsewhere === undefined && stream!.sent > 0) return member
        }
        await wait(200)
      }
    }
    for (const member of cluster.members) await create(member)
    await caughtUp()

    const killed = await senderOf(cluster.members)
    await killed.stop('SIGKILL')
    const left = cluster.members.filter((member) => member !== killed)
    for (const member of left) await create(member)
    await caughtUp()

    const stopped = await senderOf(left)
    const last = left.find((member) => member !== stopped)!
    stopped.signal('SIGSTOP')
    await create(last)
    await caughtUp()
    stopped.signal('SIGCONT')
    for (const member of left) await create(member)
    await caughtUp()
    expect(await senderOf([last])).toBe(last)

    const ids = taken.map(({ eventID }) => eventID)
    expect(ids.length - new Set(ids).size).toBeLessThanOrEqual(2 * BATCH)
    expect(arrived()).toEqual(new Set(made))
    const verdict = await merlon(['audit', 'verify', '--data', last.data, '--json'])
    expect([verdict.status, JSON.parse(verdict.stdout).findings]).toEqual([0, []])
  } finally {
    await cluster.close()
    close()
  }
})
