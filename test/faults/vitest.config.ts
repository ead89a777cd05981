/**
 * Crashes and other faults: slow, and each with a machine of its own. `MERLON_KILLS` and `MERLON_FAULT_ROUNDS` set more
 * rounds than CI has time for.
 */
import { defineConfig } from 'vitest/config'

const kills = Number(process.env['MERLON_KILLS'] ?? 0)
const rounds = Number(process.env['MERLON_FAULT_ROUNDS'] ?? 0)

export default defineConfig({
  test: {
    include: ['test/faults/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    // A second, Vitest's own, is little on a busy machine.
    expect: { poll: { timeout: 10_000 } },
    testTimeout: 600_000 + kills * 10_000 + rounds * 60_000,
  },
})
