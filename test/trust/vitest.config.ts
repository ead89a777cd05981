/**
 * The root of trust as its operators meet it: whole processes, killed, sealed, restored. Named after the specification.
 * `MERLON_KILLS` sets more rounds than CI has time for.
 */
import { defineConfig } from 'vitest/config'

const kills = Number(process.env['MERLON_KILLS'] ?? 0)

export default defineConfig({
  test: {
    include: ['test/trust/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 300_000 + kills * 15_000,
    // As long as a starting process may take on a busy machine: the default second is shorter.
    expect: { poll: { timeout: 60_000 } },
  },
})
