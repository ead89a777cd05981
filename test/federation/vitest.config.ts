import { defineConfig } from 'vitest/config'

/** Identity providers and directories that others wrote: slapd, Samba's Active Directory, SimpleSAMLphp. */
export default defineConfig({
  test: {
    include: ['test/federation/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
