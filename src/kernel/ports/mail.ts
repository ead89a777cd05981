/** The mail port: provided by the server's mail transport, used only through the outbox. */
import { port } from './port.ts'

export interface Mail {
  /** The account on whose behalf it is sent. */
  readonly account: string
  readonly to: string
  readonly subject: string
  readonly text: string
  readonly html?: string
}

export interface MailPort {
  /**
   * Hands the message to the transport. May be called again for the same `key` (the Message-ID) when the transport's answer
   * was lost. Throws when the transport did not accept it.
   */
  deliver(message: Mail, key: string): Promise<void>
}

export const mail = port<MailPort>('mail')
