/**
 * `npm run bench`: Merlon beside moto_server in one run, alternating, so that a noisy machine is noisy for both.
 * What counts is the ratio. Merlon checks the signature, asks IAM, and has call and event on disk before it answers;
 * moto_server checks nothing and keeps everything in memory.
 */
import { cpus } from 'node:os'
import { benchDecisions, benchDocuments } from './decisions.mjs'
import { CONNECTIONS, load } from './drive.mjs'
import { benchEvents } from './events.mjs'
import { kmsCases } from './kms.mjs'
import { signedRequest } from './requests.mjs'
import { secretCases } from './secrets.mjs'
import { startMerlon, startMoto } from './servers.mjs'
import { benchSignatures } from './signatures.mjs'

const ROUNDS = 3
const READY_MS_MAX = 60_000

const IAM = '2010-05-08'
const cases = [
  {
    name: 'sts:GetCallerIdentity',
    requests: async (server) => [await signedRequest(server, 'sts', '2011-06-15', { Action: 'GetCallerIdentity' })],
    total: { Merlon: 20_000, moto_server: 1_500 },
  },
  {
    name: 'iam:GetUser',
    requests: async (server) => [await signedRequest(server, 'iam', IAM, { Action: 'GetUser', UserName: 'bench' })],
    total: { Merlon: 20_000, moto_server: 1_500 },
  },
  {
    name: 'iam:CreateUser',
    // Five thousand users are an account's quota: all rounds together stay below it.
    requests: (server, round, total) =>
      Promise.all(
        Array.from({ length: total }, (_, i) =>
          signedRequest(server, 'iam', IAM, { Action: 'CreateUser', UserName: `user-${round}-${i}` }),
        ),
      ),
    total: { Merlon: 1_600, moto_server: 400 },
  },
]

async function main() {
  const servers = []
  const rows = []
  for (const start of [startMerlon, startMoto]) {
    const startedAt = performance.now()
    const server = await start()
    if (!server) continue
    const first = await signedRequest(server, 'sts', '2011-06-15', { Action: 'GetCallerIdentity' })
    await answered(server.url, first)
    servers.push(server)
    rows.push({ server: server.name, startMs: performance.now() - startedAt })
  }
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  for (const [i, server] of servers.entries()) rows[i].idleMb = server.memory() / 1e6
  report('start to first signed answer, and idle memory', rows, { startMs: 'ms', idleMb: 'MB' })

  for (const server of servers) {
    await load(server, [await signedRequest(server, 'iam', IAM, { Action: 'CreateUser', UserName: 'bench' })], 1)
  }
  for (const each of [...cases, ...(await kmsCases(servers)), ...(await secretCases(servers))]) {
    const best = new Map()
    for (let round = 0; round < ROUNDS; round++) {
      for (const server of servers) {
        const total = each.total[server.name]
        const result = await load(server, await each.requests(server, round, total), total)
        const rate = result.count / result.seconds
        if (rate > (best.get(server.name)?.rate ?? 0))
          best.set(server.name, { server: server.name, rate, p50: result.p50, p99: result.p99 })
      }
    }
    report(`${each.name}, ${CONNECTIONS} connections, best of ${ROUNDS}`, [...best.values()], {
      rate: '/s',
      p50: 'ms',
      p99: 'ms',
    })
    const [ours, theirs] = [best.get('Merlon'), best.get('moto_server')]
    if (theirs) console.log(`ratio: ${(ours.rate / theirs.rate).toFixed(1)}×\n`)
  }
  const merlon = servers.find(({ name }) => name === 'Merlon')
  await benchSignatures(merlon, (requests, total) => load(merlon, requests, total))
  for (const server of servers) console.log(`${server.name}: ${Math.round(server.memory() / 1e6)} MB after the load`)
  await Promise.all(servers.map((server) => server.stop()))
}

/** Asks again until it answers. */
async function answered(url, request) {
  const giveUpAt = performance.now() + READY_MS_MAX
  while (performance.now() < giveUpAt) {
    try {
      const [head, body] = request.split('\r\n\r\n')
      const headers = head
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(': '))
      const sent = headers.filter(([name]) => !['host', 'content-length'].includes(name))
      const answer = await fetch(url, { method: 'POST', headers: sent, body })
      if (answer.ok) return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  throw new Error(`${url} never answered`)
}

function report(title, rows, units) {
  console.log(title)
  for (const { server, ...values } of rows) {
    const shown = Object.entries(values).map(
      ([name, value]) => `${name} ${value < 10 ? value.toFixed(2) : Math.round(value)}${units[name]}`,
    )
    console.log(`  ${server.padEnd(12)} ${shown.join('   ')}`)
  }
}

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}\n`)
await main()
console.log()
await benchDecisions()
benchDocuments()
console.log()
await benchEvents(load)
