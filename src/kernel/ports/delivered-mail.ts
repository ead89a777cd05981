/** The delivered mail port: messages that stay in the server's memory. Provided with `--dev` alone. */
import type { Mail } from './mail.ts'
import { port } from './port.ts'

export interface DeliveredMailPort {
  /** Oldest first; `key` is the one that a message was sent under. */
  delivered(): readonly (Mail & { readonly key: string })[]
}

export const deliveredMail = port<DeliveredMailPort>('delivered-mail')
