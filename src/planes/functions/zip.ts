/**
 * Deployment packages: the part of the ZIP format that packages use. Nothing is written outside of the directory, links are
 * rejected, and no file grows beyond the size that it claims. A package is read in turns: other calls are answered meanwhile.
 * Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib'

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const UNZIPPED_BYTES_MAX = 262_144_000
const ENTRIES_MAX = 50_000
/** Larger files are inflated and written in parts. */
const SMALL_BYTES = 1024 * 1024
const PART_BYTES = 1024 * 1024
/** Bytes that are inflated, and entries of the directory that are read, in one turn: some milliseconds. */
const TURN_BYTES = 4 * 1024 * 1024
const TURN_ENTRIES = 1_000

export class ZipError extends Error {
  override readonly name = 'ZipError'
}

interface Entry {
  readonly name: string
  readonly sortKey: string
  readonly directory: boolean
  readonly executable: boolean
  readonly method: number
  readonly crc: number
  readonly packed: number
  readonly size: number
  readonly offset: number
}

const UNREADABLE = 'Could not unzip uploaded file. Please check your file, then try to upload again.'
const END = 0x06054b50
const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50
const END_BYTES = 22
const SLASH = 0x2f
const STORED = 0
const DEFLATED = 8
const TYPE_MASK = 0o170000
const TYPE_FILE = 0o100000
const TYPE_FOLDER = 0o040000

/** Throws `ZipError` with AWS's sentence, or with ours where AWS has none. */
async function readZip(zip: Buffer): Promise<readonly Entry[]> {
  const end = endOf(zip)
  const count = zip.readUInt16LE(end + 10)
  let at = zip.readUInt32LE(end + 16)
  if (count === 0) throw new ZipError('Uploaded file must be a non-empty zip')
  if (count > ENTRIES_MAX) throw new ZipError(UNREADABLE)
  const entries: Entry[] = []
  let total = 0
  for (let i = 0; i < count; i++) {
    if (at + 46 > end || zip.readUInt32LE(at) !== CENTRAL) throw new ZipError(UNREADABLE)
    const entry = entryAt(zip, at)
    total += entry.size
    if (total > UNZIPPED_BYTES_MAX) {
      throw new ZipError(`Unzipped size must be smaller than ${UNZIPPED_BYTES_MAX} bytes`)
    }
    entries.push(entry)
    if (i % TURN_ENTRIES === TURN_ENTRIES - 1) await nextTurn()
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  requireTree(entries)
  return entries
}

/** No name is both a file and a directory. */
function requireTree(entries: readonly Entry[]): void {
  const keys = entries.map(({ sortKey }) => sortKey).sort()
  const isBoth = keys.some((key, at) => !key.endsWith('\0') && keys[at + 1]?.startsWith(`${key}\0`))
  if (isBoth) throw new ZipError(UNREADABLE)
}

/** With the lowest character in place of the slash: what is below a name directly follows it in order. */
function sortKeyOf(name: string): string {
  // By bytes: replacing many characters of many strings takes a hundred times as long.
  const bytes = Buffer.from(name)
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === SLASH) bytes[at] = 0
  return bytes.toString('latin1')
}

function endOf(zip: Buffer): number {
  for (let at = zip.length - END_BYTES; at >= Math.max(0, zip.length - END_BYTES - 0xffff); at--) {
    if (zip.readUInt32LE(at) === END && at + END_BYTES + zip.readUInt16LE(at + 20) === zip.length) return at
  }
  throw new ZipError(UNREADABLE)
}

function entryAt(zip: Buffer, at: number): Entry {
  const flags = zip.readUInt16LE(at + 8)
  const method = zip.readUInt16LE(at + 10)
  const nameEnd = at + 46 + zip.readUInt16LE(at + 28)
  const name = zip.toString('utf8', at + 46, nameEnd)
  const [packed, size, offset] = [zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 24), zip.readUInt32LE(at + 42)]
  // Encrypted, ZIP64, or some other art of packing.
  if (flags & 1 || offset === 0xffffffff || (method !== STORED && method !== DEFLATED)) throw new ZipError(UNREADABLE)
  const mode = zip.readUInt8(at + 5) === 3 ? zip.readUInt16LE(at + 40) : 0
  const type = mode & TYPE_MASK
  if (type !== 0 && type !== TYPE_FILE && type !== TYPE_FOLDER) {
    throw new ZipError(`The package holds a link or a device, which Merlon does not unpack: ${name}`)
  }
  requireInside(name)
  const directory = name.endsWith('/')
  const executable = (mode & 0o111) !== 0
  return {
    name,
    sortKey: sortKeyOf(name),
    directory,
    executable,
    method,
    crc: zip.readUInt32LE(at + 16),
    packed,
    size,
    offset,
  }
}

