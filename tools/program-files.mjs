/** The files that a release needs at run time, as the container image and the Debian package have them. */
import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SQLITE = 'node_modules/@photostructure/sqlite'
const root = fileURLToPath(new URL('..', import.meta.url))

/** Copies a build (`npm run build`) into a directory, for this system and processor. */
export function copyProgram(target) {
  if (!existsSync(join(root, 'dist/merlon.js'))) throw new Error("dist/merlon.js is missing: run 'npm run build' first")
  mkdirSync(target, { recursive: true })
  for (const file of ['package.json', 'LICENSE', 'NOTICE']) copyFileSync(join(root, file), join(target, file))
  cpSync(join(root, 'dist'), join(target, 'dist'), {
    recursive: true,
    filter: (file) => !/\/dist\/types(-cjs)?$/.test(file),
  })
  const prebuilt = `prebuilds/${process.platform}-${process.arch}`
  for (const part of ['package.json', 'LICENSE', 'dist', prebuilt])
    cpSync(join(root, SQLITE, part), join(target, SQLITE, part), {
      recursive: true,
      filter: (file) => !file.endsWith('.musl.node'),
    })
  // Finds the binary of this machine.
  cpSync(join(root, 'node_modules/node-gyp-build'), join(target, 'node_modules/node-gyp-build'), { recursive: true })
}
