import { expect, test } from 'vitest'
import { CredentialSource, type Expiring, SignedOutError, sessionCredentials, signInAddress } from './session.ts'

const keys = (expiresAt: number): Expiring => ({ accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't', expiresAt })

test('credentials are kept, shared, and renewed before they end', async () => {
  let now = 0
  let renewed = 0
  const source = new CredentialSource(
    async () => keys(++renewed * 900_000),
    () => now,
  )
  await Promise.all([source.get(), source.get(), source.get()])
  expect(renewed).toBe(1)
  now = 700_000
  await source.get()
  expect(renewed).toBe(1)
  now = 790_000
  const both = await Promise.all([source.get(), source.get()])
  expect(renewed).toBe(2)
  expect(both[0]).toBe(both[1])
})

test('a failed renewal is tried again', async () => {
  let attempts = 0
  const source = new CredentialSource(
    async () => {
      if (++attempts === 1) throw new TypeError('no network')
      return keys(900_000)
    },
    () => 0,
  )
  await expect(source.get()).rejects.toThrow('no network')
  expect((await source.get()).accessKeyId).toBe('a')
})

test('a session that is over is not a failure of the network', async () => {
  const session = { principal: { kind: 'user', arn: 'arn', account: '1' }, csrf: 'token', mfa: false }
  const answer = (status: number) => (async () => new Response('{}', { status })) as unknown as typeof fetch
  await expect(sessionCredentials(session, answer(401))).rejects.toBeInstanceOf(SignedOutError)
  await expect(sessionCredentials(session, answer(403))).rejects.toBeInstanceOf(SignedOutError)
  const sent: RequestInit[] = []
  const send = (async (_url: string, init: RequestInit) => {
    sent.push(init)
    return Response.json({
      accessKeyId: 'a',
      secretAccessKey: 's',
      sessionToken: 't',
      expiration: '2026-01-01T00:00:00Z',
    })
  }) as unknown as typeof fetch
  expect((await sessionCredentials(session, send)).expiresAt).toBe(Date.UTC(2026, 0, 1))
  expect(sent[0]).toMatchObject({ method: 'POST', headers: { 'x-csrf-token': 'token' } })
})

test('the way back to the page is kept', () => {
  expect(signInAddress({ pathname: '/console/', search: '', hash: '#/iam/users?x=1' })).toBe(
    '/signin?redirect=%2Fconsole%2F%23%2Fiam%2Fusers%3Fx%3D1',
  )
})
