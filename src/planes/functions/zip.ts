/**
 * Deployment packages: the part of the ZIP format that packages use, read with suspicion. Nothing leaves the folder, no
 * links are made, and nothing grows beyond what it said.
 * Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32, inflateRawSync } from 'node:zlib'

/** Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const UNZIPPED_BYTES_MAX = 262_144_000
const ENTRIES_MAX = 50_000

export class ZipError extends Error {
  override readonly name = 'ZipError'
}

interface Entry {
  readonly name: string
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
const STORED = 0
const DEFLATED = 8
const TYPE_MASK = 0o170000
const TYPE_FILE = 0o100000
const TYPE_FOLDER = 0o040000

/** Throws `ZipError` with AWS's sentence, or with ours where AWS has none. */
export function readZip(zip: Buffer): readonly Entry[] {
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
    at += 46 + zip.readUInt16LE(at + 28) + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  requireTree(entries)
  return entries
}

/** No name is both a file and a folder. */
function requireTree(entries: readonly Entry[]): void {
  const files = new Set(entries.filter(({ directory }) => !directory).map(({ name }) => name))
  for (const { name } of entries) {
    for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
      if (files.has(name.slice(0, slash))) throw new ZipError(UNREADABLE)
    }
  }
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
  return { name, directory, executable, method, crc: zip.readUInt32LE(at + 16), packed, size, offset }
}

/** Relative, without steps upwards, in no system's spelling. */
function requireInside(name: string): void {
  const parts = (name.endsWith('/') ? name.slice(0, -1) : name).split('/')
  const bad = parts.some((part) => part === '' || part === '.' || part === '..')
  if (bad || name.includes('\\') || name.includes('\0') || name.length > 1024) {
    throw new ZipError(`The package holds a name that leads out of it: ${JSON.stringify(name.slice(0, 200))}`)
  }
}

/** Checks every byte; throws `ZipError`. */
function contentOf(zip: Buffer, { method, crc, packed, size, offset }: Entry): Buffer {
  if (offset + 30 > zip.length || zip.readUInt32LE(offset) !== LOCAL) throw new ZipError(UNREADABLE)
  const begin = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28)
  if (begin + packed > zip.length) throw new ZipError(UNREADABLE)
  const bytes = zip.subarray(begin, begin + packed)
  const content = method === STORED ? bytes : inflated(bytes, size)
  if (content.length !== size || crc32(content) !== crc) throw new ZipError(UNREADABLE)
  return content
}

function inflated(bytes: Buffer, size: number): Buffer {
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) })
  } catch (error) {
    throw new ZipError(UNREADABLE, { cause: error })
  }
}

export function checkZip(zip: Buffer): void {
  for (const entry of readZip(zip)) if (!entry.directory) contentOf(zip, entry)
}

/** Into a folder that exists, is empty and is ours alone. */
export function unpack(zip: Buffer, folder: string): void {
  for (const entry of readZip(zip)) {
    const to = join(folder, entry.name)
    if (entry.directory) mkdirSync(to, { recursive: true })
    else {
      mkdirSync(dirname(to), { recursive: true })
      writeFileSync(to, contentOf(zip, entry), { mode: entry.executable ? 0o755 : 0o644 })
    }
  }
}
