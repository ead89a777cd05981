/** The PKCS #11 sealer: an RSA key pair that is born in a token (SoftHSM, an HSM, a TPM) and never leaves it. */
import { constants, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'
import { decrypt, encrypt, KEY_BYTES, lengths, randomKey } from '../aead.ts'
import { oaepMechanism, Pkcs11Error, pkcs11Tool, type Token, tokenArguments } from '../pkcs11-tool.ts'
import type { Pkcs11Settings } from '../sealer.ts'
import { TrustError } from '../vault.ts'

/** RSA-3072 is as strong as the rest (NIST SP 800-57, part 1, table 2: 128 bits). */
const KEY_TYPE = 'rsa:3072'

/** Makes a key pair in the token and seals a new seed to it. */
export async function newPkcs11(
  installId: string,
  sealerId: string,
  { module, token, pin }: Token,
): Promise<{ readonly settings: Pkcs11Settings; readonly seed: Buffer }> {
  const keyId = randomBytes(8).toString('hex')
  const at = tokenArguments({ module, token })
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
  const { token, keyId, wrappedKey, wrappedSeed } = settings
  const words = [...tokenArguments(settings), '--login', '--decrypt', '--id', keyId, ...oaepMechanism('sha1')]
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

const tool = (...words: Parameters<typeof pkcs11Tool>): Promise<Buffer> =>
  pkcs11Tool(...words).catch((error: unknown) => {
    throw error instanceof Pkcs11Error ? new TrustError('MERLON_SEALER_UNAVAILABLE', error.message) : error
  })
