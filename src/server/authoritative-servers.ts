/**
 * The name servers of a domain, queried directly: a resolver may have an answer from before a change, or a forged one. The domain's owner
 * decides which servers these are, so their addresses come from outside: those of internal networks are never queried, unless the
 * operator has listed the host, and the number of queries and their time are bounded.
 */
import type { DomainAnswer } from '../kernel/ports/domain-records.ts'
import { isPrivateAddress } from '../kernel/resource/addresses.ts'
import { type DnsServer, printServer, type QueryType, query } from './dns-query.ts'

/** Labels that are climbed to find the zone. */
const CLIMB_MAX = 8
const HOSTS_MAX = 4
const SERVERS_MAX = 4
const LOOKUP_MS_MAX = 8_000
/** Delegations are read again after a minute. */
const KNOWN_MS = 60_000
const KNOWN_MAX = 1_000
/** So that a domain cannot turn this server against an address. */
const QUERIES_PER_MINUTE = 120
const DNS_PORT = 53

export interface NameServer extends DnsServer {
  readonly host: string
}

interface Delegation {
  /** The closest domain that has name servers. */
  readonly zone: string
  readonly servers: readonly NameServer[]
}

export interface AuthoritativeServersOptions {
  readonly resolvers: () => readonly DnsServer[]
  /** Hosts that the operator says where to find, whatever their addresses. */
  readonly hosts: ReadonlyMap<string, DnsServer>
  /** Monotone, in milliseconds. */
  readonly now?: () => number
  readonly query?: typeof query
}

export class AuthoritativeServers {
  readonly #options: AuthoritativeServersOptions
  readonly #now: () => number
  readonly #query: typeof query
  readonly #known = new Map<string, { readonly readAt: number; readonly delegation: Delegation | undefined }>()
  readonly #sent = new Map<string, number>()
  #minute = 0

  constructor(options: AuthoritativeServersOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#query = options.query ?? query
  }

  /**
   * One answer for each server that answered with authority. None where the domain has no servers that may be queried: the resolvers
   * decide then. One without a response code where there are servers and none of them answered. Never throws.
   */
  async lookup(name: string, type: 'CNAME' | 'CAA'): Promise<readonly DomainAnswer[]> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), LOOKUP_MS_MAX)
    })
    const answers = await Promise.race([this.#lookup(name, type).catch(() => undefined), late])
    clearTimeout(timer)
    return answers ?? [{ resolver: `the name servers of ${name}`, rcode: undefined, records: [] }]
  }

  async #lookup(name: string, type: 'CNAME' | 'CAA'): Promise<readonly DomainAnswer[]> {
    const delegation = await this.#delegationOf(name)
    if (!delegation || delegation.servers.length === 0) return []
    const answers = await Promise.all(delegation.servers.map((server) => this.#direct(server, name, type)))
    const given = answers.filter((answer) => answer !== undefined)
    if (given.length > 0) return given
    return [{ resolver: `the name servers of ${delegation.zone}`, rcode: undefined, records: [] }]
  }

  /** undefined for a server that does not answer, or not with authority for the name. */
  async #direct(server: NameServer, name: string, type: QueryType): Promise<DomainAnswer | undefined> {
    if (!this.#maySend(server)) return undefined
    try {
      const { rcode, isAuthoritative, records } = await this.#query(server, name, type, { recursive: false })
      return isAuthoritative ? { resolver: `${server.host} (${printServer(server)})`, rcode, records } : undefined
    } catch {
      return undefined
    }
  }

  #maySend({ address }: NameServer): boolean {
    const minute = Math.floor(this.#now() / KNOWN_MS)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#sent.clear()
    }
    const sent = (this.#sent.get(address) ?? 0) + 1
    this.#sent.set(address, sent)
    return sent <= QUERIES_PER_MINUTE
  }

  async #delegationOf(name: string): Promise<Delegation | undefined> {
    const found = this.#known.get(name)
    if (found && this.#now() - found.readAt < KNOWN_MS) return found.delegation
    const delegation = await this.#readDelegation(name)
    this.#known.delete(name)
    this.#known.set(name, { readAt: this.#now(), delegation })
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.keys().next().value!)
    return delegation
  }

  /** Not of top-level domains, whose servers have nothing of ours. */
  async #readDelegation(name: string): Promise<Delegation | undefined> {
    const labels = name.split('.')
    for (let from = 0; from < Math.min(labels.length - 1, CLIMB_MAX); from++) {
      if (labels[from]!.startsWith('_')) continue
      const zone = labels.slice(from).join('.')
      const hosts = (await this.#resolve(zone, 'NS')).filter((data) => typeof data === 'string')
      if (hosts.length > 0) return { zone, servers: await this.#serversOf([...new Set(hosts)].sort()) }
    }
    return undefined
  }

  async #serversOf(hosts: readonly string[]): Promise<readonly NameServer[]> {
    const servers: NameServer[] = []
    for (const name of hosts.slice(0, HOSTS_MAX)) {
      const host = name.toLowerCase().replace(/\.$/, '')
      const listed = this.#options.hosts.get(host)
      if (listed) servers.push({ host, ...listed })
      else
        for (const address of await this.#addressesOf(host))
          if (!isPrivateAddress(address)) servers.push({ host, address, port: DNS_PORT })
    }
    return servers.slice(0, SERVERS_MAX)
  }

  async #addressesOf(host: string): Promise<readonly string[]> {
    const ipv4 = await this.#resolve(host, 'A')
    const found = ipv4.length > 0 ? ipv4 : await this.#resolve(host, 'AAAA')
    return found.filter((data) => typeof data === 'string').slice(0, 1)
  }

  /** The data of the records at the name itself, by the first resolver that answers. */
  async #resolve(name: string, type: QueryType): Promise<readonly unknown[]> {
    for (const resolver of this.#options.resolvers()) {
      try {
        const { records } = await this.#query(resolver, name, type, { recursive: true })
        return records
          .filter((each) => each.type === type && each.name.toLowerCase() === name.toLowerCase())
          .map(({ data }) => data)
      } catch {
        // The next resolver is queried.
      }
    }
    return []
  }
}
