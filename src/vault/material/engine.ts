/** The engine of key material: decrypts what a service keeps sealed, performs the operation, and lets no key out. */
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPair,
  hkdfSync,
  publicEncrypt,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { promisify } from 'node:util'
import { takeOver } from '../aead.ts'
import type { SealContext, Sealed } from '../sealed-value.ts'
import { type Vault, VaultError } from '../vault.ts'
import { openBlob, sealBlob } from './blob.ts'
import { algorithmOf } from './der.ts'
import { unwrap } from './import.ts'
import { makeBytes, type Opened, openBytes, publicKeyOf, recognise, toPkcs8 } from './keys.ts'
import type {
  Answered,
  GeneratedMaterial,
  ImportOffer,
  ImportRefusal,
  MaterialContext,
  Materials,
  Opening,
  Operation,
  Sealing,
  StoredMaterial,
  Use,
  Wrapping,
} from './materials.ts'
import type { Pool } from './pool.ts'
import { sign, verify } from './sign.ts'
import { type Hash, hashBytes, kindOf, type Spec } from './specs.ts'

type Root = Pick<Vault, 'seal' | 'open' | 'issue' | 'redeem'>
type Body<K extends Use> = (held: StoredMaterial, opened: Opened, asked: Extract<Operation, { do: K }>) => Answer<K>
type Answer<K extends Use> = Promise<Answered<{ do: K }>> | Answered<{ do: K }>

const makePair = promisify(generateKeyPair)

/** Opened keys in memory: the most used stay. */
const OPENED_MAX = 2_000

/** What an import token carries besides the wrapping key's PKCS #8. */
interface TokenHeader extends Wrapping {
  readonly expiresAt: number
}

export class MaterialEngine implements Materials {
  readonly #root: Root
  readonly #pool: Pool
  /** By sealed value, with the place it was opened for: a value that was moved is opened, and refused, anew. */
  readonly #opened = new Map<Sealed, { readonly held: StoredMaterial; readonly opened: Opened }>()
  readonly #bodies: { readonly [K in Use]: Body<K> }

