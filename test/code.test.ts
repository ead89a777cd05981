/**
 * Types, lint and format of all code. As tests, they run beside the others instead of before them: an unformatted line
 * keeps no test from running.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Alone, they take seconds; beside other work, minutes. */
const timeout = 900_000

const repository = fileURLToPath(new URL('..', import.meta.url))

async function run(program: string, ...words: readonly string[]): Promise<{ status: number | null; output: string }> {
  const child = spawn(process.execPath, [`${repository}/node_modules/${program}`, ...words], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  const [status] = await once(child, 'close')
  return { status, output }
}

test('All code has the types it says: npx tsc --noEmit -p .', { timeout }, async () => {
  const { status, output } = await run('typescript/bin/tsc', '--noEmit', '-p', '.')

  expect(status, output).toBe(0)
})

test('All code is formatted and free of lint: npx biome check --write', { timeout }, async () => {
  const { status, output } = await run('@biomejs/biome/bin/biome', 'check')

  expect(status, output).toBe(0)
})
