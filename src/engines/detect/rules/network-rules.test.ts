/** Rules on flows and DNS queries, at both sides of their limits. */
import { describe, expect, test } from 'vitest'
import { DAY, findingsOf, flow, MINUTE, query, START, times, typesOf } from '../detect.fixture.ts'
import { compileList } from '../lists.ts'
import type { FlowEvent, ThreatListKind } from '../types.ts'

const probe = (destinationAddress: string, destinationPort: number, more: Partial<FlowEvent> = {}) =>
  flow({ destinationAddress, destinationPort, packets: 1, bytes: 44, accepted: false, ...more })
const host = (index: number) => `203.0.${index >> 8}.${index & 255}`
const at = (start: number) => ({ start: START + start, time: START + start + 1_000 })

describe('Port scans', () => {
  test('50 ports of a host in a minute are a scan; 49 are not', () => {
    const scan = (ports: number) => typesOf(times(ports, (i) => probe('203.0.113.9', i + 1)))

    expect(scan(50)).toEqual(['Recon:EC2/Portscan'])
    expect(scan(49)).toEqual([])
  })

  test('a slow walk through ports is none', () => {
    expect(typesOf(times(200, (i) => probe('203.0.113.9', i + 1, at(i * 5_000))))).toEqual([])
  })

  test('several ports of several hosts are a scan, once a minute', () => {
    const scan = findingsOf(times(150, (i) => probe(host(i % 10), 1 + Math.floor(i / 10))))

    expect(scan.map(({ type }) => type)).toEqual(['Recon:EC2/Portscan'])
  })

  test('one port of 100 hosts is a sweep, of 99 it is not, and with whole connections it is none', () => {
    const sweep = (hosts: number, packets: number) => typesOf(times(hosts, (i) => probe(host(i), 445, { packets })))

    expect(sweep(100, 1)).toEqual(['Impact:EC2/PortSweep'])
    expect(sweep(99, 1)).toEqual([])
    expect(sweep(150, 20)).toEqual([])
  })
})

describe('Brute force', () => {
  const inbound = (i: number, more: Partial<FlowEvent> = {}) =>
    flow({
      sourceAddress: '203.0.113.9',
      destinationAddress: '10.0.0.5',
      sourcePort: 40_000 + i,
      destinationPort: 22,
      direction: 'ingress',
      packets: 20,
      bytes: 3_000,
      ...at(i * 2_000),
      ...more,
    })

  test('10 short SSH connections within five minutes are found; the target at low severity', () => {
    expect(findingsOf(times(10, (i) => inbound(i)))).toMatchObject([
      { type: 'UnauthorizedAccess:EC2/SSHBruteForce', severity: 2, resourceRole: 'TARGET' },
    ])
    expect(typesOf(times(9, (i) => inbound(i)))).toEqual([])
  })

  test('by an instance they are found at high severity', () => {
    const outbound = times(10, (i) =>
      flow({ sourcePort: 40_000 + i, destinationPort: 3389, packets: 20, bytes: 3_000, ...at(i * 2_000) }),
    )

    expect(findingsOf(outbound)).toMatchObject([
      { type: 'UnauthorizedAccess:EC2/RDPBruteForce', severity: 8, resourceRole: 'ACTOR' },
    ])
  })

  test('long sessions, and what a security group rejects, are none', () => {
    expect(typesOf(times(30, (i) => inbound(i, { packets: 5_000, bytes: 1e6 })))).toEqual([])
    expect(typesOf(times(30, (i) => inbound(i, { accepted: false })))).toEqual([])
  })
})

describe('Floods', () => {
  test.each<readonly [kind: string, more: Partial<FlowEvent>]>([
    ['Tcp', { packets: 300_000, bytes: 300_000 * 60 }],
    ['Udp', { protocol: 17, destinationPort: 9_999, packets: 300_000, bytes: 3e8 }],
    ['Dns', { protocol: 17, destinationPort: 53, packets: 60_000, bytes: 6e6 }],
    ['UdpOnTcpPorts', { protocol: 17, destinationPort: 80, packets: 60_000, bytes: 6e6 }],
    ['UnusualProtocol', { protocol: 99, destinationPort: 0, packets: 60_000, bytes: 6e6 }],
  ])('%s', (kind, more) => {
    expect(typesOf([flow(more)])).toEqual([`Backdoor:EC2/DenialOfService.${kind}`])
    expect(typesOf([flow({ ...more, packets: more.packets! / 2, bytes: more.bytes! / 2 })])).toEqual([])
  })

  test('a large transfer is none', () => {
    expect(typesOf([flow({ packets: 1e6, bytes: 1.4e9 })])).toEqual([])
  })
})

