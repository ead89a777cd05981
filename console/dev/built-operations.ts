/** A Vite plugin: `virtual:built-operations`, the operations that this server has, by service. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'rolldown'
import type { Plugin } from 'vite'

const NAME = 'virtual:built-operations'
const REGISTRY = fileURLToPath(new URL('../../src/server/compose/services.ts', import.meta.url))
const CACHE = fileURLToPath(new URL('../../node_modules/.cache', import.meta.url))

interface Registry {
  readonly services: readonly {
    readonly api: { readonly id: string }
    readonly operations: readonly { readonly name: string }[]
  }[]
}

export function builtOperations(): Plugin {
  return {
    name: 'built-operations',
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load: async (id) => (id === `\0${NAME}` ? `export default ${JSON.stringify(await readRegistry())}` : undefined),
  }
}

/** The registry is TypeScript with imports of its own: bundled, loaded once and deleted. */
async function readRegistry(): Promise<Record<string, readonly string[]>> {
  const { mkdirSync } = await import('node:fs')
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(join(CACHE, 'operations-'))
  try {
    await build({
      input: { registry: REGISTRY },
      platform: 'node',
      // Packages stay outside, but for the helpers that the bundler itself adds.
      external: [/^(?!@oxc-project\/)[^./\0]/],
      logLevel: 'silent',
      output: { dir: folder, format: 'esm', entryFileNames: '[name].mjs' },
    })
    const { services } = (await import(pathToFileURL(join(folder, 'registry.mjs')).href)) as Registry
    return Object.fromEntries(
      services.map(({ api, operations }) => [api.id, operations.map(({ name }) => name).sort()]),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
