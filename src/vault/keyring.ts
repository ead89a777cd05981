/** The unsealed keyring: the root key and all that hangs under it, in memory, and every change to the file. */
import { decodeStrictly, decrypt, encrypt, KEY_BYTES, lengths, randomKey, takeOver } from './aead.ts'
import { held, type KeyTree, purposeKey, storeKek, unwrapAccountKey, wrapAccountKey } from './key-tree.ts'
import { isAuthentic, type KeyringBody, type ReadKeyring, readKeyring, writeKeyring } from './keyring-file.ts'
import { type NewSealer, named, publicHalf, type SealerRecord, wrapRootKey } from './sealer.ts'
import { TrustError, VaultError } from './vault.ts'

/** A sealer may only go while another one is known to work. */
const TESTED_WITHIN_MS = 24 * 60 * 60 * 1000
/** Account keys wrapped between two turns of the event loop. */
const REWRAP_PORTION = 500

export interface KeyringOptions {
  readonly file: string
  readonly installId: string
  readonly sealers: readonly NewSealer[]
  readonly now: number
  /** Of an installation from before keyrings; random by default. Wiped. */
  readonly rootKey?: Buffer
  /** Wrapped under that root key. */
  readonly accounts?: Readonly<Record<string, string>>
  /** Runs before the file is there: what must exist when it does. */
  readonly before?: (keyring: Keyring) => void
}

export class Keyring implements KeyTree {
  readonly #file: string
  readonly #accounts = new Map<string, Buffer>()
  readonly #purposes = new Map<string, Buffer>()
  readonly #installation: Buffer
  readonly #backup: Buffer
  #body: KeyringBody
  #root: Buffer
  #kek: Buffer
  #wiped = false

  private constructor(file: string, body: KeyringBody, root: Buffer, keys: { installation: Buffer; backup: Buffer }) {
    this.#file = file
    this.#body = body
    this.#root = root
    this.#kek = storeKek(root, body.installId)
    this.#installation = keys.installation
    this.#backup = keys.backup
  }

  /** A new keyring, durable when this returns. Its sealers are taken to be tested: their seeds are at hand. */
  static create(options: KeyringOptions): Keyring {
    const { file, installId, sealers, now, accounts = {}, before } = options
    const root = options.rootKey ? takeOver(options.rootKey) : randomKey()
    const [installation, backup] = [randomKey(), randomKey()]
    const kek = storeKek(root, installId)
    const keyring = new Keyring(
      file,
      {
        version: 1,
        installId,
        epoch: 1,
        generation: 0,
        rootVersion: 1,
        sealers: sealers.map((sealer) => recordOf(installId, 1, sealer, root, now)),
        keys: {
          installation: wrapOwn(kek, installId, 'installation', installation),
          backup: wrapOwn(kek, installId, 'backup', backup),
        },
        accounts,
      },
      root,
      { installation, backup },
    )
    kek.fill(0)
    before?.(keyring)
    keyring.#save({})
    return keyring
  }

  /** Takes the root key over. Throws `MERLON_KEYRING_DAMAGED` when the file is not as it was written. */
  static unseal(file: string, read: ReadKeyring, rootKey: Buffer): Keyring {
    const { body } = read
    const root = takeOver(rootKey)
    const kek = storeKek(root, body.installId)
    const installation = unwrapOwn(kek, body.installId, 'installation', body.keys.installation)
    const backup = unwrapOwn(kek, body.installId, 'backup', body.keys.backup)
    kek.fill(0)
    const keyring = installation && backup && new Keyring(file, body, root, { installation, backup })
    if (!keyring || !isAuthentic(read, keyring.purpose('keyring-mac'))) {
      for (const key of [root, installation, backup]) key?.fill(0)
      throw new TrustError(
        'MERLON_KEYRING_DAMAGED',
        `${file} was changed by something other than Merlon. Put it back from the copy beside your latest backup.`,
      )
    }
    return keyring
  }

  get body(): KeyringBody {
    return this.#body
  }
  get installId(): string {
    return this.#body.installId
  }
  get sealed(): boolean {
    return this.#wiped
  }

