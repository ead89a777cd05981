/** SQLite by the interface of `node:sqlite`: the built-in module where Node has it, a prebuilt package elsewhere. */

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

interface Module {
  DatabaseSync: new (file: string) => Database
}

/** Opens a file, or `:memory:`. */
export async function openDatabase(file: string): Promise<Database> {
  const { DatabaseSync } = await load()
  return new DatabaseSync(file)
}

async function load(): Promise<Module> {
  // `node:sqlite` warns as experimental below 22.13, and does not exist on 20.
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 22 || (major === 22 && minor >= 13)) return import('node:sqlite' as string) as Promise<Module>
  return import('@photostructure/sqlite') as unknown as Promise<Module>
}
