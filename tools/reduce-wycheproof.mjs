/**
 * Makes test/vectors/data out of a copy of Wycheproof's vectors (https://github.com/C2SP/wycheproof, commit dac1dd4,
 * Apache-2.0): every file and case, only the members that the tests read, compressed.
 * Run: node tools/reduce-wycheproof.mjs <folder>
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

const [from] = process.argv.slice(2)
const to = new URL('../test/vectors/data/', import.meta.url)

const GROUP = ['curve', 'ivSize', 'keySize', 'sha', 'sLen', 'tagSize', 'publicKeyDer', 'privateKeyPkcs8', 'tests']
const TEST = [
  'tcId',
  'result',
  'msg',
  'mu',
  'ctx',
  'sig',
  'key',
  'ct',
  'label',
  'tag',
  'public',
  'private',
  'shared',
  'seed',
  'c',
  'K',
  'm',
  'iv',
  'aad',
  'ikm',
  'salt',
  'info',
  'size',
  'okm',
]

const only = (names, object) =>
  Object.fromEntries(names.filter((name) => name in object).map((name) => [name, object[name]]))

/** What a seed makes again is kept as its digest; what is encapsulated to is needed whole. */
function publicKeyOf({ ek, seed }) {
  if (ek === undefined) return {}
  return seed === undefined ? { ek } : { ekSha256: createHash('sha256').update(ek, 'hex').digest('hex') }
}

mkdirSync(to, { recursive: true })
let bytes = 0
for (const file of readdirSync(from).filter((name) => name.endsWith('_test.json'))) {
  const { testGroups, numberOfTests } = JSON.parse(readFileSync(join(from, file), 'utf8'))
  const groups = testGroups.map((group) =>
    only(GROUP, {
      ...group,
      tests: group.tests.map((test) => ({
        ...only(TEST, test),
        ...publicKeyOf(test),
      })),
    }),
  )
  const kept = groups.reduce((sum, { tests }) => sum + tests.length, 0)
  if (kept !== numberOfTests) throw new Error(`${file} says ${numberOfTests} tests and has ${kept}`)
  const packed = brotliCompressSync(JSON.stringify(groups), {
    params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: 4_000_000 },
  })
  bytes += packed.length
  writeFileSync(new URL(`${file}.br`, to), packed)
}
console.log(`${bytes} bytes`)
