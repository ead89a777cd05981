/** The password a node comes with: in a file that is read for each connection, and can be changed while nodes run. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type pg from 'pg'
import { type ConnectionSettings, clientOf, drop, quoted } from './connection.ts'

const BYTES = 32

/** Where a password waits until the database knows it. */
const nextOf = (file: string): string => `${file}.next`

export interface PasswordTools {
  /** Durable when it returns, 0600. */
  replace(file: string, content: string): void
  remove(file: string): void
  /** What the database keeps of a password, so that the password itself is never in a statement or its log. */
  verifier(password: string): string
}

/**
 * Gives this node's own role a new password. The new one is on disk before the database knows it, and takes the place of
 * the old one only when it opens a connection; so whatever is interrupted is finished by doing it again. Connections
 * that are open stay open.
 */
export async function rotatePassword(
  place: ConnectionSettings & { readonly passwordFile: string },
  tools: PasswordTools,
): Promise<void> {
  const { passwordFile: file } = place
  if (existsSync(nextOf(file)) && (await opens(place, read(nextOf(file))))) return settle(file, tools)

  const next = randomBytes(BYTES).toString('base64url')
  const client = await connected(place, read(file))
  try {
    const { rows } = await client.query<{ role: string }>('SELECT current_user AS role')
    tools.replace(nextOf(file), `${next}\n`)
    await client.query(`ALTER ROLE ${quoted(rows[0]!.role)} PASSWORD '${tools.verifier(next)}'`)
  } finally {
    drop(client)
  }
  if (!(await opens(place, next))) throw new Error('the database does not take the new password; the old one was kept')
  settle(file, tools)
}

function settle(file: string, tools: PasswordTools): void {
  tools.replace(file, readFileSync(nextOf(file), 'utf8'))
  tools.remove(nextOf(file))
}

const read = (file: string): string => readFileSync(file, 'utf8').replace(/\r?\n$/, '')

async function opens(place: ConnectionSettings, password: string): Promise<boolean> {
  try {
    drop(await connected(place, password))
    return true
  } catch (error) {
    if ((error as { code?: string }).code === '28P01') return false
    throw error
  }
}

async function connected(place: ConnectionSettings, password: string): Promise<pg.Client> {
  const client = clientOf(place, { password })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    drop(client)
    throw error
  }
}
