/** What is inside a backup comes back in its parts, however the bytes arrive, and nothing else is taken for it. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { type Manifest, readContent, type StoredObject, writeContent } from './backup-content.ts'

const database = randomBytes(100_000)
const manifest = (objects: number | undefined): Manifest => ({
  installId: 'install-1',
  epoch: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  bytes: database.length,
  sha256: createHash('sha256').update(database).digest('hex'),
  accounts: 1,
  ...(objects !== undefined && { objects }),
})
const objects: readonly StoredObject[] = [0, 1, 70_000, 3].map((length) => ({
  id: randomUUID(),
  bytes: randomBytes(length),
}))

async function* each<T>(...parts: readonly T[]) {
  yield* parts
}
async function* inPieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
async function whole(told: Manifest): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of writeContent(told, each(database), each(...objects))) parts.push(part)
  return Buffer.concat(parts)
}
async function read(bytes: Buffer, size = 65_536) {
  const found: { database: Buffer[]; objects: StoredObject[] } = { database: [], objects: [] }
  const told = await readContent(inPieces(bytes, size), {
    database: async (part) => void found.database.push(Buffer.from(part)),
    object: async (object) => void found.objects.push(object),
  })
  return { told, database: Buffer.concat(found.database), objects: found.objects }
}

describe('the content of a backup', () => {
  test.each([1, 7, 4_096, 65_536, 1_000_000])('comes back in its parts, read %i bytes at a time', async (size) => {
    expect(await read(await whole(manifest(objects.length)), size)).toEqual({
      told: manifest(objects.length),
      database,
      objects,
    })
  })

  test('of version 1 ends behind the database', async () => {
    const told = manifest(undefined)
    const bytes = await whole(told)
    const tail = objects.reduce((sum, { bytes }) => sum + 40 + bytes.length, 0)

    expect(await read(bytes.subarray(0, bytes.length - tail))).toEqual({ told, database, objects: [] })
    await expect(read(bytes)).rejects.toThrow('MERLON_BACKUP_TAMPERED')
  })

  test.each([
    ['fewer objects than its manifest says', (bytes: Buffer) => bytes.subarray(0, bytes.length - 43)],
    ['an object cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    ['more than its manifest says', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from('x')])],
    ['another database', (bytes: Buffer) => changedAt(bytes, 1_000)],
    [
      'an object whose id is a path',
      (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace(objects[1]!.id, '../../'.repeat(12)), 'latin1'),
    ],
    ['a manifest without end', (bytes: Buffer) => Buffer.concat([Buffer.alloc(4, 255), bytes])],
    ['nothing', () => Buffer.alloc(0)],
  ])('with %s is refused', async (_, change) => {
    await expect(read(change(await whole(manifest(objects.length))))).rejects.toThrow('MERLON_BACKUP_TAMPERED')
  })
})

function changedAt(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes)
  changed[at]! ^= 1
  return changed
}
