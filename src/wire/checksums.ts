/** The checksums that S3's clients send along, over whole bodies: base64 of the big-endian value. */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { SLICE_BYTES, type Steps } from './sigv4/steps.ts'

export type ChecksumName = 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256' | 'SHA512' | 'MD5'

/** A checksum that is fed piece by piece. */
export interface Checksum {
  update(bytes: Uint8Array): void
  value(): string
}

const sums: Readonly<Record<ChecksumName, () => Checksum>> = {
  CRC32: () => summing<number>(0, (sum, bytes) => crc32(bytes, sum), word),
  CRC32C: () => summing<number>(0, crc32c, word),
  CRC64NVME: () => summing<Crc64>([0xffffffff, 0xffffffff], crc64nvme, crc64Text),
  SHA1: () => hashing('sha1'),
  SHA256: () => hashing('sha256'),
  SHA512: () => hashing('sha512'),
  MD5: () => hashing('md5'),
}

export const checksumNames = Object.keys(sums) as readonly ChecksumName[]

export const startChecksum = (name: ChecksumName): Checksum => sums[name]()

export function checksum(name: ChecksumName, bytes: Uint8Array): string {
  const sum = startChecksum(name)
  sum.update(bytes)
  return sum.value()
}

/** The same in slices, for large bodies. */
export function* checksumSteps(name: ChecksumName, bytes: Uint8Array): Steps<string> {
  const sum = startChecksum(name)
  for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
    sum.update(bytes.subarray(at, at + SLICE_BYTES))
    yield
  }
  return sum.value()
}

function summing<S>(start: S, add: (sum: S, bytes: Uint8Array) => S, text: (sum: S) => string): Checksum {
  let sum = start
  return {
    update: (bytes) => {
      sum = add(sum, bytes)
    },
    value: () => text(sum),
  }
}

function hashing(algorithm: string): Checksum {
  const hash = createHash(algorithm)
  return { update: (bytes) => void hash.update(bytes), value: () => hash.digest('base64') }
}

/** `x-amz-checksum-crc32c` → CRC32C; undefined for one that is not computed here. */
export function checksumOfHeader(header: string): ChecksumName | undefined {
  const name = header.startsWith('x-amz-checksum-') ? header.slice('x-amz-checksum-'.length).toUpperCase() : ''
  return checksumNames.find((known) => known === name)
}

function word(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes.toString('base64')
}

/** RFC 3720 appendix B.4, reflected. */
const CRC32C_POLYNOMIAL = 0x82f63b78
let table32: Uint32Array | undefined

function crc32c(sum: number, bytes: Uint8Array): number {
  if (!table32) {
    table32 = new Uint32Array(256)
    for (let i = 0; i < 256; i++) {
      let value = i
      for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ CRC32C_POLYNOMIAL : value >>> 1
      table32[i] = value
    }
  }
  let crc = sum ^ 0xffffffff
  for (let i = 0; i < bytes.length; i++) crc = table32[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

/** NVM Express base specification, reflected: two halves, because numbers hold no 64 bits. */
const CRC64_HIGH = 0x9a6c9329
const CRC64_LOW = 0xac4bc9b5
let table64: { readonly high: Uint32Array; readonly low: Uint32Array } | undefined

/** The two halves, not yet inverted. */
type Crc64 = readonly [high: number, low: number]

function crc64nvme(sum: Crc64, bytes: Uint8Array): Crc64 {
  table64 ??= crc64Table()
  const { high: tableHigh, low: tableLow } = table64
  let [high, low] = sum
  for (let i = 0; i < bytes.length; i++) {
    const at = (low ^ bytes[i]!) & 0xff
    low = ((low >>> 8) | (high << 24)) ^ tableLow[at]!
    high = (high >>> 8) ^ tableHigh[at]!
  }
  return [high, low]
}

function crc64Text([high, low]: Crc64): string {
  const value = Buffer.alloc(8)
  value.writeUInt32BE((high ^ 0xffffffff) >>> 0, 0)
  value.writeUInt32BE((low ^ 0xffffffff) >>> 0, 4)
  return value.toString('base64')
}

function crc64Table() {
  const table = { high: new Uint32Array(256), low: new Uint32Array(256) }
  for (let i = 0; i < 256; i++) {
    let high = 0
    let low = i
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1
      low = (low >>> 1) | (high << 31)
      high >>>= 1
      if (odd) {
        low ^= CRC64_LOW
        high ^= CRC64_HIGH
      }
    }
    table.high[i] = high >>> 0
    table.low[i] = low >>> 0
  }
  return table
}
