/** What CI runs: what a change touches always, everything else in its turn. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import {
  changedFiles,
  MINUTES_MAX,
  minutesOf,
  plan,
  reached,
  SUITES,
  shardOf,
  touched,
  turnsUntil,
} from '../tools/ci-plan.mjs'
import { nextSuite, ORDER, portsOf } from '../tools/ci-run.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const all = SUITES.map(({ name }) => name)

test('A change touches the suites that import the file, through other files too, and those that cover its directory', () => {
  expect(touched(root, ['test/wire/random.ts'])).toEqual(['wire', 'faults'])
  expect(touched(root, ['src/store/postgres/primary.ts'])).toEqual(
    expect.arrayContaining(['postgres', 'faults', 'nodes', 'trust']),
  )
  expect(touched(root, ['src/policy/decide.ts'])).toEqual(expect.arrayContaining(['oracle', 'million']))
  expect(touched(root, ['docs/s3.md'])).toEqual(['docs'])
  expect(touched(root, ['LICENSE'])).toEqual([])
})

test('Everything runs when the build changes, and when it is not known what changed', () => {
  expect(touched(root, ['package-lock.json'])).toEqual(all)
  expect(touched(root, undefined)).toEqual(all)
  expect(changedFiles(root, 'no-such-commit')).toBeUndefined()
})

test('Touched suites run before others, and each of them runs when it is the only one', () => {
  const slow = SUITES.filter(({ beside }) => !beside).map(({ name }) => name)
  for (let turn = 0; turn < SUITES.length; turn++) {
    for (const name of slow) expect(plan([name], turn)).toContain(name)
    expect(plan(['nodes', 'docs'], turn)).toEqual(expect.arrayContaining(['nodes', 'docs']))
  }
})

test('A change that touches everything ends within the time, too: each suite has its turn', () => {
  for (let turn = 0; turn < SUITES.length; turn++) expect(minutesOf(plan(all, turn))).toBeLessThan(MINUTES_MAX)
  for (const name of all) expect(all.some((_, turn) => plan(all, turn).includes(name))).toBe(true)
})

test('Every suite has its turn, and the same turn has the same suites', () => {
  const short = 20
  for (let turn = 0; turn < 2 * SUITES.length; turn++) {
    expect(plan([], turn, short)).toEqual(plan([], turn, short))
    for (const name of all) expect(plan([], turn + turnsUntil(name, turn, short), short)).toContain(name)
  }
})

test('Each shard of a suite has its turn, whatever the turns at which the suite runs', () => {
  for (const { name, shards = 1 } of SUITES) {
    const turns = Array.from({ length: shards }, (_, n) => n * SUITES.length)
    for (const first of [0, 1, 7]) {
      expect(new Set(turns.map((turn) => shardOf(name, first + turn).join())).size).toBe(shards)
    }
  }
})

test('What runs without being touched fits into the time', () => {
  for (let turn = 0; turn < SUITES.length; turn++) expect(minutesOf(plan([], turn))).toBeLessThan(MINUTES_MAX)
})

test('Two suites that wait run at a time, every other one alone, each with ports of its own', () => {
  const waits = (name: string) => SUITES.find((suite) => suite.name === name)!.waits === true
  const queue = [...ORDER]
  let running: string[] = []
  const together: string[][] = []
  while (queue.length + running.length > 0) {
    for (let name = nextSuite(queue, running); name !== undefined; name = nextSuite(queue, running)) {
      queue.splice(queue.indexOf(name), 1)
      running.push(name)
    }
    together.push([...running])
    running = running.slice(1)
  }

  expect(together.flat()).toEqual(
    expect.arrayContaining(SUITES.filter(({ beside }) => !beside).map(({ name }) => name)),
  )
  expect(together.some((names) => names.length === 2)).toBe(true)
  for (const names of together) {
    expect(names.length).toBeLessThanOrEqual(2)
    if (names.length > 1) expect(names.every(waits)).toBe(true)
  }
  const ports = all.map((name) => portsOf(name))
  expect(new Set(ports).size).toBe(ports.length)
})

test('Every slow suite of package.json is in the plan, and in npm run test:all', () => {
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { scripts: Record<string, string> }
  const suites = Object.keys(scripts).flatMap((name) => /^test:(?!all$)(.+)$/.exec(name)?.[1] ?? [])

  expect([...all].sort()).toEqual(suites.sort())
  for (const name of suites.filter((each) => each !== 'million')) expect(scripts['test:all']).toContain(`test:${name}`)
})

test('Imports are followed to files that are only named, and end at packages', () => {
  const files = reached(root, ['test/docs/docs.test.ts'])

  expect(files).toContain('test/docs/shim.mjs')
  expect(files).toContain('test/process.ts')
  expect([...files].filter((file) => file.startsWith('node_modules/'))).toEqual([])
})

test('What a suite covers is there', () => {
  const isThere = (path: string) => {
    const folder = join(root, path.slice(0, path.lastIndexOf('/') + 1))
    const start = path.slice(path.lastIndexOf('/') + 1)
    return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(start))
  }

  expect(SUITES.flatMap(({ covers }) => covers).filter((path) => !isThere(path))).toEqual([])
})
