/** Reads the messages of a spool directory: `.eml` files that the folder mailer has written, or another program put there. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from 'postal-mime'

export interface SpooledMail {
  readonly to: string
  readonly subject: string
  readonly text: string
  /** Epoch milliseconds: when the message was written. */
  readonly at: number
}

/** A directory may hold years of mail: so many of the newest are read. */
const MESSAGES_MAX = 1_000
const BYTES_MAX = 1024 * 1024

/** Oldest first. Files that are no messages, or too large to be ours, are left out. */
export async function readSpool(directory: string): Promise<readonly SpooledMail[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.eml'))
  const files = await Promise.all(
    names.map(async (name) => {
      const file = join(directory, name)
      const found = await stat(file)
      return { file, mtimeMs: found.mtimeMs, isReadable: found.isFile() && found.size <= BYTES_MAX }
    }),
  )
  const newest = files
    .filter(({ isReadable }) => isReadable)
    .sort((a, b) => a.mtimeMs - b.mtimeMs || (a.file < b.file ? -1 : 1))
    .slice(-MESSAGES_MAX)
  const { default: PostalMime } = await import('postal-mime')
  return Promise.all(
    newest.map(async ({ file, mtimeMs }) => {
      const { to, subject, text } = await PostalMime.parse(await readFile(file))
      return { to: (to ?? []).map(shown).join(', '), subject: subject ?? '', text: text ?? '', at: Math.floor(mtimeMs) }
    }),
  )
}

const shown = ({ address, name }: Address): string => address ?? name
