/** Any k of n shares give the seed back; a share that is not right is named, and is not counted. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomKey } from '../aead.ts'
import { TrustError } from '../vault.ts'
import { ShareEntry, splitSeed } from './shamir.ts'
import { readShare, shareText } from './share-text.ts'

const INSTALL = 'install-1'
const seed = Buffer.alloc(32, 7)
const split = (shares = 5, threshold = 3, of: Buffer = seed) => splitSeed(INSTALL, of, { shares, threshold })

function subsets(of: number, size: number): number[][] {
  if (size === 0) return [[]]
  return Array.from({ length: of }, (_, first) => first).flatMap((first) =>
    subsets(of, size - 1)
      .filter((rest) => rest.every((other) => other > first))
      .map((rest) => [first, ...rest]),
  )
}

describe('shares', () => {
  test('all ten subsets of three of five give the seed back', async () => {
    const { settings, texts } = await split()

    for (const subset of subsets(5, 3)) {
      const entry = new ShareEntry(INSTALL, settings)
      for (const at of subset) entry.add(texts[at]!)
      expect(entry.complete).toBe(true)
      expect(await entry.seed()).toEqual(seed)
    }
    expect(subsets(5, 3)).toHaveLength(10)
  })

  test('two of three are not complete', async () => {
    const { settings, texts } = await split()
    const entry = new ShareEntry(INSTALL, settings)

    entry.add(texts[0]!)
    entry.add(texts[1]!)

    expect([entry.given, entry.complete]).toEqual([2, false])
  })

  test.each([
    [5, 1],
    [3, 4],
    [65, 3],
    [2.5, 2],
    [Number.NaN, 2],
  ])('%d shares of which %d are needed are refused', async (shares, threshold) => {
    await expect(split(shares, threshold)).rejects.toThrow('MERLON_SHARES_COUNT')
  })

  test.each([
    [2, 2],
    [64, 64],
  ])('%d shares of which %d are needed are possible', async (shares, threshold) => {
    const { settings, texts } = await split(shares, threshold)
    const entry = new ShareEntry(INSTALL, settings)

    for (const text of texts) entry.add(text)

    expect(await entry.seed()).toEqual(seed)
  })
})

describe('a wrong share', () => {
  test('of another set is named with both sets, and the right ones stay', async () => {
    const [mine, other] = [await split(), await split()]
    const entry = new ShareEntry(INSTALL, mine.settings)
    entry.add(mine.texts[0]!)

    expect(() => entry.add(other.texts[3]!)).toThrow(
      `share 4 belongs to another set of shares (${other.settings.set}); this sealer's set is ${mine.settings.set}`,
    )
    expect(entry.given).toBe(1)
  })

  test('entered twice is a duplicate', async () => {
    const { settings, texts } = await split()
    const entry = new ShareEntry(INSTALL, settings)
    entry.add(texts[1]!)

    expect(() => entry.add(texts[1]!.toLowerCase())).toThrow('MERLON_SHARE_DUPLICATE: share 2 has been entered already')
  })

  test('made up with a right checksum is named by its number', async () => {
    const { settings } = await split()
    const forged = shareText({ set: settings.set, index: 2, threshold: 3, bytes: Buffer.alloc(33, 9) })

    expect(() => new ShareEntry(INSTALL, settings).add(forged)).toThrow('share 2 of set')
  })

  test('with any one letter mistyped is refused, and never quoted', async () => {
    const { settings, texts } = await split()
    const [text] = texts as [string]

    for (let at = 0; at < text.length; at++) {
      if (text[at] === '-') continue
      const mistyped = text.slice(0, at) + (text[at] === '7' ? '8' : '7') + text.slice(at + 1)
      const entry = new ShareEntry(INSTALL, settings)
      const add = () => entry.add(mistyped)
      expect(add).toThrow(TrustError)
      expect(add).not.toThrow(text.slice(0, 13))
    }
  })
})

describe('the text of a share', () => {
  test('says everything back, in whatever case and spacing it is typed', () => {
    const bytes = fc.uint8Array({ minLength: 33, maxLength: 33 })
    const count = fc.integer({ min: 1, max: 255 })

    fc.assert(
      fc.property(bytes, count, count, (given, index, threshold) => {
        const share = { set: '00c0ffee', index, threshold, bytes: Buffer.from(given) }
        const text = shareText(share)
        const typed = text.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')
        expect(readShare(text, 'it')).toEqual(share)
        expect(readShare(typed, 'it')).toEqual(share)
      }),
    )
  })

  test('is never an error of another kind, whatever is typed', () => {
    fc.assert(
      fc.property(fc.string(), (typed) => {
        expect(() => readShare(typed, 'it')).toThrow('MERLON_SHARE_INVALID: it is mistyped')
      }),
    )
  })

  test('of two random seeds is never the same', async () => {
    const texts = (await Promise.all([split(5, 3, randomKey()), split(5, 3, randomKey())])).flatMap((one) => one.texts)

    expect(new Set(texts).size).toBe(10)
  })
})
