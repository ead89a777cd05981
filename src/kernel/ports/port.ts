/**
 * Ports: what one service or plane offers to others, found by a token that carries its type. Services never import each
 * other; the provider and the users import the token's file.
 *
 * @example
 * // kernel/ports/mail.ts
 * export interface MailPort { deliver(mail: Mail, key: string): Promise<void> }
 * export const mail = port<MailPort>('mail')
 * // the provider
 * ports.provide(provide(mail, smtpMailer(options)))
 * // a user
 * await use(mail).deliver(message, key)
 */

/** Names a port and carries the type of what it provides. */
export interface PortToken<T> {
  readonly name: string
  /** Never present: carries the type. */
  readonly type?: T
}

/** A port together with its provider's implementation; made by {@link provide}. */
export interface Provided<T = unknown> {
  readonly token: PortToken<T>
  readonly value: T
}

/** Returns what is provided under a token. Throws `MissingPortError` when nothing is. */
export type Use = <T>(token: PortToken<T>) => T

/** A port that no service or plane provides. */
export class MissingPortError extends Error {
  override readonly name = 'MissingPortError'
}

export const port = <T>(name: string): PortToken<T> => ({ name })

/** Typed by the token: an implementation that does not fit does not compile. */
export const provide = <T>(token: PortToken<T>, value: NoInfer<T>): Provided<T> => ({ token, value })

/** The ports of one server: each has exactly one provider. */
export class PortTable {
  readonly #values = new Map<string, unknown>()

  /** Throws when the port has a provider already. */
  provide({ token, value }: Provided): void {
    if (this.#values.has(token.name)) throw new Error(`The port '${token.name}' has two providers.`)
    this.#values.set(token.name, value)
  }

  readonly use: Use = <T>(token: PortToken<T>): T => {
    const value = this.#values.get(token.name)
    if (value === undefined) throw new MissingPortError(`The port '${token.name}' has no provider.`)
    return value as T
  }

  /** To be called once all services are open: a missing provider keeps the server from starting. */
  assertProvided(needs: readonly PortToken<unknown>[], by: string): void {
    const missing = needs.filter(({ name }) => !this.#values.has(name)).map(({ name }) => name)
    if (missing.length > 0) throw new MissingPortError(`${by} needs ports without a provider: ${missing.join(', ')}.`)
  }
}
