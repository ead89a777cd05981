/** Builds the web console into dist/console, unless it was built from the same sources before. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** What the console's bundle is made of: its own files, the code it shares with the server, the models and the packages. */
const SOURCES = [
  'console',
  'src/wire',
  'src/policy',
  'src/services',
  'models',
  'tools/schemas-only.ts',
  'package-lock.json',
]
const STAMP = 'console-built-from.txt'

/** @returns {Promise<'built' | 'unchanged'>} */
export async function buildConsole(dist) {
  const stamp = new URL(STAMP, dist)
  const sources = digestOf(SOURCES)
  if (existsSync(stamp) && existsSync(new URL('console/index.html', dist)) && readFileSync(stamp, 'utf8') === sources)
    return 'unchanged'
  const { build } = await import('vite')
  await build({ configFile: join(ROOT, 'console/vite.config.ts'), logLevel: 'warn' })
  writeFileSync(stamp, sources)
  return 'built'
}

function digestOf(paths) {
  const hash = createHash('sha256')
  for (const path of paths) {
    const whole = join(ROOT, path)
    const files = /\.\w+$/.test(path)
      ? [whole]
      : readdirSync(whole, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
          .map((entry) => join(entry.parentPath, entry.name))
          .sort()
    for (const file of files) hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}
