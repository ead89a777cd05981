/** The file sealer: the root key in a file beside the data, readable by its owner only. For one machine, loopback only. */
import { randomUUID } from 'node:crypto'
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
import { KEY_BYTES, randomKey } from './aead.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { syncDirectory } from './durable-file.ts'
import type { Unsealed } from './sealer.ts'
import { TrustError } from './vault.ts'

interface KeyFile {
  readonly version: 1
  readonly installId: string
  /** Base64. */
  readonly rootKey: string
}

/** Makes a new root key, durable when this returns. Throws `VaultError` when the file exists: a root key is never overwritten. */
export function createKeyFile(file: string): Unsealed {
  const rootKey = randomKey()
  const installId = randomUUID()
  // Written aside and then linked, so that a crash leaves a whole file or none. A link, unlike a rename, never replaces.
  const draft = `${file}.${randomUUID()}`
  const descriptor = openSync(draft, 'wx', 0o600)
  const text = toBase64(rootKey)
  try {
    writeSync(descriptor, `{"version":1,"installId":${JSON.stringify(installId)},"rootKey":"`)
    writeSync(descriptor, text)
    writeSync(descriptor, '"}\n')
    fsyncSync(descriptor)
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new TrustError(
      'MERLON_FILE_EXISTS',
      `${file} exists, and a root key is never overwritten: without it the data cannot be read.`,
    )
  } finally {
    text.fill(0)
    closeSync(descriptor)
    unlinkSync(draft)
  }
  syncDirectory(dirname(file))
  return { rootKey, installId, loopbackOnly: true }
}

/** Throws `VaultError` when the file could be read by others or is damaged, and the system's `ENOENT` when there is none. */
export function readKeyFile(file: string): Unsealed {
  // Opened once, then checked and read by descriptor, so that what was checked is what is read.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { mode, uid } = fstatSync(descriptor)
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8)
      throw new TrustError(
        'MERLON_KEY_FILE_UNSAFE',
        `${file} can be used by others than its owner (mode ${shown}). Run: chmod 600 ${file}`,
      )
    }
    if (process.getuid && uid !== process.getuid()) {
      throw new TrustError(
        'MERLON_KEY_FILE_UNSAFE',
        `${file} belongs to another user (uid ${uid}). Run Merlon as that user, or change the owner.`,
      )
    }
    const bytes = readFileSync(descriptor)
    try {
      return { ...parse(bytes, file), loopbackOnly: true }
    } finally {
      bytes.fill(0)
    }
  } finally {
    closeSync(descriptor)
  }
}

/** The key is taken out as bytes, and wiped, before the rest is read as text. */
function parse(bytes: Buffer, file: string): Pick<Unsealed, 'rootKey' | 'installId'> {
  const rootKey = takeKey(bytes)
  try {
    const { version, installId, rootKey: blank } = JSON.parse(bytes.toString('utf8')) as Partial<KeyFile>
    const whole = rootKey?.length === KEY_BYTES && typeof blank === 'string'
    if (version === 1 && typeof installId === 'string' && installId !== '' && whole) return { rootKey, installId }
  } catch {
    // Fall through: a parse error would quote the file.
  }
  rootKey?.fill(0)
  throw new TrustError(
    'MERLON_KEY_FILE_INVALID',
    `${file} is not a Merlon root key file. Restore it from a backup; without it the data cannot be read.`,
  )
}

const QUOTE = '"'.charCodeAt(0)
const NAME = '"rootKey"'

function takeKey(bytes: Buffer): Buffer | undefined {
  const name = bytes.indexOf(NAME)
  const from = bytes.indexOf(QUOTE, name + NAME.length) + 1
  const to = bytes.indexOf(QUOTE, from)
  if (name < 0 || from === 0 || to < 0) return undefined
  const text = bytes.subarray(from, to)
  const key = fromBase64(text)
  text.fill('0')
  return key
}