  /** Purposes hang under the installation's own key, not the root key: tokens outlive a rotation. */
  purpose(label: string): Uint8Array {
    this.#refuseSealed()
    return held(this.#purposes, label, () => purposeKey(this.#installation, this.installId, label))
  }

  /** What backups are encrypted under, a key for each (HKDF). */
  backupKek(): Uint8Array {
    this.#refuseSealed()
    return held(this.#purposes, '/backup-kek', () => purposeKey(this.#backup, this.installId, 'backup-kek'))
  }

  account(account: string): Uint8Array {
    this.#refuseSealed()
    return held(this.#accounts, account, () => {
      const wrapped = this.#wrapped(account)
      if (wrapped === null) throw erased(account)
      if (wrapped !== undefined) return unwrapAccountKey(this.#kek, this.installId, account, wrapped)
      const key = randomKey()
      const accounts = { ...this.#body.accounts, [account]: wrapAccountKey(this.#kek, this.installId, account, key) }
      this.#save({ accounts })
      return key
    })
  }

  has(account: string): boolean {
    return typeof this.#wrapped(account) === 'string'
  }
  isErased(account: string): boolean {
    return this.#wrapped(account) === null
  }

  /** Destroys an account's key, here and now. Copies of this file elsewhere are the caller's to replace. */
  erase(account: string): void {
    this.#refuseSealed()
    if (this.#wrapped(account) === undefined) throw new VaultError(`account ${account} has no key`)
    this.#save({ accounts: { ...this.#body.accounts, [account]: null } }, true)
    this.#accounts.get(account)?.fill(0)
    this.#accounts.delete(account)
  }

  addSealer(sealer: NewSealer, now: number, { tested = true, replaces }: { tested?: boolean; replaces?: string } = {}) {
    this.#refuseSealed()
    const record = recordOf(this.installId, this.#body.rootVersion, sealer, this.#root, now)
    const { testedAt: _, ...untested } = record
    const added = { ...(tested ? record : untested), ...(replaces !== undefined && { replaces }) }
    this.#save({ sealers: [...this.#body.sealers, added] })
  }

  sealer(id: string): SealerRecord {
    const found = this.#body.sealers.find((sealer) => sealer.id === id)
    if (!found) throw new TrustError('MERLON_SEALER_UNAVAILABLE', `there is no sealer ${id}. See: merlon sealer list`)
    return found
  }

  /** The last cannot go, and none may while it is not known that another one works. */
  removeSealer(id: string, now: number): void {
    this.#refuseSealed()
    const record = this.sealer(id)
    const others = this.#body.sealers.filter((sealer) => sealer.id !== id)
    const proven = others.find(({ testedAt }) => testedAt !== undefined && now - testedAt <= TESTED_WITHIN_MS)
    if (others.length === 0) {
      throw new TrustError('MERLON_SEALER_NEEDED', `${named(record)} is the last one. Add and test another first.`)
    }
    if (!proven) {
      throw new TrustError(
        'MERLON_SEALER_NEEDED',
        `no other sealer was tested in the last 24 hours. Test one first: merlon sealer test ${others[0]!.id}`,
      )
    }
    this.#save({ sealers: others }, true)
  }

  /** This sealer has opened the root key. One it replaces is gone from now on. */
  tested(id: string, now: number): void {
    this.#refuseSealed()
    const { replaces, ...record } = this.sealer(id)
    const kept = this.#body.sealers.filter((sealer) => sealer.id !== replaces)
    const sealers = kept.map((sealer) => (sealer.id === id ? { ...record, testedAt: now } : sealer))
    this.#save({ sealers }, replaces !== undefined)
  }

  /** True when this is the root key of now. */
  holds(rootKey: Uint8Array): boolean {
    this.#refuseSealed()
    return this.#root.equals(rootKey)
  }

  /**
   * A new root key under every sealer, and every key under it wrapped anew: in portions while work goes on, then one
   * replacement of the file. Until that moment the old version holds, after it the old one is nowhere.
   */
  async rotateRoot(): Promise<number> {
    this.#refuseSealed()
    const { installId } = this
    const root = randomKey()
    const kek = storeKek(root, installId)
    const rewrapped = new Map<string, { readonly from: string; readonly to: string }>()
    const rewrap = (account: string, from: string) => {
      const key = unwrapAccountKey(this.#kek, installId, account, from)
      rewrapped.set(account, { from, to: wrapAccountKey(kek, installId, account, key) })
      key.fill(0)
    }
    const before = Object.entries(this.#body.accounts)
    for (let at = 0; at < before.length; at += REWRAP_PORTION) {
      for (const [account, from] of before.slice(at, at + REWRAP_PORTION)) if (from !== null) rewrap(account, from)
      await new Promise((resolve) => setImmediate(resolve))
      this.#refuseSealed()
    }

    // From here on nothing else runs until the file is written: accounts made, erased or wrapped meanwhile are seen.
    const rootVersion = this.#body.rootVersion + 1
    const accounts: Record<string, string | null> = {}
    for (const [account, from] of Object.entries(this.#body.accounts)) {
      if (from !== null && rewrapped.get(account)?.from !== from) rewrap(account, from)
      accounts[account] = from === null ? null : rewrapped.get(account)!.to
    }
    const sealers = this.#body.sealers.map((sealer) => ({
      ...sealer,
      wrapped: wrapRootKey({ installId, sealerId: sealer.id, rootVersion }, sealer.publicKey, root),
    }))
    const keys = {
      installation: wrapOwn(kek, installId, 'installation', this.#installation),
      backup: wrapOwn(kek, installId, 'backup', this.#backup),
    }
    this.#save({ rootVersion, accounts, sealers, keys }, true)
    this.#root.fill(0)
    this.#kek.fill(0)
    this.#root = root
    this.#kek = kek
    return rootVersion
  }

  /** The keyring beside a backup, by the root key at hand. */
  openCopy(file: string): Keyring {
    this.#refuseSealed()
    const read = readKeyring(file)
    if (!read) throw new VaultError(`${file} is missing: without the keyring beside it no backup opens.`)
    return Keyring.unseal(file, read, takeOver(Buffer.from(this.#root)))
  }

  activate(): void {
    this.#refuseSealed()
    this.#save({ fenced: false })
  }

  /** Writes this keyring elsewhere: beside a backup, which is nothing without it. */
  copyTo(file: string, change: Partial<Pick<KeyringBody, 'epoch' | 'fenced' | 'sealers'>> = {}): void {
    this.#refuseSealed()
    const body = { ...this.#body, ...change, generation: this.#body.generation + Number('epoch' in change) }
    writeKeyring(file, body, this.purpose('keyring-mac'), true)
  }

  /** No key is in memory any more, and none can be had but through a sealer. */
  wipe(): void {
    this.#wiped = true
    const all = [this.#root, this.#kek, this.#installation, this.#backup]
    for (const key of [...all, ...this.#accounts.values(), ...this.#purposes.values()]) key.fill(0)
    this.#accounts.clear()
    this.#purposes.clear()
  }

  #wrapped(account: string): string | null | undefined {
    return Object.hasOwn(this.#body.accounts, account) ? this.#body.accounts[account] : undefined
  }

  /** Nothing in memory changes unless the file did. */
  #save(change: Partial<KeyringBody>, shred = false): void {
    const body = { ...this.#body, ...change, generation: this.#body.generation + 1 }
    writeKeyring(this.#file, body, this.purpose('keyring-mac'), shred)
    this.#body = body
  }

  #refuseSealed(): void {
    if (this.#wiped) throw new TrustError('MERLON_SEALED', 'the keys are not in memory. Run: merlon unseal')
  }
}

const erased = (account: string): TrustError =>
  new TrustError('MERLON_ACCOUNT_ERASED', `the key of account ${account} was destroyed; what it sealed cannot be read.`)

/** Wipes the seed. */
function recordOf(
  installId: string,
  rootVersion: number,
  { id, settings, seed }: NewSealer,
  rootKey: Uint8Array,
  now: number,
): SealerRecord {
  const publicKey = publicHalf(installId, id, seed)
  seed.fill(0)
  const wrapped = wrapRootKey({ installId, sealerId: id, rootVersion }, publicKey, rootKey)
  return { id, createdAt: now, testedAt: now, settings, publicKey, wrapped }
}

type Own = 'installation' | 'backup'

const wrapOwn = (kek: Uint8Array, installId: string, name: Own, key: Uint8Array): string =>
  encrypt(kek, key, lengths('merlon/v1/own-key', installId, name)).toString('base64url')

function unwrapOwn(kek: Uint8Array, installId: string, name: Own, wrapped: string): Buffer | undefined {
  const bytes = decodeStrictly(wrapped)
  const key = bytes && decrypt(kek, bytes, lengths('merlon/v1/own-key', installId, name))
  return key?.length === KEY_BYTES ? key : undefined
}
