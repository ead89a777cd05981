/** The audit trail: what recording costs a call that only reads, and how fast a page of a long history is. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { load } from '../drive.mjs'
import { dist, withPrograms } from '../programs.mjs'
import { number, share, table } from '../report.mjs'
import { callOnce, signedQuery } from '../requests.mjs'
import { interleaved, median } from '../rounds.mjs'
import { running, startMerlon } from '../servers.mjs'

const PAGES = 200
const programs = { 'silent-server': 'programs/silent-server.ts', 'fill-events': 'programs/fill-events.ts' }

export const events = ({ full, rounds }) =>
  withPrograms(programs, async (program, folder) => {
    const recording = await benchRecording(folder, program('silent-server'), full ? 20_000 : 8_000, rounds)
    return `${recording}\n\n${await benchHistory(program('fill-events'), full ? 5_000_000 : 100_000)}`
  })

async function benchRecording(folder, script, calls, rounds) {
  const servers = await Promise.all(
    ['recorded', 'silent'].map(async (name) => {
      const data = mkdtempSync(join(folder, `${name}-`))
      const child = spawn(process.execPath, [script, data, dist, name], { stdio: ['ignore', 'pipe', 'inherit'] })
      const [line] = await once(createInterface({ input: child.stdout }), 'line')
      const { url, credentials } = JSON.parse(line)
      return running(name, url, child, credentials)
    }),
  )
  const [recorded, silent] = await interleaved(servers, rounds, async (server) => {
    const request = await signedQuery(server, 'sts', { Action: 'GetCallerIdentity' })
    const before = server.cpuMs()
    const { count, seconds } = await load(server, [request], calls)
    return { rate: count / seconds, cpu: ((server.cpuMs() - before) / count) * 1000 }
  })
  await Promise.all(servers.map((server) => server.stop()))
  return [
    table(
      ['sts:GetCallerIdentity', 'calls/s', 'processor time a call'],
      [
        ['recorded', number(recorded.rate), `${number(recorded.cpu)} µs`],
        ['not recorded', number(silent.rate), `${number(silent.cpu)} µs`],
        ['what recording costs', share(1 - recorded.rate / silent.rate), `${number(recorded.cpu - silent.cpu)} µs`],
      ],
    ),
    '',
    `Medians of ${rounds} interleaved rounds.`,
  ].join('\n')
}

async function benchHistory(fill, total) {
  const first = await startMerlon({ kept: true })
  const { data, accountId } = first
  await first.stop()
  try {
    const filling = spawn(process.execPath, [fill, join(data, 'merlon.db'), accountId, String(total)], {
      stdio: 'inherit',
    })
    const [status] = await once(filling, 'exit')
    if (status !== 0) throw new Error(`filling ended with ${status}`)

    const startedAt = performance.now()
    const server = await startMerlon({ before: first })
    const startMs = performance.now() - startedAt
    const page = (input) => callOnce(server, 'cloudtrail', 'CloudTrail_20131101.LookupEvents', input)
    const by = (AttributeKey, AttributeValue) => ({ LookupAttributes: [{ AttributeKey, AttributeValue }] })
    const before = server.memory()
    const rows = []
    for (const [name, input, least] of [
      ['newest', {}, 50],
      ['by user', by('Username', 'user-3'), 50],
      ['by event name', by('EventName', 'Decrypt'), 50],
      ['by a rare name', by('EventName', 'Rare'), 1],
      ['by resource', by('ResourceName', `arn:aws:kms:us-east-1:${accountId}:key/00000007`), 50],
      ['read only', by('ReadOnly', 'true'), 50],
    ]) {
      const times = []
      for (let n = 0; n < PAGES; n++) {
        const askedAt = performance.now()
        const { Events } = await page(input)
        times.push(performance.now() - askedAt)
        if (Events.length < Math.min(least, total / 16)) throw new Error(`${name}: ${Events.length} events`)
      }
      times.sort((a, b) => a - b)
      rows.push([name, `${number(median(times))} ms`, `${number(times[Math.floor(PAGES * 0.99)])} ms`])
    }
    const lines = [
      table([`LookupEvents over ${number(total)} events`, 'median', 'p99'], rows),
      '',
      `First pages of 50, ${PAGES} times each, client's time. Started over them in ${number(startMs)} ms; memory`,
      `${number(before / 1e6)} MB then, ${number(server.memory() / 1e6)} MB after the questions.`,
    ]
    await server.stop()
    return lines.join('\n')
  } finally {
    first.remove()
  }
}
