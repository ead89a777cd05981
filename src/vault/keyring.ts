/**
 * The unsealed keyring: the root key and all keys under it, in memory, and every change to it where it is stored. Other
 * nodes may change it there as well: their changes are followed, and a change that comes second is made to their
 * version.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeStrictly, decrypt, encrypt, KEY_BYTES, lengths, randomKey, takeOver } from './aead.ts'
import { replaceFile } from './durable-file.ts'
import { held, type KeyTree, keyless, purposeKey, storeKek, unwrapAccountKey, wrapAccountKey } from './key-tree.ts'
import {
  isAuthentic,
  type KeyringBody,
  KeyringMovedError,
  type KeyringPlace,
  keyringFile,
  keyringText,
  type ReadKeyring,
  readKeyring,
} from './keyring-file.ts'
import { type NewSealer, named, publicHalf, type SealerRecord, wrapRootKey } from './sealer.ts'
import { TrustError, VaultError } from './vault.ts'

/** A sealer may only go while another one is known to work. */
const TESTED_WITHIN_MS = 24 * 60 * 60 * 1000
/** Account keys wrapped between two turns of the event loop. */
const REWRAP_PORTION = 500

/** Times a change is made anew because another node came first. */
const ATTEMPTS_MAX = 50
const BACKOFF_MS_MAX = 20

export interface KeyringOptions {
  readonly place: KeyringPlace
  readonly installId: string
  readonly sealers: readonly NewSealer[]
  readonly now: number
  /** Of an installation from before keyrings; random by default. Wiped. */
  readonly rootKey?: Buffer
  /** Wrapped under that root key. */
  readonly accounts?: Readonly<Record<string, string>>
  /** Runs before the keyring is there: what must exist when it is. */
  readonly before?: (keyring: Keyring) => void
  readonly reopen?: Reopen | undefined
}

/** The root key of now, by some sealer, when another node has made a new one. Rejects when none opens it. */
export type Reopen = (body: KeyringBody) => Promise<Buffer>

const nobodyElse: Reopen = () => Promise.reject(new Error('a keyring of one node was changed by another'))

/** One version of the root key, and what wraps under it. */
interface Root {
  readonly version: number
  readonly key: Buffer
  readonly kek: Buffer
}

type Change = Partial<Omit<KeyringBody, 'generation'>>

export class Keyring implements KeyTree {
  readonly #place: KeyringPlace
  readonly #reopen: Reopen
  readonly #accounts = new Map<string, Buffer>()
  readonly #purposes = new Map<string, Buffer>()
  readonly #installation: Buffer
  readonly #backup: Buffer
  #body: KeyringBody
  #root: Root
  /** Account keys under the root key in memory: those of the body, unless another node has made a new root key. */
  #wrapped: KeyringBody['accounts']
  /** In progress while the root key in memory is not the current one; rejected when no sealer unlocks that. */
  #reopening: Promise<void> | undefined
  /** The text that is being written: it may be reported before the write is known to be done. */
  #writing: { readonly text: string; readonly adopt: () => void } | undefined
  #turn: Promise<void> = Promise.resolve()
  #wiped = false

  private constructor(
    { place, reopen = nobodyElse }: Pick<KeyringOptions, 'place' | 'reopen'>,
    body: KeyringBody,
    root: Root,
    keys: { installation: Buffer; backup: Buffer },
  ) {
    this.#place = place
    this.#reopen = reopen
    this.#body = body
    this.#root = root
    this.#wrapped = body.accounts
    this.#installation = keys.installation
    this.#backup = keys.backup
  }

  /**
   * A new keyring, durable when this resolves. Its sealers are taken to be tested: their seeds are at hand. Throws
   * `KeyringMovedError` when there is one already.
   */
  static async create(options: KeyringOptions): Promise<Keyring> {
    const { installId, sealers, now, accounts = {}, before } = options
    const root = rootOf(options.rootKey ? takeOver(options.rootKey) : randomKey(), installId, 1)
    const [installation, backup] = [randomKey(), randomKey()]
    const keyring = new Keyring(
      options,
      {
        version: 1,
        installId,
        epoch: 1,
        generation: 0,
        rootVersion: 1,
        sealers: sealers.map((sealer) => recordOf(installId, 1, sealer, root.key, now)),
        keys: {
          installation: wrapOwn(root.kek, installId, 'installation', installation),
          backup: wrapOwn(root.kek, installId, 'backup', backup),
        },
        accounts,
      },
      root,
      { installation, backup },
    )
    try {
      before?.(keyring)
      await keyring.#write({ ...keyring.#body, generation: 1 }, { expected: undefined, shred: false })
      return keyring
    } catch (error) {
      keyring.wipe()
      throw error
    }
  }

