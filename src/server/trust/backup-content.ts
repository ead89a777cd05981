/**
 * What is inside a backup: a manifest, the database, then the objects' bytes, each as its row's id, its length and itself.
 * Version 1 ends behind the database. Where one thing ends is believed because every chunk of the file is authenticated.
 */
import { createHash } from 'node:crypto'
import { TrustError } from '../../vault/vault.ts'

/** The first thing inside a backup. */
export interface Manifest {
  readonly installId: string
  readonly epoch: number
  readonly createdAt: string
  /** Of the database. */
  readonly bytes: number
  readonly sha256: string
  readonly accounts: number
  /** How many follow the database; version 1 does not say, and holds none. */
  readonly objects?: number
}

export interface StoredObject {
  readonly id: string
  /** Sealed, as stored. */
  readonly bytes: Buffer
}

export interface Takers {
  database(bytes: Buffer): Promise<void>
  object(object: StoredObject): Promise<void>
}

const MANIFEST_BYTES_MAX = 64 * 1024
const LENGTH_BYTES = 4
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const ID_BYTES = 36

/** In memory there is one object at a time. */
export async function* writeContent(
  manifest: Manifest,
  database: AsyncIterable<Buffer>,
  objects: AsyncIterable<StoredObject>,
): AsyncGenerator<Buffer> {
  const text = Buffer.from(JSON.stringify(manifest))
  yield lengthOf(text)
  yield text
  yield* database
  for await (const { id, bytes } of objects) {
    yield Buffer.concat([Buffer.from(id, 'latin1'), lengthOf(bytes)])
    yield bytes
  }
}

/** Throws `MERLON_BACKUP_TAMPERED` when it is not what the manifest says. */
export async function readContent(source: AsyncIterable<Buffer>, take: Partial<Takers> = {}): Promise<Manifest> {
  const stream = new ByteStream(source)
  try {
    return await readParts(stream, take)
  } finally {
    await stream.close()
  }
}

async function readParts(stream: ByteStream, take: Partial<Takers>): Promise<Manifest> {
  const length = (await stream.exactly(LENGTH_BYTES)).readUInt32BE()
  if (length > MANIFEST_BYTES_MAX) throw tampered('no such manifest.')
  const manifest = JSON.parse((await stream.exactly(length)).toString()) as Manifest

  const hash = createHash('sha256')
  for (let rest = manifest.bytes; rest > 0; ) {
    const bytes = await stream.some(rest)
    rest -= bytes.length
    hash.update(bytes)
    await take.database?.(bytes)
  }
  if (manifest.sha256 !== hash.digest('hex')) throw tampered('the database in it is not the one that was backed up.')

  for (let rest = manifest.objects ?? 0; rest > 0; rest--) {
    const id = (await stream.exactly(ID_BYTES)).toString('latin1')
    if (!ID.test(id)) throw tampered('no such object.')
    const bytes = await stream.exactly((await stream.exactly(LENGTH_BYTES)).readUInt32BE())
    await take.object?.({ id, bytes })
  }
  // Read to its end, whatever the manifest says: the last chunk shows whether it is the last.
  if (await stream.more()) throw tampered('it holds more than its manifest says.')
  return manifest
}

function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(bytes.length)
  return length
}

const tampered = (message: string): TrustError => new TrustError('MERLON_BACKUP_TAMPERED', message, 0)

/** Bytes in the sizes that are requested, not in those that arrive. */
class ByteStream {
  readonly #source: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Lets go of what the bytes come from. */
  async close(): Promise<void> {
    await this.#source.return?.()
  }

  async more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#source.next()
      if (done) return false
      this.#rest = value
    }
    return true
  }

  /** One byte at least, `max` at most. */
  async some(max: number): Promise<Buffer> {
    if (!(await this.more())) throw tampered('it ends too early.')
    const bytes = this.#rest.subarray(0, max)
    this.#rest = this.#rest.subarray(bytes.length)
    return bytes
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = []
    for (let rest = length; rest > 0; rest -= parts.at(-1)!.length) parts.push(await this.some(rest))
    return Buffer.concat(parts)
  }
}
