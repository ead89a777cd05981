/** Private operations that take a millisecond or more, as plain values in and out: they run on a thread of their own. */
import { constants, type KeyObject, privateDecrypt } from 'node:crypto'
import { ed25519ph } from '@noble/curves/ed25519.js'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js'
import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js'
import { signDigest } from './rsa.ts'
import type { Hash } from './specs.ts'

interface Jobs {
  rsaDecrypt: { ask: { key: KeyObject; hash: Hash; ciphertext: Uint8Array }; answer: Uint8Array | undefined }
  rsaSignDigest: {
    ask: { key: KeyObject; padding: 'pkcs1' | 'pss'; hash: Hash; digest: Uint8Array }
    answer: Uint8Array
  }
  ecSignDigest: { ask: { key: KeyObject; digest: Uint8Array }; answer: Uint8Array }
  ecVerifyDigest: {
    ask: { jwk: string; point: Uint8Array; digest: Uint8Array; signature: Uint8Array }
    answer: boolean
  }
  ed25519phSign: { ask: { key: KeyObject; message: Uint8Array }; answer: Uint8Array }
  ed25519phVerify: { ask: { publicKey: Uint8Array; message: Uint8Array; signature: Uint8Array }; answer: boolean }
  mlDsaPublicKey: { ask: { level: 44 | 65 | 87; seed: Uint8Array }; answer: Uint8Array }
  mlDsaSign: { ask: { level: 44 | 65 | 87; seed: Uint8Array; message: Uint8Array; mu: boolean }; answer: Uint8Array }
  mlDsaVerify: {
    ask: { level: 44 | 65 | 87; publicKey: Uint8Array; message: Uint8Array; mu: boolean; signature: Uint8Array }
    answer: boolean
  }
  mlKemPublicKey: { ask: { level: 512 | 768 | 1024; seed: Uint8Array }; answer: Uint8Array }
  mlKemEncapsulate: {
    ask: { level: 512 | 768 | 1024; publicKey: Uint8Array }
    answer: { ciphertext: Uint8Array; secret: Uint8Array }
  }
  mlKemDecapsulate: {
    ask: { level: 512 | 768 | 1024; seed: Uint8Array; ciphertext: Uint8Array }
    answer: Uint8Array | undefined
  }
}

type Name = keyof Jobs
/** One job: its name and its input. Clones between threads; a `KeyObject` shares its bytes without copying them. */
export type Job<N extends Name = Name> = { [K in N]: { readonly job: K } & Readonly<Jobs[K]['ask']> }[N]
export type Answer<N extends Name> = Jobs[N]['answer']

const curves = { 'P-256': p256, 'P-384': p384, 'P-521': p521, secp256k1 }
const mlDsa = { 44: ml_dsa44, 65: ml_dsa65, 87: ml_dsa87 }
const mlKem = { 512: ml_kem512, 768: ml_kem768, 1024: ml_kem1024 }

const bodies: { readonly [N in Name]: (input: Readonly<Jobs[N]['ask']>) => Jobs[N]['answer'] } = {
  rsaDecrypt: ({ key, hash, ciphertext }) => {
    try {
      return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, ciphertext)
    } catch {
      return undefined
    }
  },
  rsaSignDigest: ({ key, padding, hash, digest }) => signDigest(key, padding, hash, digest),
  ecSignDigest: ({ key, digest }) => {
    const { crv, d } = key.export({ format: 'jwk' })
    const secret = Buffer.from(d!, 'base64url')
    try {
      // Hedged (RFC 6979 §3.6), and either half of S, as OpenSSL makes them.
      return curveOf(crv!).sign(digest, secret, { prehash: false, extraEntropy: true, format: 'der', lowS: false })
    } finally {
      secret.fill(0)
    }
  },
  ecVerifyDigest: ({ jwk, point, digest, signature }) =>
    quietly(() => curveOf(jwk).verify(signature, digest, point, { prehash: false, format: 'der', lowS: false })),
  ed25519phSign: ({ key, message }) => {
    const secret = Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url')
    try {
      return ed25519ph.sign(message, secret)
    } finally {
      secret.fill(0)
    }
  },
  ed25519phVerify: ({ publicKey, message, signature }) =>
    quietly(() => ed25519ph.verify(signature, message, publicKey, { zip215: false })),
  mlDsaPublicKey: ({ level, seed }) => mlDsa[level].keygen(seed).publicKey,
  mlDsaSign: ({ level, seed, message, mu }) => {
    const { secretKey } = mlDsa[level].keygen(seed)
    try {
      return mu
        ? mlDsa[level].internal.sign(message, secretKey, { externalMu: true })
        : mlDsa[level].sign(message, secretKey)
    } finally {
      secretKey.fill(0)
    }
  },
  mlDsaVerify: ({ level, publicKey, message, mu, signature }) =>
    quietly(() =>
      mu
        ? mlDsa[level].internal.verify(signature, message, publicKey, { externalMu: true })
        : mlDsa[level].verify(signature, message, publicKey),
    ),
  mlKemPublicKey: ({ level, seed }) => mlKem[level].keygen(seed).publicKey,
  mlKemEncapsulate: ({ level, publicKey }) => {
    const { cipherText, sharedSecret } = mlKem[level].encapsulate(publicKey)
    return { ciphertext: cipherText, secret: sharedSecret }
  },
  mlKemDecapsulate: ({ level, seed, ciphertext }) => {
    const { secretKey } = mlKem[level].keygen(seed)
    try {
      return mlKem[level].decapsulate(ciphertext, secretKey)
    } catch {
      return undefined
    } finally {
      secretKey.fill(0)
    }
  },
}

export function compute<N extends Name>(job: Job<N>): Answer<N> {
  const body = bodies[job.job] as (input: Job<N>) => Answer<N>
  return body(job)
}

/** What a signature library throws at malformed input is one more way to say no. */
function quietly(verify: () => boolean): boolean {
  try {
    return verify()
  } catch {
    return false
  }
}

function curveOf(jwk: string) {
  return curves[jwk as keyof typeof curves]
}
