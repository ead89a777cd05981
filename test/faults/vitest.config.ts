/** Crashes: slow, and each with a machine of its own. `MERLON_KILLS` asks for more rounds than CI has time for. */
import { defineConfig } from 'vitest/config'

const kills = Number(process.env['MERLON_KILLS'] ?? 0)

export default defineConfig({
  test: {
    include: ['test/faults/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 300_000 + kills * 10_000,
  },
})
