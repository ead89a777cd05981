/**
 * Backups as files: a line in clear that says what it is, then chunks of 64 KiB, AES-256-GCM under a key of this backup
 * alone. Each chunk authenticates the line, its number and whether it is the last, so chunks cannot be changed, moved,
 * dropped or added (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, 2015).
 */
import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { decryptAt, derive, encryptAt, lengths, NONCE_BYTES, TAG_BYTES } from './aead.ts'
import { TrustError } from './vault.ts'

export const CHUNK_BYTES = 64 * 1024
const HEADER_BYTES_MAX = 4096
const SALT_BYTES = 16

/** In clear: which keyring opens it. */
export interface BackupHeader {
  readonly merlon: 'backup'
  /** Of what is inside; since 2 the bytes of objects are, too. */
  readonly version: 1 | 2
  readonly installId: string
  readonly createdAt: string
  readonly salt: string
}

/** Writes what `source` yields to a new file (0600), durable when this returns. The file must not exist. */
export async function writeBackup(
  file: string,
  { installId, createdAt, kek }: { readonly installId: string; readonly createdAt: string; readonly kek: Uint8Array },
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  const salt = randomBytes(SALT_BYTES).toString('base64url')
  const header: BackupHeader = { merlon: 'backup', version: 2, installId, createdAt, salt }
  const line = `${JSON.stringify(header)}\n`
  const key = backupKey(kek, header)
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.write(line)
    let index = 0
    for await (const { chunk, final } of chunks(source)) {
      await writeAll(handle, encryptAt(key, nonceOf(index), chunk, bound(line, index, final)))
      index++
    }
    await handle.sync()
  } finally {
    key.fill(0)
    await handle.close()
  }
}

/** The line in clear; nothing of it is believed until a chunk has opened. */
export async function readBackupHeader(file: string): Promise<BackupHeader> {
  const handle = await open(file, 'r')
  try {
    return (await headerOf(handle)).header
  } finally {
    await handle.close()
  }
}

/** Yields the plaintext. Throws `MERLON_BACKUP_TAMPERED(n)` at the first chunk that is not as it was written. */
export async function* readBackup(file: string, kek: Uint8Array): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r')
  let key: Buffer | undefined
  try {
    const { header, line } = await headerOf(handle)
    key = backupKey(kek, header)
    const { size } = await handle.stat()
    let index = 0
    let at = Buffer.byteLength(line)
    do {
      const sealed = await readAt(handle, at, CHUNK_BYTES + TAG_BYTES)
      at += sealed.length
      const plaintext = decryptAt(key, nonceOf(index), sealed, bound(line, index, at >= size))
      if (!plaintext) throw tampered(index)
      yield plaintext
      index++
    } while (at < size)
  } finally {
    key?.fill(0)
    await handle.close()
  }
}

async function headerOf(handle: FileHandle): Promise<{ readonly header: BackupHeader; readonly line: string }> {
  const text = (await readAt(handle, 0, HEADER_BYTES_MAX)).toString('latin1')
  const line = text.slice(0, text.indexOf('\n') + 1)
  try {
    const header = JSON.parse(line) as BackupHeader
    if (
      header.merlon === 'backup' &&
      (header.version === 1 || header.version === 2) &&
      typeof header.installId === 'string'
    )
      return { header, line }
  } catch {
    // Not ours, or changed.
  }
  throw new TrustError(
    'MERLON_BACKUP_TAMPERED',
    'this is no backup that this Merlon knows, or its first line was changed.',
    0,
  )
}

const tampered = (index: number): TrustError =>
  new TrustError('MERLON_BACKUP_TAMPERED', `chunk ${index} of the backup was changed, moved or cut off.`, index)

const backupKey = (kek: Uint8Array, { installId, salt }: BackupHeader): Buffer =>
  derive(kek, lengths(installId, String(salt)), 'merlon/v1/backup')

/** A counter: the key is this backup's own, so no nonce comes twice. */
function nonceOf(index: number): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUInt32BE(index, NONCE_BYTES - 4)
  return nonce
}

const bound = (line: string, index: number, final: boolean): Buffer =>
  lengths('merlon/v1/backup', createHash('sha256').update(line, 'latin1').digest(), String(index), final ? 'last' : '')

/** Whole chunks, the last one marked; an empty source is one empty last chunk. */
async function* chunks(source: AsyncIterable<Uint8Array>): AsyncGenerator<{ chunk: Buffer; final: boolean }> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const bytes of source) {
    let at = 0
    // The input may be large, and is copied a chunk at a time.
    while (rest.length + bytes.length - at > CHUNK_BYTES) {
      const end = at + CHUNK_BYTES - rest.length
      yield { chunk: Buffer.concat([rest, bytes.subarray(at, end)]), final: false }
      rest = Buffer.alloc(0)
      at = end
    }
    rest = Buffer.concat([rest, bytes.subarray(at)])
  }
  yield { chunk: rest, final: true }
}

async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let read = 0
  for (;;) {
    const { bytesRead } = await handle.read(buffer, read, length - read, at + read)
    read += bytesRead
    if (bytesRead === 0 || read === length) return buffer.subarray(0, read)
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let rest = bytes; rest.length > 0; ) {
    const { bytesWritten } = await handle.write(rest)
    rest = rest.subarray(bytesWritten)
  }
}
