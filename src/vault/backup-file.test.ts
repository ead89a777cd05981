/** A backup opens whole or not at all, and says which chunk is not as it was written. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CHUNK_BYTES, readBackup, readBackupHeader, writeBackup } from './backup-file.ts'

const kek = Buffer.alloc(32, 3)
const header = { installId: 'install-1', createdAt: '2026-01-01T00:00:00.000Z', kek }
const SEALED_BYTES = CHUNK_BYTES + 16

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'merlon-backup-'))
  file = join(folder, 'x.bak')
})
afterEach(() => rmSync(folder, { recursive: true }))

async function* inPieces(bytes: Buffer, size = 40_000) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
async function read(key = kek): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of readBackup(file, key)) chunks.push(chunk)
  return Buffer.concat(chunks)
}
const content = Buffer.from(Array.from({ length: CHUNK_BYTES * 3 + 100 }, (_, at) => (at * 31) & 255))
const lineLength = () => readFileSync(file).indexOf(10) + 1

describe('a backup', () => {
  test.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, CHUNK_BYTES * 2])(
    'of %i bytes comes back as it was',
    async (length) => {
      await writeBackup(file, header, inPieces(content.subarray(0, length)))

      expect(await read()).toEqual(content.subarray(0, length))
    },
  )

  test("is its owner's alone, says which installation it is of, and shows nothing else", async () => {
    await writeBackup(file, header, inPieces(Buffer.alloc(1000, 'merlon secret ')))

    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await readBackupHeader(file)).toMatchObject({ installId: 'install-1', createdAt: header.createdAt })
    expect(readFileSync(file).includes('merlon secret')).toBe(false)
  })

  test('never overwrites a file', async () => {
    writeFileSync(file, 'mine')

    await expect(writeBackup(file, header, inPieces(content))).rejects.toThrow('EEXIST')
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })

  test('opens under no other key', async () => {
    await writeBackup(file, header, inPieces(content))

    await expect(read(Buffer.alloc(32, 4))).rejects.toThrow('MERLON_BACKUP_TAMPERED(0)')
  })

  test.each([0, 1, 2, 3])('with one bit flipped in chunk %i says so', async (chunk) => {
    await writeBackup(file, header, inPieces(content))
    for (const offset of [0, 99, chunk === 3 ? 115 : SEALED_BYTES - 1]) {
      const bytes = readFileSync(file)
      bytes[lineLength() + chunk * SEALED_BYTES + offset]! ^= 1
      writeFileSync(`${file}2`, bytes)

      await expect(drain(readBackup(`${file}2`, kek))).rejects.toThrow(`MERLON_BACKUP_TAMPERED(${chunk})`)
    }
  })

  test('with any bit of its first line flipped does not open', async () => {
    await writeBackup(file, header, inPieces(content.subarray(0, 10)))
    const whole = readFileSync(file)
    for (let at = 0; at < lineLength(); at++) {
      const bytes = Buffer.from(whole)
      bytes[at]! ^= 1
      writeFileSync(`${file}2`, bytes)
      await expect(drain(readBackup(`${file}2`, kek))).rejects.toThrow('MERLON_BACKUP_TAMPERED(0)')
    }
  })

  test.each([
    ['cut behind a chunk', (bytes: Buffer, line: number) => bytes.subarray(0, line + SEALED_BYTES * 2), 1],
    ['cut within a chunk', (bytes: Buffer, line: number) => bytes.subarray(0, line + SEALED_BYTES * 2 + 7), 2],
    ['cut down to its line', (bytes: Buffer, line: number) => bytes.subarray(0, line), 0],
    ['lengthened', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(1)]), 3],
    ['with two chunks exchanged', exchanged, 0],
    ['with a chunk left out', (bytes: Buffer, line: number) => without(bytes, line + SEALED_BYTES), 1],
  ])('%s says where', async (_, change, chunk) => {
    await writeBackup(file, header, inPieces(content))
    writeFileSync(file, change(readFileSync(file), lineLength()))

    await expect(read()).rejects.toThrow(`MERLON_BACKUP_TAMPERED(${chunk})`)
  })
})

async function drain(source: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of source) {
    // Only whether it can be read.
  }
}

function exchanged(bytes: Buffer, line: number): Buffer {
  const [first, second] = [0, 1].map((n) => bytes.subarray(line + n * SEALED_BYTES, line + (n + 1) * SEALED_BYTES))
  return Buffer.concat([bytes.subarray(0, line), second!, first!, bytes.subarray(line + 2 * SEALED_BYTES)])
}

const without = (bytes: Buffer, at: number): Buffer =>
  Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + SEALED_BYTES)])
