/**
 * Bots that are what they say, by DNS: the name of their address is below a domain of the bot's operator, and that name has the address
 * (reverse and forward). The domains are the operator's of this installation: `verified-bot-domains.txt`, one domain and bot a line.
 * Only addresses of clients that call themselves such a bot are looked up. What was found is kept; a request waits a moment for it at most.
 *
 * @example
 * # verified-bot-domains.txt
 * googlebot.com googlebot
 * search.msn.com bingbot
 *
 * Source: https://developers.google.com/search/docs/crawling-indexing/verifying-googlebot
 */
import { promises } from 'node:dns'
import { readFileSync, statSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { botOf } from '../../engines/waf/bots.ts'
import { addressBytes } from '../../engines/waf/ip-set.ts'

const FILE = 'verified-bot-domains.txt'
const LINES_MAX = 10_000
const LOOK_EVERY_MS = 60_000

/** A request waits so long for DNS at most; what arrives later is known to the next one. */
const WAIT_MS = 250
/** Of one query. */
const QUERY_MS = 2_000
/** Lookups at a time; clients beyond them are not verified. */
const RUNNING_MAX = 50
const KNOWN_MAX = 20_000
/** Names of an address that are confirmed; an address may have very many. */
const NAMES_MAX = 5
const FOUND_MS = 6 * 3_600_000
const NOT_FOUND_MS = 15 * 60_000
/** After a query without an answer. */
const FAILED_MS = 60_000

const NO_BYTES = new Uint8Array()

interface Known {
  readonly bots: readonly string[]
  readonly until: number
}

/** Bots by domain. */
type Domains = ReadonlyMap<string, readonly string[]>

export interface VerifiedBotsOptions {
  /** With {@link FILE}, where there is one. */
  readonly directory: string
  /** Addresses of DNS servers, with ports; default: those of the system. */
  readonly servers?: readonly string[] | undefined
  readonly onError: (file: string, error: Error) => void
}

export class VerifiedBots {
  readonly #file: string
  readonly #onError: VerifiedBotsOptions['onError']
  readonly #resolver = new promises.Resolver({ timeout: QUERY_MS, tries: 1 })
  #domains: Domains
  #changedAt: number | undefined
  /** By address; the ones that were learned last at the end. */
  readonly #known = new Map<string, Known>()
  readonly #running = new Map<string, Promise<void>>()
  #timer: NodeJS.Timeout | undefined

  /** Throws with the name of the file and the line for a file that is not valid. */
  constructor({ directory, servers, onError }: VerifiedBotsOptions) {
    this.#file = join(directory, FILE)
    this.#onError = onError
    if (servers?.length) this.#resolver.setServers(servers)
    this.#changedAt = this.#changed()
    this.#domains = this.#changedAt === undefined ? new Map() : this.#read()
  }

  /** Whether what is known of an address by now says that this bot's operator has it. */
  isBot(address: string, bot: string): boolean {
    return this.#known.get(address)?.bots.includes(bot) ?? false
  }

  /** undefined: there is nothing to look up, or it is known. Else resolves when it is, or when a request has waited long enough. */
  learn(address: string, userAgent: string): Promise<void> | undefined {
    if (this.#domains.size === 0) return undefined
    const bot = botOf(userAgent)?.name
    if (bot === undefined || ![...this.#domains.values()].some((bots) => bots.includes(bot))) return undefined
    if ((this.#known.get(address)?.until ?? 0) > Date.now() || !addressBytes(address)) return undefined
    const running = this.#running.get(address)
    if (!running && this.#running.size >= RUNNING_MAX) return undefined
    const lookup = running ?? this.#lookUp(address)
    if (!running) this.#running.set(address, lookup)
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, WAIT_MS)
      void lookup.then(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** From now on a file that changes is read again; one that is not valid then is reported, and the one before counts. */
  start(): void {
    this.#timer = setInterval(() => this.refresh(), LOOK_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#resolver.cancel()
  }

  refresh(): void {
    const changedAt = this.#changed()
    if (changedAt === this.#changedAt) return
    try {
      this.#domains = changedAt === undefined ? new Map() : this.#read()
      this.#changedAt = changedAt
      this.#known.clear()
    } catch (error) {
      this.#onError(this.#file, error as Error)
    }
  }

  #changed(): number | undefined {
    return statSync(this.#file, { throwIfNoEntry: false })?.mtimeMs
  }

  #read(): Domains {
    try {
      return domainsOf(readFileSync(this.#file, 'utf8'))
    } catch (error) {
      throw new Error(`MERLON_ADDRESS_LISTS: ${this.#file}: ${(error as Error).message}`)
    }
  }

  /** Never rejects. */
  async #lookUp(address: string): Promise<void> {
    try {
      const bots = await this.#botsAt(address)
      this.#keep(address, { bots, until: Date.now() + (bots.length > 0 ? FOUND_MS : NOT_FOUND_MS) })
    } catch {
      this.#keep(address, { bots: [], until: Date.now() + FAILED_MS })
    } finally {
      this.#running.delete(address)
    }
  }

  #keep(address: string, known: Known): void {
    this.#known.delete(address)
    this.#known.set(address, known)
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!)
  }

  async #botsAt(address: string): Promise<readonly string[]> {
    const names = await this.#resolver.reverse(address).catch(absent)
    const claimed = names
      .map((name) => ({ name, bots: this.#botsOf(name) }))
      .filter(({ bots }) => bots.length > 0)
      .slice(0, NAMES_MAX)
    const own = addressBytes(address)!
    for (const { name, bots } of claimed) {
      const addresses = await (isIPv6(address) ? this.#resolver.resolve6(name) : this.#resolver.resolve4(name)).catch(
        absent,
      )
      if (addresses.some((each) => Buffer.compare(addressBytes(each) ?? NO_BYTES, own) === 0)) return bots
    }
    return []
  }

  /** Below a domain, not the domain itself: operators name their machines. */
  #botsOf(name: string): readonly string[] {
    const labels = name.toLowerCase().replace(/\.$/, '').split('.')
    return labels.flatMap((_, at) => (at === 0 ? [] : (this.#domains.get(labels.slice(at).join('.')) ?? [])))
  }
}

/** A name without records is an answer; all else is none. */
function absent(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === 'ENOTFOUND' || error.code === 'ENODATA') return []
  throw error
}

function domainsOf(text: string): Domains {
  const found = new Map<string, string[]>()
  const lines = text.split('\n')
  if (lines.length > LINES_MAX) throw new Error(`more than ${LINES_MAX} lines`)
  for (const [index, line] of lines.entries()) {
    const [domain = '', bot = ''] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    if (domain === '') continue
    if (!/^([a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}$/i.test(domain) || !/^[\w-]{1,60}$/.test(bot))
      throw new Error(`line ${index + 1}: expected DOMAIN BOT`)
    const known = found.get(domain.toLowerCase()) ?? []
    found.set(domain.toLowerCase(), known)
    known.push(bot)
  }
  return found
}
