/** Paths that have to be searched for: crossed authorities, loops, useless certificates, and sets that are made to cost. */
import { describe, expect, test } from 'vitest'
import { hierarchy, NOW } from './path.fixture.ts'
import { type BuildOptions, buildPath } from './path-building.ts'
import type { PathCertificate } from './path-certificate.ts'
import { pathBudget } from './path-validation.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const build = (leaf: PathCertificate, anchors: BuildOptions['anchors'], intermediates: BuildOptions['intermediates']) =>
  buildPath(leaf, { anchors, intermediates, now: NOW, purpose: 'server' })
const pathOf = async (...[leaf, anchors, intermediates]: Parameters<typeof build>) => {
  const result = await build(leaf, anchors, intermediates)
  return result.isValid ? result.path.map(({ subject }) => subject.join().replace('2.5.4.3=', '')) : result.problem
}

describe('A path', () => {
  test('is found whatever the order, and with certificates that do not belong to it', async () => {
    const { authority, leaf } = hierarchy()
    const root = await authority('root', 'root')
    const [a, b, other] = [await authority('a', 'root'), await authority('b', 'a'), await authority('other', 'root')]
    const end = await leaf('b')

    expect(await pathOf(end, [root], [other, b, a, end])).toEqual(['leaf', 'b', 'a', 'root'])
    expect(await pathOf(end, [root], [b])).toBe('no-issuer')
    expect(await pathOf(end, [a], [b])).toEqual(['leaf', 'b', 'a'])
    expect(await pathOf(end, [], [a, b, root])).toBe('no-issuer')
  })

  test('goes by the anchor that is trusted where two roots signed each other', async () => {
    const { authority, leaf } = hierarchy()
    const [old, young] = [await authority('old', 'old'), await authority('young', 'young')]
    const [youngByOld, oldByYoung] = [await authority('young', 'old'), await authority('old', 'young')]
    const issuing = await authority('issuing', 'young')
    const end = await leaf('issuing')
    const all = [youngByOld, oldByYoung, issuing]

    expect(await pathOf(end, [old], all)).toEqual(['leaf', 'issuing', 'young', 'old'])
    expect(await pathOf(end, [young], all)).toEqual(['leaf', 'issuing', 'young'])
  })

  test('is found behind an expired, a forged and a limited certificate of the same name', async () => {
    const { authority, leaf } = hierarchy()
    const root = await authority('root', 'root')
    const useless = [
      await authority('issuing', 'root', { endsMs: NOW - DAY_MS }),
      await authority('issuing', 'root', { isForged: true }),
      await authority('issuing', 'root', { permitted: ['other.test'] }),
      await authority('issuing', 'root', { isAuthority: false }),
      await authority('issuing', 'root', { usages: ['cRLSign'] }),
      await authority('issuing', 'root', { extended: ['1.3.6.1.5.5.7.3.2'] }),
    ]
    const end = await leaf('issuing')

    expect(await pathOf(end, [root], [...useless, await authority('issuing', 'root')])).toHaveLength(3)
    const problems = []
    for (const each of useless) problems.push(await pathOf(end, [root], [each]))
    expect(problems).toEqual([
      'expired',
      'signature',
      'name-constraints',
      'not-an-authority',
      'key-usage',
      'extended-key-usage',
    ])
  })

  test('of authorities that signed each other ends, without an anchor or with one', async () => {
    const { authority, leaf } = hierarchy()
    const root = await authority('root', 'root')
    const loop = [await authority('a', 'b'), await authority('b', 'a'), await authority('a', 'a')]
    const end = await leaf('a')

    expect(await pathOf(end, [root], loop)).toBe('no-issuer')
    expect(await pathOf(end, [root], [...loop, await authority('b', 'root')])).toEqual(['leaf', 'a', 'b', 'root'])
  })

  test('is not longer than ten certificates', async () => {
    const { authority, leaf } = hierarchy()
    const root = await authority('0', '0')
    const chain: PathCertificate[] = []
    for (let at = 1; at <= 9; at++) chain.push(await authority(`${at}`, `${at - 1}`))

    expect(await pathOf(await leaf('8'), [root], chain)).toHaveLength(10)
    expect(await pathOf(await leaf('9'), [root], chain)).toBe('no-issuer')
  })

  test('costs no more signatures than the budget, however many authorities have the same name', async () => {
    const { authority, leaf, pairOf } = hierarchy()
    const root = await authority('root', 'root')
    const many: PathCertificate[] = []
    for (let at = 0; at < 150; at++)
      many.push(await authority('issuing', 'root', { pair: pairOf(`key ${at % 3}`), endsMs: NOW + at * DAY_MS }))
    const budget = pathBudget()
    const end = await leaf('issuing')
    const result = await buildPath(end, { anchors: [root], intermediates: many, now: NOW, budget })

    expect(result).toEqual({ isValid: false, problem: 'budget' })
    expect(budget.signatures).toBe(0)
  })

  test('costs a bounded number of steps where every authority signed every other', async () => {
    const { authority, leaf } = hierarchy()
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const web: PathCertificate[] = []
    for (const subject of names) for (const issuer of names) web.push(await authority(subject, issuer))
    const root = await authority('root', 'root')

    expect(await pathOf(await leaf('a'), [root], web)).toBe('budget')
  })
})
