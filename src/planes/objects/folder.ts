/** Blobs as files of a directory: whole or not at all, and on disk before the write is acknowledged. */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStore } from './blobs.ts'

const DRAFT = /\.draft-[0-9a-f-]{36}$/
const ID = /^[0-9a-f-]{36}$/

/** A store that can list all its blobs. */
export interface FolderBlobs extends BlobStore {
  ids(): Promise<readonly string[]>
}

/** 0700, files 0600, in 256 folders by the first letters of their ids. */
export function folderBlobs(folder: string): FolderBlobs {
  const shelfOf = (id: string) => join(folder, id.slice(0, 2))
  const fileOf = (id: string) => join(shelfOf(id), id)
  const names = async function* () {
    for (const shelf of await readdir(folder).catch(() => []))
      for (const name of await readdir(join(folder, shelf)).catch(() => []))
        yield { name, file: join(folder, shelf, name) }
  }

  return {
    write: async (id, bytes) => {
      const shelf = shelfOf(id)
      if ((await mkdir(shelf, { recursive: true, mode: 0o700 })) !== undefined) await synced(folder)
      const draft = `${fileOf(id)}.draft-${randomUUID()}`
      try {
        const handle = await open(draft, 'wx', 0o600)
        try {
          await handle.writeFile(bytes)
          await handle.sync()
        } finally {
          await handle.close()
        }
        await rename(draft, fileOf(id))
        await synced(shelf)
      } catch (error) {
        await rm(draft, { force: true })
        throw error
      }
    },
    read: (id) => readFile(fileOf(id)).catch(nothing),
    remove: (id) => rm(fileOf(id), { force: true }),
    older: async (ageMs) => {
      const found: string[] = []
      const before = Date.now() - ageMs
      for await (const { name, file } of names()) {
        const facts = await stat(file).catch(nothing)
        if (!facts || facts.mtimeMs > before) continue
        // What a crash has left half written.
        if (DRAFT.test(name)) await rm(file, { force: true })
        else if (ID.test(name)) found.push(name)
      }
      return found
    },
    ids: async () => {
      const found: string[] = []
      for await (const { name } of names()) if (ID.test(name)) found.push(name)
      return found
    },
  }
}

function nothing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
  throw error
}

async function synced(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