describe('What an instance never did before', () => {
  const history = times(600, (i) => flow(at(i * 30 * MINUTE)))
  const later = at(15 * DAY)

  test('a new port is found after learning, not during it', () => {
    expect(typesOf([...history, flow({ destinationPort: 6_667, ...later })])).toEqual([
      'Behavior:EC2/NetworkPortUnusual',
    ])
    expect(typesOf([...history.slice(0, 100), flow({ destinationPort: 6_667, ...later })])).toEqual([])
  })

  test('another resolver than that of the VPC is found as such', () => {
    const dns = flow({ destinationPort: 53, protocol: 17, ...later })

    expect(typesOf([...history, dns])).toEqual(['DefenseEvasion:EC2/UnusualDNSResolver'])
  })

  test('ten times the most data of an hour, and at least a gigabyte, is found', () => {
    expect(typesOf([...history, flow({ packets: 1e6, bytes: 1.2e9, ...later })])).toEqual([
      'Behavior:EC2/TrafficVolumeUnusual',
    ])
    expect(typesOf([...history, flow({ packets: 1e6, bytes: 0.9e9, ...later })])).toEqual([])
  })

  test('mail to 20 servers by an instance that never sent any is found', () => {
    const mail = (count: number) => times(count, (i) => flow({ destinationAddress: host(i), destinationPort: 25 }))

    expect(typesOf(mail(20))).toEqual(['Backdoor:EC2/Spambot'])
    expect(typesOf(mail(19))).toEqual([])
  })
})

describe('Peers on threat lists', () => {
  const list = compileList({ name: 'feed', sha256: '', entries: ['203.0.113.9', 'evil.example'] })
  const on = (kind: ThreatListKind) => ({ threatLists: [{ kind, list }] })
  const inbound = {
    sourceAddress: '203.0.113.9',
    destinationAddress: '10.0.0.5',
    destinationPort: 9_200,
    direction: 'ingress',
  } as const

  test.each<readonly [kind: ThreatListKind, outbound: string[], incoming: string[]]>([
    [
      'custom',
      ['UnauthorizedAccess:EC2/MaliciousIPCaller.Custom'],
      ['UnauthorizedAccess:EC2/MaliciousIPCaller.Custom'],
    ],
    ['tor', ['UnauthorizedAccess:EC2/TorClient'], ['UnauthorizedAccess:EC2/TorRelay']],
    ['mining', ['CryptoCurrency:EC2/BitcoinTool.B'], []],
    ['black-hole', ['Trojan:EC2/BlackholeTraffic'], []],
    ['drop-point', ['Trojan:EC2/DropPoint'], []],
    ['command-and-control', ['Backdoor:EC2/C&CActivity.B'], []],
    ['malicious', [], ['Recon:EC2/PortProbeUnprotectedPort']],
  ])('%s', (kind, outbound, incoming) => {
    expect(typesOf([flow()], on(kind))).toEqual(outbound)
    expect(typesOf([flow(inbound)], on(kind))).toEqual(incoming)
    expect(typesOf([flow({ destinationAddress: '203.0.113.10' })], on(kind))).toEqual([])
  })

  test('the instance that answers a peer has not called it', () => {
    const answer = flow({ sourcePort: 443, destinationPort: 51_000 })

    expect(typesOf([answer], on('command-and-control'))).toEqual([])
  })

  test.each<readonly [kind: ThreatListKind, type: string]>([
    ['custom', 'Impact:EC2/MaliciousDomainRequest.Custom'],
    ['malicious', 'Impact:EC2/MaliciousDomainRequest.Reputation'],
    ['command-and-control', 'Backdoor:EC2/C&CActivity.B!DNS'],
    ['black-hole', 'Trojan:EC2/BlackholeTraffic!DNS'],
    ['drop-point', 'Trojan:EC2/DropPoint!DNS'],
    ['phishing', 'Trojan:EC2/PhishingDomainRequest!DNS'],
  ])('a name below a domain of list %s: %s', (kind, type) => {
    expect(typesOf([query('a.b.evil.example')], on(kind))).toEqual([type])
    expect(typesOf([query('notevil.example')], on(kind))).toEqual([])
  })
})

