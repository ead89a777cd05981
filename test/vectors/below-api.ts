/** Vectors that no call can carry: public keys without the private half, nonces and salts of the vector's choosing. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js'
import { expect } from 'vitest'
import { decryptAt, derive, encryptAt } from '../../src/vault/aead.ts'
import type { Opened } from '../../src/vault/material/keys.ts'
import { inlinePool } from '../../src/vault/material/pool.ts'
import { verify } from '../../src/vault/material/sign.ts'
import { compute } from '../../src/vault/material/slow.ts'
import type { Hash, SigningAlgorithm, Spec } from '../../src/vault/material/specs.ts'
import { type Below, groupsOf, hex, type Vector } from './files.ts'
import { refusedByRule, type Tally } from './tally.ts'

type Runner = (file: string, tally: Tally) => Promise<void>

/** As `Verify` has it, for keys of which we know only the public half. */
async function verified(spec: Spec, opened: Opened, algorithm: SigningAlgorithm, { msg, sig }: Vector, hash?: Hash) {
  const message = hex(msg)
  const signature = hex(sig)
  const raw = await verify(spec, opened, { algorithm, type: 'RAW', message }, signature, inlinePool)
  if (hash === undefined) return raw
  // Over a digest the code is another, and the answer must be the same.
  const digest = createHash(hash).update(message).digest()
  const overDigest = await verify(spec, opened, { algorithm, type: 'DIGEST', message: digest }, signature, inlinePool)
  expect(overDigest, `over the digest of ${msg} by ${sig}`).toBe(raw)
  return raw
}

function publicOnly(der: string | undefined): Opened {
  const key: KeyObject = createPublicKey({ key: hex(der), format: 'der', type: 'spki' })
  return { kind: 'pair', publicKey: key, privateKey: key }
}

const EC_SPECS: Readonly<Record<string, Spec>> = {
  secp256r1: 'ECC_NIST_P256',
  secp384r1: 'ECC_NIST_P384',
  secp521r1: 'ECC_NIST_P521',
  secp256k1: 'ECC_SECG_P256K1',
}
const HASHES = {
  'SHA-256': ['SHA_256', 'sha256'],
  'SHA-384': ['SHA_384', 'sha384'],
  'SHA-512': ['SHA_512', 'sha512'],
} as const

const ecdsa: Runner = (file, tally) =>
  tally.over(groupsOf(file), (vector, group) => {
    const [name, hash] = HASHES[group.sha as keyof typeof HASHES]
    return verified(EC_SPECS[file.split('_')[1]!]!, publicOnly(group.publicKeyDer), `ECDSA_${name}`, vector, hash)
  })

const rsa =
  (padding: 'PSS' | 'PKCS1_V1_5'): Runner =>
  (file, tally) =>
    tally.over(groupsOf(file), async (vector, group) => {
      const [name, hash] = HASHES[group.sha as keyof typeof HASHES]
      const spec = `RSA_${group.keySize}` as Spec
      const accepted = await verified(spec, publicOnly(group.publicKeyDer), `RSASSA_${padding}_${name}`, vector, hash)
      const ours = padding !== 'PSS' || group.sLen! * 8 === Number(group.sha!.slice(4))
      return ours ? accepted : refusedByRule(accepted, 'the salt of KMS is as long as the digest')
    })

const ed25519: Runner = (file, tally) =>
  tally.over(groupsOf(file), (vector, group) =>
    verified('ECC_NIST_EDWARDS25519', publicOnly(group.publicKeyDer), 'ED25519_SHA_512', vector),
  )

const mlDsaVerify: Runner = (file, tally) => {
  const spec = `ML_DSA_${file.split('_')[1]}` as Spec
  return tally.over(groupsOf(file), async (vector, group) => {
    const publicKey = hex(group.publicKeyDer).subarray(22)
    const opened: Opened = { kind: 'seed', seed: Buffer.alloc(0), publicKey }
    const accepted = await verified(spec, opened, 'ML_DSA_SHAKE_256', vector)
    const contextual = (vector.ctx ?? '') !== '' && vector.result === 'valid'
    return contextual ? refusedByRule(accepted, 'KMS has no contexts') : accepted
  })
}

const KEMS = { 512: ml_kem512, 768: ml_kem768, 1024: ml_kem1024 } as const

/** With the vector's randomness by the library under Encapsulate; with its own by the function that KMS calls. */
const mlKemEncapsulate: Runner = (file, tally) => {
  const level = Number(file.split('_')[1]) as keyof typeof KEMS
  return tally.over(groupsOf(file), async ({ ek, m, c, K }) => {
    try {
      const { cipherText, sharedSecret } = KEMS[level].encapsulate(hex(ek), hex(m))
      expect(Buffer.from(cipherText).toString('hex')).toBe(c)
      expect(Buffer.from(sharedSecret).toString('hex')).toBe(K)
    } catch (error) {
      if (error instanceof Error && error.name === 'AssertionError') throw error
      expect(() => compute({ job: 'mlKemEncapsulate', level, publicKey: hex(ek) })).toThrow()
      return false
    }
    expect(compute({ job: 'mlKemEncapsulate', level, publicKey: hex(ek) }).secret).toHaveLength(32)
    return true
  })
}

/** The one cipher under every sealed value. A blob of KMS takes key and nonce out of its own. */
const gcm: Runner = (file, tally) =>
  tally.over(groupsOf(file), async ({ key, iv, aad, msg, ct, tag }, { keySize, ivSize, tagSize }) => {
    if (keySize !== 256) return { skipped: 'sealing has keys of 256 bits' }
    if (ivSize !== 96) return { skipped: 'sealing has nonces of 96 bits' }
    expect(tagSize).toBe(128)
    const body = Buffer.concat([hex(ct), hex(tag)])
    const opened = decryptAt(hex(key), hex(iv), body, hex(aad))
    if (!opened) return false
    expect(encryptAt(hex(key), hex(iv), hex(msg), hex(aad)).equals(body)).toBe(true)
    return opened.equals(hex(msg))
  })

/** What purpose keys come out of: 32 bytes, labels that are text. */
const hkdf: Runner = (file, tally) =>
  tally.over(groupsOf(file), async ({ ikm, salt, info, size, okm }) => {
    if (size! > 32) return { skipped: 'purpose keys have 32 bytes' }
    const label = hex(info).toString('utf8')
    if (!Buffer.from(label, 'utf8').equals(hex(info))) return { skipped: 'labels are text' }
    return derive(hex(ikm), hex(salt), label).subarray(0, size).equals(hex(okm))
  })

export const belowApi: Readonly<Record<Below, Runner>> = {
  ecdsa,
  rsaPss: rsa('PSS'),
  rsaSignature: rsa('PKCS1_V1_5'),
  ed25519,
  mlDsaVerify,
  mlKemEncapsulate,
  gcm,
  hkdf,
}
