/** Certificates from another authority by ACME: here a second installation, with its own endpoint, domains and bindings. */
import { X509Certificate } from 'node:crypto'
import {
  ACMClient,
  CreateAcmeDomainValidationCommand,
  CreateAcmeEndpointCommand,
  CreateAcmeExternalAccountBindingCommand,
  DescribeAcmeEndpointCommand,
  DescribeCertificateCommand,
  ExportCertificateCommand,
  GetAcmeExternalAccountBindingCredentialsCommand,
  GetCertificateCommand,
  ListAcmeAccountsCommand,
  RequestCertificateCommand,
  RevokeAcmeExternalAccountBindingCommand,
  RevokeCertificateCommand,
  SearchCertificatesCommand,
} from '@aws-sdk/client-acm'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud } from '../../../../test/cloud.ts'
import { type AcmeAuthoritySettings, acmeAuthority } from '../../../kernel/ports/acme-authority.ts'
import { provide } from '../../../kernel/ports/port.ts'
import { certificatesCloud, DAY_MS, HOUR_MS } from '../acm.fixture.ts'

/** The other installation: `corp.test` is proved, and its role may request names below it. */
async function authority() {
  const it = await cloud()
  const acm = it.client(ACMClient)
  const { AcmeEndpointArn } = await acm.send(
    new CreateAcmeEndpointCommand({
      AuthorizationBehavior: 'PRE_APPROVED',
      CertificateAuthority: { PublicCertificateAuthority: {} },
    }),
  )
  const { HostedZone } = await it
    .client(Route53Client)
    .send(new CreateHostedZoneCommand({ Name: 'corp.test', CallerReference: 'a' }))
  await acm.send(
    new CreateAcmeDomainValidationCommand({
      AcmeEndpointArn,
      DomainName: 'corp.test',
      PrevalidationOptions: {
        DnsPrevalidation: {
          DomainScope: { Subdomains: 'ENABLED', Wildcards: 'ENABLED' },
          HostedZoneId: HostedZone!.Id!.split('/').at(-1)!,
        },
      },
    }),
  )
  await it.pass(2_000)
  const iam = it.client(IAMClient)
  const trust = allowing({ Principal: { Service: 'acm.amazonaws.com' }, Action: 'sts:AssumeRole' })
  await iam.send(new CreateRoleCommand({ RoleName: 'web', AssumeRolePolicyDocument: trust }))
  const PolicyDocument = allowing({ Action: 'acm:RequestCertificate', Resource: '*' })
  await iam.send(new PutRolePolicyCommand({ RoleName: 'web', PolicyName: 'p', PolicyDocument }))
  const RoleArn = `arn:aws:iam::${ACCOUNT}:role/web`
  const made = await acm.send(new CreateAcmeExternalAccountBindingCommand({ AcmeEndpointArn, RoleArn }))
  const binding = { AcmeExternalAccountBindingArn: made.ExternalAccountBinding!.AcmeExternalAccountBindingArn }
  const { KeyId, MacKey } = await acm.send(new GetAcmeExternalAccountBindingCredentialsCommand(binding))
  const { AcmeEndpoint } = await acm.send(new DescribeAcmeEndpointCommand({ AcmeEndpointArn }))
  const settings: AcmeAuthoritySettings = {
    directory: AcmeEndpoint!.EndpointUrl!,
    contacts: ['ann@corp.test'],
    binding: { keyId: KeyId!, macKey: Buffer.from(MacKey!, 'base64url') },
  }
  return { ...it, AcmeEndpointArn, settings, binding, acm }
}

async function both(settings?: Partial<AcmeAuthoritySettings>) {
  const upstream = await authority()
  const requests: string[] = []
  const state = { isAway: false }
  const it = await certificatesCloud({
    provides: [
      provide(acmeAuthority, {
        settings: (account) => (account === ACCOUNT ? { ...upstream.settings, ...settings } : undefined),
        send: async ({ method, url, body = '' }) => {
          if (state.isAway) throw new Error('no answer')
          const { pathname } = new URL(url)
          requests.push(`${method} ${pathname.split('/').slice(3, 4).join('')}`)
          const answer = await upstream.handle({
            method,
            path: pathname,
            query: '',
            rawHeaders: ['host', 'localhost', 'content-type', 'application/jose+json'],
            body: Buffer.from(body),
            remoteAddress: '127.0.0.1',
            secure: false,
          })
          return { status: answer.status, headers: answer.headers as Record<string, string>, body: String(answer.body) }
        },
      }),
    ],
  })
  const pass = async (ms: number) => {
    await upstream.pass(ms)
    await it.pass(ms)
  }
  const settle = async (turns = 8) => {
    for (let turn = 0; turn < turns; turn++) await pass(2_000)
  }
  const leafOf = async (CertificateArn: string) => {
    const { Certificate } = await it.client(ACMClient).send(new GetCertificateCommand({ CertificateArn }))
    return new X509Certificate(Certificate!)
  }
  const findingOf = async () =>
    (await it.events('DomainValidationChecked')).at(0)?.serviceEventDetails.domains[0].finding as string
  return { ...it, upstream, requests, state, pass, settle, leafOf, findingOf }
}

const EXPORTABLE = { Options: { Export: 'ENABLED' } }
const exported = (CertificateArn: string) =>
  new ExportCertificateCommand({ CertificateArn, Passphrase: Buffer.from('passphrase') })

