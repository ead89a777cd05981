/**
 * Passwords that are known to have leaked, by a list of the operator: SHA-1 digests in hexadecimal, one a line, sorted, each with
 * anything behind a colon. That is the form of the lists that Have I Been Pwned publishes, of many gigabytes: a password is found by
 * halving the file, so nothing of it is held in memory.
 *
 * @example
 * // MERLON_COGNITO_COMPROMISED_PASSWORDS=/etc/merlon/pwned-passwords-sha1-ordered-by-hash.txt
 */
import { createHash } from 'node:crypto'
import { accessSync, constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** A line of the list, with room. */
const LINE_BYTES = 128
const BLOCK_BYTES = 4096
const DIGEST = /^[0-9A-F]{40}(?=\r?$|:)/

const compromisedFile = (): string | undefined => process.env['MERLON_COGNITO_COMPROMISED_PASSWORDS'] || undefined

/** Throws where the list cannot be read, with the name of the variable: the server does not start then. */
export function assertReadable(name = compromisedFile()): void {
  if (name === undefined) return
  try {
    accessSync(name, constants.R_OK)
  } catch (error) {
    throw new Error(`MERLON_COGNITO_COMPROMISED_PASSWORDS: ${(error as Error).message}`)
  }
}

/** The first whole line that begins at or behind `from`, in upper case, and where it begins. */
async function lineAt(
  file: FileHandle,
  from: number,
): Promise<{ readonly text: string; readonly at: number } | undefined> {
  // One byte before: a line that begins exactly there is whole.
  const start = Math.max(0, from - 1)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2 * LINE_BYTES), 0, 2 * LINE_BYTES, start)
  const text = buffer.toString('latin1', 0, bytesRead)
  const begin = from === 0 ? 0 : text.indexOf('\n') + 1
  if (from !== 0 && begin === 0) return undefined
  const line = text.slice(begin).split('\n', 1)[0]!.toUpperCase()
  return line === '' ? undefined : { text: line, at: start + begin }
}

/** Throws for a line that is not of the form: then the file is another one, and nothing can be said of a password. */
function digestOf(file: string, text: string): string {
  const [digest] = DIGEST.exec(text) ?? []
  if (digest === undefined) throw new Error(`${file} is no list of sorted SHA-1 digests.`)
  return digest
}

/** Whether the list has the password. False without a list. Throws where the file cannot be read or is no such list. */
export async function isCompromised(password: string, name = compromisedFile()): Promise<boolean> {
  if (name === undefined) return false
  const wanted = createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase()
  const file = await open(name)
  try {
    // The line that is sought begins in [low, high).
    let [low, high] = [0, (await file.stat()).size]
    while (high - low > BLOCK_BYTES) {
      const middle = Math.floor((low + high) / 2)
      const line = await lineAt(file, middle)
      if (!line || line.at >= high) {
        high = middle
        continue
      }
      const digest = digestOf(name, line.text)
      if (digest === wanted) return true
      if (digest < wanted) low = line.at
      else high = middle
    }
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(BLOCK_BYTES + LINE_BYTES),
      0,
      BLOCK_BYTES + LINE_BYTES,
      low,
    )
    const text = buffer.toString('latin1', 0, bytesRead).toUpperCase()
    const first = text.split('\n', 1)[0]!
    if (low === 0 && first !== '') digestOf(name, first)
    return text.split('\n').some((line) => line.startsWith(wanted))
  } finally {
    await file.close()
  }
}
