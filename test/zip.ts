/** Deployment packages for tests: files stored as they are, or entries as an attacker would write them. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  readonly name: string
  readonly content: Buffer
  /** Unix mode with its type; a plain file when left out. */
  readonly mode?: number
  readonly deflated?: boolean
  /** What the directory claims instead of the truth. */
  readonly claims?: { readonly size?: number; readonly crc?: number }
}

export function zipOf(files: Readonly<Record<string, string | Buffer>>): Buffer {
  return zipOfEntries(
    Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content as string) })),
  )
}

export function zipOfEntries(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const { name, content, mode = 0o100644, deflated = false, claims } of entries) {
    const packed = deflated ? deflateRawSync(content) : content
    const named = Buffer.from(name)
    // From the version needed to the length of the extra field: the same in both places.
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(deflated ? 8 : 0, 4)
    common.writeUInt32LE(claims?.crc ?? crc32(content), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(claims?.size ?? content.length, 18)
    common.writeUInt16LE(named.length, 22)
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE((mode << 16) >>> 0, 6)
    tail.writeUInt32LE(offset, 10)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, named, packed])
    central.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, tail, named]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...locals, directory, Buffer.from('PK\x05\x06'), end])
}
