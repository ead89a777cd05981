/** The release: the command line, the threads of the store, the vault and the policy analyses, and the policy library, with a lazy chunk for each service's schemas. */
import { cpSync } from 'node:fs'
import { defineConfig } from 'rolldown'
import { asciiOutput } from './tools/ascii-output.ts'
import { jsonAsText } from './tools/json-as-text.ts'
import { schemasOnly } from './tools/schemas-only.ts'

/** What is imported from the package, by `import` and by `require`. */
const LIBRARIES = {
  'encryption-sdk': 'src/encryption-sdk/index.ts',
  testing: 'src/testing/index.ts',
  'testing-vitest': 'src/testing/vitest.ts',
  'testing-jest': 'src/testing/jest.ts',
  'testing-testcontainers': 'src/testing/testcontainers.ts',
  'testing-policies': 'src/testing/policies.ts',
}

const release = defineConfig({
  input: {
    merlon: 'src/cli/merlon.ts',
    'writer-thread': 'src/store/writer-thread.ts',
    'key-thread': 'src/vault/material/key-thread.ts',
    'analysis-thread': 'src/server/compose/analysis-thread.ts',
    policy: 'src/policy/index.ts',
    ...LIBRARIES,
  },
  platform: 'node',
  // Its prebuilt binary is loaded from the package itself.
  external: ['@photostructure/sqlite', 'vitest'],
  plugins: [
    schemasOnly(),
    jsonAsText(),
    asciiOutput(),
    {
      name: 'tables',
      closeBundle: () => {
        cpSync('models/constraints', 'dist/models/constraints', { recursive: true })
        cpSync('src/testing/pytest_plugin.py', 'dist/pytest_plugin.py')
        cpSync('src/planes/functions/sandbox', 'dist/sandbox', { recursive: true })
      },
    },
  ],
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    // A start reads all services: without white space it reads half as much. Names stay, for stack traces.
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  },
})

/** The libraries again, for `require`. */
const commonjs = defineConfig({
  input: LIBRARIES,
  platform: 'node',
  external: ['vitest'],
  output: {
    dir: 'dist',
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'chunks/[name]-[hash].cjs',
  },
})

export default [release, commonjs]
