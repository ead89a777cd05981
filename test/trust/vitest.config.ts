/** The root of trust as its operators meet it: whole processes, killed, sealed, restored. Named after the specification. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/trust/*.test.ts'], pool: 'forks', maxWorkers: 2, testTimeout: 300_000 },
})
