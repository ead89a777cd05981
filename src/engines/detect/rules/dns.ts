/** Queries that carry data, that look generated, or whose answers lead inside. */
import { createHash } from 'node:crypto'
import { ownedDomain, registeredDomain } from '../domain-name.ts'
import { type Detection, NONE, type Rule, type RuleFactory } from '../rule.ts'
import type { DnsEvent } from '../types.ts'
import { flowParts } from './flow-parts.ts'
import { nameScore } from './name-model.ts'
import { addValue, type Window, windowAt } from './windows.ts'

const EC2 = 'https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-ec2.html'
const MINUTE_MS = 60_000

const instanceOf = ({ instanceId, sourceAddress, vpcId }: DnsEvent): string => instanceId || `${vpcId} ${sourceAddress}`

// ---------------------------------------------------------- exfiltration

const TUNNEL = {
  windowMs: 10 * MINUTE_MS,
  /** Different names of one domain. */
  namesMin: 50,
  /** Characters in front of the domain, in all. */
  charactersMin: 2_000,
  /** Bits a character: base32 and hexadecimal are above, words are below. */
  entropyMin: 3.2,
  meanLengthMin: 24,
}

/** Shannon entropy of the characters, in bits. */
export function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const each of text) counts.set(each, (counts.get(each) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** Services whose own names carry identifiers in great number. */
const CARRIERS = /(?:^|\.)(?:in-addr\.arpa|ip6\.arpa|amazonaws\.com|cloudfront\.net|compute\.internal)$/

export const dnsExfiltration: RuleFactory = ({ state }): Rule => {
  const windows = state.table<Window>('dns-tunnels')
  return {
    name: 'dns-data-exfiltration',
    types: ['Trojan:EC2/DNSDataExfiltration'],
    source: `${EC2}#trojan-ec2-dnsdataexfiltration`,
    dns: (event) => {
      const domain = ownedDomain(event.name)
      const data = event.name.slice(0, -domain.length).replaceAll('.', '')
      if (data.length < TUNNEL.meanLengthMin || CARRIERS.test(event.name) || entropy(data) < TUNNEL.entropyMin)
        return NONE
      const key = `${instanceOf(event)} ${domain}`
      const window = windowAt(windows, key, event.time, TUNNEL.windowMs)
      const known = window.values.length
      // A short fingerprint is enough to distinguish names.
      addValue(window, createHash('sha256').update(data).digest('base64').slice(0, 8), event.id, TUNNEL.namesMin)
      const isNew = window.values.length > known || known >= TUNNEL.namesMin
      if (isNew) window.amount += data.length
      const isFound = !window.done && window.values.length >= TUNNEL.namesMin && window.amount >= TUNNEL.charactersMin
      if (isFound) window.done = true
      windows.put(key, window)
      if (!isFound) return NONE
      return [
        {
          type: 'Trojan:EC2/DNSDataExfiltration',
          detail: `${window.amount} characters in names below ${domain} in ${Math.ceil((event.time - window.from) / MINUTE_MS)} minutes`,
          aggregate: domain,
          eventIds: window.ids,
          firstSeen: window.from,
          additionalInfo: { domain, characters: window.amount },
        },
      ]
    },
  }
}

// ------------------------------------------------------ generated domains

const GENERATED = { windowMs: 10 * MINUTE_MS, domainsMin: 15, scoreMin: 5, lengthMin: 8, lengthMax: 40 }

const isGenerated = (domain: string): boolean => {
  const name = domain.slice(0, domain.indexOf('.'))
  const isLong = name.length >= GENERATED.lengthMin && name.length <= GENERATED.lengthMax
  // Punycode has letters in an order of its own.
  return isLong && !name.startsWith('xn--') && nameScore(name) >= GENERATED.scoreMin
}

export const generatedDomains: RuleFactory = ({ state }): Rule => {
  const windows = state.table<Window>('generated-domains')
  return {
    name: 'generated-domains',
    types: ['Trojan:EC2/DGADomainRequest.B', 'Trojan:EC2/DGADomainRequest.C!DNS'],
    source: `${EC2}#trojan-ec2-dgadomainrequestb`,
    dns: (event) => {
      const domain = registeredDomain(event.name)
      if (CARRIERS.test(event.name) || !isGenerated(domain)) return NONE
      const key = instanceOf(event)
      const window = windowAt(windows, key, event.time, GENERATED.windowMs)
      addValue(window, domain, event.id, 64)
      if (event.answers.length > 0) window.amount += 1
      const isFound = window.values.length >= GENERATED.domainsMin && !window.done
      if (isFound) window.done = true
      windows.put(key, window)
      if (!isFound) return NONE
      const exist = window.amount
      return [
        {
          type: exist > 0 ? 'Trojan:EC2/DGADomainRequest.C!DNS' : 'Trojan:EC2/DGADomainRequest.B',
          detail: `${window.values.slice(0, 3).join(', ')} and ${window.values.length - 3} more`,
          eventIds: window.ids,
          firstSeen: window.from,
          additionalInfo: { domains: window.values.slice(0, 20), existing: exist },
        },
      ]
    },
  }
}

// ------------------------------------------------------------- rebinding

const METADATA: ReadonlySet<string> = new Set(['169.254.169.254', 'fd00:ec2::254'])
/** AWS's own name of the service. */
const OWN_NAME = /^instance-data(?:\.[a-z0-9-]+)*\.(?:internal|amazonaws\.com)$|\.internal$/

export const metadataRebind: RuleFactory = (): Rule => ({
  name: 'metadata-dns-rebind',
  types: ['UnauthorizedAccess:EC2/MetadataDNSRebind'],
  source: `${EC2}#unauthorizedaccess-ec2-metadatadnsrebind`,
  dns: (event) =>
    event.answers.some(({ data }) => METADATA.has(data)) && !OWN_NAME.test(event.name)
      ? [{ type: 'UnauthorizedAccess:EC2/MetadataDNSRebind', detail: event.name, aggregate: event.name }]
      : NONE,
})

// ---------------------------------------------------------------- mining

/** Public pools, by the domains that their own instructions name for miners. */
const MINING_DOMAINS = [
  '2miners.com',
  'antpool.com',
  'c3pool.com',
  'crypto-pool.fr',
  'dwarfpool.com',
  'ethermine.org',
  'f2pool.com',
  'flypool.org',
  'hashvault.pro',
  'herominers.com',
  'minergate.com',
  'minexmr.com',
  'moneroocean.stream',
  'nanopool.org',
  'nicehash.com',
  'poolin.com',
  'slushpool.com',
  'sparkpool.com',
  'supportxmr.com',
  'unmineable.com',
  'viabtc.com',
  'xmrpool.eu',
]
const MINING_LIST = {
  listName: 'merlon-mining-domains',
  listSha256: createHash('sha256').update(MINING_DOMAINS.join('\n')).digest('hex'),
}

/** The address of a pool is remembered: a flow to it is mining, whatever its port. */
export const mining: RuleFactory = ({ state, lookups, endsOf }): Rule => {
  const domains = new Set(MINING_DOMAINS)
  const addresses = state.table<string>('mining-addresses', 5_000)
  return {
    name: 'cryptocurrency-mining',
    types: ['CryptoCurrency:EC2/BitcoinTool.B', 'CryptoCurrency:EC2/BitcoinTool.B!DNS'],
    source: `${EC2}#cryptocurrency-ec2-bitcointoolb`,
    dns: (event) => {
      const domain = registeredDomain(event.name)
      if (!domains.has(domain)) return NONE
      for (const { type, data } of event.answers)
        if ((type === 'A' || type === 'AAAA') && addresses.get(data) !== domain) addresses.put(data, domain)
      const evidence = [{ ...MINING_LIST, threatNames: [domain] }]
      return [{ type: 'CryptoCurrency:EC2/BitcoinTool.B!DNS', detail: event.name, aggregate: domain, evidence }]
    },
    flow: (event): readonly Detection[] => {
      const ends = endsOf(event)
      if (ends?.direction !== 'OUTBOUND' || ends.isAnswer || !event.accepted) return NONE
      const domain = addresses.get(ends.remoteAddress)
      if (domain === undefined) return NONE
      return [
        {
          type: 'CryptoCurrency:EC2/BitcoinTool.B',
          detail: `an address of ${domain}`,
          aggregate: domain,
          evidence: [{ ...MINING_LIST, threatNames: [domain] }],
          ...flowParts(event, ends, lookups),
        },
      ]
    },
  }
}
