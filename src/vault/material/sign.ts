/** Signatures, by family: natively where Node can, on the slow thread where it cannot. */
import { constants, sign as signNatively, verify as verifyNatively } from 'node:crypto'
import { promisify } from 'node:util'
import { VaultError } from '../vault.ts'
import type { Opened } from './keys.ts'
import type { MessageType } from './materials.ts'
import type { Pool } from './pool.ts'
import { verifyDigest } from './rsa.ts'
import { hashBytes, kindOf, type Signing, type SigningAlgorithm, type Spec, signings } from './specs.ts'

// On libuv's threads.
const signAside = promisify(signNatively)

/** Their signatures take less than handing them to another thread and back would. */
const QUICK: ReadonlySet<Spec> = new Set<Spec>(['ECC_NIST_P256', 'ECC_NIST_EDWARDS25519'])

interface SignInput {
  readonly algorithm: SigningAlgorithm
  readonly type: MessageType
  readonly message: Uint8Array
}

export async function sign(spec: Spec, opened: Opened, input: SignInput, pool: Pool): Promise<Buffer> {
  const { type, message } = input
  const signing: Signing = signings[input.algorithm]
  const kind = kindOf(spec)
  if (opened.kind === 'seed' && kind.kind === 'ml-dsa') {
    const mu = type === 'EXTERNAL_MU'
    return Buffer.from(await pool.run({ job: 'mlDsaSign', level: kind.level, seed: opened.seed, message, mu }))
  }
  if (opened.kind !== 'pair' || kind.kind !== signing.family) throw unfit(spec, input.algorithm)
  const key = opened.privateKey
  switch (signing.family) {
    case 'rsa': {
      const { padding, hash } = signing
      if (type === 'DIGEST') {
        return Buffer.from(await pool.run({ job: 'rsaSignDigest', key, padding, hash, digest: message }))
      }
      return signAside(hash, message, { key, ...paddingOf(signing) })
    }
    case 'ec':
      if (type === 'DIGEST') return Buffer.from(await pool.run({ job: 'ecSignDigest', key, digest: message }))
      return QUICK.has(spec) ? signNatively(signing.hash, message, key) : signAside(signing.hash, message, key)
    case 'ed25519':
      if (signing.prehash) return Buffer.from(await pool.run({ job: 'ed25519phSign', key, message }))
      return QUICK.has(spec) ? signNatively(null, message, key) : signAside(null, message, key)
    default:
      throw unfit(spec, input.algorithm)
  }
}

export async function verify(
  spec: Spec,
  opened: Opened,
  input: SignInput,
  signature: Uint8Array,
  pool: Pool,
): Promise<boolean> {
  const { type, message } = input
  const signing: Signing = signings[input.algorithm]
  const kind = kindOf(spec)
  if (opened.kind === 'seed' && kind.kind === 'ml-dsa') {
    const mu = type === 'EXTERNAL_MU'
    const { publicKey } = opened
    return pool.run({ job: 'mlDsaVerify', level: kind.level, publicKey, message, mu, signature })
  }
  if (opened.kind !== 'pair' || kind.kind !== signing.family) throw unfit(spec, input.algorithm)
  const key = opened.publicKey
  switch (signing.family) {
    case 'rsa':
      if (type === 'DIGEST') return verifyDigest(key, signing.padding, signing.hash, message, signature)
      return verifyNatively(signing.hash, message, { key, ...paddingOf(signing) }, signature)
    case 'ec': {
      if (type !== 'DIGEST') return verifyNatively(signing.hash, message, key, signature)
      const { crv, x, y } = key.export({ format: 'jwk' })
      const point = Buffer.concat([Buffer.of(4), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')])
      return pool.run({ job: 'ecVerifyDigest', jwk: crv!, point, digest: message, signature })
    }
    case 'ed25519': {
      if (!signing.prehash) return verifyNatively(null, message, key, signature)
      const publicKey = Buffer.from(key.export({ format: 'jwk' }).x!, 'base64url')
      return pool.run({ job: 'ed25519phVerify', publicKey, message, signature })
    }
    default:
      throw unfit(spec, input.algorithm)
  }
}

function paddingOf(signing: Extract<Signing, { family: 'rsa' }>) {
  return signing.padding === 'pss'
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: hashBytes[signing.hash] }
    : { padding: constants.RSA_PKCS1_PADDING }
}

function unfit(spec: Spec, algorithm: string): VaultError {
  return new VaultError(`a key of ${spec} does not sign by ${algorithm}`)
}
