/** A connection to one LDAP server: encrypted and verified before anything is sent over it. */
import { isIP } from 'node:net'
import {
  Client,
  ConstraintViolationError,
  type Entry,
  InappropriateAuthError,
  InsufficientAccessError,
  InvalidCredentialsError,
  InvalidDNSyntaxError,
  NoSuchObjectError,
  type SearchOptions,
  SizeLimitExceededError,
  UnwillingToPerformError,
} from 'ldapts'
import type { LdapServer } from './servers.ts'

export interface SessionOptions {
  /** Where hosts are found, where DNS does not say so: MERLON_FEDERATION_HOSTS. TLS is verified for the name. */
  readonly hosts?: ReadonlyMap<string, { readonly address: string; readonly port: number }> | undefined
  /** PEM. Default: the certificate authorities that the system trusts. */
  readonly ca?: string | undefined
}

/** A server that does not answer is passed over after this. */
const CONNECT_MS = 1_000
const OPERATION_MS = 5_000
const PAGE = 500

/**
 * A server that refuses a bind says so in several ways: for names it does not know, people without a password, or accounts
 * that are locked. None of them means that the server cannot be used, and none may show who exists.
 */
const REFUSALS = [
  InvalidCredentialsError,
  InappropriateAuthError,
  NoSuchObjectError,
  InvalidDNSyntaxError,
  ConstraintViolationError,
  InsufficientAccessError,
  UnwillingToPerformError,
]

/** No server of the domain could be used: it must never look like a refused password. */
export class DirectoryUnavailableError extends Error {
  override readonly name = 'DirectoryUnavailableError'
}

/** A listing was not finished, because the directory has more than fits its budget. */
export class DirectoryTooLargeError extends Error {
  override readonly name = 'DirectoryTooLargeError'
}

export class LdapSession {
  readonly #client: Client

  private constructor(client: Client) {
    this.#client = client
  }

  /** Throws when the server does not answer, or its certificate is not the server's. */
  static async open(server: LdapServer, { ca, hosts }: SessionOptions): Promise<LdapSession> {
    const place = hosts?.get(server.host.toLowerCase())
    const scheme = server.isStartTls ? 'ldap' : 'ldaps'
    const tls = {
      minVersion: 'TLSv1.2' as const,
      ...(isIP(server.host) === 0 && { servername: server.host }),
      ...(ca !== undefined && { ca }),
    }
    const client = new Client({
      url: place ? `${scheme}://${place.address}:${place.port}` : server.url,
      connectTimeout: CONNECT_MS,
      timeout: OPERATION_MS,
      // The client takes TLS options as a wish for TLS from the start.
      ...(!server.isStartTls && { tlsOptions: tls }),
      strictDN: false,
    })
    if (server.isStartTls) await client.startTLS(tls)
    return new LdapSession(client)
  }

  /**
   * The diagnostic text of a refused bind, undefined when it was accepted. An empty password is refused here: servers
   * answer such a bind with success, as an anonymous one (RFC 4513 §5.1.2).
   */
  async bind(name: string, password: string): Promise<string | undefined> {
    if (password === '' || name === '') return 'an empty name or password'
    try {
      await this.#client.bind(name, password)
      return undefined
    } catch (error) {
      if (REFUSALS.some((Refusal) => error instanceof Refusal)) return (error as Error).message
      throw error
    }
  }

  /** Referrals are not followed. None where more than `sizeLimit` match: an ambiguous name means no entry. */
  async search(base: string, options: SearchOptions): Promise<readonly Entry[]> {
    try {
      const { searchEntries } = await this.#client.search(base, {
        derefAliases: 'never',
        ...(options.scope !== 'base' && options.sizeLimit === undefined && { paged: { pageSize: PAGE } }),
        ...options,
      })
      return searchEntries
    } catch (error) {
      if (error instanceof SizeLimitExceededError) return []
      throw error
    }
  }

  /** Page by page. Throws a {@link DirectoryTooLargeError} beyond `max` entries. */
  async searchAll(base: string, max: number, options: SearchOptions): Promise<readonly Entry[]> {
    const found: Entry[] = []
    const paged = { pageSize: PAGE }
    for await (const { searchEntries } of this.#client.searchPaginated(base, {
      derefAliases: 'never',
      scope: 'sub',
      paged,
      ...options,
    })) {
      if (found.length + searchEntries.length > max) throw new DirectoryTooLargeError(`More than ${max} entries match.`)
      found.push(...searchEntries)
    }
    return found
  }

  async close(): Promise<void> {
    await this.#client.unbind().catch(() => undefined)
  }
}

/** The values of an attribute, as text. */
export function attributesOf(entry: Entry, name: string): readonly string[] {
  const value = entry[name]
  const all = value === undefined ? [] : Array.isArray(value) ? value : [value]
  return all.map((each) => (typeof each === 'string' ? each : each.toString('utf8'))).filter((text) => text !== '')
}

/** The first value of an attribute, as text. */
export const attributeOf = (entry: Entry, name: string): string | undefined => attributesOf(entry, name)[0]
