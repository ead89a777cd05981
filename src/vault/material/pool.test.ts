/** Threads for slow key operations: the same answers as without them, and no answer lost without a word. */
import { generateKeyPairSync, randomBytes, verify } from 'node:crypto'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundled } from '../../store/bundle.fixture.ts'
import { VaultError } from '../vault.ts'
import { inlinePool, ThreadPool } from './pool.ts'

let script: URL
let pool: ThreadPool

beforeAll(async () => {
  script = await bundled(new URL('./key-thread.ts', import.meta.url), 'key-thread')
  pool = new ThreadPool(script)
})
afterAll(async () => {
  await pool.close()
  rmSync(fileURLToPath(script))
})

const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })

test('a thread signs with a key that it is lent, many at a time', async () => {
  const digest = randomBytes(32)
  const signatures = await Promise.all(
    Array.from({ length: 20 }, () => pool.run({ job: 'ecSignDigest', key: pair.privateKey, digest })),
  )

  const { x, y } = pair.publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')])
  for (const signature of signatures) {
    expect(await inlinePool.run({ job: 'ecVerifyDigest', jwk: 'P-256', point, digest, signature })).toBe(true)
    expect(verify('sha256', digest, pair.publicKey, signature)).toBe(false)
  }
})

test('a seed makes the same key on a thread and without one', async () => {
  const seed = randomBytes(32)
  const job = { job: 'mlDsaPublicKey', level: 44, seed } as const

  expect(Buffer.from(await pool.run(job))).toEqual(Buffer.from(await inlinePool.run(job)))
})

test('what cannot be done fails by itself, says nothing of its key, and leaves the thread running', async () => {
  const failing = pool.run({ job: 'mlDsaPublicKey', level: 44, seed: randomBytes(5) })

  await expect(failing).rejects.toThrow(new VaultError('a key operation failed'))
  await expect(pool.run({ job: 'mlDsaPublicKey', level: 44, seed: randomBytes(32) })).resolves.toHaveLength(1312)
})

test('a call waiting for a thread that ends gets an error, and the next one gets another thread', async () => {
  const mortal = new ThreadPool(script)
  const waiting = mortal.run({ job: 'mlDsaSign', level: 87, seed: randomBytes(32), message: randomBytes(9), mu: false })
  const told = expect(waiting).rejects.toThrow(VaultError)
  await mortal.close()
  await told

  await expect(mortal.run({ job: 'mlDsaPublicKey', level: 44, seed: randomBytes(32) })).resolves.toHaveLength(1312)
  await mortal.close()
})
