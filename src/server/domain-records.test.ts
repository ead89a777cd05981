/**
 * The name servers of a domain beside a resolver, over UDP: a certificate is issued where both agree. `MERLON_DNS_DIRECT=off` leaves it
 * to the resolvers. The servers are imitations on loopback, which the operator lists as `MERLON_DNS_HOSTS` does.
 */
import { createSocket } from 'node:dgram'
import { ACMClient, DescribeCertificateCommand, RequestCertificateCommand } from '@aws-sdk/client-acm'
import { AUTHORITATIVE_ANSWER, decode, encode, type StringAnswer } from 'dns-packet'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { cloud } from '../../test/cloud.ts'
import { domainRecords } from '../kernel/ports/domain-records.ts'
import { provide } from '../kernel/ports/port.ts'
import type { DnsServer } from './dns-query.ts'
import { worldsDns } from './domain-records.ts'

interface Imitation extends DnsServer {
  /** `NAME TYPE` → data; what is absent does not exist. */
  readonly records: Map<string, unknown>
  readonly queries: string[]
}

async function imitation(flags: number): Promise<Imitation> {
  const socket = createSocket('udp4')
  const records = new Map<string, unknown>()
  const queries: string[] = []
  socket.on('message', (message, { port, address }) => {
    const { id, questions = [] } = decode(message)
    const { name, type } = questions[0]!
    queries.push(`${name} ${type}`)
    const data = records.get(`${name.toLowerCase()} ${type}`)
    const answers = data === undefined ? [] : [{ name, type, ttl: 1, class: 'IN', data } as StringAnswer]
    socket.send(encode({ type: 'response', id, flags, questions, answers }), port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => void socket.close())
  return { address: '127.0.0.1', port: socket.address().port, records, queries }
}

async function world() {
  const [resolver, nameServer] = [await imitation(0), await imitation(AUTHORITATIVE_ANSWER)]
  resolver.records.set('corp.test NS', 'ns.corp.test')
  const dns = worldsDns([resolver], new Map([['ns.corp.test', nameServer]]))
  const it = await cloud({ provides: [provide(domainRecords, dns)] })
  const request = new RequestCertificateCommand({
    DomainName: 'www.corp.test',
    ValidationMethod: 'DNS',
    KeyAlgorithm: 'EC_prime256v1',
  })
  const { CertificateArn } = await it.client(ACMClient).send(request)
  const describeIt = async () =>
    (await it.client(ACMClient).send(new DescribeCertificateCommand({ CertificateArn }))).Certificate!
  const { Name, Value } = (await describeIt()).DomainValidationOptions![0]!.ResourceRecord!
  const record = [`${Name!.replace(/\.$/, '')} CNAME`, Value!.replace(/\.$/, '')] as const
  const findings = async () =>
    (await it.store.log({ account: '111122223333', limit: 100 }))
      .map(({ body }) => JSON.parse(body))
      .filter(({ eventName }) => eventName === 'DomainValidationChecked')
      .map(({ serviceEventDetails }) => serviceEventDetails.domains[0].finding as string)
  const settle = async () => {
    for (let turn = 0; turn < 3; turn++) await it.pass(2_000)
    return describeIt()
  }
  return { resolver, nameServer, record, settle, findings }
}

const OTHER_AUTHORITY = { flags: 0, tag: 'issue', value: 'other.example' }

describe('A domain', () => {
  test('is not proved by a resolver whose answer its name server does not confirm', async () => {
    const { resolver, nameServer, record, settle, findings } = await world()
    resolver.records.set(...record)

    expect((await settle()).Status).toBe('PENDING_VALIDATION')
    expect((await findings())[0]).toMatch(/^ns\.corp\.test \(127\.0\.0\.1:\d+\) has no CNAME record/)
    nameServer.records.set(...record)
    expect((await settle()).Status).toBe('ISSUED')
  })

  test('is not issued for where its name server has CAA records that the resolver does not know', async () => {
    const { resolver, nameServer, record, settle } = await world()
    for (const server of [resolver, nameServer]) server.records.set(...record)
    nameServer.records.set('corp.test CAA', OTHER_AUTHORITY)

    expect(await settle()).toMatchObject({ Status: 'FAILED', FailureReason: 'CAA_ERROR' })
    expect(nameServer.queries).toContain('www.corp.test CAA')
  })

  test('is decided by the resolvers alone with MERLON_DNS_DIRECT=off: no name server is queried', async () => {
    vi.stubEnv('MERLON_DNS_DIRECT', 'off')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { resolver, nameServer, record, settle, findings } = await world()
    nameServer.records.set(...record)
    nameServer.records.set('corp.test CAA', OTHER_AUTHORITY)

    expect((await settle()).Status).toBe('PENDING_VALIDATION')
    expect((await findings())[0]).toMatch(/^127\.0\.0\.1:\d+ has no CNAME record/)
    resolver.records.set(...record)
    expect((await settle()).Status).toBe('ISSUED')
    expect(nameServer.queries).toEqual([])
  })
})
