import { defineConfig } from 'vitest/config'

/** Real databases, rotated under clients that log in all the time, and the sandbox that customers' rotation functions run in. */
export default defineConfig({
  test: {
    include: ['test/rotation/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
})
