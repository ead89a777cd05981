/**
 * What users of other emulators reported about their certificates, each as a test that passes here:
 *
 * | where | shortcoming |
 * |---|---|
 * | moto | a request is issued by a timer, never by DNS; one record for every domain; the leaf is signed by its own key; operations are missing |
 * | LocalStack #11584 | a private certificate stays pending |
 * | LocalStack #7340, #9977 | `ValidationDomain` is `test.DOMAIN`, and another one for wildcards |
 * | LocalStack #2002 | the validation of a wildcard never ends |
 * | MiniStack #1250 | a wildcard has another record than its domain, so that validation finds none |
 * | terraform-provider-aws #9338, sst #5781 | users wait for most of an hour without a reason |
 */
import { X509Certificate } from 'node:crypto'
import * as ACM from '@aws-sdk/client-acm'
import { describe, expect, test } from 'vitest'
import { Client } from '../../kernel/client/client.ts'
import { pca } from '../acm-pca/index.ts'
import { certificatesCloud, HOUR_MS } from './acm.fixture.ts'
import { acm } from './index.ts'

type It = Awaited<ReturnType<typeof certificatesCloud>>
const certificateOf = async (it: It, CertificateArn: string) => {
  const { Certificate, CertificateChain } = await it
    .client(ACM.ACMClient)
    .send(new ACM.GetCertificateCommand({ CertificateArn }))
  return { leaf: new X509Certificate(Certificate!), issuer: new X509Certificate(CertificateChain!) }
}

describe('moto', () => {
  test('issues without a record; here an hour without one changes nothing, and the record does', async () => {
    const it = await certificatesCloud()
    const arn = await it.request('corp.test')
    for (let minute = 0; minute < 60; minute++) await it.pass(60_000)
    expect((await it.describe(arn)).Status).toBe('PENDING_VALIDATION')
    await it.prove(arn)
    await it.pass(60_000)
    expect((await it.describe(arn)).Status).toBe('ISSUED')
  })

  test('has one record for all; here each domain, Region and account has its own', async () => {
    const it = await certificatesCloud()
    const other = await it.account()
    const recordOf = async (client: ACM.ACMClient, DomainName: string) => {
      const request = new ACM.RequestCertificateCommand({ DomainName, ValidationMethod: 'DNS' })
      const { CertificateArn } = await client.send(request)
      const { Certificate } = await client.send(new ACM.DescribeCertificateCommand({ CertificateArn }))
      return JSON.stringify(Certificate!.DomainValidationOptions![0]!.ResourceRecord!)
    }
    const records = [
      await recordOf(it.acm, 'corp.test'),
      await recordOf(it.acm, 'other.test'),
      await recordOf(it.client(ACM.ACMClient, it.root, 'eu-west-1'), 'corp.test'),
      await recordOf(it.client(ACM.ACMClient, other), 'corp.test'),
    ]
    expect(new Set(records).size).toBe(4)
    expect(await recordOf(it.acm, 'corp.test')).toBe(records[0])
  })

  test('signs a leaf by its own key; here the authority that it names did', async () => {
    const it = await certificatesCloud()
    const arn = await it.request('corp.test')
    await it.prove(arn)
    await it.pass(5_000)
    const { leaf, issuer } = await certificateOf(it, arn)
    expect(leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey)).toBe(true)
    expect(leaf.verify(leaf.publicKey)).toBe(false)
  })

  test('lacks operations; here ACM has every one of its official client, and ACM Private CA all 23', () => {
    const served = new Set(acm.operations.map(({ name }) => name))
    const official = Object.keys(ACM).flatMap((name) => /^([A-Z]\w+)Command$/.exec(name)?.[1] ?? [])
    expect(official.filter((name) => !served.has(name))).toEqual([])
    expect(official).toHaveLength(40)
    expect(new Set(pca.operations.map(({ name }) => name)).size).toBe(23)
  })
})