  /** Takes the root key over. Throws `MERLON_KEYRING_DAMAGED` when the keyring is not as it was written. */
  static unseal(place: KeyringPlace, read: ReadKeyring, rootKey: Buffer, reopen?: Reopen): Keyring {
    const { body } = read
    const root = rootOf(takeOver(rootKey), body.installId, body.rootVersion)
    const installation = unwrapOwn(root.kek, body.installId, 'installation', body.keys.installation)
    const backup = unwrapOwn(root.kek, body.installId, 'backup', body.keys.backup)
    const keyring = installation && backup && new Keyring({ place, reopen }, body, root, { installation, backup })
    if (!keyring || !isAuthentic(read, keyring.purpose('keyring-mac'))) {
      for (const key of [root.key, root.kek, installation, backup]) key?.fill(0)
      throw damaged(place.name)
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

  async prepare(account: string): Promise<void> {
    this.#refuseSealed()
    if (typeof this.#wrappedKey(account) === 'string') return
    await this.#change(({ accounts }) => {
      const wrapped = own(accounts, account)
      if (wrapped === null) throw erased(account)
      if (wrapped !== undefined) return undefined
      const key = randomKey()
      const made = wrapAccountKey(this.#root.kek, this.installId, account, key)
      key.fill(0)
      return { accounts: { ...accounts, [account]: made } }
    })
  }

  account(account: string): Uint8Array {
    this.#refuseSealed()
    return held(this.#accounts, account, () => {
      const wrapped = this.#wrappedKey(account)
      if (wrapped === null) throw erased(account)
      if (wrapped !== undefined) return unwrapAccountKey(this.#root.kek, this.installId, account, wrapped)
      if (!this.has(account)) throw keyless(account)
      throw new TrustError('MERLON_SEALED', `this node has yet to open the root key that account ${account} is under.`)
    })
  }

  has(account: string): boolean {
    return typeof own(this.#body.accounts, account) === 'string'
  }
  isErased(account: string): boolean {
    return own(this.#body.accounts, account) === null
  }

  /** Destroys an account's key, here and now. Copies of the keyring elsewhere are the caller's to replace. */
  erase(account: string): Promise<void> {
    return this.#change(
      ({ accounts }) => {
        const wrapped = own(accounts, account)
        if (wrapped === undefined) throw keyless(account)
        return wrapped === null ? undefined : { accounts: { ...accounts, [account]: null } }
      },
      { shred: true },
    )
  }

  /** Wipes the seed. */
  async addSealer(
    sealer: NewSealer,
    now: number,
    { tested = true, replaces }: { tested?: boolean; replaces?: string } = {},
  ): Promise<void> {
    try {
      await this.#change(({ sealers, rootVersion }) => {
        const seed = Buffer.from(sealer.seed)
        const record = recordOf(this.installId, rootVersion, { ...sealer, seed }, this.#root.key, now)
        const { testedAt: _, ...untested } = record
        return {
          sealers: [...sealers, { ...(tested ? record : untested), ...(replaces !== undefined && { replaces }) }],
        }
      })
    } finally {
      sealer.seed.fill(0)
    }
  }

  sealer(id: string): SealerRecord {
    const found = this.#body.sealers.find((sealer) => sealer.id === id)
    if (!found) throw new TrustError('MERLON_SEALER_UNAVAILABLE', `there is no sealer ${id}. See: merlon sealer list`)
    return found
  }

  /** The last cannot go, and none may while it is not known that another one works. */
  removeSealer(id: string, now: number): Promise<void> {
    return this.#change(
      ({ sealers }) => {
        const record = this.sealer(id)
        const others = sealers.filter((sealer) => sealer.id !== id)
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
        return { sealers: others }
      },
      { shred: true },
    )
  }

  /** This sealer has opened the root key. One it replaces is gone from now on. */
  async tested(id: string, now: number): Promise<void> {
    const shred = this.sealer(id).replaces !== undefined
    return this.#change(
      ({ sealers }) => {
        const { replaces, ...record } = this.sealer(id)
        const kept = sealers.filter((sealer) => sealer.id !== replaces)
        return { sealers: kept.map((sealer) => (sealer.id === id ? { ...record, testedAt: now } : sealer)) }
      },
      { shred },
    )
  }

  /** True when this is the root key of now. */
  async holds(rootKey: Uint8Array): Promise<boolean> {
    await this.#reopening
    this.#refuseSealed()
    return this.#root.key.equals(rootKey)
  }

