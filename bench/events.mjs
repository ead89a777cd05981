/**
 * The audit trail: what recording costs a call that only reads, and how fast a page of a long history is.
 * `MERLON_BENCH_EVENTS` says how long (default 100,000; the aim is stated for 5,000,000).
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { loadConfig } from 'rolldown/config'
import { askOnce, signedRequest } from './requests.mjs'
import { startMerlon } from './servers.mjs'

const EVENTS = Number(process.env['MERLON_BENCH_EVENTS'] ?? 100_000)
const ROUNDS = 5
const CALLS = 20_000
const PAGES = 200
const dist = fileURLToPath(new URL('../dist', import.meta.url))

export async function benchEvents(load) {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-bench-events-'))
  try {
    const program = await bundled(folder)
    await benchRecording(folder, program('silent-server'), load)
    await benchHistory(program('fill'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The sources as the release bundles them. */
async function bundled(folder) {
  const { plugins, ...config } = await loadConfig(fileURLToPath(new URL('../rolldown.config.mts', import.meta.url)))
  const input = Object.fromEntries(
    ['silent-server', 'fill'].map((name) => [name, fileURLToPath(new URL(`events/${name}.ts`, import.meta.url))]),
  )
  // The second plugin copies files into dist/.
  const bundle = await rolldown({ ...config, input, plugins: plugins.slice(0, 1) })
  const modules = join(folder, 'modules')
  await bundle.write({ dir: modules, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' })
  // What the bundle leaves outside is found from there.
  symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'))
  symlinkSync(join(dist, 'models'), join(modules, 'models'))
  return (name) => join(modules, `${name}.mjs`)
}

async function benchRecording(folder, script, load) {
  const servers = await Promise.all(
    ['recorded', 'silent'].map(async (name) => {
      const data = mkdtempSync(join(folder, `${name}-`))
      const child = spawn(process.execPath, [script, data, dist, name], { stdio: ['ignore', 'pipe', 'inherit'] })
      const [line] = await once(createInterface({ input: child.stdout }), 'line')
      return { name, child, ...JSON.parse(line) }
    }),
  )
  const rates = new Map(servers.map(({ name }) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const server of servers) {
      const request = await signedRequest(server, 'sts', '2011-06-15', { Action: 'GetCallerIdentity' })
      const { count, seconds } = await load(server, [request], CALLS)
      rates.get(server.name).push(count / seconds)
    }
  }
  for (const { child } of servers) child.kill('SIGKILL')
  const [recorded, silent] = servers.map(({ name }) => median(rates.get(name)))
  console.log(`reads recorded and not recorded, medians of ${ROUNDS} interleaved rounds`)
  console.log(`  recorded ${Math.round(recorded)}/s   not recorded ${Math.round(silent)}/s`)
  console.log(`recording costs ${((1 - recorded / silent) * 100).toFixed(0)} %\n`)
}

async function benchHistory(fill) {
  const first = await startMerlon({ kept: true })
  const { data, accountId } = first
  await first.stop()
  try {
    const words = [fill, join(data, 'merlon.db'), accountId, String(EVENTS)]
    const filling = spawn(process.execPath, words, { stdio: 'inherit' })
    const [status] = await once(filling, 'exit')
    if (status !== 0) throw new Error(`filling ended with ${status}`)

    const server = await startMerlon({ before: first })
    const page = (input) => askOnce(server, 'cloudtrail', 'CloudTrail_20131101.LookupEvents', input)
    const by = (AttributeKey, AttributeValue) => ({ LookupAttributes: [{ AttributeKey, AttributeValue }] })
    console.log(`LookupEvents over ${EVENTS} events, first page of 50, medians of ${PAGES}, client's time`)
    const before = server.memory()
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
        const startedAt = performance.now()
        const { Events } = await page(input)
        times.push(performance.now() - startedAt)
        if (Events.length < Math.min(least, EVENTS / 16)) throw new Error(`${name}: ${Events.length} events`)
      }
      times.sort((a, b) => a - b)
      console.log(
        `  ${name.padEnd(16)} ${median(times).toFixed(1)} ms   p99 ${times[Math.floor(PAGES * 0.99)].toFixed(1)} ms`,
      )
    }
    console.log(`memory ${Math.round(before / 1e6)} MB before, ${Math.round(server.memory() / 1e6)} MB after\n`)
    await server.stop()
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { load } = await import('./drive.mjs')
  await benchEvents(load)
}
