/**
 * Custody of one data folder: UNINITIALISED → SEALED ⇄ UNSEALED. Holds the folder's lock for as long as the process
 * lives; while sealed there is no cloud, no open database and no key in memory.
 */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { keyringAccounts } from '../kernel/account-keys.ts'
import type { Clock } from '../kernel/clock.ts'
import { serviceEvent } from '../kernel/event.ts'
import { Lock } from '../store/lock.ts'
import { openStore } from '../store/sqlite.ts'
import { key, type Store } from '../store/store.ts'
import { type Head, type Link, nextLink, readHead, rollback, rollbackError, writeHead } from '../vault/head.ts'
import { Keyring } from '../vault/keyring.ts'
import { type KeyringBody, keyringFile, readKeyring } from '../vault/keyring-file.ts'
import { openVault } from '../vault/sealed.ts'
import { type NewSealer, named, openRootKey, type SealerRecord } from '../vault/sealer.ts'
import { TrustError } from '../vault/vault.ts'
import type { Cloud } from './cloud.ts'
import { forgetMemory } from './forget-memory.ts'
import {
  databaseOf,
  fileSealer,
  forgetEarlierAccountKeys,
  headOf,
  InstallationError,
  keyBesideData,
  keyringOf,
  layOut,
  lockOf,
  makeKeyring,
  rootKeyOf,
} from './installation.ts'
import type { Logger } from './log.ts'
import { automaticSeed, isAutomatic } from './sealers.ts'

export interface CustodyOptions {
  readonly data: string
  readonly clock: Clock
  readonly logger: Logger
  readonly writerScript?: URL | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Joins the services to what was opened. */
  readonly openCloud: (opened: { readonly store: Store; readonly keyring: Keyring }) => Promise<Cloud>
  /** After each unsealing, before anyone is answered. */
  readonly onUnsealed?: (cloud: Cloud) => Promise<void>
  /** The sealer of a new installation; without it, a key file beside the data. */
  readonly first?: (installId: string) => Promise<NewSealer>
  /** Runs no jobs: for a command that does one thing and ends. */
  readonly idle?: boolean
}

interface Open {
  readonly store: Store & { readonly revision: number }
  readonly keyring: Keyring
  readonly cloud: Cloud
  head: Head
  readonly beat: NodeJS.Timeout
  readonly quiet: () => void
}

/** How far behind the database the head outside it may be. */
const HEAD_BEAT_MS = 5_000
/** Calls under way when the server is sealed may end within this. */
const DRAIN_MS_MAX = 500
const LINK = key('vault', 'link')
/** Under which Merlon's own doings stand in the trail. */
const EVENT_SOURCE = 'merlon.local'

export class Custody {
  readonly data: string
  readonly #options: CustodyOptions
  readonly #lock: Lock
  #open: Open | undefined
  #inFlight = 0
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(options: CustodyOptions, lock: Lock) {
    this.data = options.data
    this.#options = options
    this.#lock = lock
  }

  /** Takes the folder; an empty one gets a keyring with a key file beside it. Nothing is unsealed yet. */
  static async take(options: CustodyOptions): Promise<Custody> {
    layOut(options.data)
    const custody = new Custody(options, await Lock.take(lockOf(options.data)))
    try {
      if (!existsSync(keyringOf(options.data))) await custody.#initialise()
      return custody
    } catch (error) {
      custody.#lock.release()
      throw error
    }
  }

  get clock(): Clock {
    return this.#options.clock
  }
  get environment(): CustodyOptions['environment'] {
    return this.#options.environment
  }
  get sealed(): boolean {
    return this.#open === undefined
  }
  get cloud(): Cloud | undefined {
    return this.#open?.cloud
  }

  /** The keyring as it lies on disk. */
  body(): KeyringBody {
    return this.#open?.keyring.body ?? this.#read().body
  }

