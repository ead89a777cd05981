/** The file sealer: the root key in a file beside the data, readable by its owner only. For one machine, loopback only. */
import { randomBytes, randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Unsealed } from './sealer.ts'
import { VaultError } from './vault.ts'

const KEY_BYTES = 32

interface KeyFile {
  readonly version: 1
  readonly installId: string
  /** Base64. */
  readonly rootKey: string
}

/** Makes a new root key, durable when this returns. Throws `VaultError` when the file exists: a root key is never overwritten. */
export function createKeyFile(file: string): Unsealed {
  const rootKey = randomBytes(KEY_BYTES)
  const content: KeyFile = { version: 1, installId: randomUUID(), rootKey: rootKey.toString('base64') }
  // Written aside and then linked, so that a crash leaves a whole file or none. A link, unlike a rename, never replaces.
  const draft = `${file}.${randomUUID()}`
  const descriptor = openSync(draft, 'wx', 0o600)
  try {
    writeSync(descriptor, `${JSON.stringify(content)}\n`)
    fsyncSync(descriptor)
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new VaultError(`${file} exists, and a root key is never overwritten: without it the data cannot be read.`)
  } finally {
    closeSync(descriptor)
    unlinkSync(draft)
  }
  syncDirectory(dirname(file))
  return { rootKey, installId: content.installId, loopbackOnly: true }
}

/** Throws `VaultError` when the file could be read by others or is damaged, and the system's `ENOENT` when there is none. */
export function readKeyFile(file: string): Unsealed {
  // Opened once and then asked, so that what was checked is what is read.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { mode, uid } = fstatSync(descriptor)
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8)
      throw new VaultError(`${file} can be used by others than its owner (mode ${shown}). Run: chmod 600 ${file}`)
    }
    if (process.getuid && uid !== process.getuid()) {
      throw new VaultError(
        `${file} belongs to another user (uid ${uid}). Run Merlon as that user, or change the owner.`,
      )
    }
    const content = parse(readFileSync(descriptor, 'utf8'), file)
    return { rootKey: Buffer.from(content.rootKey, 'base64'), installId: content.installId, loopbackOnly: true }
  } finally {
    closeSync(descriptor)
  }
}

function parse(text: string, file: string): KeyFile {
  try {
    const { version, installId, rootKey } = JSON.parse(text) as Partial<KeyFile>
    const whole = typeof rootKey === 'string' && Buffer.from(rootKey, 'base64').length === KEY_BYTES
    if (version === 1 && typeof installId === 'string' && installId !== '' && whole) {
      return { version, installId, rootKey }
    }
  } catch {
    // Fall through: a parse error would quote the file, and the file is the key.
  }
  throw new VaultError(
    `${file} is not a Merlon root key file. Restore it from a backup; without it the data cannot be read.`,
  )
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
