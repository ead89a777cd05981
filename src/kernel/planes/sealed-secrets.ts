/**
 * Secrets within a snapshot, such as private keys of certificates: encrypted under a key of their own, which is wrapped for each
 * enrolled plane by the X25519 key that the plane made at its enrollment (HKDF, RFC 5869; AES-256-GCM). A plane in the server's
 * process gets the key from the vault. Whoever reads the snapshot otherwise, on disk or on the wire, cannot open them.
 *
 * @example
 * // the snapshot of a service
 * compute: async (reader, use) => ({ …, secrets: await use(planeSecrets).seal(reader, 'gateway', { keys }) }),
 * // the plane
 * const { keys } = parts.openSecrets(content.secrets)
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { type Key, key, under } from '../../store/store.ts'
import type { Vault } from '../../vault/vault.ts'
import { port } from '../ports/port.ts'
import type { Reader } from '../state/reader.ts'
import { type PlaneScope, scopeName } from './plane-scope.ts'

/** In a snapshot. */
export interface SealedSecrets {
  /** JSON text under the content key: nonce, ciphertext and tag, base64. */
  readonly box: string
  /** The content key for the server's own process: a token of the vault. */
  readonly installation: string
  /** The content key for enrolled planes, by the name of their node: ephemeral public key, ciphertext and tag, base64. */
  readonly nodes: Readonly<Record<string, string>>
}

interface RecipientRow {
  readonly node: string
  /** DER SPKI, base64. */
  readonly publicKey: string
  readonly scope?: PlaneScope
}

/** Prefix of the documents that {@link PlaneSecretsPort.seal} reads: a snapshot has to be made again when they change. */
export const recipientsOf = (plane: string): Key => under('planes', 'recipient', plane)
export const recipientKey = (plane: string, node: string): Key => key('planes', 'recipient', plane, node)

export interface PlaneSecretsPort {
  /** `secrets` is JSON. Planes that were enrolled with another scope cannot open them. */
  seal(reader: Pick<Reader, 'range'>, plane: string, secrets: object, scope?: PlaneScope): Promise<SealedSecrets>
  /** 32 bytes that are always the same for a label, and that only this installation can compute: base64. */
  derive(plane: string, label: string): string
}
export const planeSecrets = port<PlaneSecretsPort>('plane-secrets')

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const PUBLIC_BYTES = 32
/** SPKI of X25519 (RFC 8410): this, then the 32 bytes of the key. */
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')

const binding = (plane: string): string => `secrets ${plane}`

function encrypt(keyBytes: Uint8Array, nonce: Uint8Array, aad: string, text: Uint8Array): Buffer {
  const cipher = createCipheriv(ALGORITHM, keyBytes, nonce).setAAD(Buffer.from(aad))
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
}

function decrypt(keyBytes: Uint8Array, nonce: Uint8Array, aad: string, sealed: Buffer): Buffer {
  const decipher = createDecipheriv(ALGORITHM, keyBytes, nonce).setAAD(Buffer.from(aad))
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES))
  return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final()])
}

const publicBytes = (publicKey: KeyObject): Buffer =>
  publicKey.export({ type: 'spki', format: 'der' }).subarray(-PUBLIC_BYTES)

/** Each key wraps once: the nonce may be fixed. */
const ZERO_NONCE = Buffer.alloc(NONCE_BYTES)

function wrappingKey(own: KeyObject, other: KeyObject, publics: Buffer, plane: string, node: string): Buffer {
  const shared = diffieHellman({ privateKey: own, publicKey: other })
  return Buffer.from(hkdfSync('sha256', shared, publics, `merlon-plane-secrets 1 ${plane} ${node}`, 32))
}

function wrap(contentKey: Buffer, plane: string, { node, publicKey }: RecipientRow): string {
  const recipient = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
  const ephemeral = generateKeyPairSync('x25519')
  const sent = publicBytes(ephemeral.publicKey)
  const publics = Buffer.concat([sent, publicBytes(recipient)])
  const wrapping = wrappingKey(ephemeral.privateKey, recipient, publics, plane, node)
  return Buffer.concat([sent, encrypt(wrapping, ZERO_NONCE, node, contentKey)]).toString('base64')
}

export const planeSecretsPort = (vault: Pick<Vault, 'issue' | 'mac'>): PlaneSecretsPort => ({
  seal: async (reader, plane, secrets, scope) => {
    const contentKey = randomBytes(32)
    const nonce = randomBytes(NONCE_BYTES)
    const text = Buffer.from(JSON.stringify(secrets))
    const recipients = (await reader.range<RecipientRow>(recipientsOf(plane)))
      .map(({ document }) => document)
      .filter((row) => scopeName(row.scope) === scopeName(scope))
    return {
      box: Buffer.concat([nonce, encrypt(contentKey, nonce, plane, text)]).toString('base64'),
      installation: vault.issue('plane-token', binding(plane), contentKey),
      nodes: Object.fromEntries(recipients.map((row) => [row.node, wrap(contentKey, plane, row)])),
    }
  },
  derive: (plane, label) => vault.mac('plane-token', `derived ${plane} ${label}`).toString('base64'),
})

/** Opens the secrets of a snapshot. Throws when they are not for this plane, or were changed. */
export type OpenSecrets = (sealed: SealedSecrets) => unknown

function openBox({ box }: SealedSecrets, plane: string, contentKey: Buffer): unknown {
  const bytes = Buffer.from(box, 'base64')
  const text = decrypt(contentKey, bytes.subarray(0, NONCE_BYTES), plane, bytes.subarray(NONCE_BYTES))
  return JSON.parse(text.toString('utf8'))
}

/** For a plane in the server's process, while the vault is open. */
export const openedByVault =
  (vault: Pick<Vault, 'redeem'>, plane: string): OpenSecrets =>
  (sealed) => {
    const contentKey = vault.redeem('plane-token', binding(plane), sealed.installation)
    if (!contentKey) throw new Error('the secrets of the snapshot are not of this installation')
    return openBox(sealed, plane, contentKey)
  }

/** For a plane in a process of its own; `privateKey` is DER PKCS #8, base64. */
export const openedByKey =
  (privateKey: string, plane: string, node: string): OpenSecrets =>
  (sealed) => {
    const wrapped = Object.hasOwn(sealed.nodes, node) ? sealed.nodes[node] : undefined
    if (wrapped === undefined) throw new Error(`the secrets of the snapshot are not for ${node}`)
    const own = createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' })
    const bytes = Buffer.from(wrapped, 'base64')
    const sent = bytes.subarray(0, PUBLIC_BYTES)
    const ephemeral = createPublicKey({ key: Buffer.concat([SPKI, sent]), format: 'der', type: 'spki' })
    const publics = Buffer.concat([sent, publicBytes(createPublicKey(own))])
    const wrapping = wrappingKey(own, ephemeral, publics, plane, node)
    return openBox(sealed, plane, decrypt(wrapping, ZERO_NONCE, node, bytes.subarray(PUBLIC_BYTES)))
  }

/** A plane's own key pair: the public half is sent at enrollment. DER, base64. */
export function newSealingKey(): { readonly publicKey: string; readonly privateKey: string } {
  const { publicKey, privateKey } = generateKeyPairSync('x25519')
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
  }
}

/** False for a text that is no public key of X25519 in DER SPKI, base64. */
export function isSealingKey(text: unknown): text is string {
  if (typeof text !== 'string' || text.length > 100) return false
  const bytes = Buffer.from(text, 'base64')
  return bytes.length === SPKI.length + PUBLIC_BYTES && bytes.subarray(0, SPKI.length).equals(SPKI)
}
