/** Mail as files in a directory: one `.eml` (RFC 5322) a message, for development and for spools that others empty. */
import { createHash } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MailPort } from '../../kernel/ports/mail.ts'
import { envelope } from './smtp.ts'

export function folderMailer(directory: string, from: string): MailPort {
  return {
    deliver: async (message, key) => {
      const { createTransport } = await import('nodemailer')
      const printer = createTransport({
        streamTransport: true,
        buffer: true,
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      const { message: printed } = await printer.sendMail(envelope(message, key, from))
      await mkdir(directory, { recursive: true, mode: 0o700 })
      // The name follows from the key: a repeated message replaces itself.
      const file = join(directory, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.eml`)
      await writeFile(`${file}.new`, printed as Buffer, { mode: 0o600 })
      await rename(`${file}.new`, file)
    },
  }
}
