/** Mail over SMTP (RFC 5321), by nodemailer; loaded with the first message. */
import { createHash } from 'node:crypto'
import type { Transporter } from 'nodemailer'
import type { Mail, MailPort } from '../../kernel/ports/mail.ts'

const TIMEOUT_MS = 10_000

export function smtpMailer(url: URL, from: string): MailPort {
  let opened: Promise<Transporter> | undefined
  const open = async (): Promise<Transporter> => {
    const { createTransport } = await import('nodemailer')
    return createTransport({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      ...(url.port && { port: Number(url.port) }),
      secure: url.protocol === 'smtps:',
      requireTLS: url.searchParams.get('tls') === 'required',
      ignoreTLS: url.searchParams.get('tls') === 'none',
      ...(url.username && { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
      // A message must not make the server read files or fetch addresses.
      disableFileAccess: true,
      disableUrlAccess: true,
    })
  }
  return {
    deliver: async (message, key) => {
      opened ??= open()
      await (await opened).sendMail(envelope(message, key, from))
    },
  }
}

/** As nodemailer takes it. The Message-ID follows from the key, so that a repeated message is the same one. */
export function envelope({ to, subject, text, html }: Mail, key: string, from: string) {
  return {
    from,
    to: { name: '', address: to },
    subject,
    text,
    ...(html !== undefined && { html }),
    messageId: `<${createHash('sha256').update(key).digest('hex').slice(0, 32)}@${from.slice(from.lastIndexOf('@') + 1)}>`,
  }
}
