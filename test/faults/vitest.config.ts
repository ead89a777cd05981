/** Crashes: slow, and each with a machine of its own. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/faults/*.test.ts'], pool: 'forks', fileParallelism: false, testTimeout: 300_000 },
})
