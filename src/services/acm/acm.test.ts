/** ACM through the official client: requests that wait for DNS and mail, imports, exports, renewals, revocations. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ACMClient,
  AddTagsToCertificateCommand,
  DeleteCertificateCommand,
  ExportCertificateCommand,
  GetAccountConfigurationCommand,
  GetCertificateCommand,
  ImportCertificateCommand,
  ListCertificateDomainValidationsCommand,
  ListCertificatesCommand,
  ListTagsForCertificateCommand,
  PutAccountConfigurationCommand,
  RemoveTagsFromCertificateCommand,
  RequestCertificateCommand,
  RevokeCertificateCommand,
  SearchCertificatesCommand,
  UpdateCertificateOptionsCommand,
} from '@aws-sdk/client-acm'
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53'
import { describe, expect, test } from 'vitest'
import { ACCOUNT, allowing } from '../../../test/cloud.ts'
import { certificates } from '../../kernel/ports/certificates.ts'
import { certificatesCloud, DAY_MS, HOUR_MS, selfSigned } from './acm.fixture.ts'
import { certificate } from './resources.ts'

const openssl = (folder: string, ...words: readonly string[]) =>
  execFileSync('openssl', words, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })

function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-test-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const chainFiles = (chain: string) => {
  const [issuing = '', root = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/)
  return { 'issuing.pem': issuing, 'root.pem': root }
}

describe('A certificate proved by DNS', () => {
  test('waits for the record, is issued when it is there, and verifies', async () => {
    const it = await certificatesCloud()
    const arn = await it.request('corp.test', {
      SubjectAlternativeNames: ['*.corp.test', 'corp.test', 'api.corp.test'],
      KeyAlgorithm: 'RSA_2048',
    })

    const asked = await it.describe(arn)
    expect(asked).toMatchObject({ Status: 'PENDING_VALIDATION', Type: 'AMAZON_ISSUED', KeyAlgorithm: 'RSA_2048' })
    expect(asked.SubjectAlternativeNames).toEqual(['corp.test', '*.corp.test', 'api.corp.test'])
    const [apex, wildcard, api] = asked.DomainValidationOptions!
    expect(apex!.ResourceRecord).toEqual(wildcard!.ResourceRecord)
    expect(api!.ResourceRecord!.Name).toMatch(/^_[0-9a-f]{32}\.api\.corp\.test\.$/)
    expect(api!.ResourceRecord!.Value).toMatch(/^_[0-9a-f]{32}\.[a-z]{10}\.acm-validations\.aws\.$/)
    for (let second = 0; second < 60; second++) await it.pass(1_000)
    expect((await it.describe(arn)).Status).toBe('PENDING_VALIDATION')
    const get = new GetCertificateCommand({ CertificateArn: arn })
    await expect(it.acm.send(get)).rejects.toMatchObject({ name: 'RequestInProgressException' })
    const [checked] = await it.events('DomainValidationChecked')
    expect(JSON.stringify(checked.serviceEventDetails)).toContain('has no CNAME record')

    await it.prove(arn)
    await it.pass(10_000)
    const issued = await it.describe(arn)
    expect(issued).toMatchObject({ Status: 'ISSUED', RenewalEligibility: 'INELIGIBLE' })
    expect(issued.KeyUsages).toEqual([{ Name: 'DIGITAL_SIGNATURE' }, { Name: 'KEY_ENCIPHERMENT' }])
    const { Certificate, CertificateChain } = await it.acm.send(get)
    const folder = folderOf({ 'leaf.pem': Certificate!, ...chainFiles(CertificateChain!) })
    const verify = ['-x509_strict', '-purpose', 'sslserver', '-CAfile', 'root.pem', '-untrusted', 'issuing.pem']
    const at = ['-attime', String(Math.floor(it.clock.now() / 1_000))]
    expect(openssl(folder, 'verify', ...verify, ...at, '-verify_hostname', 'x.corp.test', 'leaf.pem')).toBe(
      'leaf.pem: OK\n',
    )
    expect(issued.Serial!.replaceAll(':', '').toUpperCase()).toBe(new X509Certificate(Certificate!).serialNumber)
    expect(await it.events('CertificateAvailable')).toHaveLength(1)
  })

  test.each([
    ['another value', (name: string) => [[`${name} CNAME`, ['_other.acm-validations.aws']]] as const, /expected CNAME/],
    ['no answer', () => [] as const, /did not answer/],
  ])('stays pending with %s, and says why', async (what, records, finding) => {
    const it = await certificatesCloud()
    const arn = await it.request('corp.test')
    const { Name } = (await it.describe(arn)).DomainValidationOptions![0]!.ResourceRecord!
    for (const [at, data] of records(Name!)) it.world.set(at, data)
    it.state.isDown = what === 'no answer'
    await it.pass(5_000)

    expect((await it.describe(arn)).Status).toBe('PENDING_VALIDATION')
    const [event] = await it.events('DomainValidationChecked')
    expect(event.serviceEventDetails.domains[0].finding).toMatch(finding)
    for (let hour = 0; hour < 73; hour++) await it.pass(HOUR_MS)
    expect((await it.describe(arn)).Status).toBe('VALIDATION_TIMED_OUT')
  })

  test('fails where CAA names other authorities, for wildcards by issuewild', async () => {
    const it = await certificatesCloud()
    const caa = (tag: string, value: string) => ({ flags: 0, tag, value })
    it.world.set('corp.test. CAA', [caa('issue', 'other.example'), caa('issuewild', 'amazon.com')])
    const plain = await it.request('www.corp.test')
    const wild = await it.request('*.www.corp.test')
    await it.prove(plain)
    await it.prove(wild)
    await it.pass(5_000)

    expect(await it.describe(plain)).toMatchObject({ Status: 'FAILED', FailureReason: 'CAA_ERROR' })
    expect(await it.describe(wild)).toMatchObject({ Status: 'ISSUED' })
  })

  test('is proved by a zone of the installation, and not through an alias', async () => {
    const it = await certificatesCloud()
    const route53 = it.client(Route53Client)
    const { HostedZone } = await route53.send(new CreateHostedZoneCommand({ Name: 'corp.test', CallerReference: 'a' }))
    const arn = await it.request('www.corp.test', { KeyAlgorithm: 'EC_prime256v1' })
    const record = (await it.describe(arn)).DomainValidationOptions![0]!.ResourceRecord!
    const upsert = (Name: string, Value: string) =>
      route53.send(
        new ChangeResourceRecordSetsCommand({
          HostedZoneId: HostedZone!.Id!,
          ChangeBatch: {
            Changes: [
              { Action: 'UPSERT', ResourceRecordSet: { Name, Type: 'CNAME', TTL: 60, ResourceRecords: [{ Value }] } },
            ],
          },
        }),
      )
    await upsert(record.Name!, 'elsewhere.corp.test')
    await upsert('elsewhere.corp.test', record.Value!)
    await it.pass(5_000)
    expect((await it.describe(arn)).Status).toBe('PENDING_VALIDATION')

    await upsert(record.Name!, record.Value!)
    await it.pass(5_000)
    expect((await it.describe(arn)).Status).toBe('ISSUED')
  })

  test('shares its record with every certificate of the domain in the account and Region, and with no other', async () => {
    const it = await certificatesCloud()
    const record = async (client: ACMClient) => {
      const send = new RequestCertificateCommand({ DomainName: 'corp.test', ValidationMethod: 'DNS' })
      const { CertificateArn } = await client.send(send)
      const list = new ListCertificateDomainValidationsCommand({ CertificateArn })
      const { DomainValidationSummaryList } = await client.send(list)
      return JSON.stringify(DomainValidationSummaryList![0]!.ActiveValidationConfiguration!.ValidationChallenge)
    }
    const stranger = it.client(ACMClient, await it.account())
    const west = it.client(ACMClient, it.root, 'eu-west-1')

    const ours = await record(it.acm)
    expect(await record(it.acm)).toBe(ours)
    expect(new Set([ours, await record(stranger), await record(west)]).size).toBe(3)
  })
})

describe('A request', () => {
  test('with the same token names the same certificate for an hour', async () => {
    const it = await certificatesCloud()
    const arns = await Promise.all([1, 2, 3].map(() => it.request('corp.test', { IdempotencyToken: 'once' })))

    expect(new Set(arns).size).toBe(1)
    expect(await it.request('other.test', { IdempotencyToken: 'once' })).not.toBe(arns[0])
    const again = await it.request('third.test', { IdempotencyToken: 'later' })
    await it.pass(HOUR_MS + 1)
    const client = it.client(ACMClient)
    const repeated = new RequestCertificateCommand({
      DomainName: 'third.test',
      ValidationMethod: 'DNS',
      IdempotencyToken: 'later',
    })
    expect((await client.send(repeated)).CertificateArn).not.toBe(again)
  })

  test.each([
    ['a name that is none', { DomainName: 'a_b..test' }, 'ValidationException'],
    ['an address', { DomainName: '10.0.0.1' }, 'ValidationException'],
    ['an asterisk inside', { DomainName: 'a.*.test' }, 'ValidationException'],
    ['a name of one label', { DomainName: 'localhost' }, 'ValidationException'],
    ['a first name that is too long', { DomainName: `${'a'.repeat(60)}.test.example` }, 'InvalidParameterException'],
    ['HTTP validation', { DomainName: 'a.test', ValidationMethod: 'HTTP' }, 'InvalidParameterException'],
    ['a key that is weak', { DomainName: 'a.test', KeyAlgorithm: 'RSA_1024' }, 'InvalidParameterException'],
    [
      'too many names',
      { DomainName: 'a.test', SubjectAlternativeNames: [...Array(10).keys()].map((n) => `a${n}.test`) },
      'LimitExceededException',
    ],
    [
      'a validation domain elsewhere',
      {
        DomainName: 'a.test',
        ValidationMethod: 'EMAIL',
        DomainValidationOptions: [{ DomainName: 'a.test', ValidationDomain: 'b.test' }],
      },
      'InvalidDomainValidationOptionsException',
    ],
    ['tags that are reserved', { DomainName: 'a.test', Tags: [{ Key: 'aws:a', Value: '' }] }, 'InvalidTagException'],
  ])('with %s is refused', async (_what, input, name) => {
    const it = await certificatesCloud()

    await expect(it.acm.send(new RequestCertificateCommand(input as never))).rejects.toMatchObject({ name })
    expect((await it.acm.send(new ListCertificatesCommand({}))).CertificateSummaryList).toEqual([])
  })

  test('is decided by names, method and key', async () => {
    const it = await certificatesCloud()
    const policy = allowing({
      Action: 'acm:RequestCertificate',
      Resource: '*',
      Condition: {
        'ForAllValues:StringLike': { 'acm:DomainNames': '*.corp.test' },
        StringEquals: { 'acm:ValidationMethod': 'DNS', 'acm:KeyAlgorithm': 'RSA_2048' },
      },
    })
    const ann = it.client(ACMClient, await it.user('ann', policy))
    const ask = (DomainName: string, more: object = {}) =>
      ann.send(new RequestCertificateCommand({ DomainName, ValidationMethod: 'DNS', ...more }))

    await ask('www.corp.test')
    for (const refused of [ask('other.test'), ask('a.corp.test', { ValidationMethod: 'EMAIL' })])
      await expect(refused).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })
})

describe('A renewal', () => {
  test('keeps the ARN and changes the serial of a certificate in use, while its record is there', async () => {
    const it = await certificatesCloud()
    const arn = await it.request('corp.test', { KeyAlgorithm: 'EC_prime256v1' })
    await it.prove(arn)
    await it.pass(5_000)
    const first = (await it.describe(arn)).Serial
    const used = 'arn:aws:merlon:us-east-1:111122223333:listener/api'
    await it.store.run((unit) => it.use(certificates).setUse(unit, arn, used, true))
    await it.pass(1_000)
    await expect(
      it.client(ACMClient).send(new DeleteCertificateCommand({ CertificateArn: arn })),
    ).rejects.toMatchObject({
      name: 'ResourceInUseException',
    })
    expect(await it.describe(arn)).toMatchObject({ InUseBy: [used], RenewalEligibility: 'ELIGIBLE' })

    const record = [...it.world.keys()].find((name) => name.endsWith(' CNAME'))!
    const data = it.world.get(record)!
    it.world.delete(record)
    it.clock.advance(198 * DAY_MS - 66 * DAY_MS)
    await it.pass(2 * HOUR_MS)
    await it.pass(HOUR_MS)
    expect(await it.describe(arn)).toMatchObject({
      Status: 'ISSUED',
      Serial: first,
      RenewalSummary: { RenewalStatus: 'PENDING_VALIDATION' },
    })
    it.world.set(record, data)
    await it.pass(HOUR_MS)
    const renewed = await it.describe(arn)
    expect(renewed).toMatchObject({ Status: 'ISSUED', RenewalSummary: { RenewalStatus: 'SUCCESS' } })
    expect(renewed.Serial).not.toBe(first)
    expect((await it.use(certificates).read(it.store.reader, arn))!.chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
  })

  test('does not happen to one that is not in use: it is announced, and expires', async () => {
    const it = await certificatesCloud()
    await it.acm.send(
      new PutAccountConfigurationCommand({ ExpiryEvents: { DaysBeforeExpiry: 2 }, IdempotencyToken: 'a' }),
    )
    const { ExpiryEvents } = await it.acm.send(new GetAccountConfigurationCommand({}))
    expect(ExpiryEvents).toEqual({ DaysBeforeExpiry: 2 })
    const arn = await it.request('corp.test', { KeyAlgorithm: 'EC_prime256v1' })
    await it.prove(arn)
    await it.pass(5_000)
    it.clock.advance(195 * DAY_MS)
    for (let day = 0; day < 5; day++) await it.pass(DAY_MS)

    expect((await it.describe(arn)).Status).toBe('EXPIRED')
    expect((await it.events('CertificateApproachingExpiration')).length).toBeGreaterThanOrEqual(1)
    expect(await it.events('CertificateExpired')).toHaveLength(1)
  })
})

describe('An export', () => {
  test('carries the key under the passphrase; a revocation reaches the list and the status answer', async () => {
    const it = await certificatesCloud()
    const arn = await it.request('corp.test', { Options: { Export: 'ENABLED' }, KeyAlgorithm: 'EC_prime256v1' })
    const hidden = await it.request('hidden.test')
    await it.prove(arn)
    await it.prove(hidden)
    await it.pass(5_000)
    const Passphrase = Buffer.from('correct horse')
    const refused = (CertificateArn: string, text: string) =>
      it.acm.send(new ExportCertificateCommand({ CertificateArn, Passphrase: Buffer.from(text) }))
    await expect(refused(hidden, 'correct')).rejects.toMatchObject({ name: 'ValidationException' })
    await expect(refused(arn, 'with$')).rejects.toMatchObject({ name: 'ValidationException' })
    const revoke = new RevokeCertificateCommand({ CertificateArn: arn, RevocationReason: 'KEY_COMPROMISE' })
    await expect(it.acm.send(revoke)).rejects.toMatchObject({ name: 'ConflictException' })

    const exported = await it.acm.send(new ExportCertificateCommand({ CertificateArn: arn, Passphrase }))
    const key = createPrivateKey({ key: exported.PrivateKey!, passphrase: 'correct horse' })
    expect(exported.PrivateKey).toContain('BEGIN ENCRYPTED PRIVATE KEY')
    expect(new X509Certificate(exported.Certificate!).checkPrivateKey(key)).toBe(true)

    const { issuer } = (await it.store.run((unit) =>
      unit.get<{ material: { issuer: string } }>(
        certificate.key({ account: ACCOUNT, region: 'us-east-1' }, { CertificateId: arn.split('/')[1]! }),
      ),
    ))!.material
    const files = { 'leaf.pem': exported.Certificate!, ...chainFiles(exported.CertificateChain!) }
    const at = () => ['-attime', String(Math.floor(it.clock.now() / 1_000) + 1)]
    const ask = async (method: string, path: string, body: Buffer = Buffer.alloc(0)) =>
      it.handle({
        ...{ method, path, query: '', rawHeaders: ['host', 'localhost', 'content-type', 'application/ocsp-request'] },
        ...{ body, remoteAddress: '127.0.0.1', secure: false },
      })
    const status = async () => {
      const folder = folderOf(files)
      openssl(folder, 'ocsp', '-issuer', 'issuing.pem', '-cert', 'leaf.pem', '-reqout', 'request.der')
      const { readFileSync } = await import('node:fs')
      const answer = await ask('POST', `/acm/ocsp/${issuer}`, readFileSync(join(folder, 'request.der')))
      writeFileSync(join(folder, 'answer.der'), answer.body)
      const list = await ask('GET', `/acm/crl/${issuer}.crl`)
      writeFileSync(join(folder, 'list.der'), list.body)
      openssl(folder, 'crl', '-inform', 'DER', '-in', 'list.der', '-out', 'list.pem', '-CAfile', 'issuing.pem')
      const words = ['-issuer', 'issuing.pem', '-cert', 'leaf.pem', '-respin', 'answer.der', '-CAfile', 'root.pem']
      return {
        ocsp: openssl(
          folder,
          'ocsp',
          ...words,
          '-verify_other',
          'issuing.pem',
          '-no_nonce',
          '-validity_period',
          '999999999',
        ),
        crl: openssl(folder, 'crl', '-in', 'list.pem', '-text', '-noout'),
        at: at(),
      }
    }
    expect((await status()).ocsp).toContain('leaf.pem: good')
    await it.acm.send(revoke)
    await it.pass(61_000)
    const after = await status()
    expect(after.ocsp).toContain('leaf.pem: revoked')
    expect(after.ocsp).toContain('keyCompromise')
    expect(after.crl).toContain(new X509Certificate(exported.Certificate!).serialNumber)
    expect(await it.describe(arn)).toMatchObject({ Status: 'REVOKED', RevocationReason: 'KEY_COMPROMISE' })
  })
})

describe('An import', () => {
  test('is listed by its key type, replaced under its ARN, and refused when it does not fit', async () => {
    const it = await certificatesCloud()
    const first = await selfSigned(['corp.test', 'www.corp.test'])
    const other = await selfSigned(['x.test'])
    const tags = { Tags: [{ Key: 'team', Value: 'a' }] }
    const { CertificateArn } = await it.acm.send(new ImportCertificateCommand({ ...first, ...tags }))

    expect(await it.describe(CertificateArn!)).toMatchObject({
      Status: 'ISSUED',
      Type: 'IMPORTED',
      DomainName: 'corp.test',
      CertificateKeyPairOrigin: 'CUSTOMER_PROVIDED',
    })
    const list = async (input: object) =>
      (await it.acm.send(new ListCertificatesCommand(input))).CertificateSummaryList!.map((each) => each.CertificateArn)
    const [type] = [(await it.describe(CertificateArn!)).KeyAlgorithm!]
    expect(await list({})).toEqual(type.startsWith('EC') ? [] : [CertificateArn])
    expect(await list({ Includes: { keyTypes: [type] } })).toEqual([CertificateArn])
    const search = await it.acm.send(
      new SearchCertificatesCommand({
        FilterStatement: {
          And: [
            {
              Filter: {
                X509AttributeFilter: {
                  SubjectAlternativeName: { DnsName: { Value: 'www', ComparisonOperator: 'CONTAINS' } },
                },
              },
            },
            { Not: { Filter: { AcmCertificateMetadataFilter: { Status: 'EXPIRED' } } } },
          ],
        },
      }),
    )
    expect(search.Results!.map((each) => each.CertificateArn)).toEqual([CertificateArn])

    const again = (more: object) =>
      it.acm.send(new ImportCertificateCommand({ CertificateArn, ...(more as typeof first) }))
    await again(await selfSigned(['corp.test', 'www.corp.test']))
    await expect(again({ ...first, ...tags })).rejects.toMatchObject({ name: 'InvalidParameterException' })
    await expect(again(await selfSigned(['corp.test']))).rejects.toThrow(/lacks names/)
    const put = (input: object) => it.acm.send(new ImportCertificateCommand(input as typeof first))
    await expect(put({ ...first, PrivateKey: other.PrivateKey })).rejects.toThrow(/does not match/)
    await expect(put({ ...first, PrivateKey: Buffer.alloc(5_121, 'a') })).rejects.toMatchObject({
      name: 'ValidationException',
    })
    await expect(put({ ...first, Certificate: Buffer.concat([first.Certificate, first.Certificate]) })).rejects.toThrow(
      /more than one/,
    )
    await expect(put({ ...first, CertificateChain: other.Certificate })).rejects.toThrow(/certificate chain/)
    await expect(put(await selfSigned(['a.test'], Date.now() - 2 * DAY_MS, Date.now() - DAY_MS))).rejects.toThrow(
      /expired/,
    )
    await expect(put({ ...first, Certificate: Buffer.from('no') })).rejects.toThrow(/not valid PEM/)

    const resource = { CertificateArn: CertificateArn! }
    await it.acm.send(new AddTagsToCertificateCommand({ ...resource, Tags: [{ Key: 'stage', Value: 'b' }] }))
    await it.acm.send(new RemoveTagsFromCertificateCommand({ ...resource, Tags: [{ Key: 'team' }] }))
    expect((await it.acm.send(new ListTagsForCertificateCommand(resource))).Tags).toEqual([
      { Key: 'stage', Value: 'b' },
    ])
    await expect(
      it.acm.send(new UpdateCertificateOptionsCommand({ ...resource, Options: { Export: 'ENABLED' } })),
    ).rejects.toMatchObject({ name: 'InvalidStateException' })
    await it.acm.send(new DeleteCertificateCommand(resource))
    await expect(it.describe(CertificateArn!)).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

test('A hundred requests at once have a hundred serials', async () => {
  const it = await certificatesCloud()
  const arns = await Promise.all(
    [...Array(100).keys()].map((n) => it.request(`a${n}.test`, { KeyAlgorithm: 'EC_prime256v1' })),
  )
  for (const arn of arns) await it.prove(arn)
  await it.pass(10_000)
  const serials = await Promise.all(arns.map(async (arn) => (await it.describe(arn)).Serial))

  expect(serials.every((serial) => serial !== undefined)).toBe(true)
  expect(new Set(serials).size).toBe(100)
}, 120_000)

test('The key of a certificate is the one that is on customers’ disks', () => {
  expect(certificate.key({ account: ACCOUNT, region: 'us-east-1' }, { CertificateId: 'a' })).toBe(
    `acm/certificate/${ACCOUNT}/us-east-1/a`,
  )
})
