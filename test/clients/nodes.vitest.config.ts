/** The same suites against three nodes on one PostgreSQL, through a round-robin proxy. Development servers stay alone. */
import { defineConfig, mergeConfig } from 'vitest/config'
import alone from './vitest.config.ts'

export default mergeConfig(
  alone,
  defineConfig({ test: { globalSetup: ['test/clients/nodes.setup.ts'], maxWorkers: 1, hookTimeout: 120_000 } }),
)
