/**
 * Mail transports, as the operator configures them: `smtp://USER:PASSWORD@HOST:587?from=merlon@corp.test` (STARTTLS when
 * offered; `&tls=required` refuses to go on without, `&tls=none` does not use it), `smtps://…` (TLS from the start), or `file:///var/spool/merlon` (one .eml file
 * a message).
 *
 * @example
 * const transport = readMailTransport('smtps://merlon:secret@mail.corp.test?from=merlon@corp.test')
 */
import { fileURLToPath } from 'node:url'
import type { MailPort } from '../../kernel/ports/mail.ts'
import { folderMailer } from './folder.ts'
import { smtpMailer } from './smtp.ts'

export interface MailTransport extends MailPort {
  /** Without user name and password: fit for logs. */
  readonly name: string
}

const FORMS = 'smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS, smtps://… or file:///DIRECTORY'

/** Throws an error with a sentence for the operator; never quotes a password. */
export function readMailTransport(text: string): MailTransport {
  if (!URL.canParse(text)) throw new Error(`Expected ${FORMS}.`)
  const url = new URL(text)
  const name = `${url.protocol}//${url.host}${url.protocol === 'file:' ? url.pathname : ''}`
  const from = url.searchParams.get('from') ?? 'merlon@localhost'
  switch (url.protocol) {
    case 'smtp:':
    case 'smtps:':
      if (!url.hostname) throw new Error(`${name} has no host: expected ${FORMS}.`)
      return { name, ...smtpMailer(url, from) }
    case 'file:':
      return { name, ...folderMailer(fileURLToPath(url.origin === 'null' ? `file://${url.pathname}` : url), from) }
    default:
      throw new Error(`${name} is not a mail transport: expected ${FORMS}.`)
  }
}