  constructor(root: Root, pool: Pool) {
    this.#root = root
    this.#pool = pool
    this.#bodies = {
      encrypt: (held, opened, { plaintext, context }) => sealBlob(secret(opened), held.id, plaintext, context),
      decrypt: (held, opened, { blob, context }) => openBlob(secret(opened), held.id, blob, context),
      rsaEncrypt: (_held, opened, { plaintext, hash }) => rsaEncrypt(opened, plaintext, hash),
      rsaDecrypt: (_held, opened, { ciphertext, hash }) => this.#rsaDecrypt(opened, ciphertext, hash),
      reEncrypt: (held, opened, { open, to, seal }) => this.#reEncrypt(held, opened, open, to, seal),
      dataKey: (held, opened, { bytes, context }) => {
        const plaintext = randomBytes(bytes)
        return { plaintext, ciphertext: sealBlob(secret(opened), held.id, plaintext, context) }
      },
      dataKeyPair: async (held, opened, { spec, context }) => {
        const bytes = await makeBytes(spec)
        const pair = await openBytes(spec, bytes, this.#pool)
        const privateKey = toPkcs8(spec, bytes)
        bytes.fill(0)
        const ciphertext = sealBlob(secret(opened), held.id, privateKey, context)
        return { privateKey, publicKey: publicKeyOf(spec, pair)!, ciphertext }
      },
      sign: (held, opened, input) => sign(held.spec, opened, input, this.#pool),
      verify: (held, opened, input) => verify(held.spec, opened, input, input.signature, this.#pool),
      mac: (held, opened, { message }) => mac(held.spec, opened, message),
      verifyMac: (held, opened, input) => {
        const expected = mac(held.spec, opened, input.message)
        return input.mac.length === expected.length && timingSafeEqual(expected, input.mac)
      },
      derive: (held, opened, { publicKey }) => derive(held.spec, opened, publicKey),
      encapsulate: async (held, opened) => {
        const { level, publicKey } = kem(held.spec, opened)
        const { secret, ciphertext } = await this.#pool.run({ job: 'mlKemEncapsulate', level, publicKey })
        return { secret: Buffer.from(secret), ciphertext: Buffer.from(ciphertext) }
      },
      decapsulate: async (held, opened, { ciphertext }) => {
        const { level, seed } = kem(held.spec, opened)
        const found = await this.#pool.run({ job: 'mlKemDecapsulate', level, seed, ciphertext })
        return found && Buffer.from(found)
      },
    }
  }

  async generate(home: MaterialContext, spec: Spec): Promise<GeneratedMaterial> {
    return this.#keep(home, spec, await makeBytes(spec))
  }

  copy(held: StoredMaterial, home: MaterialContext): Sealed {
    const bytes = this.#root.open(placeOf(held.home, held.spec, held.id), held.sealed)
    try {
      if (materialId(bytes, home.name) !== held.id) throw new VaultError('material keeps its id only under its name')
      return this.#root.seal(placeOf(home, held.spec, held.id), bytes)
    } finally {
      bytes.fill(0)
    }
  }

  async use<O extends Operation>(held: StoredMaterial, operation: O): Promise<Answered<O>> {
    const body = this.#bodies[operation.do] as unknown as (
      held: StoredMaterial,
      opened: Opened,
      input: O,
    ) => Promise<Answered<O>> | Answered<O>
    return body(held, await this.#open(held), operation)
  }

  async offerImport(home: MaterialContext, { scheme, hash, bits }: Wrapping, expiresAt: number): Promise<ImportOffer> {
    const { privateKey, publicKey } = await makePair('rsa', { modulusLength: bits })
    const header = Buffer.from(JSON.stringify({ scheme, hash, bits, expiresAt } satisfies TokenHeader))
    const key = privateKey.export({ format: 'der', type: 'pkcs8' })
    const body = Buffer.concat([Buffer.of(header.length), header, key])
    const token = this.#root.issue('import-token', bindingOf(home), body)
    key.fill(0)
    body.fill(0)
    return {
      token: Buffer.from(token, 'base64url'),
      publicKey: publicKey.export({ format: 'der', type: 'spki' }),
    }
  }

  async import(
    home: MaterialContext,
    spec: Spec,
    token: Uint8Array,
    wrapped: Uint8Array,
    now: number,
  ): Promise<GeneratedMaterial | ImportRefusal> {
    const body = this.#root.redeem('import-token', bindingOf(home), Buffer.from(token).toString('base64url'))
    if (!body) return 'bad-token'
    const headerEnd = 1 + body[0]!
    const header = JSON.parse(body.subarray(1, headerEnd).toString('utf8')) as TokenHeader
    if (header.expiresAt <= now) return 'expired-token'
    const key = createPrivateKey({ key: body.subarray(headerEnd), format: 'der', type: 'pkcs8' })
    body.fill(0)

    const bytes = await unwrap(key, header, wrapped, this.#pool)
    if (!bytes) return 'undecryptable'
    const found = recognise(spec, bytes)
    bytes.fill(0)
    return found ? this.#keep(home, spec, found) : 'wrong-material'
  }

  forget(account?: string): void {
    for (const [sealed, { held, opened }] of this.#opened) {
      if (account !== undefined && held.home.account !== account) continue
      if (opened.kind === 'seed') opened.seed.fill(0)
      this.#opened.delete(sealed)
    }
  }

  /** Seals and wipes. */
  async #keep(home: MaterialContext, spec: Spec, bytes: Buffer): Promise<GeneratedMaterial> {
    try {
      const id = materialId(bytes, home.name)
      const sealed = this.#root.seal(placeOf(home, spec, id), bytes)
      const publicKey = publicKeyOf(spec, await openBytes(spec, bytes, this.#pool))
      return { id, sealed, ...(publicKey && { publicKey }) }
    } finally {
      bytes.fill(0)
    }
  }

  async #open(held: StoredMaterial): Promise<Opened> {
    const { sealed } = held
    const known = this.#opened.get(sealed)
    if (known && isSamePlace(known.held, held)) {
      this.#opened.delete(sealed)
      this.#opened.set(sealed, known)
      return known.opened
    }
    const bytes = this.#root.open(placeOf(held.home, held.spec, held.id), sealed)
    try {
      const opened = await openBytes(held.spec, bytes, this.#pool)
      if (this.#opened.size >= OPENED_MAX) this.#opened.delete(this.#opened.keys().next().value!)
      this.#opened.set(sealed, { held, opened })
      return opened
    } finally {
      bytes.fill(0)
    }
  }

  async #rsaDecrypt(opened: Opened, ciphertext: Uint8Array, hash: Hash): Promise<Buffer | undefined> {
    const { privateKey: key } = pair(opened)
    if (ciphertext.length !== key.asymmetricKeyDetails!.modulusLength! / 8) return undefined
    const found = await this.#pool.run({ job: 'rsaDecrypt', key, hash, ciphertext })
    return found && takeOver(found)
  }

  async #reEncrypt(held: StoredMaterial, opened: Opened, open: Opening, to: StoredMaterial, seal: Sealing) {
    const plaintext =
      open.by === 'context'
        ? openBlob(secret(opened), held.id, open.blob, open.context)
        : await this.#rsaDecrypt(opened, open.ciphertext, open.hash)
    if (!plaintext) return 'unopened'
    try {
      const target = await this.#open(to)
      if (seal.by === 'context') return sealBlob(secret(target), to.id, plaintext, seal.context)
      return rsaEncrypt(target, plaintext, seal.hash) ?? 'too-long'
    } finally {
      plaintext.fill(0)
    }
  }
}

/** The spec and the material's own id are authenticated too: no material serves as another, or as another kind. */
function placeOf({ table, key, column, account }: MaterialContext, spec: Spec, id: string): SealContext {
  return { table, key, column: `${column}/${spec}`, account, version: id }
}

function isSamePlace(a: StoredMaterial, b: StoredMaterial): boolean {
  const [one, other] = [a.home, b.home]
  return (
    a.id === b.id &&
    a.spec === b.spec &&
    one.account === other.account &&
    one.table === other.table &&
    one.key === other.key &&
    one.column === other.column
  )
}

function bindingOf({ table, key, column, account, name }: MaterialContext): string {
  return JSON.stringify([table, key, column, account, name])
}

function materialId(bytes: Uint8Array, name: string): string {
  return Buffer.from(hkdfSync('sha256', bytes, '', `merlon-kmid-v1/${name}`, 32)).toString('hex')
}

function secret(opened: Opened) {
  if (opened.kind !== 'secret') throw new VaultError('this material has no secret key')
  return opened.key
}

function pair(opened: Opened) {
  if (opened.kind !== 'pair') throw new VaultError('this material has no pair of keys')
  return opened
}

function kem(spec: Spec, opened: Opened) {
  const kind = kindOf(spec)
  if (opened.kind !== 'seed' || kind.kind !== 'ml-kem') throw new VaultError('this material encapsulates nothing')
  return { level: kind.level, seed: opened.seed, publicKey: opened.publicKey }
}

/** undefined when it is longer than k - 2h - 2. RFC 8017 §7.1.1. */
function rsaEncrypt(opened: Opened, plaintext: Uint8Array, hash: Hash): Buffer | undefined {
  const { publicKey: key } = pair(opened)
  const max = key.asymmetricKeyDetails!.modulusLength! / 8 - 2 * hashBytes[hash] - 2
  if (plaintext.length > max) return undefined
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: hash }, plaintext)
}

function mac(spec: Spec, opened: Opened, message: Uint8Array): Buffer {
  const kind = kindOf(spec)
  if (kind.kind !== 'hmac') throw new VaultError('this material makes no MAC')
  return createHmac(kind.hash, secret(opened)).update(message).digest()
}

/**
 * OpenSSL refuses points that are not on their curve. The curve must be this key's own, and named: one spelled out with
 * another order or cofactor passes for the named one (Wycheproof, WrongOrder).
 */
function derive(spec: Spec, opened: Opened, publicKey: Uint8Array): Buffer | undefined {
  const kind = kindOf(spec)
  try {
    const theirs = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
    const ours = pair(opened)
    if (kind.kind !== 'ec' || theirs.asymmetricKeyDetails?.namedCurve !== kind.curve) return undefined
    const named = algorithmOf(ours.publicKey.export({ format: 'der', type: 'spki' }))
    if (!algorithmOf(Buffer.from(publicKey)).equals(named)) return undefined
    return diffieHellman({ privateKey: ours.privateKey, publicKey: theirs })
  } catch {
    return undefined
  }
}
