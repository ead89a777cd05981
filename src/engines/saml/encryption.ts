/**
 * Encrypted assertions. Content: AES in GCM; AES in CBC only where a signature covers the ciphertext, because CBC alone
 * gives an oracle to an attacker that may change it. Key transport: RSA-OAEP, never PKCS #1 v1.5.
 * Source: https://www.w3.org/TR/xmlenc-core1/ §5
 */
import { createDecipheriv } from 'node:crypto'
import { childrenOf, type XmlElement } from '../xml/xml.ts'
import { algorithmOf, descendants } from './document.ts'
import { ENCRYPTION, ENCRYPTION_1_1, PROTOCOL, SIGNATURE } from './names.ts'
import { SamlRefusal } from './refusal.ts'

export type OaepHash = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/**
 * Decrypts a content key with the provider's private keys: the results of those that fit. The bytes are the caller's to
 * wipe.
 */
export type UnwrapKey = (wrapped: Uint8Array, hash: OaepHash) => readonly Buffer[]

const KEY_BYTES: Readonly<
  Record<string, { readonly cipher: string; readonly bytes: number; readonly isGcm: boolean }>
> = {
  [`${ENCRYPTION_1_1}aes128-gcm`]: { cipher: 'aes-128-gcm', bytes: 16, isGcm: true },
  [`${ENCRYPTION_1_1}aes192-gcm`]: { cipher: 'aes-192-gcm', bytes: 24, isGcm: true },
  [`${ENCRYPTION_1_1}aes256-gcm`]: { cipher: 'aes-256-gcm', bytes: 32, isGcm: true },
  [`${ENCRYPTION}aes128-cbc`]: { cipher: 'aes-128-cbc', bytes: 16, isGcm: false },
  [`${ENCRYPTION}aes192-cbc`]: { cipher: 'aes-192-cbc', bytes: 24, isGcm: false },
  [`${ENCRYPTION}aes256-cbc`]: { cipher: 'aes-256-cbc', bytes: 32, isGcm: false },
}

/** By the digest's URI. Node uses one hash for both parts of OAEP. */
const DIGESTS: Readonly<Record<string, OaepHash>> = {
  [`${SIGNATURE}sha1`]: 'sha1',
  [`${ENCRYPTION}sha256`]: 'sha256',
  'http://www.w3.org/2001/04/xmldsig-more#sha384': 'sha384',
  [`${ENCRYPTION}sha512`]: 'sha512',
}
const MASKS: Readonly<Record<string, OaepHash>> = {
  [`${ENCRYPTION_1_1}mgf1sha1`]: 'sha1',
  [`${ENCRYPTION_1_1}mgf1sha256`]: 'sha256',
  [`${ENCRYPTION_1_1}mgf1sha384`]: 'sha384',
  [`${ENCRYPTION_1_1}mgf1sha512`]: 'sha512',
}
const IV_BYTES = { gcm: 12, cbc: 16 } as const
const TAG_BYTES = 16
/** Of one content: some providers wrap it for several recipients. */
const WRAPPED_KEYS_MAX = 4

const refused = (why: string) => new SamlRefusal('signature', why)
/** One text for every failure of decryption: which step failed is of use to attackers only. */
const undecryptable = () => refused('the assertion cannot be decrypted with the private keys of the provider')

