/** Packages that are whole, and packages that somebody has tampered with. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/process.ts'
import { type ZipEntry, zipOf, zipOfEntries } from '../../../test/zip.ts'
import { checkZip, unpack } from './zip.ts'

const entry = (name: string, more: Partial<ZipEntry> = {}): ZipEntry => ({ name, content: Buffer.from('x'), ...more })
const MB = 1024 * 1024

describe('A package', () => {
  test('is unpacked as it was packed', () => {
    const folder = temporaryFolder()
    const words = Buffer.from('words '.repeat(1000))

    unpack(
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
    (name) => {
      const folder = temporaryFolder()
      const zip = zipOfEntries([entry(name)])

      expect(() => checkZip(zip)).toThrow('leads out of it')
      expect(() => unpack(zip, join(folder, 'inner'))).toThrow('leads out of it')
      expect(existsSync(join(folder, 'out'))).toBe(false)
    },
  )

  test.each([
    ['a link', 0o120777],
    ['a device', 0o020666],
    ['a pipe', 0o010666],
    ['a socket', 0o140666],
  ])('with %s is refused', (_, mode) => {
    expect(() => checkZip(zipOfEntries([entry('a', { mode })]))).toThrow('link or a device')
  })

  test('that would grow beyond 250 MB is refused before it does', () => {
    const claims = { size: 200 * MB }
    const zip = zipOfEntries([entry('a', { claims }), entry('b', { claims })])

    expect(() => checkZip(zip)).toThrow('Unzipped size must be smaller than 262144000 bytes')
  })

  test('that grows beyond what it claims is refused', () => {
    const bomb = entry('a', { content: Buffer.alloc(10 * MB), deflated: true, claims: { size: 10 } })

    expect(() => checkZip(zipOfEntries([bomb]))).toThrow('Could not unzip uploaded file')
  })

  test.each<[string, Buffer]>([
    ['is no zip', Buffer.from('nothing of the kind, only a few words')],
    ['is empty of bytes', Buffer.alloc(0)],
    ['has another content than it was packed with', zipOfEntries([entry('a', { claims: { crc: 1 } })])],
    ['is cut off in front', zipOf({ 'a.py': 'pass' }).subarray(8)],
    ['is cut off at the end', zipOf({ 'a.py': 'pass' }).subarray(0, -1)],
    ['uses a name as file and as folder', zipOfEntries([entry('a'), entry('a/b')])],
  ])('that %s is refused', (_, zip) => {
    expect(() => checkZip(zip)).toThrow('Could not unzip uploaded file')
  })

  test('without a file is refused', () => {
    expect(() => checkZip(zipOf({}))).toThrow('Uploaded file must be a non-empty zip')
  })

  test('that is encrypted, or packed in another way, is refused', () => {
    for (const [offset, value] of [
      [6, 1],
      [8, 12],
    ] as const) {
      const zip = zipOf({ 'a.py': 'pass' })
      const central = zip.indexOf('PK\x01\x02')
      zip.writeUInt16LE(value, central + offset + 2)
      expect(() => checkZip(zip)).toThrow('Could not unzip uploaded file')
    }
  })

  test('whose every byte may be wrong is refused or read, and never breaks anything else', () => {
    const whole = zipOf({ 'a.py': 'def handler(): pass', 'lib/b.py': 'pass' })
    for (let at = 0; at < whole.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const zip = Buffer.from(whole)
        zip[at] = zip[at]! ^ flip
        try {
          checkZip(zip)
        } catch (error) {
          expect((error as Error).name).toBe('ZipError')
        }
      }
    }
  })
})
