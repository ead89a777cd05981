import { generateKeyPairSync, sign } from 'node:crypto'
import { expect, test } from 'vitest'
import { checksOf, decodeToken, type PublicKey, timeIn } from './token.ts'

const POOL = 'us-east-1_Example'
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'one' } as PublicKey]
const NOW = Date.UTC(2026, 0, 1)
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

function tokenOf(claims: object, header: object = { alg: 'RS256', kid: 'one' }): string {
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
}

const CLAIMS = {
  iss: `https://cognito-idp.us-east-1.amazonaws.com/${POOL}`,
  exp: NOW / 1000 + 60,
  email: 'é@corp.test',
}
const goods = async (token: string) => (await checksOf(decodeToken(token), POOL, keys, NOW)).map(({ isGood }) => isGood)

test('a token of the pool passes every check, also with the scheme before it', async () => {
  expect(await goods(tokenOf(CLAIMS))).toEqual([true, true, true])
  expect(decodeToken(`Bearer ${tokenOf(CLAIMS)}`).claims).toEqual(CLAIMS)
})

test('a changed, foreign or expired one says which check fails', async () => {
  const [head, , signature] = tokenOf(CLAIMS).split('.')
  expect(await goods([head, part({ ...CLAIMS, email: 'eve' }), signature].join('.'))).toEqual([false, true, true])
  expect(await goods(tokenOf({ ...CLAIMS, iss: 'https://elsewhere.test/other' }))).toEqual([true, false, true])
  expect(await goods(tokenOf({ ...CLAIMS, exp: NOW / 1000 }))).toEqual([true, true, false])
  expect(await goods(tokenOf({ ...CLAIMS, nbf: NOW / 1000 + 1 }))).toEqual([true, true, false])
  expect(await goods(tokenOf(CLAIMS, { alg: 'RS256', kid: 'two' }))).toEqual([false, true, true])
  expect(await goods(tokenOf(CLAIMS, { alg: 'none', kid: 'one' }))).toEqual([false, true, true])
})

test('what is no token is refused with a reason', () => {
  expect(() => decodeToken('hello')).toThrow('three parts')
  expect(() => decodeToken('a.b.c.d.e')).toThrow('encrypted')
  expect(() => decodeToken('a!.b.c')).toThrow('no JSON object')
  expect(() => decodeToken(`${'a'.repeat(20_000)}.b.c`)).toThrow('16384 characters')
})

test('times are seconds', () => {
  expect(timeIn('exp', 1_767_225_600)).toEqual(new Date(NOW))
  expect(timeIn('email', 5)).toBeUndefined()
})
