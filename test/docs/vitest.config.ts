/** The commands of README.md and docs/, run as written against the built server. Run: npm run build && npm run test:docs */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['test/docs/*.test.ts'], pool: 'forks', fileParallelism: false, testTimeout: 600_000 },
})
