/**
 * What keys and secrets must show, by the numbers of their specifications: for each a test is named after it. Titles that begin
 * with `KMS 8` or `Secrets 4` are found by `grep`, and run by `vitest -t`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Section 6 of each specification, as far as it is built. */
const POINTS = {
  KMS: [1, 2, 5, 6, 7, 8, 9, 10, 11, 13, 14],
  Secrets: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14],
  Trust: [1, 2, 4, 5, 10, 11, 12, 13],
} as const

const root = fileURLToPath(new URL('../', import.meta.url))

function testFiles(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(root, folder, name))
}

/** The text before the first colon of every title: `Trust 4, KMS 13`, `Secrets 2 and 3`. */
function named(): ReadonlySet<string> {
  const found = new Set<string>()
  for (const file of [...testFiles('src'), ...testFiles('test')]) {
    const titles = readFileSync(file, 'utf8').matchAll(
      /['"`]((?:KMS|Secrets|Trust) \d+[^:,'"`]*(?:, (?:KMS|Secrets|Trust) \d+)*)[:,]/g,
    )
    for (const [, words = ''] of titles) {
      let area = ''
      for (const [, name, number] of words.matchAll(/(KMS|Secrets|Trust)?,? ?(?:and )?(\d+)/g)) {
        area = name ?? area
        found.add(`${area} ${number}`)
      }
    }
  }
  return found
}

test('every point has a test that is named after it', () => {
  const there = named()
  const points = Object.entries(POINTS).flatMap(([area, numbers]) => numbers.map((number) => `${area} ${number}`))

  expect(points.filter((point) => !there.has(point))).toEqual([])
})
