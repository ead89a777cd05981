/** A Vite plugin: beside each file of the build, the same compressed by Brotli and gzip, for the server to send as it is. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

const TEXT = /\.(js|css|html|json|svg)$/

export function compressed(): Plugin {
  let folder = ''
  return {
    name: 'compressed',
    apply: 'build',
    configResolved: (config) => {
      folder = config.build.outDir
    },
    writeBundle() {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      for (const file of files.filter((each) => each.isFile() && TEXT.test(each.name))) {
        const path = join(file.parentPath, file.name)
        const bytes = readFileSync(path)
        const options = {
          params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length, [constants.BROTLI_PARAM_QUALITY]: 9 },
        }
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, options))
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
      }
    },
  }
}