  /**
   * A new root key under every sealer, and every key under it wrapped anew: in portions while work goes on, then one
   * replacement of the keyring. Until that moment the old version holds, after it the old one is nowhere.
   */
  async rotateRoot(): Promise<number> {
    this.#refuseSealed()
    await this.#reopening
    const { installId } = this
    const [key, rewrapped] = [randomKey(), new Map<string, { readonly from: string; readonly to: string }>()]
    const kek = storeKek(key, installId)
    const rewrap = (account: string, from: string) => {
      const accountKey = unwrapAccountKey(this.#root.kek, installId, account, from)
      rewrapped.set(account, { from, to: wrapAccountKey(kek, installId, account, accountKey) })
      accountKey.fill(0)
    }
    let next: Root | undefined
    try {
      const before = Object.entries(this.#wrapped)
      for (let at = 0; at < before.length; at += REWRAP_PORTION) {
        for (const [account, from] of before.slice(at, at + REWRAP_PORTION))
          if (from !== null && rewrapped.get(account)?.from !== from) rewrap(account, from)
        await new Promise((resolve) => setImmediate(resolve))
        this.#refuseSealed()
      }
      await this.#change(
        (body) => {
          // Accounts made, erased or wrapped meanwhile, here or on another node, are seen.
          const rootVersion = body.rootVersion + 1
          next = { version: rootVersion, key, kek }
          const accounts: Record<string, string | null> = {}
          for (const [account, from] of Object.entries(body.accounts)) {
            if (from !== null && rewrapped.get(account)?.from !== from) rewrap(account, from)
            accounts[account] = from === null ? null : rewrapped.get(account)!.to
          }
          const sealers = body.sealers.map((sealer) => ({
            ...sealer,
            wrapped: wrapRootKey({ installId, sealerId: sealer.id, rootVersion }, sealer.publicKey, key),
          }))
          const keys = {
            installation: wrapOwn(kek, installId, 'installation', this.#installation),
            backup: wrapOwn(kek, installId, 'backup', this.#backup),
          }
          return { rootVersion, accounts, sealers, keys }
        },
        { shred: true, root: () => next },
      )
      return next!.version
    } finally {
      if (this.#root.key !== key) for (const each of [key, kek]) each.fill(0)
    }
  }

  /** The keyring beside a backup, by the root key at hand. */
  async openCopy(file: string): Promise<Keyring> {
    await this.#reopening
    this.#refuseSealed()
    const read = readKeyring(file)
    if (!read) throw new VaultError(`${file} is missing: without the keyring beside it no backup opens.`)
    return Keyring.unseal(keyringFile(file), read, takeOver(Buffer.from(this.#root.key)))
  }

  activate(): Promise<void> {
    return this.#change(({ fenced }) => (fenced ? { fenced: false } : undefined))
  }

  /** Writes this keyring elsewhere: beside a backup, which is nothing without it. */
  copyTo(file: string, change: Partial<Pick<KeyringBody, 'epoch' | 'fenced' | 'sealers'>> = {}): void {
    this.#refuseSealed()
    const body = { ...this.#body, ...change, generation: this.#body.generation + Number('epoch' in change) }
    replaceFile(file, keyringText(body, this.purpose('keyring-mac')), { shred: true })
  }

  /**
   * Adopts the stored keyring as another node has written it. Keys it destroyed are gone from memory when this returns.
   * A new root key is unlocked by this node's own sealers: the promise resolves after that, and meanwhile the account
   * keys stay valid. Throws `MERLON_KEYRING_DAMAGED` when no node of this installation has written it.
   */
  follow(read: ReadKeyring): Promise<void> {
    if (this.#wiped) return Promise.resolve()
    if (this.#writing?.text === `${read.line}\n${read.mac}\n`) {
      this.#writing.adopt()
      return Promise.resolve()
    }
    if (!isAuthentic(read, this.purpose('keyring-mac'))) throw damaged(this.#place.name)
    if (read.body.generation > this.#body.generation) this.#adopt(read.body)
    if (this.#root.version !== this.#body.rootVersion && !this.#reopening) {
      this.#reopening = this.#openRootOfNow()
      // A change to the keyring meanwhile waits for it, and gets its error.
      this.#reopening.catch(() => undefined)
    }
    return this.#reopening ?? Promise.resolve()
  }

  /** No key is in memory any more, and only a sealer can unlock one. */
  wipe(): void {
    this.#wiped = true
    const all = [this.#root.key, this.#root.kek, this.#installation, this.#backup]
    for (const key of [...all, ...this.#accounts.values(), ...this.#purposes.values()]) key.fill(0)
    this.#accounts.clear()
    this.#purposes.clear()
  }

  /** As it is wrapped under the root key in memory; null when it was erased. */
  #wrappedKey(account: string): string | null | undefined {
    return this.isErased(account) ? null : own(this.#wrapped, account)
  }

  /** One change at a time. `make` may run more than once: another node may come first, and the change is made to theirs. */
  async #change(make: (body: KeyringBody) => Change | undefined, options: ChangeOptions = {}): Promise<void> {
    this.#refuseSealed()
    const done = this.#turn.then(() => this.#attempt(make, options))
    this.#turn = done.catch(() => undefined)
    return done
  }

  async #attempt(make: (body: KeyringBody) => Change | undefined, { shred = false, root }: ChangeOptions) {
    for (let attempt = 1; ; attempt++) {
      while (this.#reopening) await this.#reopening
      this.#refuseSealed()
      const change = make(this.#body)
      if (!change) return
      const expected = this.#body.generation
      try {
        await this.#write({ ...this.#body, ...change, generation: expected + 1 }, { expected, shred }, root?.())
        return
      } catch (error) {
        if (!(error instanceof KeyringMovedError) || attempt >= ATTEMPTS_MAX) throw error
      }
      await sleep(Math.random() * Math.min(attempt, BACKOFF_MS_MAX))
      await this.#catchUp()
    }
  }

  /** Nothing in memory changes unless the stored keyring did. */
  async #write(body: KeyringBody, options: Parameters<KeyringPlace['replace']>[1], root?: Root): Promise<void> {
    const text = keyringText(body, this.purpose('keyring-mac'))
    const adopt = () => {
      if (this.#body.generation < body.generation) this.#adopt(body, root)
    }
    this.#writing = { text, adopt }
    try {
      await this.#place.replace(text, options)
      adopt()
    } finally {
      this.#writing = undefined
    }
  }

  #adopt(body: KeyringBody, root: Root = this.#root): void {
    if (this.#wiped) return
    this.#body = body
    if (root !== this.#root) {
      for (const key of [this.#root.key, this.#root.kek]) key.fill(0)
      this.#root = root
    }
    if (this.#root.version === body.rootVersion) this.#wrapped = body.accounts
    for (const [account, key] of this.#accounts) {
      if (!this.isErased(account)) continue
      key.fill(0)
      this.#accounts.delete(account)
    }
  }

  async #catchUp(): Promise<void> {
    const read = await this.#place.read()
    if (!read || read.body.generation < this.#body.generation)
      throw new TrustError('MERLON_ROLLBACK_DETECTED', `${this.#place.name} is older than it was a moment ago.`)
    // The next attempt waits until the new root key is unlocked.
    this.follow(read).catch(() => undefined)
  }

  async #openRootOfNow(): Promise<void> {
    while (!this.#wiped && this.#root.version !== this.#body.rootVersion) {
      const body = this.#body
      const root = rootOf(takeOver(await this.#reopen(body)), body.installId, body.rootVersion)
      const installation = unwrapOwn(root.kek, body.installId, 'installation', body.keys.installation)
      const opens = installation?.equals(this.#installation) ?? false
      installation?.fill(0)
      // Sealed, or another one came while a sealer worked.
      const late = this.#wiped || body.rootVersion !== this.#body.rootVersion
      if (opens && !late) this.#adopt(this.#body, root)
      else for (const key of [root.key, root.kek]) key.fill(0)
      if (!opens && !late) throw damaged(this.#place.name)
    }
    this.#reopening = undefined
  }

  #refuseSealed(): void {
    if (this.#wiped) throw new TrustError('MERLON_SEALED', 'the keys are not in memory. Run: merlon unseal')
  }
}

interface ChangeOptions {
  /** What is replaced is overwritten, as far as the place lets us. */
  readonly shred?: boolean
  /** The root key that the change made comes with. */
  readonly root?: () => Root | undefined
}

const rootOf = (key: Buffer, installId: string, version: number): Root => ({
  version,
  key,
  kek: storeKek(key, installId),
})

/** Accounts may be named like a member of every object. */
const own = (accounts: KeyringBody['accounts'], account: string): string | null | undefined =>
  Object.hasOwn(accounts, account) ? accounts[account] : undefined

const damaged = (name: string): TrustError =>
  new TrustError(
    'MERLON_KEYRING_DAMAGED',
    `${name} was changed by something other than Merlon. Put it back from the copy beside your latest backup.`,
  )

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
