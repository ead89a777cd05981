/** Mail in memory, for `--dev`: tests read it at `GET /_merlon/mail`. */
import type { Mail, MailPort } from '../../kernel/ports/mail.ts'

export interface DeliveredMail extends Mail {
  readonly key: string
}

export interface MemoryMailer extends MailPort {
  /** Oldest first. */
  delivered(): readonly DeliveredMail[]
}

const MESSAGES_MAX = 1_000

export function memoryMailer(): MemoryMailer {
  const messages = new Map<string, DeliveredMail>()
  return {
    deliver: async (message, key) => {
      messages.delete(key)
      messages.set(key, { ...message, key })
      if (messages.size > MESSAGES_MAX) messages.delete(messages.keys().next().value!)
    },
    delivered: () => [...messages.values()],
  }
}