  /** Throws `MERLON_SEALED`. */
  unsealed(): Pick<Open, 'store' | 'keyring' | 'cloud'> {
    if (!this.#open) throw new TrustError('MERLON_SEALED', 'Merlon is sealed. Run: merlon unseal')
    return this.#open
  }

  get keyBesideData(): boolean {
    return this.body().sealers.some((sealer) => keyBesideData(this.data, sealer))
  }

  /** One change to the root of trust at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** Tries every sealer that needs nobody. Returns why none did, or undefined when one has. */
  async unsealAutomatically(
    options: { readonly acceptRollback?: boolean } = {},
  ): Promise<readonly string[] | undefined> {
    const reasons: string[] = []
    for (const sealer of this.body().sealers.filter(isAutomatic)) {
      let seed: Buffer
      try {
        seed = await automaticSeed(this, sealer)
      } catch (error) {
        reasons.push(`${named(sealer)}: ${(error as Error).message}`)
        continue
      }
      await this.unsealWith(sealer, seed, options)
      return undefined
    }
    return reasons
  }

  /** Wipes the seed, whatever happens. Throws `MERLON_ROLLBACK_DETECTED` and stays sealed when the data is not the latest. */
  async unsealWith(
    sealer: SealerRecord,
    seed: Buffer,
    { acceptRollback = false }: { readonly acceptRollback?: boolean | undefined } = {},
  ): Promise<void> {
    const read = this.#read()
    const rootKey = openRootKey(read.body, sealer, seed)
    if (this.#open) return void rootKey.fill(0)
    const keyring = Keyring.unseal(keyringFile(keyringOf(this.data)), read, rootKey)
    const store = await this.#openStore()
    try {
      const { head, accepted, restored } = await this.#connect(store, keyring, acceptRollback)
      await forgetEarlierAccountKeys(store)
      await this.#serve(store, keyring, head)
      await keyring.tested(sealer.id, this.clock.now())
      await this.record('Unseal', { sealer: sealer.id, kind: sealer.settings.kind })
      if (accepted) await this.record('AcceptRollback', { found: accepted })
      if (restored) await this.record('Restore', { epoch: keyring.body.epoch })
    } catch (error) {
      this.#open = undefined
      keyring.wipe()
      await store.close()
      throw error
    }
  }

  /** No new call is taken, those under way may end, then every key is gone from memory. */
  async seal(): Promise<void> {
    const open = this.#open
    if (!open) return
    await this.record('Seal', {})
    this.#open = undefined
    open.quiet()
    for (let waited = 0; this.#inFlight > 0 && waited < DRAIN_MS_MAX; waited += 10)
      await new Promise((resolve) => setTimeout(resolve, 10))
    await this.#writeHead(open)
    open.keyring.wipe()
    await open.cloud.close()
    await forgetMemory()
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

  /** Merlon's own doings, in the trail of the first account. */
  async record(eventName: string, details: Readonly<Record<string, unknown>>): Promise<void> {
    const { store, cloud } = this.unsealed()
    const [first] = await cloud.accounts()
    this.#options.logger.log('info', 'root of trust', { event: eventName, ...details })
    if (!first) return
    const facts = { account: first.id, region: 'us-east-1', eventSource: EVENT_SOURCE, eventName, details }
    await store.run((unit) => unit.append(serviceEvent({ ...facts, timeMs: this.clock.now(), resources: [] })))
  }

  /** Everything acknowledged is on disk when this returns. */
  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    if (open) {
      open.quiet()
      await this.#writeHead(open)
      await open.cloud.close()
      open.keyring.wipe()
    }
    this.#lock.release()
  }

  async #initialise(): Promise<void> {
    const { data } = this
    if (existsSync(databaseOf(data)) && !existsSync(rootKeyOf(data))) {
      throw new InstallationError(
        `${rootKeyOf(data)} is missing, and without it ${databaseOf(data)} cannot be read. Put the root key back from where you keep it.`,
      )
    }
    const { first } = this.#options
    if (first) return this.#initialiseUnsealed(first)

    const { installId, sealer } = fileSealer(data)
    const store = await this.#openStore()
    try {
      const keyring = await makeKeyring(data, store, { installId, sealer, now: this.clock.now() })
      // Accounts from before keyrings get what those after them have.
      const { prepare } = keyringAccounts(store)
      for (const account of Object.keys(keyring.body.accounts)) await prepare(openVault({ tree: keyring }), account)
      keyring.wipe()
    } finally {
      await store.close()
    }
  }

  /** Nobody has to bring what the sealer has only just given out. */
  async #initialiseUnsealed(first: NonNullable<CustodyOptions['first']>): Promise<void> {
    const installId = randomUUID()
    const sealer = await first(installId)
    const store = await this.#openStore()
    try {
      const keyring = await makeKeyring(this.data, store, { installId, sealer, now: this.clock.now() })
      const { head } = await this.#connect(store, keyring, false)
      await this.#serve(store, keyring, head)
    } catch (error) {
      await store.close()
      throw error
    }
  }

  #read() {
    const read = readKeyring(keyringOf(this.data))
    if (!read)
      throw new InstallationError(`${keyringOf(this.data)} is missing. Put it back from beside your latest backup.`)
    return read
  }

