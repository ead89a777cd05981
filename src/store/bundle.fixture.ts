/** For tests: scripts that Node can run as threads and processes, since it runs no TypeScript of its own accord. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'rolldown'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Bundles a TypeScript entry; the result is below the repository, so that its packages are found. */
export async function bundled(entry: URL, name: string): Promise<URL> {
  const directory = join(repository, 'node_modules/.cache/merlon-tests')
  mkdirSync(directory, { recursive: true })
  const file = join(directory, `${name}-${process.pid}.mjs`)
  await build({
    input: fileURLToPath(entry),
    platform: 'node',
    external: ['@photostructure/sqlite'],
    output: { file, format: 'esm' },
    logLevel: 'silent',
  })
  return pathToFileURL(file)
}
