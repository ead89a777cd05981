/** A thousand certificates are requested at once, and the server is killed meanwhile: no serial is lost, and none is given twice. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ACMClient,
  DescribeCertificateCommand,
  ListCertificatesCommand,
  RequestCertificateCommand,
  SearchCertificatesCommand,
} from '@aws-sdk/client-acm'
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53'
import { afterEach, expect, test, vi } from 'vitest'
import { installation, type MadeAccount, type Running, startAlone } from '../process.ts'

const REQUESTS = 1_000
const AT_ONCE = 100
const KILLED_AFTER = 400

let server: Running | undefined
afterEach(async () => void (await server?.stop('SIGKILL')))

const clientAt = ({ url }: Running, credentials: MadeAccount) => ({
  endpoint: url,
  region: 'us-east-1',
  credentials,
  maxAttempts: 10,
})

/** One record proves the domain for all requests. */
async function provedDomain(at: ReturnType<typeof clientAt>): Promise<void> {
  const [acm, route53] = [new ACMClient(at), new Route53Client(at)]
  const { HostedZone } = await route53.send(new CreateHostedZoneCommand({ Name: 'corp.test', CallerReference: 'a' }))
  const { CertificateArn } = await acm.send(requestOne())
  const { Certificate } = await acm.send(new DescribeCertificateCommand({ CertificateArn }))
  const { Name, Value } = Certificate!.DomainValidationOptions![0]!.ResourceRecord!
  const ResourceRecordSet = { Name: Name!, Type: 'CNAME' as const, TTL: 60, ResourceRecords: [{ Value: Value! }] }
  const ChangeBatch = { Changes: [{ Action: 'CREATE' as const, ResourceRecordSet }] }
  await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: HostedZone!.Id!, ChangeBatch }))
}

const requestOne = () =>
  new RequestCertificateCommand({ DomainName: 'corp.test', ValidationMethod: 'DNS', KeyAlgorithm: 'EC_prime256v1' })

/** By the ARN of each certificate that is issued. */
async function serials(acm: ACMClient): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (let NextToken: string | undefined; ; ) {
    const page = await acm.send(new SearchCertificatesCommand({ MaxResults: 100, ...(NextToken && { NextToken }) }))
    for (const { CertificateArn, X509Attributes } of page.Results!)
      if (X509Attributes?.SerialNumber) found.set(CertificateArn!, X509Attributes.SerialNumber)
    NextToken = page.NextToken
    if (!NextToken) return found
  }
}

async function statusCounts(acm: ACMClient): Promise<{ readonly issued: number; readonly all: number }> {
  const statuses: string[] = []
  for (let NextToken: string | undefined; ; ) {
    const Includes = { keyTypes: ['EC_prime256v1' as const] }
    const page = await acm.send(
      new ListCertificatesCommand({ Includes, MaxItems: 1_000, ...(NextToken && { NextToken }) }),
    )
    statuses.push(...page.CertificateSummaryList!.map(({ Status }) => Status!))
    NextToken = page.NextToken
    if (!NextToken) return { issued: statuses.filter((each) => each === 'ISSUED').length, all: statuses.length }
  }
}

test('A thousand requests and a kill: every certificate is issued, each with a serial of its own', async () => {
  const words = installation()
  server = await startAlone(words)
  const account = server.accounts[0]!
  await provedDomain(clientAt(server, account))
  const arns: string[] = []
  const state = { isKilled: false }
  const requestAll = async (acm: ACMClient) => {
    const one = async () => {
      while (arns.length < REQUESTS && !state.isKilled) {
        try {
          arns.push((await acm.send(requestOne())).CertificateArn!)
        } catch {
          // Throttled, or killed.
          await sleep(100)
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
  }
  const requesting = requestAll(new ACMClient({ ...clientAt(server, account), maxAttempts: 1 }))
  await vi.waitFor(() => expect(arns.length).toBeGreaterThan(KILLED_AFTER), { timeout: 120_000, interval: 20 })
  const before = await serials(new ACMClient(clientAt(server, account)))
  await server.stop('SIGKILL')
  state.isKilled = true
  await requesting
  state.isKilled = false

  server = await startAlone(words)
  const acm = new ACMClient(clientAt(server, account))
  await requestAll(acm)
  await vi.waitFor(
    async () => {
      const { issued, all } = await statusCounts(acm)
      expect(issued).toBe(all)
    },
    { timeout: 240_000, interval: 2_000 },
  )
  const after = await serials(acm)
  // What was acknowledged is there, and keeps the serial that was seen.
  expect(arns.filter((arn) => !after.has(arn))).toEqual([])
  expect([...before].filter(([arn, serial]) => after.get(arn) !== serial)).toEqual([])
  expect(new Set(after.values()).size).toBe(after.size)
  expect(after.size).toBeGreaterThanOrEqual(REQUESTS)
})
