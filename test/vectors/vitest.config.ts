/** Published vectors: many, and slow. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['test/vectors/*.test.ts'], pool: 'threads', testTimeout: 600_000 },
})
