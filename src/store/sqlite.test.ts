/** SQLite passes the contract in memory and in a file, and keeps what it acknowledged. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { storeContract } from './contract.ts'
import { openStore } from './sqlite.ts'

const directory = mkdtempSync(join(tmpdir(), 'merlon-store-'))
afterAll(() => rmSync(directory, { recursive: true }))
let files = 0
const newFile = () => join(directory, `${files++}.db`)

storeContract('SQLite in memory', () => openStore({ file: ':memory:' }))
storeContract('SQLite in a file', () => openStore({ file: newFile() }))

test('documents, log and revision are there after closing and opening', async () => {
  const file = newFile()
  const store = await openStore({ file })
  await store.run((unit) => unit.put('a', { n: 1 }))
  const { revision } = store
  await store.close()

  const again = await openStore({ file })

  expect(await again.reader.get('a')).toEqual({ n: 1 })
  expect(again.revision).toBeGreaterThanOrEqual(revision)
  await again.close()
})

test('a second process on the same data is told so', async () => {
  const file = newFile()
  const { writeFileSync } = await import('node:fs')
  writeFileSync(`${file}.lock`, '1')

  await expect(openStore({ file })).rejects.toThrow(/Another Merlon \(process 1\) is using this data/)
})

test('a backup taken while work goes on opens as a store', async () => {
  const store = await openStore({ file: newFile() })
  await store.run((unit) => unit.put('a', { n: 1 }))
  const copy = newFile()

  await store.backup(copy)

  const restored = await openStore({ file: copy })
  expect(await restored.reader.get('a')).toEqual({ n: 1 })
  await restored.close()
  await store.close()
})

test('a document cannot be changed in place', async () => {
  const store = await openStore({ file: newFile(), documentsCachedMax: 0 })
  await store.run((unit) => unit.put('a', { n: 1 }))

  const document = (await store.reader.get<{ n: number }>('a'))!

  expect(() => Object.assign(document, { n: 2 })).toThrow(TypeError)
  await store.close()
})
