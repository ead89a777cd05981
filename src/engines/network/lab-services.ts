/**
 * Addresses at which a lab with a server has services: the metadata service and the resolver within each instance, the API on the
 * internet. Pure: rules of nftables as text.
 */
import { parseBlock, printAddress } from './addresses.ts'
import { chainText } from './lab-filters.ts'
import type { Interface, Network } from './network.ts'

export const METADATA_ADDRESS = '169.254.169.254'
export const METADATA_PORT = 80
const RESOLVER_ADDRESS = '169.254.169.253'
/** For documentation (RFC 5737): no host of the internet has it. */
export const API_ADDRESS = '192.0.2.1'
/** Both without TLS: security groups usually let 443 out. */
export const API_PORTS = [443, 80] as const

/** Where queries of the interface are taken: the link-local address, and the third one of its VPC. */
export function resolversOf({ subnets, routeTables, interfaces }: Network, { subnet }: Interface): readonly string[] {
  const table = subnets.find(({ id }) => id === subnet)?.routeTable
  const routes = routeTables.find(({ id }) => id === table)?.routes ?? []
  const plusTwo = routes.flatMap(({ destination, target }) => {
    const block = target === 'local' ? parseBlock(destination) : undefined
    return block?.family === 4 ? [printAddress(4, block.first + 2n)] : []
  })
  // Reserved on AWS; files may say otherwise.
  const isFree = (address: string) => interfaces.every((eni) => eni.address !== address)
  return [RESOLVER_ADDRESS, ...new Set(plusTwo.filter(isFree))]
}

/** Connections to the metadata service, and queries, from the end itself and what runs behind it, never from the network. */
export const serviceRules = (addresses: readonly string[]): string =>
  [
    'table ip services {\n',
    chainText('received', [
      'type filter hook input priority 0;',
      `iifname "eth0" ip daddr { ${addresses.join(', ')} } drop`,
      // "PUT ": the connection carries a token.
      `ip daddr ${METADATA_ADDRESS} tcp dport ${METADATA_PORT} @ih,0,32 0x50555420 ct mark set 1`,
    ]),
    chainText('sent', ['type filter hook output priority 0;']),
    '}\n',
  ].join('')

/**
 * The packets of tokens go `hops` hops far: the first of them, from the service to the instance, is none here, where the service is
 * within the instance.
 */
export function hopRules(hops: number): string {
  const packets = `oifname != "lo" ip saddr ${METADATA_ADDRESS} ct mark 1`
  const rule = hops <= 1 ? `${packets} drop` : `${packets} ip ttl set ${hops - 1}`
  return `flush chain ip services sent\nadd rule ip services sent ${rule}\n`
}
