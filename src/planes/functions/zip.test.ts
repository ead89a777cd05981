/** Packages that are whole, and packages that were tampered with. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/process.ts'
import { type ZipEntry, zipOf, zipOfEntries } from '../../../test/zip.ts'
import { checkZip, unpack } from './zip.ts'

const entry = (name: string, more: Partial<ZipEntry> = {}): ZipEntry => ({ name, content: Buffer.from('x'), ...more })
const MB = 1024 * 1024

describe('A package', () => {
  test('is unpacked as it was packed', async () => {
    const folder = temporaryFolder()
    const words = Buffer.from('words '.repeat(1000))

    await unpack(
      zipOfEntries([
        { name: 'lib/', content: Buffer.alloc(0), mode: 0o040755 },
        { name: 'lib/deep/words.txt', content: words, deflated: true },
        { name: 'run', content: Buffer.from('#!/bin/sh'), mode: 0o100755 },
        { name: 'empty.py', content: Buffer.alloc(0), deflated: true },
      ]),
      folder,
    )

    expect(readFileSync(join(folder, 'lib/deep/words.txt'))).toEqual(words)
    expect(statSync(join(folder, 'run')).mode & 0o111).not.toBe(0)
    expect(statSync(join(folder, 'lib/deep/words.txt')).mode & 0o111).toBe(0)
    expect(statSync(join(folder, 'empty.py')).size).toBe(0)
  })

  test.each(['../out', 'a/../../out', '/etc/out', './out', 'a//out', 'a/./out', 'a\\..\\out', 'a\0b', ''])(
    'with an entry %j is refused, and nothing is written',
    async (name) => {
      const folder = temporaryFolder()
      const zip = zipOfEntries([entry(name)])

      await expect(checkZip(zip)).rejects.toThrow('leads out of it')
      await expect(unpack(zip, join(folder, 'inner'))).rejects.toThrow('leads out of it')
      expect(existsSync(join(folder, 'out'))).toBe(false)
    },
  )

  test.each([
    ['a link', 0o120777],
    ['a device', 0o020666],
    ['a pipe', 0o010666],
    ['a socket', 0o140666],
  ])('with %s is refused', async (_, mode) => {
    await expect(checkZip(zipOfEntries([entry('a', { mode })]))).rejects.toThrow('link or a device')
  })

  test('that would grow beyond 250 MB is refused before it does', async () => {
    const claims = { size: 200 * MB }
    const zip = zipOfEntries([entry('a', { claims }), entry('b', { claims })])

    await expect(checkZip(zip)).rejects.toThrow('Unzipped size must be smaller than 262144000 bytes')
  })

  test('that grows beyond what it claims is refused', async () => {
    const bomb = entry('a', { content: Buffer.alloc(10 * MB), deflated: true, claims: { size: 10 } })

    await expect(checkZip(zipOfEntries([bomb]))).rejects.toThrow('Could not unzip uploaded file')
  })

  test.each<[string, Buffer]>([
    ['is no zip', Buffer.from('nothing of the kind, only a few words')],
    ['is empty of bytes', Buffer.alloc(0)],
    ['has another content than it was packed with', zipOfEntries([entry('a', { claims: { crc: 1 } })])],
    ['is cut off in front', zipOf({ 'a.py': 'pass' }).subarray(8)],
    ['is cut off at the end', zipOf({ 'a.py': 'pass' }).subarray(0, -1)],
    ['uses a name as file and as folder', zipOfEntries([entry('a'), entry('a/b')])],
  ])('that %s is refused', async (_, zip) => {
    await expect(checkZip(zip)).rejects.toThrow('Could not unzip uploaded file')
  })

  test('without a file is refused', async () => {
    await expect(checkZip(zipOf({}))).rejects.toThrow('Uploaded file must be a non-empty zip')
  })

  test('that is encrypted, or packed in another way, is refused', async () => {
    for (const [offset, value] of [
      [6, 1],
      [8, 12],
    ] as const) {
      const zip = zipOf({ 'a.py': 'pass' })
      const central = zip.indexOf('PK\x01\x02')
      zip.writeUInt16LE(value, central + offset + 2)
      await expect(checkZip(zip)).rejects.toThrow('Could not unzip uploaded file')
    }
  })

  test('whose every byte may be wrong is refused or read, and never breaks anything else', async () => {
    const whole = zipOf({ 'a.py': 'def handler(): pass', 'lib/b.py': 'pass' })
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const zip = Buffer.from(whole)
        zip[at] = zip[at]! ^ flip
        try {
          await checkZip(zip)
        } catch (error) {
          expect((error as Error).name).toBe('ZipError')
        }
      }
    }
  })

  test.each([
    ['stored', false],
    ['deflated', true],
  ])('with a large %s file is checked and unpacked in parts, while other work goes on', async (_, deflated) => {
    const folder = temporaryFolder()
    const content = Buffer.alloc(20 * MB, 'some words, and again ')
    const zip = zipOfEntries([entry('large', { content, deflated }), entry('small')])
    let turns = 0
    const counting = setInterval(() => turns++, 0)
    await checkZip(zip)
    expect(turns).toBeGreaterThan(1)
    await unpack(zip, folder)
    clearInterval(counting)

    expect(readFileSync(join(folder, 'large')).equals(content)).toBe(true)
    expect(readFileSync(join(folder, 'small'), 'utf8')).toBe('x')
  })

  test.each([
    ['is shorter than it claims', { size: 21 * MB }],
    ['is longer than it claims', { size: 19 * MB }],
    ['has another content than it was packed with', { crc: 1 }],
  ])('whose large file %s is refused', async (_, claims) => {
    for (const deflated of [false, true]) {
      const zip = zipOfEntries([entry('large', { content: Buffer.alloc(20 * MB, 'words '), deflated, claims })])
      await expect(checkZip(zip)).rejects.toThrow('Could not unzip uploaded file')
    }
  })

  test.each([
    ['far apart', ['a', 'a-b', 'a.c', 'b', 'a/b']],
    ['in the other order', ['a/b/c', 'b', 'a/b']],
    ['with a directory of the same name', ['a/', 'a']],
    ['named twice', ['a', 'a', 'a/b']],
  ])('that uses a name as file and as directory, %s, is refused', async (_, names) => {
    await expect(checkZip(zipOfEntries(names.map((name) => entry(name))))).rejects.toThrow('Could not unzip')
  })

  test.each([[['a', 'ab', 'a-b', 'b/a', 'b/ab', 'c/']], [['a/b', 'a/c', 'a/']]])(
    'with the names %j is accepted',
    async (names) => {
      await expect(checkZip(zipOfEntries(names.map((name) => entry(name))))).resolves.toBeUndefined()
    },
  )

  test('with many deep names is read in many turns', async () => {
    const deep = 'a/'.repeat(500)
    const zip = zipOfEntries(Array.from({ length: 3_000 }, (_each, n) => entry(`${n}/${deep}f`)))
    let turns = 0
    const counting = setInterval(() => turns++, 0)
    await checkZip(zip)
    clearInterval(counting)

    expect(turns).toBeGreaterThan(2)
  })
})
