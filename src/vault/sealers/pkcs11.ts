/**
 * The PKCS #11 sealer: an RSA key pair that is born in a token (SoftHSM, an HSM, a TPM) and never leaves it. OpenSC's
 * `pkcs11-tool` does the talking, in a process of its own: a module that crashes takes no server with it, and nobody
 * needs a compiler to install Merlon.
 */
import { spawn } from 'node:child_process'
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import { decrypt, encrypt, KEY_BYTES, lengths, randomKey, takeOver } from '../aead.ts'
import type { Pkcs11Settings } from '../sealer.ts'
import { TrustError } from '../vault.ts'

const TIMEOUT_MS = 20_000
const OUTPUT_BYTES_MAX = 64 * 1024
/** RSA-3072 is as strong as the rest (NIST SP 800-57, part 1, table 2: 128 bits). */
const KEY_TYPE = 'rsa:3072'
/** SHA-1 because SoftHSM and many tokens know no other here; OAEP does not rest on its collision resistance. */
const OAEP = ['--mechanism', 'RSA-PKCS-OAEP', '--hash-algorithm', 'SHA-1', '--mgf', 'MGF1-SHA1']
const PIN_VARIABLE = 'MERLON_PKCS11_TOOL_PIN'

/** Where a token is, and what opens it. */
export interface Token {
  readonly module: string
  readonly token: string
  readonly pin: string
}

/** Makes a key pair in the token and seals a new seed to it. */
export async function newPkcs11(
  installId: string,
  sealerId: string,
  { module, token, pin }: Token,
): Promise<{ readonly settings: Pkcs11Settings; readonly seed: Buffer }> {
  const keyId = randomBytes(8).toString('hex')
  const at = ['--module', module, '--token-label', token]
  const named = ['--id', keyId, '--label', `merlon-${sealerId}`]
  const generate = ['--keypairgen', '--key-type', KEY_TYPE, '--usage-decrypt', '--sensitive', '--private']
  await tool([...at, '--login', ...generate, ...named], pin)
  const der = await tool([...at, '--login', '--read-object', '--type', 'pubkey', '--id', keyId], pin)
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })

  const [wrapping, seed] = [randomKey(), randomKey()]
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING
    const wrappedKey = publicEncrypt({ key, padding, oaepHash: 'sha1' }, wrapping).toString('base64url')
    const wrappedSeed = encrypt(wrapping, seed, bound(installId, sealerId, keyId)).toString('base64url')
    return { settings: { kind: 'pkcs11', module, token, keyId, wrappedKey, wrappedSeed }, seed }
  } finally {
    wrapping.fill(0)
  }
}

/** Throws `MERLON_SEALER_UNAVAILABLE` when the token is not there, refuses the PIN, or does not hold the key. */
export async function pkcs11Seed(
  installId: string,
  sealerId: string,
  settings: Pkcs11Settings,
  pin: string,
): Promise<Buffer> {
  const { module, token, keyId, wrappedKey, wrappedSeed } = settings
  const words = ['--module', module, '--token-label', token, '--login', '--decrypt', '--id', keyId, ...OAEP]
  const wrapping = await tool(words, pin, Buffer.from(wrappedKey, 'base64url'))
  try {
    const whole = wrapping.length === KEY_BYTES
    const seed = whole && decrypt(wrapping, Buffer.from(wrappedSeed, 'base64url'), bound(installId, sealerId, keyId))
    if (!seed)
      throw new TrustError('MERLON_SEALER_UNAVAILABLE', `the key ${keyId} of token '${token}' opens nothing here.`)
    return seed
  } finally {
    wrapping.fill(0)
  }
}

const bound = (installId: string, sealerId: string, keyId: string): Buffer =>
  lengths('merlon/v1/pkcs11', installId, sealerId, keyId)

/** Runs the tool; the PIN travels in its environment, which only this user can read, and key bytes in pipes. */
function tool(words: readonly string[], pin: string, input?: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string) => reject(new TrustError('MERLON_SEALER_UNAVAILABLE', `pkcs11-tool: ${why}`))
    const child = spawn('pkcs11-tool', [...words, '--pin', `env:${PIN_VARIABLE}`], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, [PIN_VARIABLE]: pin, LC_ALL: 'C' },
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    })
    const out: Buffer[] = []
    let length = 0
    let complaint = ''
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= OUTPUT_BYTES_MAX) out.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk).slice(-OUTPUT_BYTES_MAX)))
    child.on('error', (error: NodeJS.ErrnoException) =>
      refuse(error.code === 'ENOENT' ? 'is not installed (Debian: apt install opensc).' : error.message),
    )
    child.on('close', (status) => {
      const all = Buffer.concat(out)
      for (const chunk of out) chunk.fill(0)
      if (status === 0 && length <= OUTPUT_BYTES_MAX) resolve(takeOver(all))
      else {
        all.fill(0)
        refuse(lastWord(complaint))
      }
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

/** `CKR_PIN_INCORRECT` out of a page of talk. */
function lastWord(complaint: string): string {
  const lines = complaint.split('\n').filter((line) => line.trim() !== '' && !/^Aborting/.test(line))
  return lines.at(-1)?.trim() ?? 'ended without a word.'
}
