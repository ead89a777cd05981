/** Fast tests: everything beside the code. Slow suites (`test/`) have their own projects, run by their own scripts. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'console/src/**/*.test.ts', 'test/*.test.ts', 'test/decisions/*.test.ts'],
    // A thread that is stopped inside native code would end the whole run.
    pool: 'forks',
    // Vitest's own choice leaves a processor idle, which of two is half.
    maxWorkers: '100%',
    // A single file starts in half the time: modules stay transformed between runs.
    experimental: { fsModuleCache: true },
    // Far beyond what any test takes: on a busy machine everything takes many times as long, and is still right.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
  },
})