  #openStore() {
    const { writerScript } = this.#options
    return openStore({ file: databaseOf(this.data), ...(writerScript && { writerScript }) })
  }

  /** Adds a link to the chain of openings, once what is there fits together. */
  async #connect(store: Open['store'], keyring: Keyring, acceptRollback: boolean) {
    const macKey = keyring.purpose('head-mac')
    const found = readHead(headOf(this.data), macKey)
    const link = await store.reader.get<Link>(LINK)
    const why = rollback(keyring.body, found, link, store.revision)
    if (why !== undefined && !acceptRollback) throw rollbackError(why)
    const { installId, epoch } = keyring.body
    // Where the database stands now, written first: a crash at any point leaves the two at most one link apart.
    const now: Head = {
      installId,
      epoch,
      n: link?.n ?? found?.n ?? 0,
      hash: link?.hash ?? found?.hash ?? '',
      revision: store.revision,
    }
    writeHead(headOf(this.data), now, macKey)
    const next = nextLink(keyring.body, now, link)
    await store.run((unit) => unit.put(LINK, next))
    const head = { ...now, n: next.n, hash: next.hash, revision: store.revision }
    writeHead(headOf(this.data), head, macKey)
    return { head, accepted: why, restored: link !== undefined && link.epoch !== epoch }
  }

  async #serve(store: Open['store'], keyring: Keyring, head: Head): Promise<void> {
    const cloud = await this.#options.openCloud({ store, keyring })
    let changed = false
    const unsubscribe = store.subscribe(({ changes }) => {
      if (changes.some(({ key }) => key !== LINK)) changed = true
    })
    const beat = setInterval(() => {
      if (!changed || this.#open?.store !== store) return
      changed = false
      this.#writeHead(this.#open).catch((error) =>
        this.#options.logger.log('error', 'the head could not be written', { error }),
      )
    }, HEAD_BEAT_MS)
    beat.unref()
    const quiet = () => {
      clearInterval(beat)
      unsubscribe()
    }
    this.#open = { store, keyring, cloud, head, beat, quiet }
    await this.#options.onUnsealed?.(cloud)
    if (!keyring.body.fenced && !this.#options.idle) cloud.start()
  }

  /** Once this commit is durable, so is everything accepted before it: that is what the head may tell of. */
  async #writeHead(open: Open): Promise<void> {
    const { store, keyring } = open
    const { revision } = store
    await store.run(async (unit) => {
      const link = await unit.get<Link>(LINK)
      if (link) unit.put(LINK, { ...link, keyring: keyring.body.generation } satisfies Link)
    })
    open.head = { ...open.head, revision }
    writeHead(headOf(this.data), open.head, keyring.purpose('head-mac'))
  }
}
