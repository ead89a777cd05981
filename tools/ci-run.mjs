/**
 * Runs the slow suites of CI: those that mostly wait two at a time, every other one alone. `node tools/ci-run.mjs SUITE…`
 * prints the output of each suite when it has ended, and a table of durations at the end. After a failure no other suite
 * starts; the exit status is then 1, and MERLON_CI_FAILURES names a file that gets the end of what the failed suites printed.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SUITES, shardOf, turnOf } from './ci-plan.mjs'

const PORTS_FIRST = 12_000
const PORTS_EACH = 1_000
const AT_A_TIME_MAX = 2
const FAILURE_LINES = 150

const suiteOf = (name) => SUITES.find((suite) => suite.name === name)

/** Suites that wait go first, the longest of them before the others: what remains at the end is short. */
export const ORDER = SUITES.filter(({ beside }) => !beside)
  .sort((a, b) => Number(b.waits ?? false) - Number(a.waits ?? false) || (a.waits ? b.minutes - a.minutes : 0))
  .map(({ name }) => name)

/** The first port of a suite: below those that the system hands out. */
export const portsOf = (name) => PORTS_FIRST + PORTS_EACH * SUITES.indexOf(suiteOf(name))

/** The suite of the queue that may start beside those that run; undefined: none. */
export function nextSuite(queue, running) {
  if (running.length === 0) return queue[0]
  const isShared = running.length < AT_A_TIME_MAX && running.every((name) => suiteOf(name).waits)
  return isShared ? queue.find((name) => suiteOf(name).waits) : undefined
}

/** The status of a suite, and what it printed. */
function run(name, folder, turn) {
  const file = join(folder, name)
  const output = createWriteStream(file)
  const child = spawn('npm', ['run', `test:${name}`, '--', ...shardOf(name, turn)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MERLON_TEST_PORTS: String(portsOf(name)) },
  })
  child.stdout.pipe(output, { end: false })
  child.stderr.pipe(output, { end: false })
  return new Promise((resolve) => {
    child.on('error', () => resolve({ status: 1, text: `npm run test:${name} could not be started\n` }))
    child.on('close', (status) => output.end(() => resolve({ status, text: readFileSync(file, 'utf8') })))
  })
}

async function main(names) {
  const turn = turnOf(fileURLToPath(new URL('..', import.meta.url)))
  const folder = mkdtempSync(join(tmpdir(), 'merlon-ci-'))
  const queue = ORDER.filter((name) => names.includes(name))
  const running = new Map()
  const table = []
  let hasFailed = false
  while (queue.length + running.size > 0) {
    for (;;) {
      const name = hasFailed ? undefined : nextSuite(queue, [...running.keys()])
      if (name === undefined) break
      queue.splice(queue.indexOf(name), 1)
      console.log(`== ${name} starts`)
      const startedAt = Date.now()
      running.set(
        name,
        run(name, folder, turn).then((ended) => ({
          ...ended,
          name,
          seconds: Math.round((Date.now() - startedAt) / 1_000),
        })),
      )
    }
    if (running.size === 0) break
    const { name, status, text, seconds } = await Promise.race(running.values())
    running.delete(name)
    console.log(`== ${name} ended with status ${status} after ${seconds} s\n${text}`)
    table.push(`${name.padEnd(12)} ${String(seconds).padStart(5)} s${status === 0 ? '' : '  failed'}`)
    if (status === 0) continue
    hasFailed = true
    const failures = process.env['MERLON_CI_FAILURES']
    if (failures) appendFileSync(failures, `== ${name} failed\n${text.split('\n').slice(-FAILURE_LINES).join('\n')}\n`)
  }
  rmSync(folder, { recursive: true, force: true })
  console.log(['Slow suites that ran:', ...table, ...queue.map((name) => `${name.padEnd(12)} not started`)].join('\n'))
  return hasFailed ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2))
