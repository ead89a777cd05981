/** The webhook port: HTTP requests to addresses that customers register, used only through the outbox. */
import { port } from './port.ts'

export interface Webhook {
  /** The account on whose behalf it is sent. */
  readonly account: string
  /** HTTPS. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON text. */
  readonly body: string
}

export interface WebhookPort {
  /**
   * Posts the body; `key` is sent as `Idempotency-Key`. May be called again for the same key. Throws unless the answer is 2xx.
   */
  deliver(message: Webhook, key: string): Promise<void>
}

export const webhook = port<WebhookPort>('webhook')
