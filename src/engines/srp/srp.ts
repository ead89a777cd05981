/**
 * SRP-6a as Cognito's clients speak it: RFC 5054's computations over the 3072-bit group of RFC 3526, with SHA-256 and keys
 * by HKDF. Pure: the caller keeps the server's secret between the two steps.
 *
 * @example
 * const { salt, verifier } = newVerifier({ group: 'Ab12Cd34E', user: 'ana', password })
 * const { secret, publicValue } = serverStep(verifier)
 * // the client answers with its public value A and, later, with a signature
 * const key = sessionKey({ verifier, secret, clientValue: A })
 */
import { createDiffieHellman, createHash, createHmac, getDiffieHellman, randomBytes } from 'node:crypto'

const PRIME = getDiffieHellman('modp15').getPrime()
const N = BigInt(`0x${PRIME.toString('hex')}`)
const GENERATOR = Buffer.from([2])
const SALT_BYTES = 16
const SECRET_BYTES = 32
const KEY_BYTES = 16
const INFO = 'Caldera Derived Key'

/** Two's complement, as the clients' integers are written: a byte of zero before a set sign bit. */
export function padded(value: bigint): Buffer {
  const digits = value.toString(16)
  const even = digits.length % 2 === 1 ? `0${digits}` : digits
  return Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, 'hex')
}

function digest(...parts: readonly (Buffer | string)[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

const integer = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex') || '0'}`)

const K = integer(digest(padded(N), padded(2n)))

/** g^e mod N, by OpenSSL. */
function generatorTo(exponent: bigint): bigint {
  const group = createDiffieHellman(PRIME, GENERATOR)
  group.setPrivateKey(padded(exponent))
  group.generateKeys()
  return integer(group.getPublicKey())
}

/** undefined for the bases that OpenSSL refuses: 0, 1 and N - 1 give no secret. */
function power(base: bigint, exponent: bigint): bigint | undefined {
  const group = createDiffieHellman(PRIME, GENERATOR)
  group.setPrivateKey(padded(exponent))
  const bytes = Buffer.from(base.toString(16).padStart(PRIME.length * 2, '0'), 'hex')
  try {
    return integer(group.computeSecret(bytes))
  } catch {
    return undefined
  }
}

export interface SrpIdentity {
  /** The part of a user pool's id behind the underscore; a device's group key. */
  readonly group: string
  /** The user's name; a device's key. */
  readonly user: string
}

/** Hex digits. What the server keeps in place of a password. */
export interface SrpVerifier {
  readonly salt: string
  readonly verifier: string
}

const privateValue = ({ group, user }: SrpIdentity, password: string, salt: bigint): bigint =>
  integer(digest(padded(salt), digest(`${group}${user}:${password}`)))

export function newVerifier(identity: SrpIdentity, password: string, salt = randomBytes(SALT_BYTES)): SrpVerifier {
  const number = integer(salt)
  const verifier = generatorTo(privateValue(identity, password, number))
  return { salt: number.toString(16), verifier: verifier.toString(16) }
}

/** Whether a password in clear is the one of a verifier. */
export function matches(identity: SrpIdentity, password: string, { salt, verifier }: SrpVerifier): boolean {
  const computed = generatorTo(privateValue(identity, password, BigInt(`0x${salt}`))).toString(16)
  // Both sides are hashed, so that the time of the comparison reveals nothing of them.
  return digest(computed).equals(digest(verifier))
}

/** The client's public value A, as hex digits; undefined for one that RFC 5054 forbids or that is no number. */
export function readClientValue(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[0-9a-fA-F]{1,1600}$/.test(text)) return undefined
  const value = BigInt(`0x${text}`)
  return value % N === 0n ? undefined : value
}

export interface ServerStep {
  /** 32 bytes, to be kept secret. */
  readonly secret: Buffer
  /** B, for the client. Hex digits. */
  readonly publicValue: string
}

export function serverStep(verifier: string): ServerStep {
  for (;;) {
    const secret = randomBytes(SECRET_BYTES)
    const value = (K * BigInt(`0x${verifier}`) + generatorTo(integer(secret))) % N
    if (value !== 0n) return { secret, publicValue: value.toString(16) }
  }
}

/** 16 bytes that both sides share when the client knew the password. undefined for values that give none. */
export function sessionKey(of: {
  readonly verifier: string
  readonly secret: Uint8Array
  readonly publicValue: string
  readonly clientValue: bigint
}): Buffer | undefined {
  const clientValue = of.clientValue % N
  const u = integer(digest(padded(of.clientValue), padded(BigInt(`0x${of.publicValue}`))))
  if (u === 0n) return undefined
  const shared = power(BigInt(`0x${of.verifier}`), u)
  const secret = shared && power((clientValue * shared) % N, integer(Buffer.from(of.secret)))
  if (secret === undefined) return undefined
  const extracted = createHmac('sha256', padded(u)).update(padded(secret)).digest()
  return createHmac('sha256', extracted).update(`${INFO}\u0001`).digest().subarray(0, KEY_BYTES)
}

/** What a client signs: HMAC-SHA-256 over identity, the server's block and the client's time. */
export const claimSignature = (
  key: Uint8Array,
  { group, user }: SrpIdentity,
  block: Uint8Array,
  timestamp: string,
): Buffer => createHmac('sha256', key).update(group).update(user).update(block).update(timestamp).digest()
