/** The root key file is made once, whole, for its owner only, and read under no other circumstances. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createKeyFile, readKeyFile } from './file-sealer.ts'
import { VaultError } from './vault.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'merlon-vault-'))
  file = join(directory, 'root.key')
})
afterEach(() => rmSync(directory, { recursive: true }))

test('what was made is what is read, and opens on this machine only', () => {
  const made = createKeyFile(file)

  expect(made.rootKey).toHaveLength(32)
  expect(made.loopbackOnly).toBe(true)
  expect(readKeyFile(file)).toEqual(made)
})

test('two files never hold the same key or installation', () => {
  const [one, two] = [createKeyFile(file), createKeyFile(`${file}2`)]

  expect(one.rootKey.equals(two.rootKey)).toBe(false)
  expect(one.installId).not.toBe(two.installId)
})

test("the file is its owner's alone, and nothing is left beside it", () => {
  createKeyFile(file)

  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(directory)).toEqual(['root.key'])
})

test('an existing file is never overwritten, not even an empty one', () => {
  writeFileSync(file, '')

  expect(() => createKeyFile(file)).toThrow(VaultError)

  expect(readFileSync(file, 'utf8')).toBe('')
  expect(readdirSync(directory)).toEqual(['root.key'])
})

test.each([0o640, 0o604, 0o620, 0o601, 0o644, 0o777])('mode %o is refused, and the message says what to do', (mode) => {
  createKeyFile(file)
  chmodSync(file, mode)

  expect(() => readKeyFile(file)).toThrow(`Run: chmod 600 ${file}`)
})

test('a stricter mode is as good', () => {
  const made = createKeyFile(file)
  chmodSync(file, 0o400)

  expect(readKeyFile(file)).toEqual(made)
})

test.runIf(process.getuid?.() === 0)('a file of another user is refused', () => {
  createKeyFile(file)
  chownSync(file, 12_345, 12_345)

  expect(() => readKeyFile(file)).toThrow(/belongs to another user \(uid 12345\)/)
})

test('a link is not followed: an attacker may have made it to choose the key', () => {
  createKeyFile(file)
  symlinkSync(file, `${file}.link`)

  expect(() => readKeyFile(`${file}.link`)).toThrow(/ELOOP/)
})

test('no file is not a damaged file', () => {
  expect(() => readKeyFile(file)).toThrow(/ENOENT/)
  expect(existsSync(file)).toBe(false)
})

const key = Buffer.alloc(32, 'S').toString('base64')
test.each([
  ['nothing', ''],
  ['no JSON', `{"version":1,"installId":"i","rootKey":"${key}"`],
  ['null', 'null'],
  ['a newer version', JSON.stringify({ version: 2, installId: 'i', rootKey: key })],
  ['no installation', JSON.stringify({ version: 1, installId: '', rootKey: key })],
  ['a short key', JSON.stringify({ version: 1, installId: 'i', rootKey: key.slice(4) })],
  ['a key that is no text', JSON.stringify({ version: 1, installId: 'i', rootKey: [83, 83] })],
])('a file that holds %s is refused without being quoted', (_, content) => {
  writeFileSync(file, content, { mode: 0o600 })

  const read = () => readKeyFile(file)

  expect(read).toThrow(/is not a Merlon root key file/)
  expect(read).not.toThrow(/U1NT|SSS/)
})
