/**
 * The permanent gate of the wire layer: round trips against the official clients' own codecs. Run: npx vitest run
 * --config test/wire/vitest.config.ts
 */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  test: { include: ['test/wire/*.test.ts'], pool: 'threads', testTimeout: 180_000 },
})
