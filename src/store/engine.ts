/** SQLite by the interface of `node:sqlite`: the built-in module where Node has it, a prebuilt package elsewhere. */
import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Statement {
  run(...parameters: readonly SqlValue[]): unknown
  get(...parameters: readonly SqlValue[]): Record<string, SqlValue> | undefined
  all(...parameters: readonly SqlValue[]): Record<string, SqlValue>[]
}
export type SqlValue = string | number | bigint | null | Uint8Array

export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

/** Another connection, of this process or another, holds the lock. */
export const isBusy = (error: unknown): boolean => error instanceof Error && /locked|busy/i.test(error.message)

interface Module {
  DatabaseSync: new (file: string, options?: { readonly readOnly?: boolean }) => Database
  backup(source: Database, file: string, options: { readonly rate: number }): Promise<number>
}

/** Opens a file, or `:memory:`. A new file is readable by its owner only, and so are the log files SQLite puts beside it. */
export async function openDatabase(file: string, which: 'any' | 'new' = 'any'): Promise<Database> {
  const { DatabaseSync } = await load()
  if (file !== ':memory:') createPrivately(file, which)
  return new DatabaseSync(file)
}

/** A file that exists, only to look at. */
export async function openReadOnly(file: string): Promise<Database> {
  const { DatabaseSync } = await load()
  return new DatabaseSync(file, { readOnly: true })
}

/** Copies a database into a new file, page by page, off the calling thread. */
export async function copyDatabase(source: Database, file: string): Promise<void> {
  const { backup } = await load()
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    // All pages in one step: in smaller ones the copy would start again with every commit that comes between.
    await backup(source, file, { rate: 2 ** 31 - 1 })
    fsyncSync(descriptor)
    syncDirectory(dirname(file))
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
}

function createPrivately(file: string, which: 'any' | 'new'): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
    syncDirectory(dirname(file))
  } catch (error) {
    if (which === 'new' || (error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** A new file's name is durable only once its directory is. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

async function load(): Promise<Module> {
  // `node:sqlite` needs a flag below 22.13, and does not exist on 20.
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 13))
    return withoutExperimentalWarning(() => import('node:sqlite' as string) as Promise<Module>)
  return import('@photostructure/sqlite') as unknown as Promise<Module>
}

/** Some releases of Node warn of their SQLite at each start. It is tested as the prebuilt one is (`contract.ts`). */
async function withoutExperimentalWarning<T>(load: () => Promise<T>): Promise<T> {
  const { emitWarning } = process
  process.emitWarning = (warning: string | Error, ...more: unknown[]): void => {
    if (/^SQLite is an experimental feature/.test(String(warning))) return
    Reflect.apply(emitWarning, process, [warning, ...more])
  }
  try {
    return await load()
  } finally {
    process.emitWarning = emitWarning
  }
}