describe('A certificate from another authority', () => {
  test('is ordered once its domains are proved here, with the account’s binding, and its key does not leave', async () => {
    const it = await both()
    const arn = await it.request('www.corp.test', { SubjectAlternativeNames: ['*.corp.test'], ...EXPORTABLE })
    await it.settle()
    expect(it.requests).toEqual([])
    await it.prove(arn)
    await it.settle()

    const detail = await it.describe(arn)
    expect(detail).toMatchObject({ Status: 'ISSUED', Type: 'AMAZON_ISSUED' })
    const { Results } = await it.upstream.acm.send(new SearchCertificatesCommand({}))
    expect(Results).toHaveLength(1)
    const attributes = Results![0]!.X509Attributes!
    expect(detail.Serial).toBe(attributes.SerialNumber)
    expect((await it.leafOf(arn)).subjectAltName).toBe('DNS:www.corp.test, DNS:*.corp.test')
    const { PrivateKey, Certificate } = await it.client(ACMClient).send(exported(arn))
    expect(PrivateKey).toContain('ENCRYPTED PRIVATE KEY')
    expect(new X509Certificate(Certificate!).serialNumber).toBe(detail.Serial!.replaceAll(':', '').toUpperCase())
    const { AcmeAccounts } = await it.upstream.acm.send(
      new ListAcmeAccountsCommand({ AcmeEndpointArn: it.upstream.AcmeEndpointArn }),
    )
    expect(AcmeAccounts).toMatchObject([{ Contacts: ['mailto:ann@corp.test'], Status: 'VALID' }])
    // The same account orders the next one.
    await it.prove(await it.request('api.corp.test'))
    await it.settle()
    expect(it.requests.filter((each) => each === 'POST new-account')).toHaveLength(1)
  })

  test('is renewed under its ARN before its end, and at once when renewal information says so', async () => {
    const it = await both()
    const arn = await it.request('www.corp.test', EXPORTABLE)
    await it.prove(arn)
    await it.settle()
    await it.client(ACMClient).send(exported(arn))
    const first = await it.leafOf(arn)
    await it.pass(HOUR_MS)
    expect((await it.leafOf(arn)).serialNumber).toBe(first.serialNumber)

    const search = await it.upstream.client(ACMClient).send(new SearchCertificatesCommand({}))
    const { CertificateArn } = search.Results![0]!
    const revoke = new RevokeCertificateCommand({ CertificateArn, RevocationReason: 'SUPERSEDED' })
    await it.upstream.client(ACMClient).send(revoke)
    for (let hour = 0; hour < 8; hour++) await it.pass(HOUR_MS)
    await it.settle()
    const second = await it.leafOf(arn)
    expect(second.serialNumber).not.toBe(first.serialNumber)
    expect((await it.describe(arn)).RenewalSummary).toMatchObject({ RenewalStatus: 'SUCCESS' })

    await it.client(ACMClient).send(exported(arn))
    for (let day = 0; day < 150; day++) await it.pass(DAY_MS)
    await it.settle()
    expect((await it.leafOf(arn)).serialNumber).not.toBe(second.serialNumber)
  })

  test('says why the authority refuses, tries again later, and fails at last', async () => {
    const it = await both({ binding: { keyId: 'unknown', macKey: Buffer.alloc(32) } })
    const arn = await it.request('www.corp.test')
    await it.prove(arn)
    await it.settle()

    expect(await it.findingOf()).toMatch(/^localhost refused: The external account binding is unknown/)
    expect((await it.describe(arn)).Status).toBe('PENDING_VALIDATION')
    const tries = it.requests.length
    await it.settle()
    expect(it.requests).toHaveLength(tries)
    for (let turn = 0; turn < 6; turn++) await it.pass(HOUR_MS)
    expect(await it.describe(arn)).toMatchObject({ Status: 'FAILED', FailureReason: 'OTHER' })
  })

  test('fails for a name that the authority does not issue for', async () => {
    const it = await both()
    const arn = await it.request('www.other.test')
    await it.prove(arn)
    await it.settle()

    expect(await it.describe(arn)).toMatchObject({ Status: 'FAILED', FailureReason: 'DOMAIN_NOT_ALLOWED' })
    expect(await it.findingOf()).toMatch(/no valid domain validation/)
  })

  test('waits while the authority is away; a revoked binding stops the renewal, not the certificate in use', async () => {
    const it = await both()
    it.state.isAway = true
    const arn = await it.request('www.corp.test', EXPORTABLE)
    await it.prove(arn)
    await it.settle()
    expect(await it.findingOf()).toMatch(/^localhost did not answer as it should: no answer/)
    it.state.isAway = false
    // It was left alone for ten seconds, then for twenty.
    await it.settle(16)
    expect((await it.describe(arn)).Status).toBe('ISSUED')

    await it.client(ACMClient).send(exported(arn))
    await it.upstream.acm.send(new RevokeAcmeExternalAccountBindingCommand(it.upstream.binding))
    for (let day = 0; day < 150; day++) await it.pass(DAY_MS)
    expect(await it.describe(arn)).toMatchObject({ Status: 'ISSUED', RenewalSummary: { RenewalStatus: 'FAILED' } })
  })

  test('is for the accounts of the settings alone', async () => {
    const it = await both()
    const acm = it.client(ACMClient, await it.account())
    const { CertificateArn } = await acm.send(
      new RequestCertificateCommand({ DomainName: 'www.corp.test', ValidationMethod: 'DNS' }),
    )
    const describe = new DescribeCertificateCommand({ CertificateArn })
    const { Name, Value } = (await acm.send(describe)).Certificate!.DomainValidationOptions![0]!.ResourceRecord!
    it.world.set(`${Name} CNAME`, [Value!])
    await it.settle()

    expect((await acm.send(describe)).Certificate).toMatchObject({
      Status: 'ISSUED',
      Issuer: expect.stringContaining('Merlon Issuing CA'),
    })
    expect(it.requests).toEqual([])
  })
})
