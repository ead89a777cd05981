/**
 * Makes test/vectors/data out of a copy of Wycheproof's vectors (https://github.com/C2SP/wycheproof, commit dac1dd4,
 * Apache-2.0): only the files and members that the tests read, compressed.
 * Run: node tools/reduce-wycheproof.mjs <folder>
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

const [from] = process.argv.slice(2)
const to = new URL('../test/vectors/data/', import.meta.url)

const WANTED = [
  /^aes_kwp_test/,
  /^ecdh_/,
  /^ecdsa_/,
  /^ed25519_/,
  /^hmac_/,
  /^mldsa_/,
  /^mlkem_\d+_test/,
  // Our OAEP has one hash for both, our PSS a salt as long as the hash.
  /^rsa_oaep_\d+_sha(1_mgf1sha1|256_mgf1sha256)_/,
  /^rsa_pss_/,
  /^rsa_signature_(2048|3072_sha256|4096_sha512)/,
]
const GROUP = ['curve', 'keySize', 'sha', 'sLen', 'tagSize', 'publicKeyDer', 'privateKeyPkcs8', 'tests']
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
]

const only = (names, object) =>
  Object.fromEntries(names.filter((name) => name in object).map((name) => [name, object[name]]))

mkdirSync(to, { recursive: true })
let bytes = 0
for (const file of readdirSync(from).filter((name) => WANTED.some((wanted) => wanted.test(name)))) {
  const { testGroups } = JSON.parse(readFileSync(join(from, file), 'utf8'))
  const groups = testGroups.map((group) =>
    only(GROUP, {
      ...group,
      tests: group.tests.map((test) => ({
        ...only(TEST, test),
        // We sign with fresh randomness: what others signed is not what we will.
        ...(file.includes('sign_seed') && { sig: undefined }),
        ...('ek' in test && { ekSha256: createHash('sha256').update(test.ek, 'hex').digest('hex') }),
      })),
    }),
  )
  const packed = brotliCompressSync(JSON.stringify(groups), {
    params: { [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: 4_000_000 },
  })
  bytes += packed.length
  writeFileSync(new URL(`${file}.br`, to), packed)
}
console.log(`${bytes} bytes`)
