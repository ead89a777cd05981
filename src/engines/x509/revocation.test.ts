/** Status answers under a flood of requests: each costs a look, few cost a signature. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { integer, objectId, octets, sequence } from './der.ts'
import { elements, only } from './der-read.ts'
import { attributeOids, distinguishedName } from './names.ts'
import { type Issuer, type Revocation, StatusResponder } from './revocation.ts'

const HOUR_MS = 60 * 60 * 1000
const NOW = Date.parse('2030-01-01T00:00:00Z')
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const issuer: Issuer = {
  name: distinguishedName([{ oid: attributeOids.CommonName, value: 'Test CA' }]),
  publicKey: pair.publicKey.export({ type: 'spki', format: 'der' }),
  algorithm: 'SHA256WITHECDSA',
}

/** An OCSP request (RFC 6960 §4.1.1), by SHA-1, for a serial number. */
function requestFor(serial: number): Buffer {
  const [, key] = elements(only(issuer.publicKey, 0x30).content)
  const hash = (bytes: Uint8Array) => octets(createHash('sha1').update(bytes).digest())
  const algorithm = sequence(objectId('1.3.14.3.2.26'))
  const number = integer(Buffer.from(serial.toString(16).padStart(8, '0'), 'hex'))
  const id = sequence(algorithm, hash(issuer.name), hash(key!.content.subarray(1)), number)
  return sequence(sequence(sequence(sequence(id))))
}

function responder() {
  const state = { signatures: 0, now: NOW, isDown: false }
  const revocations = new Map<string, Revocation>()
  const it = new StatusResponder(HOUR_MS)
  const answer = async (serial: number, isKnown = true) => {
    const find = async (hex: string) => (isKnown ? { revocation: revocations.get(hex) } : undefined)
    const { answer: bytes } = await it.answer(issuer, requestFor(serial), find, {
      now: state.now,
      sign: async (message) => {
        state.signatures++
        if (state.isDown) throw new Error('the vault is sealed')
        return sign('sha256', message, pair.privateKey)
      },
    })
    return bytes
  }
  return { state, revocations, answer }
}

describe('A status answer', () => {
  test('is signed once for a thousand requests, and again when half of its time is over', async () => {
    const { state, answer } = responder()
    const first = await answer(1)
    await Promise.all(Array.from({ length: 1_000 }, () => answer(1)))
    state.now += HOUR_MS / 2 - 1
    expect((await answer(1)).equals(first)).toBe(true)
    expect(state.signatures).toBe(1)

    state.now += 1
    expect((await answer(1)).equals(first)).toBe(false)
    expect(state.signatures).toBe(2)
  })

  test('is another one at once when the certificate is revoked', async () => {
    const { state, revocations, answer } = responder()
    const good = await answer(1)
    revocations.set('1', { serial: '1', revokedAt: NOW, reason: 'KEY_COMPROMISE' })
    const revoked = await answer(1)

    expect(revoked.equals(good)).toBe(false)
    expect((await answer(1)).equals(revoked)).toBe(true)
    expect(state.signatures).toBe(2)
  })

  test('costs no signature for certificates that were never issued, and one later where signing failed', async () => {
    const { state, answer } = responder()
    for (let serial = 0; serial < 1_000; serial++) await answer(serial, false)
    expect(state.signatures).toBe(0)

    state.isDown = true
    await expect(answer(1)).rejects.toThrow('sealed')
    state.isDown = false
    expect((await answer(1)).length).toBeGreaterThan(100)
    expect(state.signatures).toBe(2)
  })

  test('of a certificate that is requested often outlives those of ten thousand others', async () => {
    const { state, answer } = responder()
    await answer(0)
    for (let serial = 1; serial <= 10_050; serial++) {
      await answer(serial)
      if (serial % 100 === 0) await answer(0)
    }
    expect(state.signatures).toBe(10_051)
    await answer(1)
    expect(state.signatures).toBe(10_052)
  })
})
