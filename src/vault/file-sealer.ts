/** The file sealer: the root key in a file beside the data, readable by its owner only. For one machine, loopback only. */
import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { VaultError } from './vault.ts'

export interface Unsealed {
  readonly rootKey: Buffer
  readonly installId: string
  /** Whoever can read the disk can open this vault, so a server must not listen beyond the machine. */
  readonly loopbackOnly: boolean
}

interface KeyFile {
  readonly version: 1
  readonly installId: string
  readonly rootKey: string
}

/** Makes a new root key. Fails when the file exists: a root key is never overwritten. */
export function createKeyFile(file: string): Unsealed {
  const rootKey = randomBytes(32)
  const content: KeyFile = { version: 1, installId: randomUUID(), rootKey: rootKey.toString('base64') }
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, `${JSON.stringify(content)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  syncDirectory(dirname(file))
  return { rootKey, installId: content.installId, loopbackOnly: true }
}

export function readKeyFile(file: string): Unsealed {
  const { mode, uid } = statSync(file)
  if ((mode & 0o077) !== 0) {
    throw new VaultError(`${file} can be read by others (mode ${(mode & 0o777).toString(8)}). Run: chmod 600 ${file}`)
  }
  if (process.getuid && uid !== process.getuid()) {
    throw new VaultError(`${file} belongs to another user (uid ${uid}). Run Merlon as that user, or change the owner.`)
  }
  const content = parse(readFileSync(file, 'utf8'), file)
  return { rootKey: Buffer.from(content.rootKey, 'base64'), installId: content.installId, loopbackOnly: true }
}

function parse(text: string, file: string): KeyFile {
  try {
    const content = JSON.parse(text) as KeyFile
    if (
      content.version === 1 &&
      typeof content.installId === 'string' &&
      Buffer.from(content.rootKey, 'base64').length === 32
    ) {
      return content
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
