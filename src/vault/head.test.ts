/** Comparing a database, a keyring and the marker beside them: one history, or one of them was rolled back. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { firstHead, type Head, type Link, nextLink, readHead, rollback, writeHead } from './head.ts'

const keyring = { installId: 'install-1', epoch: 1, generation: 10 }

/** Opened three times, at revision 30. */
function lived() {
  const links: Link[] = []
  const heads: Head[] = [firstHead(keyring, 0)]
  for (const revision of [10, 20, 30]) {
    const link = nextLink(keyring, heads.at(-1)!, links.at(-1))
    links.push(link)
    heads.push({ ...heads.at(-1)!, n: link.n, hash: link.hash, revision })
  }
  return { links, heads, head: heads.at(-1)!, link: links.at(-1)! }
}

test('what belongs together fits, also before the first opening and when the database is ahead', () => {
  const { head, link } = lived()

  expect(rollback(keyring, head, link, 30)).toBeUndefined()
  expect(rollback(keyring, head, link, 31)).toBeUndefined()
  expect(rollback(keyring, firstHead(keyring, 0), undefined, 0)).toBeUndefined()
})

test('a crash between the database and the head is no rollback', () => {
  const { heads, link } = lived()

  expect(rollback(keyring, heads.at(-2), link, 30)).toBeUndefined()
})

test.each<[string, (world: ReturnType<typeof lived>) => string | undefined]>([
  ['a database without links', ({ head }) => rollback(keyring, head, undefined, 30)],
  ['a database of an opening ago', ({ head, links }) => rollback(keyring, head, links.at(-2), 30)],
  ['a database of the same opening at an older revision', ({ head, link }) => rollback(keyring, head, link, 29)],
  ['a head of two openings ago', ({ heads, link }) => rollback(keyring, heads.at(-3), link, 30)],
  [
    'a database that lived on elsewhere',
    ({ heads, head }) => rollback(keyring, head, lived().link, 30) ?? String(heads),
  ],
  [
    'a database that was opened once more elsewhere, from an older state',
    ({ head, heads, links }) => rollback(keyring, head, { ...nextLink(keyring, heads[3]!, links[1]), n: 4 }, 40),
  ],
  ['an older keyring', ({ head, link }) => rollback({ ...keyring, generation: 9 }, head, link, 30)],
  ['a keyring of an earlier epoch', ({ head, link }) => rollback({ ...keyring, epoch: 0 }, head, link, 30)],
  ['a head of an earlier epoch', ({ head, link }) => rollback({ ...keyring, epoch: 2 }, head, link, 30)],
  ['no head', ({ link }) => rollback(keyring, undefined, link, 30)],
  ['the head of another installation', ({ head, link }) => rollback({ ...keyring, installId: 'x' }, head, link, 30)],
])('%s is a rollback', (_, judged) => {
  expect(judged(lived())).toMatch(/\w+ \w+ \w+/)
})

test('a head in which one bit has changed is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-head-'))
  const file = join(folder, 'head')
  const key = Buffer.alloc(32, 1)
  const { head } = lived()
  writeHead(file, head, key)
  const whole = readFileSync(file)

  expect(readHead(file, key)).toEqual(head)
  expect(readHead(file, Buffer.alloc(32, 2))).toBeUndefined()
  expect(readHead(`${file}.missing`, key)).toBeUndefined()
  for (let at = 0; at < whole.length - 1; at++) {
    const bytes = Buffer.from(whole)
    bytes[at]! ^= 1
    writeFileSync(file, bytes)
    expect(readHead(file, key)).toBeUndefined()
  }
  rmSync(folder, { recursive: true })
})
