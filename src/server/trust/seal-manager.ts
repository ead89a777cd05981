/**
 * The seal state of one node's data directory: UNINITIALISED → SEALED ⇄ UNSEALED. Holds the directory's lock for as
 * long as the process lives. While sealed there is no cloud, no key in memory and no open database; a database that
 * nodes share stays open, because it holds the keyring and other nodes' changes are followed.
 */
import { randomUUID } from 'node:crypto'
import { existsSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { MERLON_EVENT_SOURCE, serviceEvent } from '../../kernel/events/event.ts'
import { keyringAccounts } from '../../kernel/service/account-keys.ts'
import type { Clock } from '../../kernel/state/clock.ts'
import { Lock } from '../../store/lock.ts'
import type { Change, Store } from '../../store/store.ts'
import { type Head, writeHead } from '../../vault/head.ts'
import { Keyring } from '../../vault/keyring.ts'
import {
  type KeyringBody,
  KeyringMovedError,
  type KeyringPlace,
  keyringFile,
  type ReadKeyring,
} from '../../vault/keyring-file.ts'
import { openVault } from '../../vault/sealed.ts'
import { type NewSealer, named, openRootKey, type SealerRecord } from '../../vault/sealer.ts'
import { TrustError } from '../../vault/vault.ts'
import type { Cloud } from '../compose/cloud.ts'
import {
  databaseOf,
  fileSealer,
  forgetEarlierAccountKeys,
  headOf,
  InstallationError,
  isWithinDirectory,
  keyBesideData,
  keyringOf,
  layOut,
  lockOf,
  makeKeyring,
  refuseIncomplete,
  rootKeyOf,
} from '../compose/installation.ts'
import type { Logger } from '../compose/log.ts'
import { asOperatorError } from '../compose/operator-errors.ts'
import type { Storage } from '../compose/storage.ts'
import { forgetMemory } from './forget-memory.ts'
import { KEYRING, type KeyringRow, keyringInStore, readRow } from './keyring-in-store.ts'
import { AlreadyInitializedError, addLink, bringUp, isLink } from './rollback-check.ts'
import { automaticSeed, isAutomatic, keyFilesOf, opensFileSealer } from './sealers.ts'

export interface SealManagerOptions {
  readonly data: string
  readonly clock: Clock
  readonly logger: Logger
  readonly storage: Storage
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Joins the services to what was opened. */
  readonly openCloud: (opened: { readonly store: Store; readonly keyring: Keyring }) => Promise<Cloud>
  /** After each unsealing, before anyone is answered. */
  readonly onUnsealed?: (cloud: Cloud) => Promise<void>
  /** No call is in progress any more: erase what is kept of earlier calls and belongs to open connections. */
  readonly onSealed?: () => Promise<void>
  /** The sealer of a new installation; without it, a key file beside the data. */
  readonly first?: (installId: string) => Promise<NewSealer>
  /** Runs no jobs: for a command that does one thing and ends. */
  readonly idle?: boolean
  /** Refuses data that holds no installation yet, or one already. Default: makes one where there is none. */
  readonly only?: 'existing' | 'new'
  /**
   * Another node has destroyed a key or a sealer, or may have: the keyrings stored with this node's backups are to
   * follow.
   */
  readonly onDestroyed?: (custody: SealManager) => Promise<void>
}

interface Open {
  readonly store: Store
  readonly keyring: Keyring
  readonly cloud: Cloud
  head: Head
  readonly beat: NodeJS.Timeout
  readonly quiet: () => void
  started: boolean
}

/** How far behind the database the head outside it may be. */
const HEAD_BEAT_MS = 5_000
/** Calls in progress when the server is sealed may end within this. */
const DRAIN_MS_MAX = 500
/** Sealing does not wait longer for a database that cannot be reached. */
const FAREWELL_MS_MAX = 200
/** Between two tries of this node's sealers on a root key that another node has made. */
const REOPEN_AFTER_MS = [0, 1_000, 5_000]

export class SealManager {
  readonly data: string
  readonly #options: SealManagerOptions
  readonly #lock: Lock
  /** A store that nodes share, open and followed. */
  #shared: Store | undefined
  /** The keyring as it was last seen at rest. */
  #seen: ReadKeyring | undefined
  /** From the moment it has its keys. */
  #keyring: Keyring | undefined
  #open: Open | undefined
  #inFlight = 0
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: SealManagerOptions, lock: Lock) {
    this.data = options.data
    this.#options = options
    this.#lock = lock
  }

  /** Takes the folder; where there is no installation yet, it gets a keyring with a key file. Nothing is unsealed yet. */
  static async open(options: SealManagerOptions): Promise<SealManager> {
    try {
      return await SealManager.#take(options)
    } catch (error) {
      throw asOperatorError(error, { data: options.data }) ?? error
    }
  }

  static async #take(options: SealManagerOptions): Promise<SealManager> {
    layOut(options.data)
    const custody = new SealManager(options, await Lock.take(lockOf(options.data)))
    try {
      const { only } = options
      if (!custody.shared) await refuseIncomplete(options.data)
      const found = await (await custody.#place()).read()
      if (found && only === 'new')
        throw new InstallationError(
          'There is an installation already, and its root key is not shown twice.',
          'MERLON_ALREADY_INITIALIZED',
        )
      if (!found && only === 'existing')
        throw new InstallationError('There is no installation. Create one: merlon init', 'MERLON_NOT_INITIALIZED')
      if (!found) await custody.#initialise()
      await custody.#look()
      return custody
    } catch (error) {
      await custody.#shared?.close()
      custody.#lock.release()
      throw error
    }
  }

  get clock(): Clock {
    return this.#options.clock
  }
  get environment(): SealManagerOptions['environment'] {
    return this.#options.environment
  }
  get sealed(): boolean {
    return this.#open === undefined
  }
  /** Whether other nodes have the same data. */
  get shared(): boolean {
    return this.#options.storage.shared
  }
  get cloud(): Cloud | undefined {
    return this.#open?.cloud
  }

  /** The keyring of now; while sealed, as it was last seen at rest. */
  body(): KeyringBody {
    const body = this.#keyring?.body ?? this.#seen?.body
    if (!body) throw new Error('the keyring has not been read yet')
    return body
  }

  /** Throws `MERLON_SEALED`. */
  unsealed(): Pick<Open, 'store' | 'keyring' | 'cloud'> {
    if (!this.#open) throw new TrustError('MERLON_SEALED', 'Merlon is sealed. Run: merlon unseal')
    return this.#open
  }

  get keyBesideData(): boolean {
    return this.body().sealers.some((sealer) => this.isStoredWithData(sealer))
  }

  /** Of nodes that share their data, only one that has the key file itself. */
  isStoredWithData(sealer: SealerRecord): boolean {
    if (!this.shared && keyBesideData(this.data, sealer)) return true
    return keyFilesOf(this, sealer).some((file) => isWithinDirectory(this.data, file) && existsSync(file))
  }

  /** One change to the root of trust at a time. */
  runExclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Tries every sealer that needs no operator. Returns why none worked, or undefined when one has. */
  async unsealAutomatically(
    options: { readonly acceptRollback?: boolean } = {},
  ): Promise<readonly string[] | undefined> {
    const reasons: string[] = []
    const { body } = await this.#look()
    for (const sealer of body.sealers.filter(isAutomatic)) {
      let seed: Buffer
      try {
        seed = await automaticSeed(this, body, sealer)
      } catch (error) {
        reasons.push(`${named(sealer)}: ${(error as Error).message}`)
        continue
      }
      try {
        await this.unsealWith(sealer, seed, options)
        return undefined
      } catch (error) {
        // The seed does not unlock it after all: the next sealer may. Anything else is an error of the data.
        if (!(error instanceof TrustError && error.code === 'MERLON_SEALER_UNAVAILABLE')) throw error
        reasons.push(error.message)
      }
    }
    return reasons
  }

  /** Wipes the seed, whatever happens. Throws `MERLON_ROLLBACK_DETECTED` and stays sealed when the data is not the latest. */
  async unsealWith(
    sealer: SealerRecord,
    seed: Buffer,
    { acceptRollback = false }: { readonly acceptRollback?: boolean | undefined } = {},
  ): Promise<void> {
    const { place, read } = await this.#lookToOpen(seed)
    // Another node may have rotated the root key since this sealer was chosen.
    const record = read.body.sealers.find(({ id }) => id === sealer.id) ?? sealer
    const rootKey = openRootKey(read.body, record, seed)
    if (this.#open) return void rootKey.fill(0)
    const keyring = Keyring.unseal(place, read, rootKey, this.#reopen)
    this.#keyring = keyring
    if (this.#seen) void keyring.follow(this.#seen).catch((error) => this.#lose(error))
    let store: Store | undefined
    try {
      store = await this.#openStore()
      const { head, accepted, restored } = await addLink(store, keyring, headOf(this.data), acceptRollback)
      await forgetEarlierAccountKeys(store)
      await this.#serve(store, keyring, head)
      await keyring.tested(sealer.id, this.clock.now())
      await this.record('Unseal', { sealer: sealer.id, kind: sealer.settings.kind })
      if (accepted) await this.record('AcceptRollback', { found: accepted })
      if (restored) await this.record('Restore', { epoch: keyring.body.epoch })
      if (this.shared) this.#reportDestroyed()
    } catch (error) {
      this.#forgetOpen()?.quiet()
      keyring.wipe()
      await store?.close()
      throw error
    }
  }

  /** No new call is accepted, those in progress may end, then every key is gone from memory. */
  async seal(): Promise<void> {
    const open = this.#open
    if (!open) return
    await this.#farewell('the sealing could not be recorded', this.record('Seal', {}))
    this.#open = undefined
    open.quiet()
    for (let waited = 0; this.#inFlight > 0 && waited < DRAIN_MS_MAX; waited += 10) await sleep(10)
    await this.#farewell('the head could not be written', this.#writeHead(open))
    this.#forgetOpen()
    open.keyring.wipe()
    try {
      await open.cloud.close()
    } catch (error) {
      // Sealed all the same; but no two connections of one node.
      this.#options.logger.log('error', 'the cloud was not closed in order', { error })
      await open.store.close()
    }
    await this.#options.onSealed?.()
    await forgetMemory()
    await this.#farewell('the keyring could not be read', this.#look())
  }

  /** A restored copy starts its automatic work, on every node that has it. */
  async activate(): Promise<void> {
    const { keyring } = this.unsealed()
    await keyring.activate()
    this.#startIfActive()
  }

  /** Counts a call, so that sealing can wait for it. */
  async during<T>(work: (cloud: Cloud) => Promise<T>, otherwise: () => Promise<T>): Promise<T> {
    const open = this.#open
    if (!open) return otherwise()
    this.#inFlight++
    try {
      return await work(open.cloud)
    } finally {
      this.#inFlight--
    }
  }

  /** Merlon's own actions, in the audit log of the first account. */
  async record(eventName: string, details: Readonly<Record<string, unknown>>): Promise<void> {
    const { store, cloud } = this.unsealed()
    const [first] = await cloud.accounts()
    this.#options.logger.log('info', 'root of trust', { event: eventName, ...details })
    if (!first) return
    const facts = { account: first.id, region: 'us-east-1', eventSource: MERLON_EVENT_SOURCE, eventName, details }
    await store.run((unit) => unit.append(serviceEvent({ ...facts, timeMs: this.clock.now(), resources: [] })))
  }

  /** Everything acknowledged is on disk when this returns. */
  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    if (open) {
      open.quiet()
      await this.#writeHead(open).catch((error) => this.#headLost(error))
      await open.cloud.close()
      open.keyring.wipe()
    }
    await this.#shared?.close()
    this.#lock.release()
  }

  async #initialise(): Promise<void> {
    const { data, shared } = this
    // A key that is there stays in use: it may be that of data from before keyrings.
    const environment = shared || !existsSync(rootKeyOf(data)) ? this.environment : {}
    const elsewhere = environment['MERLON_KEY_FILE']
    if (!shared && existsSync(databaseOf(data)) && !existsSync(elsewhere ?? rootKeyOf(data))) {
      throw new InstallationError(
        `${elsewhere ?? rootKeyOf(data)} is missing, and without it ${databaseOf(data)} cannot be read. Put the root key back from where you keep it.`,
        'MERLON_SEALER_UNAVAILABLE',
      )
    }
    const { first } = this.#options
    if (first) return this.#initialiseUnsealed(first)

    const { installId, sealer, file, isNew } = fileSealer(data, environment)
    const store = await this.#openStore()
    try {
      const keyring = await this.#makeKeyring(store, installId, sealer)
      // Accounts from before keyrings get what those after them have.
      const { prepare } = keyringAccounts(store)
      for (const account of Object.keys(keyring.body.accounts)) await prepare(openVault({ tree: keyring }), account)
      keyring.wipe()
    } catch (error) {
      if (!(error instanceof KeyringMovedError)) throw error
      // Another node was first. A key file made here opens nothing, unless that node has read it and used its key.
      if (isNew && !opensFileSealer((await this.#look()).body, file)) rmSync(file)
      if (this.#options.only === 'new') throw madeElsewhere()
    } finally {
      if (!shared) await store.close()
    }
  }

  /** The sealer has just been created with its secret, so no operator has to enter it. */
  async #initialiseUnsealed(first: NonNullable<SealManagerOptions['first']>): Promise<void> {
    const installId = randomUUID()
    const sealer = await first(installId)
    const store = await this.#openStore()
    try {
      const keyring = await this.#makeKeyring(store, installId, sealer)
      this.#keyring = keyring
      const { head } = await addLink(store, keyring, headOf(this.data), false)
      await this.#serve(store, keyring, head)
    } catch (error) {
      this.#shared = undefined
      await store.close()
      if (!(error instanceof KeyringMovedError)) throw error
      throw madeElsewhere()
    }
  }

  #forgetOpen(): Open | undefined {
    const open = this.#open
    this.#open = undefined
    this.#keyring = undefined
    this.#shared = undefined
    return open
  }

  async #makeKeyring(store: Store, installId: string, sealer: NewSealer): Promise<Keyring> {
    const place = await this.#place()
    return makeKeyring(this.data, store, { place, installId, sealer, now: this.clock.now(), reopen: this.#reopen })
  }

  async #place(): Promise<KeyringPlace> {
    return this.shared ? keyringInStore(await this.#openStore()) : keyringFile(keyringOf(this.data))
  }

  async #look(): Promise<ReadKeyring> {
    const place = await this.#place()
    const read = await place.read()
    if (!read)
      throw new InstallationError(
        `${place.name} is missing. Put it back from beside your latest backup.`,
        'MERLON_KEYRING_MISSING',
      )
    // The feed may have delivered a later one meanwhile.
    if (!this.#seen || !this.shared || this.#seen.body.generation < read.body.generation) this.#seen = read
    return this.#seen
  }

  async #lookToOpen(seed: Buffer): Promise<{ readonly place: KeyringPlace; readonly read: ReadKeyring }> {
    try {
      return { place: await this.#place(), read: await this.#look() }
    } catch (error) {
      seed.fill(0)
      throw error
    }
  }

  /** One that nodes share stays open, and the keyring in it is followed. */
  async #openStore(): Promise<Store> {
    if (!this.shared) return this.#options.storage.open()
    if (this.#shared) return this.#shared
    const store = await this.#options.storage.open()
    store.subscribe(({ changes }) => {
      if (this.#shared === store) this.#follow(changes)
    })
    this.#shared = store
    return store
  }

  /** Before the commit is reported to anyone: a key that was destroyed is gone here, too. */
  #follow(changes: readonly Change[]): void {
    const row = changes.findLast(({ key }) => key === KEYRING)
    if (!row) return
    try {
      if (!row.document) throw new Error('the keyring was deleted from the store')
      const read = readRow(row.document as KeyringRow)
      const before = this.#seen?.body
      this.#seen = read
      const keyring = this.#keyring
      if (!keyring) return
      const caughtUp = keyring.follow(read)
      for (const account of erasedSince(before, read.body)) this.#open?.cloud.vault.materials.forget(account)
      this.#startIfActive()
      caughtUp.then(
        () => before && destroys(before, read.body) && this.#reportDestroyed(),
        (error) => this.#lose(error),
      )
    } catch (error) {
      this.#options.logger.log('error', 'the keyring in the store cannot be believed', { error })
    }
  }

  #reportDestroyed(): void {
    const { onDestroyed, logger } = this.#options
    if (!this.#open || !onDestroyed) return
    onDestroyed(this).catch((error) => logger.log('error', 'keyrings beside backups could not be replaced', { error }))
  }

  /** The root key that another node has made, by this node's own sealers. */
  readonly #reopen = async (body: KeyringBody): Promise<Buffer> => {
    const automatic = body.sealers.filter(isAutomatic)
    const reasons = new Map<string, string>()
    for (const after of automatic.length > 0 ? REOPEN_AFTER_MS : []) {
      await sleep(after)
      for (const sealer of automatic) {
        try {
          return openRootKey(body, sealer, await automaticSeed(this, body, sealer))
        } catch (error) {
          reasons.set(sealer.id, `${named(sealer)}: ${(error as Error).message}`)
        }
      }
    }
    const why = [...reasons.values()].join('; ') || 'people open all of its sealers'
    throw new TrustError('MERLON_SEALER_UNAVAILABLE', `the root key was rotated on another node: ${why}`)
  }

  /** What is left of the keyring opens nothing that is made from now on. */
  #lose(error: unknown): void {
    this.#options.logger.log('error', 'sealed: this node cannot follow the keyring. Run: merlon unseal', { error })
    this.runExclusive(() => this.seal()).catch((cause) =>
      this.#options.logger.log('error', 'sealing failed', { error: cause }),
    )
  }

  async #serve(store: Store, keyring: Keyring, head: Head): Promise<void> {
    const cloud = await this.#options.openCloud({ store, keyring })
    let changed = false
    const unsubscribe = store.subscribe(({ changes }) => {
      if (changes.some(({ key }) => !isLink(key))) changed = true
    })
    const beat = setInterval(() => {
      if (!changed || this.#open?.store !== store) return
      changed = false
      this.#writeHead(this.#open).catch((error) => this.#headLost(error))
    }, HEAD_BEAT_MS)
    beat.unref()
    // The next start then reports a rollback instead of going on from less than was acknowledged.
    store.onLostCommits?.(() => {
      const known = this.#open?.store === store ? this.#open.head : head
      writeHead(headOf(this.data), { ...known, revision: store.revision }, keyring.purpose('head-mac'))
    })
    const quiet = () => {
      clearInterval(beat)
      unsubscribe()
    }
    this.#open = { store, keyring, cloud, head, beat, quiet, started: false }
    await this.#options.onUnsealed?.(cloud)
    this.#startIfActive()
  }

  #startIfActive(): void {
    const open = this.#open
    if (!open || open.started || open.keyring.body.fenced || this.#options.idle) return
    open.started = true
    open.cloud.start()
  }

  async #writeHead(open: Open): Promise<void> {
    open.head = await bringUp(open.store, open.keyring, headOf(this.data), open.head)
  }

  #headLost(error: unknown): void {
    // Two that think they are the same node would write one chain of events, each over the other.
    if (error instanceof AlreadyInitializedError) this.#lose(error)
    else this.#options.logger.log('error', 'the head could not be written', { error })
  }

  /** What is better done before sealing, but must not keep a key in memory. */
  async #farewell(failed: string, work: Promise<unknown>): Promise<void> {
    const done = work.catch((error) => this.#options.logger.log('error', failed, { error }))
    await (this.shared ? Promise.race([done, sleep(FAREWELL_MS_MAX)]) : done)
  }
}

const madeElsewhere = (): InstallationError =>
  new InstallationError(
    'Another node has made the installation at the same moment. What was handed out here opens nothing.',
    'MERLON_ALREADY_INITIALIZED',
  )

function erasedSince(before: KeyringBody | undefined, body: KeyringBody): readonly string[] {
  return Object.keys(body.accounts).filter(
    (account) => body.accounts[account] === null && before?.accounts[account] !== null,
  )
}

/** Whether an old copy of the keyring would bring back what is gone. */
const destroys = (before: KeyringBody, body: KeyringBody): boolean =>
  before.rootVersion !== body.rootVersion ||
  before.sealers.some(({ id }) => !body.sealers.some((sealer) => sealer.id === id)) ||
  erasedSince(before, body).length > 0
