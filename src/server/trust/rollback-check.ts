/**
 * Every opening of the data by a node adds a link to that node's chain: in the database, and in the head file of the
 * node's own folder. A database, a keyring or a folder that was put back from earlier no longer fits (vault/head.ts).
 */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { ONLY_NODE } from '../../store/schema.ts'
import { type Key, key, type Store, type Unit, under } from '../../store/store.ts'
import {
  firstHead,
  type Head,
  type Link,
  nextLink,
  readHead,
  rollback,
  rollbackError,
  writeHead,
} from '../../vault/head.ts'
import type { Keyring } from '../../vault/keyring.ts'
import { LINK } from '../compose/installation.ts'
import { InstallationError } from '../compose/operator-errors.ts'
import { refuseOtherKeyring } from './key-check.ts'

const LINKS = under('vault', 'link')

/** A node writes its own and no other's, so that none waits for another. */
export const linkOf = (node: string): Key => (node === ONLY_NODE ? LINK : key('vault', 'link', node))
export const isLink = (at: Key): boolean => at === LINK || at.startsWith(LINKS)

/** Of every node that ever opened the data. */
export async function allLinks(reader: Pick<Unit, 'get' | 'range'>): Promise<readonly Link[]> {
  const only = await reader.get<Link>(LINK)
  const others = await reader.range<Link>(LINKS)
  return [...(only ? [only] : []), ...others.map(({ document }) => document)]
}

export interface OpenResult {
  readonly head: Head
  /** What did not fit, and was accepted. */
  readonly accepted: string | undefined
  readonly restored: boolean
}

/**
 * Adds a link, once what is there fits together: the first thing that is written, so that a start that fails takes no
 * running node's name. Throws `MERLON_ROLLBACK_DETECTED`, `MERLON_KEYRING_MISMATCH` and `MERLON_NODE_NAME_IN_USE`.
 */
export async function addLink(
  store: Store,
  keyring: Keyring,
  file: string,
  acceptRollback: boolean,
): Promise<OpenResult> {
  const macKey = keyring.purpose('head-mac')
  const at = linkOf(store.node)
  const found = readHead(file, macKey)
  const link = await store.reader.get<Link>(at)
  // A node that comes to data of others begins without a past.
  const isNew = store.shared && !link && !existsSync(file)
  const why = isNew ? undefined : rollback(keyring.body, found, link, store.revision)
  await refuseOtherKeyring(store, keyring, { decrypting: why !== undefined })
  if (store.shared && link && !existsSync(file) && !acceptRollback) throw nameInUse(store.node, dirname(file))
  if (why !== undefined && !acceptRollback) throw rollbackError(why)
  const { installId, epoch } = keyring.body
  const first = firstHead(keyring.body, store.revision)
  // The current position of the database, written first: a crash at any point leaves the two at most one link apart.
  const now: Head = {
    installId,
    epoch,
    n: link?.n ?? found?.n ?? first.n,
    hash: link?.hash ?? found?.hash ?? first.hash,
    revision: store.revision,
  }
  writeHead(file, now, macKey)
  const next = nextLink(keyring.body, now, link)
  await store.run((unit) => unit.put(at, next))
  const head = { ...now, n: next.n, hash: next.hash, revision: store.revision }
  writeHead(file, head, macKey)
  return { head, accepted: why, restored: link !== undefined && link.epoch !== epoch }
}

/**
 * Brings the head file up to what the database has reached: once this commit is durable, so is everything before it.
 * Throws a `TwinError` when another process has opened the data under this node's name meanwhile.
 */
export async function bringUp(store: Store, keyring: Keyring, file: string, head: Head): Promise<Head> {
  const { revision } = store
  const at = linkOf(store.node)
  await store.run(async (unit) => {
    const link = await unit.get<Link>(at)
    if (link?.hash !== head.hash)
      throw new AlreadyInitializedError(`another process has opened the data as node '${store.node}'`)
    unit.put(at, { ...link, keyring: keyring.body.generation } satisfies Link)
  })
  const now = { ...head, revision }
  writeHead(file, now, keyring.purpose('head-mac'))
  return now
}

const nameInUse = (node: string, data: string): InstallationError =>
  new InstallationError(
    `${data} is a new data directory under an old name: the database knows a node '${node}', which has another data directory. Choose another name: --node NAME. If that directory is lost and no process runs under this name, take the name over: --accept-rollback, which is recorded in the audit log.`,
    'MERLON_NODE_NAME_IN_USE',
  )

export class AlreadyInitializedError extends Error {
  override readonly name = 'TwinError'
}
