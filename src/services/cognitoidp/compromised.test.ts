import { createHash } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isCompromised } from './compromised.ts'

const digest = (password: string) => createHash('sha1').update(password).digest('hex').toUpperCase()
const listOf = (lines: readonly string[], end = '\n') => {
  const file = join(mkdtempSync(join(tmpdir(), 'list-')), 'list.txt')
  writeFileSync(file, lines.map((line) => `${line}${end}`).join(''))
  return file
}

test.each([1, 2, 40, 3000])(
  'Each of %i passwords of a list is found, the first and the last too, and no other',
  async (count) => {
    const passwords = Array.from({ length: count }, (_, n) => `leaked-${n}`)
    const digests = passwords.map(digest).sort()
    for (const file of [
      listOf(digests),
      listOf(
        digests.map((each, n) => `${each}:${n * n}`),
        '\r\n',
      ),
      listOf(digests.map((each) => each.toLowerCase())),
    ]) {
      const step = Math.max(1, Math.floor(count / 200))
      for (let n = 0; n < count; n += step) expect(await isCompromised(passwords[n]!, file)).toBe(true)
      for (const edge of [digests[0], digests.at(-1)])
        expect(await isCompromised(passwords.find((each) => digest(each) === edge)!, file)).toBe(true)
      for (let n = 0; n < 50; n++) expect(await isCompromised(`fresh-${n}`, file)).toBe(false)
    }
  },
)

test('A file of another form is an error, not a clean bill', async () => {
  const clear = Array.from({ length: 2000 }, (_, n) => `password-${n}`)
  await expect(isCompromised('password-1', listOf(clear))).rejects.toThrow('no list')
  await expect(isCompromised('a', join(tmpdir(), 'no-such-list'))).rejects.toThrow('ENOENT')
  expect(await isCompromised('a', listOf([]))).toBe(false)
})
