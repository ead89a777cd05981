/** Fast tests: everything beside the code. Slow suites (`test/`) have their own projects, run by their own scripts. */
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** What replaces modules or the environment would replace them for the next file, too. The rest is restored by `test/setup.ts`. */
const REPLACES = /\bvi\.(mock|doMock)\(|\bprocess\.(chdir\(|env(\.\w+|\[[^\]]+\]) = )/
const replacing = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => join('src', file))
  .filter((file) => REPLACES.test(readFileSync(file, 'utf8')))

/** Change what belongs to their process, measure it, or start threads and other processes: each has one of its own. */
const ALONE = [
  'src/planes/{functions,objects}/**/*.test.ts',
  'src/planes/gateway/gateway-process.test.ts',
  'src/store/**/*.test.ts',
  'src/vault/**/*.test.ts',
  'src/server/compose/analysis-pool.test.ts',
  'src/services/lambda/invoke.test.ts',
  // What it has loaded is what it tests.
  'console/src/api/model.test.ts',
  // They start other processes: tools and servers.
  'test/{code,deploy,operations-reference,package,sigv4-peers}.test.ts',
  ...replacing,
]

const common = {
  setupFiles: 'test/setup.ts',
  // A thread that is stopped inside native code would end the whole run.
  pool: 'forks',
  // Far beyond what any test takes: on a busy machine everything takes many times as long, and is still right.
  testTimeout: 180_000,
  hookTimeout: 180_000,
  expect: { poll: { timeout: 60_000 } },
} as const

export default defineConfig({
  test: {
    // One more than there are processors: some tests wait, for timers of a protocol or for another process.
    maxWorkers: availableParallelism() + 1,
    // A single file starts in half the time: modules stay transformed between runs.
    experimental: { fsModuleCache: true },
    projects: [
      {
        extends: true,
        test: {
          ...common,
          name: 'shared',
          include: ['src/**/*.test.ts', 'console/src/**/*.test.ts', 'test/decisions/*.test.ts', 'test/*.test.ts'],
          exclude: ALONE,
          // Modules and compiled code are kept from file to file: half the processor time of these tests.
          isolate: false,
        },
      },
      { extends: true, test: { ...common, name: 'alone', include: ALONE } },
    ],
  },
})
