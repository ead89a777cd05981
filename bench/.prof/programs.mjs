/** Programs of the bench that use the sources themselves, bundled as the release is. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { loadConfig } from 'rolldown/config'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const COPIES_INTO_DIST = 'tables'

export const dist = here('../dist')

/** Calls `work(pathOf)` with the bundled programs, a record of name to source; they are deleted afterwards. */
export async function withPrograms(sources, work) {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-bench-programs-'))
  try {
    const [{ plugins, ...config }] = await loadConfig(here('../rolldown.config.mts'))
    const input = Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, here(source)]))
    const bundle = await rolldown({
      ...config,
      input,
      plugins: plugins.filter(({ name }) => name !== COPIES_INTO_DIST),
    })
    const modules = join(folder, 'modules')
    await bundle.write({
      dir: modules,
      format: 'esm',
      entryFileNames: '[name].mjs',
      chunkFileNames: '[name]-[hash].mjs',
    })
    // What the bundle leaves outside is found from there.
    symlinkSync(here('../node_modules'), join(folder, 'node_modules'))
    symlinkSync(join(dist, 'models'), join(modules, 'models'))
    return await work((name) => join(modules, `${name}.mjs`), folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
