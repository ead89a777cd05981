/** The key cache: rotation under load, budgets against callers that choose key ids, and issuers that fail. */
import { describe, expect, test } from 'vitest'
import { IssuerKeys } from './issuer-keys.ts'

const ISSUER = 'https://login.example.com'
const MINUTE = 60_000

function world() {
  const state = { kids: ['one'], isDown: false, fetches: 0 }
  const keys = new IssuerKeys(async (url) => {
    await new Promise((resolve) => setImmediate(resolve))
    if (state.isDown) throw new Error('no answer')
    if (url === `${ISSUER}/.well-known/openid-configuration`)
      return { status: 200, body: JSON.stringify({ issuer: ISSUER, jwks_uri: `${ISSUER}/keys` }) }
    state.fetches++
    return { status: 200, body: JSON.stringify({ keys: state.kids.map((kid) => ({ kid, kty: 'RSA' })) }) }
  })
  const of = async (kid: string | undefined, now: number) =>
    (await keys.of({ issuer: ISSUER }, kid, now)).map((key) => key.kid)
  return { state, of }
}

describe('Keys of an issuer', () => {
  test('are fetched once for many callers, and once more when they rotate under load', async () => {
    const { state, of } = world()
    const first = await Promise.all(Array.from({ length: 50 }, () => of('one', 0)))
    expect(first.every(([kid]) => kid === 'one')).toBe(true)
    expect(state.fetches).toBe(1)

    state.kids = ['one', 'two']
    const rotated = await Promise.all(Array.from({ length: 200 }, (_, i) => of(i % 2 ? 'one' : 'two', 1_000)))

    expect(rotated.flat()).toEqual(Array.from({ length: 200 }, (_, i) => (i % 2 ? 'one' : 'two')))
    expect(state.fetches).toBe(2)
  })

  test('cannot be kept from rotating by tokens with other key ids', async () => {
    const { state, of } = world()
    await of('one', 0)
    for (let i = 0; i < 5; i++) expect(await of(`made-up-${i}`, 1_000)).toEqual([])
    state.kids = ['two']

    expect(await of('two', 2_000)).toEqual(['two'])
  })

  test('cost a bounded number of fetches, whatever key ids callers choose', async () => {
    const { state, of } = world()
    for (let i = 0; i < 5_000; i++) await of(`made-up-${i}`, i)
    expect(state.fetches).toBeLessThanOrEqual(10)
    expect(await of('made-up-1', 2 * MINUTE)).toEqual([])
    expect(state.fetches).toBeLessThanOrEqual(11)
  })

  test('are fetched again after an hour, and forgotten two hours after the issuer stopped to answer', async () => {
    const { state, of } = world()
    await of('one', 0)
    state.kids = ['two']
    expect(await of('one', 59 * MINUTE)).toEqual(['one'])
    expect(await of('one', 61 * MINUTE)).toEqual([])

    state.isDown = true
    expect(await of('two', 130 * MINUTE)).toEqual(['two'])
    await expect(of('two', 190 * MINUTE)).rejects.toThrow('no answer')
  })

  test('are an error at once where there never were any', async () => {
    const { state, of } = world()
    state.isDown = true

    await expect(of('one', 0)).rejects.toThrow('no answer')
  })
})