describe('LocalStack', () => {
  test('#11584: a private certificate is issued at once, without a validation', async () => {
    const it = await certificatesCloud()
    const client = new Client({
      credential: { ...it.root, secret: it.root.secretAccessKey },
      now: () => it.clock.now(),
      transport: { host: 'localhost', send: (request) => it.handle(request) },
    })
    const call = (operation: string, input: object) =>
      client.json<Record<string, string>>('acm-pca', `ACMPrivateCA.${operation}`, input)
    const { CertificateAuthorityArn = '' } = await call('CreateCertificateAuthority', {
      CertificateAuthorityType: 'ROOT',
      CertificateAuthorityConfiguration: {
        KeyAlgorithm: 'EC_prime256v1',
        SigningAlgorithm: 'SHA256WITHECDSA',
        Subject: { CommonName: 'Corp Root' },
      },
    })
    const { Csr = '' } = await call('GetCertificateAuthorityCsr', { CertificateAuthorityArn })
    const { CertificateArn } = await call('IssueCertificate', {
      CertificateAuthorityArn,
      Csr: Buffer.from(Csr).toString('base64'),
      SigningAlgorithm: 'SHA256WITHECDSA',
      TemplateArn: 'arn:aws:acm-pca:::template/RootCACertificate/V1',
      Validity: { Type: 'YEARS', Value: 5 },
    })
    const { Certificate = '' } = await call('GetCertificate', { CertificateAuthorityArn, CertificateArn })
    await call('ImportCertificateAuthorityCertificate', {
      CertificateAuthorityArn,
      Certificate: Buffer.from(Certificate).toString('base64'),
    })

    const arn = await it.request('internal.corp', { CertificateAuthorityArn, ValidationMethod: undefined })
    expect(await it.describe(arn)).toMatchObject({ Status: 'ISSUED', Type: 'PRIVATE' })
    const { leaf, issuer } = await certificateOf(it, arn)
    expect(issuer.subject).toBe('CN=Corp Root')
    expect(leaf.verify(issuer.publicKey)).toBe(true)
  })

  test('#7340, #9977 and #2002, and MiniStack #1250: one record at the domain itself validates it and its wildcard', async () => {
    const it = await certificatesCloud()
    const arn = await it.request('*.corp.test', { SubjectAlternativeNames: ['corp.test', 'api.corp.test'] })
    const options = (await it.describe(arn)).DomainValidationOptions!
    expect(options.map(({ DomainName, ValidationDomain }) => [DomainName, ValidationDomain])).toEqual([
      ['*.corp.test', 'corp.test'],
      ['corp.test', 'corp.test'],
      ['api.corp.test', 'api.corp.test'],
    ])
    const [wildcard, apex, api] = options.map(({ ResourceRecord }) => ResourceRecord!)
    expect(wildcard).toEqual(apex)
    expect(apex!.Name).toMatch(/^_[0-9a-f]{32}\.corp\.test\.$/)
    expect(api!.Name).toMatch(/^_[0-9a-f]{32}\.api\.corp\.test\.$/)
    await it.prove(arn)
    await it.pass(5_000)
    const { Status, DomainValidationOptions } = await it.describe(arn)
    expect(Status).toBe('ISSUED')
    expect(DomainValidationOptions!.map(({ ValidationStatus }) => ValidationStatus)).toEqual(Array(3).fill('SUCCESS'))
  })
})

test('terraform-provider-aws #9338, sst #5781: the reason for waiting is recorded within seconds, and each time it changes', async () => {
  const it = await certificatesCloud()
  const arn = await it.request('corp.test')
  const finding = async () =>
    (await it.events('DomainValidationChecked')).at(0).serviceEventDetails.domains[0].finding as string
  await it.pass(2_000)
  expect(await finding()).toMatch(
    /^test:53 has no CNAME record _[0-9a-f]{32}\.corp\.test\. \(NXDOMAIN\); expected CNAME _/,
  )
  it.state.isDown = true
  await it.pass(5_000)
  expect(await finding()).toMatch(/^test:53 did not answer for /)
  it.state.isDown = false
  const { Name } = (await it.describe(arn)).DomainValidationOptions![0]!.ResourceRecord!
  it.world.set(`${Name} CNAME`, ['alias.corp.test'])
  await it.pass(HOUR_MS)
  expect(await finding()).toMatch(/^test:53 has \S+ CNAME alias\.corp\.test; expected CNAME _/)
})