/** Empty, `.` or `..`, between slashes. */
const STEP = /(?:^|\/)\.{0,2}(?:\/|$)/
const NAME_LENGTH_MAX = 1024

/** Relative, without steps upwards, in the spelling of any system. */
function requireInside(name: string): void {
  const isLong = name.length > NAME_LENGTH_MAX
  if (isLong || STEP.test(name.endsWith('/') ? name.slice(0, -1) : name) || /[\\\0]/.test(name)) {
    throw new ZipError(`The package holds a name that leads out of it: ${JSON.stringify(name.slice(0, 200))}`)
  }
}

/** The bytes as they are packed. Throws `ZipError`. */
function packedBytes(zip: Buffer, { packed, offset }: Entry): Buffer {
  if (offset + 30 > zip.length || zip.readUInt32LE(offset) !== LOCAL) throw new ZipError(UNREADABLE)
  const begin = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28)
  if (begin + packed > zip.length) throw new ZipError(UNREADABLE)
  return zip.subarray(begin, begin + packed)
}

/** Of a small file. Checks every byte; throws `ZipError`. */
function contentOf(zip: Buffer, entry: Entry): Buffer {
  const bytes = packedBytes(zip, entry)
  const content = entry.method === STORED ? bytes : inflated(bytes, entry.size)
  if (content.length !== entry.size || crc32(content) !== entry.crc) throw new ZipError(UNREADABLE)
  return content
}

function inflated(bytes: Buffer, size: number): Buffer {
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) })
  } catch (error) {
    throw new ZipError(UNREADABLE, { cause: error })
  }
}

/** The same in parts, for a file of any size: no more than a part is in memory, and each takes a turn of its own. */
async function* partsOf(zip: Buffer, entry: Entry): AsyncGenerator<Buffer> {
  const bytes = packedBytes(zip, entry)
  let size = 0
  let crc = 0
  try {
    for await (const part of entry.method === STORED ? slicesOf(bytes) : inflatedParts(bytes)) {
      size += part.length
      crc = crc32(part, crc)
      if (size > entry.size) throw new ZipError(UNREADABLE)
      yield part
    }
  } catch (error) {
    throw error instanceof ZipError ? error : new ZipError(UNREADABLE, { cause: error })
  }
  if (size !== entry.size || crc !== entry.crc) throw new ZipError(UNREADABLE)
}

async function* slicesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    yield bytes.subarray(at, at + PART_BYTES)
    await nextTurn()
  }
}

/** On zlib's own thread. */
function inflatedParts(bytes: Buffer): AsyncIterable<Buffer> {
  const stream = createInflateRaw({ chunkSize: PART_BYTES })
  stream.end(bytes)
  return stream
}

const isSmall = ({ size, packed }: Entry): boolean => size <= SMALL_BYTES && packed <= SMALL_BYTES

/** Calls for each entry, in as many turns as their sizes need. */
async function inTurns(entries: readonly Entry[], each: (entry: Entry) => Promise<void> | void): Promise<void> {
  let [bytes, count] = [0, 0]
  for (const entry of entries) {
    await each(entry)
    bytes += isSmall(entry) ? entry.size : 0
    if (bytes > TURN_BYTES || ++count % TURN_ENTRIES === 0) {
      bytes = 0
      await nextTurn()
    }
  }
}

/** Checks every byte; throws `ZipError`. */
export async function checkZip(zip: Buffer): Promise<void> {
  await inTurns(await readZip(zip), async (entry) => {
    if (entry.directory) return
    if (isSmall(entry)) contentOf(zip, entry)
    else for await (const _part of partsOf(zip, entry));
  })
}

/** Into a directory that exists, is empty and is not shared. */
export async function unpack(zip: Buffer, folder: string): Promise<void> {
  await inTurns(await readZip(zip), async (entry) => {
    const to = join(folder, entry.name)
    if (entry.directory) {
      mkdirSync(to, { recursive: true })
      return
    }
    mkdirSync(dirname(to), { recursive: true })
    const options = { mode: entry.executable ? 0o755 : 0o644 }
    if (isSmall(entry)) writeFileSync(to, contentOf(zip, entry), options)
    else await writeFile(to, partsOf(zip, entry), options)
  })
}
