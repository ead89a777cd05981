/**
 * Where an installation's data is stored: in a database file of its own directory, or in a database that many nodes
 * share.
 */
import { existsSync } from 'node:fs'
import { hostUrls } from '../../store/postgres/url.ts'
import { openStore } from '../../store/sqlite.ts'
import type { Store } from '../../store/store.ts'
import { WITHHELD } from '../trust/keyring-in-store.ts'
import { KeptTimelines } from './database-timelines.ts'
import { databaseOf, InstallationError, keyringOf } from './installation.ts'
import { nodeName, nodeNameOf } from './node-name.ts'
import { asOperatorError } from './operator-errors.ts'

export interface Storage {
  /** Other nodes use it, too. Then it holds the keyring, and is open while this node is sealed. */
  readonly shared: boolean
  open(): Promise<Store>
}

export interface StorageOptions {
  readonly data: string
  /** `postgres://…`; without it, SQLite in the data directory. Never shown: it may hold a password. */
  readonly store?: string | undefined
  /** What this node is called among those that share the data. Default: as it was called before, or a new name. */
  readonly node?: string | undefined
  /** Holds the password of the database, and is read for each connection. */
  readonly passwordFile?: string | undefined
  /** The bundled thread that writes to SQLite; without it the server's own does. */
  readonly writerScript?: URL | undefined
  /** Called when another process has taken this node's name over, or nothing writes any more: this one has to end. */
  readonly onEnd?: ((error: Error) => void) | undefined
  /** A database server that another one has replaced is used all the same. */
  readonly acceptRollback?: boolean
}

/** Throws an `InstallationError` when the folder belongs to data of another kind. */
export function storageOf({
  data,
  store,
  node,
  passwordFile,
  writerScript,
  onEnd,
  acceptRollback = false,
}: StorageOptions): Storage {
  if (store === undefined) {
    if (existsSync(nodeNameOf(data))) {
      throw new InstallationError(
        `${data} is the data directory of a node whose data is in a shared database. Name the database: MERLON_STORE or --store`,
        'MERLON_DATA_MISMATCH',
      )
    }
    return fileStorage(data, writerScript, onEnd)
  }
  try {
    hostUrls(store)
  } catch (error) {
    throw new InstallationError(
      `MERLON_STORE (or --store) is not a PostgreSQL URL. Its form: postgres://USER@HOST:PORT/DATABASE. ${(error as Error).message}`,
      'MERLON_STORE_URL_INVALID',
    )
  }
  if (existsSync(keyringOf(data)) || existsSync(databaseOf(data)))
    throw new InstallationError(
      `${data} holds an installation of its own. Give this node another --data. To move that installation: merlon store copy`,
      'MERLON_DATA_MISMATCH',
    )
  return {
    shared: true,
    open: async () => {
      const { name, keep } = nodeName(data, node)
      // Loaded only where it is needed.
      const [{ openPostgres }, { keepTimelines }] = await Promise.all([
        import('../../store/postgres/postgres.ts'),
        import('../../store/postgres/primary.ts'),
      ])
      const timelines = new KeptTimelines(data)
      keepTimelines(acceptRollback ? new Map() : timelines.read(), (newest) => timelines.newer(newest))
      try {
        return await openPostgres({
          url: store,
          node: name,
          onNamed: () => {
            keep()
            timelines.save()
          },
          withheld: WITHHELD,
          ...(passwordFile !== undefined && { passwordFile }),
          ...(onEnd && { onEnd }),
        })
      } catch (error) {
        throw asOperatorError(error, { store: shownStore(store) }) ?? error
      }
    },
  }
}

/** For messages: where the database is and what it is called, without the password. */
export function shownStore(store: string): string {
  try {
    const urls = hostUrls(store).map((each) => new URL(each))
    const { username, pathname } = urls[0]!
    const user = username === '' ? '' : `${decodeURIComponent(username)}@`
    return `PostgreSQL (${user}${urls.map(({ host }) => host || 'local').join(',')}${pathname})`
  } catch {
    return 'PostgreSQL'
  }
}

export const fileStorage = (data: string, writerScript?: URL, onEnd?: StorageOptions['onEnd']): Storage => ({
  shared: false,
  open: () => openStore({ file: databaseOf(data), ...(writerScript && { writerScript }), ...(onEnd && { onEnd }) }),
})
