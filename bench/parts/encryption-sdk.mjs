/**
 * The Encryption SDK beside the official one, on the same work in one run: a raw AES key, whole messages of three sizes, by the
 * default suite and by the one without a signature. Each has to read what the other writes, or nothing is measured.
 */
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import * as merlon from '../../dist/encryption-sdk.js'
import { number, table, times } from '../report.mjs'
import { interleaved } from '../rounds.mjs'

const official = createRequire(import.meta.url)('@aws-crypto/client-node')
const SIZES = [1_000, 100_000, 10_000_000]
const SUITES = { signed: 0x0578, unsigned: 0x0478 }
/** Of one round. */
const ROUND_MS = 1_000
const FRAME_BYTES = 65_536

export async function encryptionSdk({ rounds }) {
  const sides = sidesOf(randomBytes(32))
  const rows = []
  for (const [signed, suiteId] of Object.entries(SUITES)) {
    for (const bytes of SIZES) {
      const plaintext = randomBytes(bytes)
      const options = { suiteId, frameLength: FRAME_BYTES, encryptionContext: { purpose: 'bench' } }
      const message = await agreed(sides, plaintext, options)
      for (const operation of ['encrypt', 'decrypt']) {
        const [ours, theirs] = await interleaved(sides, rounds, ({ encrypt, decrypt, keyring }) =>
          rate(() => (operation === 'encrypt' ? encrypt(keyring, plaintext, options) : decrypt(keyring, message))),
        )
        rows.push([
          `${operation} ${number(bytes)} bytes, ${signed}`,
          number(ours.rate),
          number(theirs.rate),
          times(ours.rate / theirs.rate, 1),
        ])
      }
    }
  }
  return table(['messages a second', 'merlon/encryption-sdk', '@aws-crypto/client-node', 'ours is'], rows)
}

function sidesOf(key) {
  const names = { keyNamespace: 'bench', keyName: 'key' }
  const theirs = new official.RawAesKeyringNode({
    ...names,
    unencryptedMasterKey: Uint8Array.from(key),
    wrappingSuite: official.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  })
  return [
    { ...merlon.buildClient(), keyring: new merlon.RawAesKeyring({ ...names, key }) },
    { ...official.buildClient(official.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT), keyring: theirs },
  ]
}

/** A message that both read; both read each other's. */
async function agreed(sides, plaintext, options) {
  let message
  for (const { encrypt, keyring } of sides) {
    message = (await encrypt(keyring, plaintext, options)).result
    for (const reader of sides) {
      const read = await reader.decrypt(reader.keyring, message)
      if (!read.plaintext.equals(plaintext)) throw new Error('The two do not read each other.')
    }
  }
  return message
}

/** Messages a second of one round. */
async function rate(work) {
  const startedAt = performance.now()
  let done = 0
  while (performance.now() - startedAt < ROUND_MS) {
    await work()
    done += 1
  }
  return { rate: done / ((performance.now() - startedAt) / 1000) }
}
