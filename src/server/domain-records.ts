/**
 * Public DNS: the query goes to every resolver that the operator configured (`MERLON_DNS_SERVERS`, default: the
 * machine's), and to the name servers of the domain itself, where those have public addresses.
 */
import { getServers } from 'node:dns'
import { isIP } from 'node:net'
import type { DomainAnswer, DomainRecordsPort } from '../kernel/ports/domain-records.ts'
import { AuthoritativeServers } from './authoritative-servers.ts'
import { readHosts } from './compose/outbound.ts'
import { type DnsServer, printServer, query } from './dns-query.ts'

const ATTEMPTS = 2
const SERVERS_MAX = 4

/** `192.0.2.53`, `192.0.2.53:5353`, `[2001:db8::53]:5353`, separated by commas. Throws for anything else. */
export function readDnsServers(text: string): readonly DnsServer[] {
  return text.split(',').map((part) => {
    const server = readServer(part)
    if (!server) throw new Error(`MERLON_DNS_SERVERS: '${part}' is not an address with a port`)
    return server
  })
}

const SERVER = /^\s*(?:\[([0-9a-f:.]+)\]|([0-9.]+|[0-9a-f:]+))(?::(\d{1,5}))?\s*$/i

function readServer(text: string): DnsServer | undefined {
  const [, bracketed, plain, port = '53'] = SERVER.exec(text) ?? []
  const address = bracketed ?? plain ?? text.trim()
  return isIP(address) === 0 ? undefined : { address, port: Number(port) }
}

/** The machine's; those that only this machine's resolver library understands are left out. */
const machinesServers = (): readonly DnsServer[] => getServers().flatMap((text) => readServer(text) ?? [])

const configured = (): readonly DnsServer[] | undefined => {
  const text = process.env['MERLON_DNS_SERVERS']
  return text ? readDnsServers(text) : undefined
}

/** `MERLON_DNS_HOSTS`: `ns1.corp.test=10.0.0.53:53,…`, name servers that the operator says where to find. */
const configuredHosts = () => readHosts(process.env['MERLON_DNS_HOSTS'], 'MERLON_DNS_HOSTS')

/** `MERLON_DNS_DIRECT=off`: where a firewall lets queries through to resolvers alone, no name server would answer. */
const isDirect = (): boolean => process.env['MERLON_DNS_DIRECT'] !== 'off'

export function worldsDns(servers = configured(), hosts = configuredHosts()): DomainRecordsPort {
  const resolvers = () => (servers ?? machinesServers()).slice(0, SERVERS_MAX)
  const authoritative = new AuthoritativeServers({ resolvers, hosts })
  return {
    lookup: async (fullName, type) => {
      const name = fullName.replace(/\.$/, '')
      const [recursive, direct] = await Promise.all([
        Promise.all(resolvers().map((server) => answerOf(server, name, type))),
        isDirect() ? authoritative.lookup(name, type) : [],
      ])
      return [...recursive, ...direct]
    },
  }
}

async function answerOf(server: DnsServer, name: string, type: 'CNAME' | 'CAA'): Promise<DomainAnswer> {
  const resolver = printServer(server)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const { rcode, records } = await query(server, name, type, { recursive: true })
      return { resolver, rcode, records }
    } catch {
      // Queried a second time; after that it counts as a resolver without an answer.
    }
  }
  return { resolver, rcode: undefined, records: [] }
}
