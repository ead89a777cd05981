/** Fast tests: everything beside the code. Slow suites (`test/`) have their own projects, run by their own scripts. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/*.test.ts', 'test/decisions/*.test.ts'],
    pool: 'threads',
    // Vitest's own choice leaves a processor idle, which of two is half.
    maxWorkers: '100%',
    testTimeout: 30_000,
    // A second, Vitest's own, is little on a busy machine.
    expect: { poll: { timeout: 10_000 } },
  },
})
