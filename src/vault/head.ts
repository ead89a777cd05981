/**
 * Rollback detection. Every opening of the installation adds a link to a chain; the database holds the newest link, and
 * so does a small file outside it, with the revision the database had reached. A database or a keyring put back from
 * earlier, or one that has lived on elsewhere, no longer fits the file. Putting back all of it at once is not detected:
 * keep a copy of the head on another volume for that.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { lengths } from './aead.ts'
import { readOwnFile, replaceFile } from './durable-file.ts'
import { TrustError } from './vault.ts'

/** The newest link as the database holds it. */
export interface Link {
  readonly epoch: number
  /** Openings so far. */
  readonly n: number
  readonly hash: string
  /** Hash of the link before. */
  readonly prev: string
  /** The keyring's generation, no newer than the keyring itself. */
  readonly keyring: number
}

/** The same outside the database. */
export interface Head {
  readonly installId: string
  readonly epoch: number
  readonly n: number
  readonly hash: string
  readonly revision: number
}

export interface Present {
  readonly installId: string
  readonly epoch: number
  readonly generation: number
}

/** The marker before the first opening. */
export function firstHead({ installId, epoch }: Pick<Present, 'installId' | 'epoch'>, revision: number): Head {
  return { installId, epoch, n: 0, hash: createHash('sha256').update(installId).digest('base64url'), revision }
}

export function nextLink(keyring: Present, head: Head, link: Link | undefined): Link {
  const prev = link?.hash ?? head.hash
  const hash = createHash('sha256')
    .update(lengths('merlon/v1/link', prev, randomBytes(16)))
    .digest('base64url')
  return { epoch: keyring.epoch, n: (link?.n ?? head.n) + 1, hash, prev, keyring: keyring.generation }
}

/** What does not fit, as a sentence; undefined when all fits. `revision` is the database's. */
export function rollback(
  keyring: Present,
  head: Head | undefined,
  link: Link | undefined,
  revision: number,
): string | undefined {
  if (!head) return 'the head file is missing'
  if (head.installId !== keyring.installId) return 'the head file is of another installation'
  if (head.epoch !== keyring.epoch) return `the keyring is of epoch ${keyring.epoch}, the head of epoch ${head.epoch}`
  if (link && link.keyring > keyring.generation)
    return `the keyring (generation ${keyring.generation}) is older than the database (which saw ${link.keyring})`
  if (link && link.epoch > keyring.epoch) return 'the keyring is older than the database'
  const n = link?.n ?? 0
  if (n < head.n) return `the database was opened ${n} times, the head knows of ${head.n}`
  // One more than the head knows: a crash came between the two.
  const fits = n === head.n ? !link || link.hash === head.hash : n === head.n + 1 && link?.prev === head.hash
  if (!fits) return 'the database has a history of its own: it was in use elsewhere'
  if (revision < head.revision) return `the database is at revision ${revision}, the head at ${head.revision}`
  return undefined
}

/** undefined when there is none, or one that this installation did not write. */
export function readHead(file: string, macKey: Uint8Array): Head | undefined {
  const [line = '', mac = ''] = readOwnFile(file)?.split('\n') ?? []
  const [expected, given] = [Buffer.from(macOf(line, macKey)), Buffer.from(mac)]
  return expected.length === given.length && timingSafeEqual(expected, given) ? (JSON.parse(line) as Head) : undefined
}

export function writeHead(file: string, head: Head, macKey: Uint8Array): void {
  const line = JSON.stringify(head)
  replaceFile(file, `${line}\n${macOf(line, macKey)}\n`)
}

export const rollbackError = (why: string): TrustError =>
  new TrustError(
    'MERLON_ROLLBACK_DETECTED',
    `${why}. An earlier copy was put back, or the data was in use elsewhere. Put the newest data back. If this is intended, start once with --accept-rollback; that is recorded in the audit log.`,
  )

const macOf = (line: string, key: Uint8Array): string =>
  createHmac('sha256', key).update(lengths('merlon/v1/head', line)).digest('base64url')
