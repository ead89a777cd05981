/** Merlon as an ACME client of Pebble: names proved by its own zone and by its own pages, and a renewal. */
import { X509Certificate } from 'node:crypto'
import {
  ACMClient,
  DescribeCertificateCommand,
  ExportCertificateCommand,
  GetCertificateCommand,
  RequestCertificateCommand,
  type ResourceRecord,
} from '@aws-sdk/client-acm'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { faketime } from '../faults/member.ts'
import { installation, type MadeAccount, type Running, startMerlon } from '../process.ts'
import { freePort } from '../rotation/databases.ts'
import { bind, hasBind } from './bind.ts'
import { hasPebble, pebblePlace } from './pebble.ts'

const running: { stop(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.stop()
})

const YEAR_MS = 365 * 24 * 60 * 60 * 1000
const WAITING = { timeout: 60_000, interval: 500 }

async function started(words: readonly string[], environment: Readonly<Record<string, string>>): Promise<Running> {
  const server = await startMerlon(words, environment)
  running.push({ stop: () => server.stop('SIGKILL') })
  return server
}

function clients({ url }: Running, credentials: MadeAccount, systemClockOffset = 0) {
  const at = { endpoint: url, region: 'us-east-1', credentials, systemClockOffset }
  const acm = new ACMClient(at)
  const certificate = async (CertificateArn: string) => {
    const { Certificate, CertificateChain } = await acm.send(new GetCertificateCommand({ CertificateArn }))
    return { leaf: new X509Certificate(Certificate!), chain: CertificateChain! }
  }
  const describe = async (CertificateArn: string) =>
    (await acm.send(new DescribeCertificateCommand({ CertificateArn }))).Certificate!
  const request = async (DomainName: string, SubjectAlternativeNames: readonly string[] = []) => {
    const { CertificateArn } = await acm.send(
      new RequestCertificateCommand({
        DomainName,
        SubjectAlternativeNames: [DomainName, ...SubjectAlternativeNames],
        ValidationMethod: 'DNS',
        Options: { Export: 'ENABLED' },
      }),
    )
    const { DomainValidationOptions } = await describe(CertificateArn!)
    return { arn: CertificateArn!, record: DomainValidationOptions![0]!.ResourceRecord! }
  }
  const isIssued = (arn: string, log: () => string) =>
    vi.waitFor(async () => expect((await describe(arn)).Status, log()).toBe('ISSUED'), WAITING)
  const cloudtrail = new CloudTrailClient(at)
  const findings = async () => {
    const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: 'DomainValidationChecked' }]
    const { Events } = await cloudtrail.send(new LookupEventsCommand({ LookupAttributes }))
    return Events!
      .map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent!).serviceEventDetails.domains[0].finding)
      .join('\n')
  }
  return { acm, findings, route53: new Route53Client(at), certificate, describe, request, isIssued }
}

/** The zone `corp.test`, with the record that proves it. */
async function createZone(route53: Route53Client, { Name, Value }: Partial<ResourceRecord>): Promise<void> {
  const zone = await route53.send(new CreateHostedZoneCommand({ Name: 'corp.test', CallerReference: 'a' }))
  const ResourceRecords = [{ Value: Value! }]
  const ResourceRecordSet = { Name: Name!, Type: 'CNAME' as const, TTL: 5, ResourceRecords }
  const ChangeBatch = { Changes: [{ Action: 'CREATE' as const, ResourceRecordSet }] }
  const HostedZoneId = zone.HostedZone!.Id!
  await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId, ChangeBatch }))
}

describe.skipIf(!hasPebble)('A certificate from Pebble', () => {
  test.runIf(faketime)(
    'is proved by the zone of the account (dns-01), wildcards too, and renewed years later',
    async () => {
      const place = await pebblePlace()
      const dns = `127.0.0.1:${await freePort()}`
      const words = [...installation(), '--resolver', dns]
      const server = await started(words, place.environment)
      const account = server.accounts[0]!
      const pebble = await place.start({ dns })
      running.push(pebble)
      const { acm, route53, certificate, request, isIssued } = clients(server, account)
      const { arn, record } = await request('corp.test', ['*.corp.test'])
      await createZone(route53, record)
      await isIssued(arn, pebble.log)
      const first = await certificate(arn)
      const root = new X509Certificate(await pebble.root())
      const intermediate = new X509Certificate(first.chain)
      expect(intermediate.verify(root.publicKey)).toBe(true)
      expect(first.leaf.verify(intermediate.publicKey)).toBe(true)
      expect(first.leaf.subjectAltName).toContain('DNS:*.corp.test')

      // Pebble issues for five years.
      await acm.send(new ExportCertificateCommand({ CertificateArn: arn, Passphrase: Buffer.from('passphrase') }))
      await running.splice(0, 1)[0]!.stop()
      const later = await started(words, {
        ...place.environment,
        LD_PRELOAD: faketime!,
        FAKETIME: '+4y',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        DONT_FAKE_MONOTONIC: '1',
      })
      const then = clients(later, account, 4 * YEAR_MS)
      await vi.waitFor(
        async () =>
          expect((await then.certificate(arn)).leaf.serialNumber, await then.findings()).not.toBe(
            first.leaf.serialNumber,
          ),
        WAITING,
      )
    },
  )

  test.skipIf(!hasBind)('is proved by the listener of pages (http-01) where the zone is elsewhere', async () => {
    const place = await pebblePlace()
    const zone = await bind('corp.test')
    running.push(zone)
    const server = await started(installation(), { ...place.environment, MERLON_DNS_SERVERS: zone.address })
    const pebble = await place.start({ dns: zone.address, httpPort: Number(new URL(server.console!).port) })
    running.push(pebble)
    const { certificate, request, isIssued } = clients(server, server.accounts[0]!)
    const { arn, record } = await request('www.corp.test')
    zone.update('update add www.corp.test 5 A 127.0.0.1', `update add ${record.Name} 5 CNAME ${record.Value}`)
    await isIssued(arn, pebble.log)

    const { leaf } = await certificate(arn)
    expect(leaf.checkHost('www.corp.test')).toBe('www.corp.test')
    expect(leaf.issuer).toContain('Pebble')
  })

  test('is refused where the names cannot be proved, with the reason', async () => {
    const place = await pebblePlace()
    const dns = `127.0.0.1:${await freePort()}`
    const server = await started([...installation(), '--resolver', dns], place.environment)
    // The zone is not delegated to the resolver that Pebble queries.
    const pebble = await place.start({ dns: `127.0.0.1:${await freePort()}` })
    running.push(pebble)
    const { findings, route53, describe, request } = clients(server, server.accounts[0]!)
    const { arn, record } = await request('corp.test')
    await createZone(route53, record)
    await vi.waitFor(async () => expect(await findings(), pebble.log()).toMatch(/refused: corp\.test: /), WAITING)
    expect((await describe(arn)).Status).toBe('PENDING_VALIDATION')
  })
})
