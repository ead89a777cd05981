/**
 * `node tools/image/build-root.mjs DIRECTORY`: the root file system of Merlon's container image, from a build (`npm run build`): Node,
 * the libraries that it loads, and the release. No shell, no package manager. The Dockerfile copies it into an empty image;
 * test/cli/image.test.ts starts it without a container engine. `NODE_BINARY` names another Node (default: the one that runs this).
 */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { copyProgram } from '../program-files.mjs'

/** An unprivileged user: the one that distroless images have. */
export const USER = 65_532
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'

/** Returns the bytes of all files. */
export function buildRoot(target, node = process.env['NODE_BINARY'] ?? process.execPath) {
  if (existsSync(target) && readdirSync(target).length > 0) throw new Error(`${target} is not empty`)
  const at = (path) => join(target, path)
  for (const folder of ['usr/bin', 'etc/ssl/certs', 'app', 'proc', 'dev', 'tmp', 'data', 'keys'])
    mkdirSync(at(folder), { recursive: true })

  copyFileSync(node, at('usr/bin/node'))
  chmodSync(at('usr/bin/node'), 0o755)
  strip(at('usr/bin/node'))
  for (const library of librariesOf(node)) {
    mkdirSync(dirname(at(library)), { recursive: true })
    copyFileSync(library, at(library))
  }

  copyProgram(at('app'))

  writeFileSync(at('etc/passwd'), `root:x:0:0::/:/nologin\nmerlon:x:${USER}:${USER}::/data:/nologin\n`)
  writeFileSync(at('etc/group'), `root:x:0:\nmerlon:x:${USER}:\n`)
  writeFileSync(at('etc/nsswitch.conf'), 'hosts: files dns\n')
  if (existsSync(AUTHORITIES)) copyFileSync(AUTHORITIES, at(AUTHORITIES))
  chmodSync(at('tmp'), 0o1777)
  for (const folder of ['data', 'keys']) {
    chmodSync(at(folder), 0o700)
    if (process.getuid?.() === 0) chownSync(at(folder), USER, USER)
  }
  return bytesBelow(target)
}

/** Symbols for debuggers are an eighth of the binary. Without binutils it stays as it is. */
function strip(file) {
  try {
    execFileSync('strip', ['--strip-unneeded', file], { stdio: 'ignore' })
  } catch {
    // The image is larger, and works.
  }
}

/** Paths of shared libraries, the dynamic loader included. */
function librariesOf(binary) {
  const output = execFileSync('ldd', [binary], { encoding: 'utf8' })
  return [...output.matchAll(/(?:=>\s*|^\s*)(\/\S+) \(0x/gm)].map(([, path]) => path)
}

function bytesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , target] = process.argv
  if (!target) throw new Error('Usage: node tools/image/build-root.mjs DIRECTORY')
  console.log(`${target}: ${(buildRoot(target) / 1e6).toFixed(0)} MB`)
}
