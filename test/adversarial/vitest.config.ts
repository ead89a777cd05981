/** Inputs made to cost: one server, one request at a time. Run: npm run test:adversarial */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/adversarial/*.test.ts'], pool: 'forks', fileParallelism: false, testTimeout: 600_000 },
})
