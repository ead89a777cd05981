/**
 * RSA public keys in the two forms that AWS accepts: OpenSSH's line (RFC 4253 §6.6) and PEM. Pure.
 *
 * @example
 * sshLine(parsePublicKey(pem)) // 'ssh-rsa AAAAB3NzaC1yc2E…'
 */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'

export type SshKeyProblem = 'encoding' | 'invalid' | 'weak'

/** A text that is no RSA public key, or one that is too weak. Services map it to their own faults. */
export class SshKeyError extends Error {
  override readonly name = 'SshKeyError'
  readonly problem: SshKeyProblem

  constructor(problem: SshKeyProblem) {
    super(MESSAGES[problem])
    this.problem = problem
  }
}

/** The wire form of an ssh-rsa key; everything else derives from it. */
export type KeyBlob = Buffer

export const BITS_MIN = 2048

const MESSAGES: Readonly<Record<SshKeyProblem, string>> = {
  encoding: 'The public key is not in a recognized encoding: use ssh-rsa or PEM.',
  invalid: 'The public key is malformed or otherwise invalid.',
  weak: `The public key must have at least ${BITS_MIN} bits.`,
}

/** Takes either form. Throws an {@link SshKeyError}. */
export function parsePublicKey(text: string): KeyBlob {
  const trimmed = text.trim()
  if (trimmed.startsWith('ssh-')) return checked(fromSsh(trimmed))
  if (trimmed.startsWith('-----BEGIN ')) return checked(fromPem(trimmed))
  throw new SshKeyError('encoding')
}

export function sshLine(blob: KeyBlob): string {
  return `ssh-rsa ${blob.toString('base64')}`
}

export function pem(blob: KeyBlob): string {
  return keyOf(blob).export({ type: 'spki', format: 'pem' }) as string
}

/** MD5 of the blob, as ssh-keygen prints it: not a measure of safety, only AWS's name for the key. */
export function fingerprint(blob: KeyBlob): string {
  return createHash('md5').update(blob).digest('hex').match(/../g)!.join(':')
}

function fromSsh(line: string): KeyBlob {
  const [type, encoded = ''] = line.split(/\s+/)
  const blob = Buffer.from(encoded, 'base64')
  if (type !== 'ssh-rsa' || blob.toString('base64') !== encoded) throw invalid()
  return blob
}

function fromPem(text: string): KeyBlob {
  let jwk: { kty?: string; e?: string; n?: string }
  try {
    jwk = createPublicKey(text).export({ format: 'jwk' })
  } catch {
    throw invalid()
  }
  // A private key has a public half, too: refuse it, because it must never be sent.
  if (text.includes('PRIVATE KEY') || jwk.kty !== 'RSA' || !jwk.e || !jwk.n) throw invalid()
  return Buffer.concat([field(Buffer.from('ssh-rsa')), integer(jwk.e), integer(jwk.n)])
}

function checked(blob: KeyBlob): KeyBlob {
  const bits = keyOf(blob).asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < BITS_MIN) throw new SshKeyError('weak')
  return blob
}

function keyOf(blob: KeyBlob): KeyObject {
  const [type, e, n, ...more] = fields(blob)
  if (type?.toString('latin1') !== 'ssh-rsa' || !e || !n || more.length > 0) throw invalid()
  const unsigned = (value: Buffer) => value.subarray(value.findIndex((byte) => byte !== 0)).toString('base64url')
  try {
    return createPublicKey({ key: { kty: 'RSA', e: unsigned(e), n: unsigned(n) }, format: 'jwk' })
  } catch {
    throw invalid()
  }
}

/** RFC 4251 §5: each field behind its length of four bytes. */
function fields(blob: KeyBlob): readonly Buffer[] {
  const found: Buffer[] = []
  let at = 0
  while (at < blob.length) {
    if (blob.length - at < 4) throw invalid()
    const length = blob.readUInt32BE(at)
    if (blob.length - at - 4 < length) throw invalid()
    found.push(blob.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return found
}

function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** A positive `mpint`: one more zero byte where the first bit would read as a sign. */
function integer(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url')
  return field(bytes[0]! & 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)
}

const invalid = () => new SshKeyError('invalid')