/** The text of the element inside an `EncryptedAssertion`. `isSigned`: a verified signature covers the ciphertext. */
export function decryptedAssertion(encrypted: XmlElement, isSigned: boolean, unwrap: UnwrapKey): string {
  const data = childrenOf(encrypted, ENCRYPTION, 'EncryptedData')
  if (data.length !== 1) throw refused('not exactly one EncryptedData')
  const [method] = childrenOf(data[0]!, ENCRYPTION, 'EncryptionMethod')
  const algorithm = method && algorithmOf(method)
  const content = algorithm !== undefined && Object.hasOwn(KEY_BYTES, algorithm) ? KEY_BYTES[algorithm] : undefined
  if (!content) throw refused('an unknown encryption of the assertion; use AES-GCM')
  if (!content.isGcm && !isSigned)
    throw refused('AES-CBC needs a signature of the whole response; sign the response, or use AES-GCM')
  const wrapped = [...descendants(encrypted)].filter(
    ({ name, namespace }) => name === 'EncryptedKey' && namespace === ENCRYPTION,
  )
  if (wrapped.length === 0 || wrapped.length > WRAPPED_KEYS_MAX) throw refused('not one to four encrypted keys')
  const ciphertext = cipherValue(data[0]!)
  for (const each of wrapped) {
    const [transport] = childrenOf(each, ENCRYPTION, 'EncryptionMethod')
    const keys = unwrap(cipherValue(each), oaepHash(transport))
    try {
      for (const key of keys) {
        if (key.length !== content.bytes) continue
        const plaintext = content.isGcm
          ? openedGcm(content.cipher, key, ciphertext)
          : openedCbc(content.cipher, key, ciphertext)
        if (plaintext) return new TextDecoder('utf-8', { fatal: true }).decode(plaintext)
      }
    } catch {
      throw undecryptable()
    } finally {
      for (const key of keys) key.fill(0)
    }
  }
  throw undecryptable()
}

function oaepHash(transport: XmlElement | undefined): OaepHash {
  const algorithm = transport && algorithmOf(transport)
  const digest = transport && childrenOf(transport, SIGNATURE, 'DigestMethod')[0]
  const hash = digest ? DIGESTS[algorithmOf(digest)] : 'sha1'
  const mask = transport && childrenOf(transport, ENCRYPTION_1_1, 'MGF')[0]
  const maskHash = mask && algorithm === `${ENCRYPTION_1_1}rsa-oaep` ? MASKS[algorithmOf(mask)] : 'sha1'
  const isOaep = algorithm === `${ENCRYPTION}rsa-oaep-mgf1p` || algorithm === `${ENCRYPTION_1_1}rsa-oaep`
  if (!isOaep || hash === undefined || hash !== maskHash)
    throw refused('an unknown transport of the encryption key; use RSA-OAEP with one hash for both of its parts')
  return hash
}

function cipherValue(element: XmlElement): Buffer {
  const value = childrenOf(element, ENCRYPTION, 'CipherData').flatMap((data) =>
    childrenOf(data, ENCRYPTION, 'CipherValue'),
  )
  if (value.length !== 1) throw refused('not exactly one CipherValue')
  return Buffer.from(value[0]!.text.replace(/\s/g, ''), 'base64')
}

function openedGcm(cipher: string, key: Buffer, ciphertext: Buffer): Buffer | undefined {
  if (ciphertext.length < IV_BYTES.gcm + TAG_BYTES) return undefined
  try {
    const decipher = createDecipheriv(cipher as 'aes-256-gcm', key, ciphertext.subarray(0, IV_BYTES.gcm), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(ciphertext.subarray(IV_BYTES.gcm, -TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}

/** The last byte counts the padding; the others may have any value (XML Encryption §5.2.1). */
function openedCbc(cipher: string, key: Buffer, ciphertext: Buffer): Buffer | undefined {
  if (ciphertext.length < 2 * IV_BYTES.cbc || ciphertext.length % IV_BYTES.cbc !== 0) return undefined
  const decipher = createDecipheriv(cipher, key, ciphertext.subarray(0, IV_BYTES.cbc)).setAutoPadding(false)
  const padded = Buffer.concat([decipher.update(ciphertext.subarray(IV_BYTES.cbc)), decipher.final()])
  const padding = padded.at(-1)!
  return padding >= 1 && padding <= IV_BYTES.cbc ? padded.subarray(0, -padding) : undefined
}

/**
 * A response around a decrypted assertion, so that it is verified like a plain one. Namespaces that were in scope at its
 * place stay in scope.
 */
export function responseAround(assertion: string, around: readonly XmlElement[]): string {
  const declared = new Map<string, string>()
  for (const { attributes } of around) {
    for (const [name, value] of attributes) if (name === 'xmlns' || name.startsWith('xmlns:')) declared.set(name, value)
  }
  const declarations = [...declared].map(([name, value]) => ` ${name}="${escaped(value)}"`).join('')
  let prefix = 'response'
  while (declared.has(`xmlns:${prefix}`)) prefix += '-'
  return `<${prefix}:Response xmlns:${prefix}="${PROTOCOL}"${declarations}>${assertion}</${prefix}:Response>`
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
