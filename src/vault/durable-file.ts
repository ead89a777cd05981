/** Small files that are replaced whole: after a crash there is the old one or the new one, never a part of either. */
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { TrustError } from './vault.ts'

/** Durable when this returns; 0600. With `shred`, the old content is overwritten, as far as the disk lets us. */
export function replaceFile(file: string, content: string, { shred = false } = {}): void {
  const draft = `${file}.${randomUUID()}`
  const old = shred && existsSync(file) ? openSync(file, constants.O_RDWR | constants.O_NOFOLLOW) : undefined
  try {
    const descriptor = openSync(draft, 'wx', 0o600)
    try {
      writeSync(descriptor, content)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(draft, file)
    syncDirectory(dirname(file))
    if (old !== undefined) overwrite(old)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    if (old !== undefined) closeSync(old)
  }
}

/** undefined when there is none. Throws when others could have written it. */
export function readOwnFile(file: string): string | undefined {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    if ((fstatSync(descriptor).mode & 0o022) !== 0)
      throw new TrustError('MERLON_KEYRING_DAMAGED', `${file} can be written by others. Run: chmod 600 ${file}`)
    return readFileSync(descriptor, 'utf8')
  } finally {
    closeSync(descriptor)
  }
}

function overwrite(descriptor: number): void {
  const { size } = fstatSync(descriptor)
  writeSync(descriptor, Buffer.alloc(size), 0, size, 0)
  fsyncSync(descriptor)
}

export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
