/** A Vite plugin: beside each file of the build, the same compressed by Brotli and gzip, for the server to send as it is. */
import { readdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

const TEXT = /\.(js|css|html|json|svg)$/
/** Of Brotli: 9 takes six times as long here, and its files are larger. */
const QUALITY = 10

export function compressed(): Plugin {
  let folder = ''
  return {
    name: 'compressed',
    apply: 'build',
    configResolved: (config) => {
      folder = config.build.outDir
    },
    async writeBundle() {
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      const texts = files.filter((each) => each.isFile() && TEXT.test(each.name))
      await Promise.all(texts.map((file) => compress(join(file.parentPath, file.name))))
    },
  }
}

/** On the threads of the runtime, which are as many as processors at work. */
async function compress(path: string): Promise<void> {
  const bytes = await readFile(path)
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length, [constants.BROTLI_PARAM_QUALITY]: QUALITY }
  const [brotli, zipped] = await Promise.all([
    promisify(brotliCompress)(bytes, { params }),
    promisify(gzip)(bytes, { level: 9 }),
  ])
  await Promise.all([writeFile(`${path}.br`, brotli), writeFile(`${path}.gz`, zipped)])
}