describe('DNS', () => {
  const letters = (seed: number, length: number) => {
    let state = seed + 1
    return times(length, () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
      return 'abcdefghijklmnopqrstuvwxyz234567'[(state >> 16) % 32]
    }).join('')
  }
  const tunnel = (count: number, length = 50) =>
    typesOf(times(count, (i) => query(`${letters(i, length)}.t.evil.example`)))

  test('50 long random names below a domain carry data; 49, short ones or words do not', () => {
    expect(tunnel(50)).toEqual(['Trojan:EC2/DNSDataExfiltration'])
    expect(tunnel(49)).toEqual([])
    expect(tunnel(200, 12)).toEqual([])
    expect(typesOf(times(200, (i) => query(`images-${i % 9}-static-content-delivery.shop.example`)))).toEqual([])
  })

  test('names are counted by the domain that its owner has: below a public suffix of any depth, and below a hosting company', () => {
    const below = (domain: (i: number) => string) => typesOf(times(60, (i) => query(`${letters(i, 50)}.${domain(i)}`)))
    expect(below(() => 'evil.co.za')).toEqual(['Trojan:EC2/DNSDataExfiltration'])
    expect(below(() => 'evil.github.io')).toEqual(['Trojan:EC2/DNSDataExfiltration'])
    expect(below((i) => `customer${i}.co.za`)).toEqual([])
    expect(below((i) => `customer${i}.azurewebsites.net`)).toEqual([])
  })

  test('15 domains that look generated are found; with answers as the other type', () => {
    const random = (i: number) => `${letters(i, 14).replace(/[0-9]/g, 'q')}.com`
    const answers = [{ type: 'A', data: '203.0.113.9' }]

    expect(typesOf(times(20, (i) => query(random(i), { responseCode: 'NXDOMAIN' })))).toEqual([
      'Trojan:EC2/DGADomainRequest.B',
    ])
    expect(typesOf(times(20, (i) => query(random(i), { answers })))).toEqual(['Trojan:EC2/DGADomainRequest.C!DNS'])
    expect(typesOf(times(10, (i) => query(random(i))))).toEqual([])
  })

  test('domains that people named are not', () => {
    const names =
      'stackoverflow wikipedia microsoft kubernetes elasticsearch postgresql raspberrypi launchpad wordpress theguardian nytimes washingtonpost instagram salesforce atlassian digitalocean cloudflare hashicorp'
    expect(typesOf(names.split(' ').map((name) => query(`${name}.com`)))).toEqual([])
  })

  test('a domain that resolves to the metadata service is found; its own name is not', () => {
    const answers = [{ type: 'A', data: '169.254.169.254' }]

    expect(typesOf([query('rebind.example', { answers })])).toEqual(['UnauthorizedAccess:EC2/MetadataDNSRebind'])
    expect(typesOf([query('instance-data.ec2.internal', { answers })])).toEqual([])
  })

  test('a mining pool is found by its domain, and then by the address that it resolved to', () => {
    const pool = query('xmr.nanopool.org', { answers: [{ type: 'A', data: '203.0.113.77' }] })

    expect(typesOf([pool, flow({ destinationAddress: '203.0.113.77', destinationPort: 443 })])).toEqual([
      'CryptoCurrency:EC2/BitcoinTool.B',
      'CryptoCurrency:EC2/BitcoinTool.B!DNS',
    ])
  })
})

test('Without a direction in the record, the address that all records of an interface share is the instance', () => {
  const plain = (i: number) => {
    const { direction: _, ...event } = probe('10.0.9.9', i + 1, { instanceId: '' })
    return event
  }
  const others = { ...plain(0), destinationAddress: '10.0.8.8' }

  expect(typesOf([others, ...times(60, plain)])).toEqual(['Recon:EC2/Portscan'])
})
