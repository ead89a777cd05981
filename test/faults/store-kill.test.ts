/** Killed at any moment, the store still holds all it acknowledged, and never a change without its event or the reverse. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundled } from '../../src/store/bundle.fixture.ts'
import { openStore } from '../../src/store/sqlite.ts'

const KILLS = 20
const LINES_MAX = 3_000

const directory = mkdtempSync(join(tmpdir(), 'merlon-kill-'))
let child: URL
let writerScript: URL
beforeAll(async () => {
  child = await bundled(new URL('./store-kill.child.ts', import.meta.url), 'store-kill-child')
  writerScript = await bundled(new URL('../../src/store/writer-thread.ts', import.meta.url), 'store-kill-writer')
})
afterAll(() => {
  rmSync(directory, { recursive: true })
  for (const script of [child, writerScript]) rmSync(fileURLToPath(script))
})

/** Runs the child on the file until it has said `lines` lines, kills it, and returns all it managed to say. */
async function workUntilKilled(file: string, script: URL | undefined, lines: number): Promise<readonly string[]> {
  const victim: ChildProcess = spawn(process.execPath, [fileURLToPath(child), file, ...(script ? [script.href] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(victim, 'exit')
  const said: string[] = []
  for await (const line of createInterface({ input: victim.stdout! })) {
    said.push(line)
    if (said.length === lines) victim.kill('SIGKILL')
  }
  expect(await exited).toEqual([null, 'SIGKILL'])
  return said
}

describe.each([
  ['a writer thread', true],
  ['the writer on the same thread', false],
])('kill -9 with %s', (_, threaded) => {
  test(`after each of ${KILLS} kills everything acknowledged is there, and each change has its event`, async () => {
    const file = join(directory, `${threaded}.db`)
    const acknowledged = new Set<string>()

    for (let kill = 0; kill < KILLS; kill++) {
      const said = await workUntilKilled(
        file,
        threaded ? writerScript : undefined,
        1 + Math.floor(Math.random() * LINES_MAX),
      )
      let told = 0
      for (const [what, value = ''] of said.map((line) => line.split(' '))) {
        if (what === 'row') acknowledged.add(value)
        if (what === 'revision') told = Math.max(told, Number(value))
      }

      const store = await openStore({ file })
      const rows = new Set((await store.reader.range('row/')).map(({ key }) => key.slice('row/'.length)))
      const query = { account: '111122223333', limit: 1_000_000 }
      const events = (await store.log(query)).map(({ id }) => id)
      const searched = (await store.log({ ...query, region: 'us-east-1', attribute: ['Lane', '7'] })).map(
        ({ id }) => id,
      )
      const counters = await store.reader.range<{ n: number }>('counter/')
      const { revision } = store
      await store.close()

      expect([...acknowledged].filter((row) => !rows.has(row))).toEqual([])
      expect([...rows].sort()).toEqual([...events].sort())
      expect(searched).toEqual(events.filter((id) => id.startsWith('7.')))
      expect(counters.reduce((sum, { document }) => sum + document.n, 0)).toBe(rows.size)
      expect(revision).toBeGreaterThanOrEqual(told)
    }
    expect(acknowledged.size).toBeGreaterThan(KILLS)
  }, 300_000)
})
