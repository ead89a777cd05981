/** The store over a real PostgreSQL, which `npm test` does without. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/postgres/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    // A second, Vitest's own, is little on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 60_000,
  },
})
