/** ACM Private CA over its own protocol, and what OpenSSL says of its certificates. */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ACMClient,
  DescribeCertificateCommand,
  ExportCertificateCommand,
  GetCertificateCommand,
  RenewCertificateCommand,
  RequestCertificateCommand,
} from '@aws-sdk/client-acm'
import { CreateBucketCommand, GetObjectCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3'
import { beforeEach, describe, expect, test } from 'vitest'
import { ACCOUNT, allowing, cloud, type Keys, OTHER_ACCOUNT } from '../../../test/cloud.ts'
import { certificateParts, derOf } from '../../engines/x509/certificate-builder.ts'
import { verifySignature } from '../../engines/x509/signature-algorithms.ts'
import { Client } from '../../kernel/client/client.ts'
import { authority } from './resources.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers as JSON, without a client's types.
type Answer = Record<string, any>
type Cloud = Awaited<ReturnType<typeof cloud>>

let it: Cloud
let root: ReturnType<typeof caller>
beforeEach(async () => {
  it = await cloud()
  root = caller(it.root)
})

function caller(keys: Keys) {
  const client = new Client({
    credential: { ...keys, secret: keys.secretAccessKey },
    now: () => it.clock.now(),
    transport: { host: 'localhost', send: (request) => it.handle(request) },
  })
  return (operation: string, input: object = {}): Promise<Answer> =>
    client.json<Answer>('acm-pca', `ACMPrivateCA.${operation}`, input)
}

const template = (name: string) => `arn:aws:acm-pca:::template/${name}/V1`
const base64 = (text: string) => Buffer.from(text).toString('base64')

function openssl(files: Readonly<Record<string, string | Buffer>>, ...words: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-test-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const out = words.indexOf('OUT')
  const all = out < 0 ? words : words.map((word) => (word === 'OUT' ? 'out' : word))
  const printed = execFileSync('openssl', all, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
  return out < 0 ? printed : readFileSync(join(folder, 'out'), 'latin1')
}

/** A request by OpenSSL, and its key. */
function request(subject: string, names: readonly string[] = []): string {
  const san = names.length > 0 ? ['-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`] : []
  const words = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key.pem']
  return openssl({}, 'req', '-new', ...words, '-subj', subject, ...san, '-out', 'OUT')
}

async function create(type: string, more: object = {}, configuration: object = {}) {
  const { CertificateAuthorityArn } = await root('CreateCertificateAuthority', {
    CertificateAuthorityType: type,
    CertificateAuthorityConfiguration: {
      KeyAlgorithm: 'EC_prime256v1',
      SigningAlgorithm: 'SHA256WITHECDSA',
      Subject: { Country: 'DE', Organization: 'Example', CommonName: `${type} of tests` },
      ...configuration,
    },
    ...more,
  })
  return CertificateAuthorityArn as string
}
const csrOf = async (CertificateAuthorityArn: string) =>
  (await root('GetCertificateAuthorityCsr', { CertificateAuthorityArn }))['Csr'] as string

async function issue(CertificateAuthorityArn: string, csr: string, more: object = {}, by = root) {
  const { CertificateArn } = await by('IssueCertificate', {
    CertificateAuthorityArn,
    Csr: base64(csr),
    SigningAlgorithm: 'SHA256WITHECDSA',
    Validity: { Type: 'DAYS', Value: 30 },
    ...more,
  })
  const found = await by('GetCertificate', { CertificateAuthorityArn, CertificateArn })
  return {
    arn: CertificateArn as string,
    pem: `${found['Certificate']}\n`,
    chain: `${found['CertificateChain'] ?? ''}\n`,
  }
}

async function activeRoot(more: object = {}, configuration: object = {}, signing = 'SHA256WITHECDSA') {
  const arn = await create('ROOT', more, configuration)
  const own = await issue(arn, await csrOf(arn), {
    TemplateArn: template('RootCACertificate'),
    SigningAlgorithm: signing,
    Validity: { Type: 'YEARS', Value: 5 },
  })
  await root('ImportCertificateAuthorityCertificate', { CertificateAuthorityArn: arn, Certificate: base64(own.pem) })
  return { arn, pem: own.pem }
}

async function subordinate(parent: string, path = 0, more: object = {}) {
  const arn = await create('SUBORDINATE', more)
  const own = await issue(parent, await csrOf(arn), {
    TemplateArn: template(`SubordinateCACertificate_PathLen${path}`),
    Validity: { Type: 'YEARS', Value: 2 },
  })
  await root('ImportCertificateAuthorityCertificate', {
    CertificateAuthorityArn: arn,
    Certificate: base64(own.pem),
    CertificateChain: base64(own.chain),
  })
  return { arn, pem: own.pem }
}

const at = () => ['-attime', String(Math.floor(it.clock.now() / 1_000) + 1)]
const describeAuthority = async (CertificateAuthorityArn: string) =>
  (await root('DescribeCertificateAuthority', { CertificateAuthorityArn }))['CertificateAuthority'] as Answer
const status = async (arn: string) => (await describeAuthority(arn))['Status']

describe('A hierarchy', () => {
  test('of root and subordinate issues what OpenSSL verifies', async () => {
    const top = await create('ROOT')
    await expect(root('GetCertificateAuthorityCertificate', { CertificateAuthorityArn: top })).rejects.toMatchObject({
      code: 'InvalidStateException',
    })
    expect(await status(top)).toBe('PENDING_CERTIFICATE')
    const parent = await activeRoot()
    const child = await subordinate(parent.arn)
    const { pem, arn } = await issue(child.arn, request('/CN=www.corp.test', ['www.corp.test', '*.corp.test']))

    const files = { 'root.pem': parent.pem, 'sub.pem': child.pem, 'leaf.pem': pem }
    const verify = ['verify', '-x509_strict', '-CAfile', 'root.pem', '-untrusted', 'sub.pem', ...at()]
    expect(openssl(files, ...verify, '-purpose', 'sslserver', '-verify_hostname', 'x.corp.test', 'leaf.pem')).toBe(
      'leaf.pem: OK\n',
    )
    const leaf = new X509Certificate(pem)
    expect(arn).toBe(`${child.arn}/certificate/${BigInt(`0x${leaf.serialNumber}`)}`)
    expect(Date.parse(leaf.validFrom)).toBeLessThanOrEqual(it.clock.now() - 59 * 60_000)
    expect(await status(child.arn)).toBe('ACTIVE')
    const listed = await root('ListCertificateAuthorities')
    expect(listed['CertificateAuthorities']).toHaveLength(3)
    // A path of length 0 ends here.
    await expect(
      issue(child.arn, await csrOf(await create('SUBORDINATE')), {
        TemplateArn: template('SubordinateCACertificate_PathLen0'),
      }),
    ).rejects.toMatchObject({ code: 'InvalidArgsException' })
  })

  test.each([
    ['ML_DSA_65', 'ML_DSA_65'],
    ['EC_secp384r1', 'SHA384WITHECDSA'],
    ['RSA_2048', 'SHA512WITHRSA'],
  ])('of a root with a key %s is signed by %s', async (KeyAlgorithm, SigningAlgorithm) => {
    const { arn, pem } = await activeRoot({}, { KeyAlgorithm, SigningAlgorithm }, SigningAlgorithm)
    const { pem: leaf } = await issue(arn, request('/CN=a.test', ['a.test']), { SigningAlgorithm })

    const parts = certificateParts(derOf(leaf))
    const { publicKey } = certificateParts(derOf(pem))
    expect(
      await verifySignature(
        SigningAlgorithm as 'ML_DSA_65',
        Buffer.from(publicKey),
        parts.signedBytes,
        parts.signature,
      ),
    ).toBe(true)
    await expect(issue(arn, request('/CN=a.test'), { SigningAlgorithm: 'ML_DSA_44' })).rejects.toMatchObject({
      code: 'InvalidArgsException',
    })
  })
})

describe('An authority', () => {
  test.each([
    ['outlives its own certificate', { Validity: { Type: 'YEARS', Value: 6 } }, 'ValidationException'],
    ['ends before it begins', { Validity: { Type: 'ABSOLUTE', Value: 1 } }, 'ValidationException'],
    ['has a template that is none', { TemplateArn: template('Other') }, 'InvalidArgsException'],
    ['passes more than its template', { ApiPassthrough: { Subject: { CommonName: 'x' } } }, 'InvalidArgsException'],
    ['is signed by another kind of key', { SigningAlgorithm: 'SHA256WITHRSA' }, 'InvalidArgsException'],
    ['is no request', { Csr: base64('no') }, 'MalformedCSRException'],
  ])('does not issue what %s', async (_what, more, code) => {
    const { arn } = await activeRoot()

    await expect(issue(arn, request('/CN=a.test'), more)).rejects.toMatchObject({ code })
  })

  test('refuses a request that its key did not sign', async () => {
    const { arn } = await activeRoot()
    const forged = Buffer.from(request('/CN=a.test').replace(/-----[^-]+-----|\s/g, ''), 'base64')
    forged[forged.length - 5]! ^= 1
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${forged.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`

    await expect(issue(arn, pem)).rejects.toMatchObject({ code: 'MalformedCSRException' })
  })

  test('for short-lived certificates issues for seven days', async () => {
    const { arn } = await activeRoot({ UsageMode: 'SHORT_LIVED_CERTIFICATE' })

    await issue(arn, request('/CN=a.test'), { Validity: { Type: 'DAYS', Value: 7 } })
    await expect(issue(arn, request('/CN=a.test'), { Validity: { Type: 'DAYS', Value: 8 } })).rejects.toMatchObject({
      code: 'ValidationException',
    })
  })

  test('takes names and usages from the call where the template says so', async () => {
    const { arn } = await activeRoot()
    const { pem } = await issue(arn, request('/CN=ignored'), {
      TemplateArn: template('BlankEndEntityCertificate_APIPassthrough'),
      ApiPassthrough: {
        Subject: { CommonName: 'chosen', Country: 'DE' },
        Extensions: {
          SubjectAlternativeNames: [{ DnsName: 'chosen.test' }, { IpAddress: '10.0.0.1' }],
          ExtendedKeyUsage: [{ ExtendedKeyUsageType: 'CODE_SIGNING' }],
          KeyUsage: { DigitalSignature: true },
        },
      },
    })

    const leaf = new X509Certificate(pem)
    expect(leaf.subject).toBe('C=DE\nCN=chosen')
    expect(leaf.subjectAltName).toBe('DNS:chosen.test, IP Address:10.0.0.1')
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.3'])
  })

  /** A subordinate whose certificate another authority signed, with these extensions: by OpenSSL, as an administrator would. */
  async function importedBelow(arn: string, outer: readonly string[], own: readonly string[]) {
    const folder = mkdtempSync(join(tmpdir(), 'merlon-test-'))
    const run = (words: string) => execFileSync('openssl', words.split(' '), { cwd: folder, stdio: 'pipe' })
    const key = 'ec -pkeyopt ec_paramgen_curve:prime256v1'
    writeFileSync(join(folder, 'outer.cnf'), ['[x]', 'basicConstraints=critical,CA:TRUE', ...outer, ''].join('\n'))
    writeFileSync(join(folder, 'x.cnf'), ['[x]', 'subjectKeyIdentifier=hash', ...own, ''].join('\n'))
    writeFileSync(join(folder, 'sub.csr'), await csrOf(arn))
    run(`req -newkey ${key} -nodes -keyout k -out outer.csr -subj /CN=Outer`)
    run('x509 -req -in outer.csr -signkey k -out ca -days 900 -extfile outer.cnf -extensions x')
    run('x509 -req -in sub.csr -CA ca -CAkey k -CAcreateserial -out sub -days 800 -extfile x.cnf -extensions x')
    const read = (name: string) => readFileSync(join(folder, name)).toString('base64')
    await root('ImportCertificateAuthorityCertificate', {
      CertificateAuthorityArn: arn,
      Certificate: read('sub'),
      CertificateChain: read('ca'),
    })
  }
  const AUTHORITY = ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign,cRLSign']

  test('keeps to the names that its certificate, and those above it, permit', async () => {
    const arn = await create('SUBORDINATE')
    const limits = 'nameConstraints=critical,permitted;DNS:corp.test,excluded;DNS:secret.corp.test'
    await importedBelow(arn, ['nameConstraints=critical,excluded;DNS:outer.corp.test'], [...AUTHORITY, limits])

    await issue(arn, request('/CN=a', ['www.corp.test']))
    for (const name of ['www.other.test', 'a.secret.corp.test', 'outer.corp.test', '*.corp.test'])
      await expect(issue(arn, request('/CN=a', [name]))).rejects.toMatchObject({ code: 'InvalidArgsException' })
  })

  test('is not activated by a certificate whose chain no client would accept', async () => {
    const arn = await create('SUBORDINATE')
    const cases: readonly (readonly [readonly string[], readonly string[], string])[] = [
      [['keyUsage=critical,cRLSign'], AUTHORITY, 'Certificate 0 of the chain may not sign certificates.'],
      [[], ['basicConstraints=critical,CA:TRUE', 'keyUsage=cRLSign'], 'The certificate may not sign certificates.'],
      [['1.2.3.4=critical,DER:0500'], AUTHORITY, 'Certificate 0 of the chain has a critical extension'],
      [[], ['basicConstraints=critical,CA:FALSE'], 'The certificate is not one of an authority.'],
      [
        ['nameConstraints=critical,permitted;dirName:n', '[n]', 'CN=x'],
        AUTHORITY,
        'has a name that an authority above',
      ],
    ]
    for (const [outer, own, message] of cases)
      await expect(importedBelow(arn, outer, own)).rejects.toMatchObject({
        code: 'MalformedCertificateException',
        message: expect.stringContaining(message),
      })
    const pathless = 'basicConstraints=critical,CA:TRUE,pathlen:0'
    await expect(importedBelow(arn, [], [pathless, 'keyUsage=keyCertSign'])).resolves.toBeUndefined()
  })

  test('is disabled, deleted, restored, and gone at the end of its time', async () => {
    const { arn } = await activeRoot()
    const CertificateAuthorityArn = arn
    await expect(root('DeleteCertificateAuthority', { CertificateAuthorityArn })).rejects.toMatchObject({
      code: 'InvalidStateException',
    })
    await root('UpdateCertificateAuthority', { CertificateAuthorityArn, Status: 'DISABLED' })
    await expect(issue(arn, request('/CN=a'))).rejects.toMatchObject({ code: 'InvalidStateException' })
    await root('DeleteCertificateAuthority', { CertificateAuthorityArn, PermanentDeletionTimeInDays: 7 })
    expect(await status(arn)).toBe('DELETED')
    await root('RestoreCertificateAuthority', { CertificateAuthorityArn })
    expect(await status(arn)).toBe('DISABLED')
    await root('DeleteCertificateAuthority', { CertificateAuthorityArn, PermanentDeletionTimeInDays: 7 })
    await it.pass(6 * 24 * 3_600_000)
    expect(await status(arn)).toBe('DELETED')
    await it.pass(2 * 24 * 3_600_000)
    await expect(status(arn)).rejects.toMatchObject({ code: 'ResourceNotFoundException' })
  })

  test('publishes what it revoked by list and by status', async () => {
    const RevocationConfiguration = {
      CrlConfiguration: { Enabled: true, ExpirationInDays: 7 },
      OcspConfiguration: { Enabled: true },
    }
    const parent = await activeRoot({ RevocationConfiguration })
    const { pem } = await issue(parent.arn, request('/CN=a.test', ['a.test']))
    const CertificateSerial = new X509Certificate(pem).serialNumber.toLowerCase().replace(/..(?!$)/g, '$&:')
    const id = parent.arn.split('/')[1]!
    const files = { 'root.pem': parent.pem, 'leaf.pem': pem }
    const send = async (method: string, path: string, body: string | Buffer = '') => {
      const rawHeaders = ['host', 'localhost', 'content-type', 'application/ocsp-request']
      const answer = await it.handle({
        method,
        path,
        query: '',
        rawHeaders,
        body: Buffer.from(body as string, 'latin1'),
        remoteAddress: '127.0.0.1',
        secure: false,
      })
      return Buffer.from(answer.body as Uint8Array)
    }
    const asked = async () => {
      const question = openssl(files, 'ocsp', '-issuer', 'root.pem', '-cert', 'leaf.pem', '-reqout', 'OUT')
      const answer = await send('POST', `/acm-pca/ocsp/${id}`, question)
      const words = ['-respin', 'a.der', '-CAfile', 'root.pem', '-no_nonce', '-validity_period', '999999999']
      return openssl({ ...files, 'a.der': answer }, 'ocsp', '-issuer', 'root.pem', '-cert', 'leaf.pem', ...words)
    }
    expect(await asked()).toContain('leaf.pem: good')
    // Requests with nonces share one signed answer; a serial that was never issued costs no signature.
    const certificate = (...words: string[]) =>
      send(
        'POST',
        `/acm-pca/ocsp/${id}`,
        openssl(files, 'ocsp', '-issuer', 'root.pem', ...words, '-nonce', '-reqout', 'OUT'),
      )
    expect(await certificate('-cert', 'leaf.pem')).toEqual(await certificate('-cert', 'leaf.pem'))
    const UNAUTHORIZED = Buffer.from('30030a0106', 'hex')
    expect(await certificate('-serial', '0x1234')).toEqual(UNAUTHORIZED)
    const revoke = { CertificateAuthorityArn: parent.arn, CertificateSerial, RevocationReason: 'SUPERSEDED' }
    await root('RevokeCertificate', revoke)
    await expect(root('RevokeCertificate', revoke)).rejects.toMatchObject({ code: 'RequestAlreadyProcessedException' })

    expect(await asked()).toMatch(/leaf\.pem: revoked[\s\S]*superseded/)
    const list = await send('GET', `/acm-pca/crl/${id}.crl`)
    const printed = openssl(
      { ...files, 'l.der': list },
      'crl',
      '-inform',
      'DER',
      '-in',
      'l.der',
      '-text',
      '-noout',
      '-CAfile',
      'root.pem',
    )
    expect(printed).toContain(new X509Certificate(pem).serialNumber)
    expect(printed).toContain('Superseded')
  })

  test('writes its revocation list to a bucket whose policy lets it in, at once and again at half of its time', async () => {
    const s3 = it.client(S3Client)
    await s3.send(new CreateBucketCommand({ Bucket: 'lists' }))
    const CrlConfiguration = {
      Enabled: true,
      ExpirationInDays: 2,
      S3BucketName: 'lists',
      S3ObjectAcl: 'BUCKET_OWNER_FULL_CONTROL',
    }
    const RevocationConfiguration = { CrlConfiguration }
    await expect(create('ROOT', { RevocationConfiguration })).rejects.toMatchObject({ code: 'InvalidPolicyException' })
    const permit = async (...Action: readonly string[]) => {
      const Principal = { Service: 'acm-pca.amazonaws.com' }
      const Condition = { StringEquals: { 'aws:SourceAccount': ACCOUNT } }
      const Resource = ['arn:aws:s3:::lists', 'arn:aws:s3:::lists/*']
      const Policy = allowing({ Principal, Action, Resource, Condition })
      await s3.send(new PutBucketPolicyCommand({ Bucket: 'lists', Policy }))
    }
    await permit('s3:GetBucketAcl', 's3:GetBucketLocation')
    const { arn } = await activeRoot({ RevocationConfiguration })
    const results = async () =>
      (await it.store.log({ account: ACCOUNT, limit: 200 }))
        .map(({ body }) => JSON.parse(body))
        .filter(({ eventName }) => eventName === 'CrlGeneration')
        .map(({ serviceEventDetails }) => serviceEventDetails.Result)
    await it.jobs.runDue()
    expect(await results()).toEqual(['failure'])

    await permit('s3:GetBucketAcl', 's3:GetBucketLocation', 's3:PutObject', 's3:PutObjectAcl')
    await it.pass(10 * 60_000)
    expect(await results()).toEqual(['success', 'failure'])
    const Key = `crl/${arn.split('/').at(-1)}.crl`
    const list = async () => {
      const { Body } = await it.client(S3Client).send(new GetObjectCommand({ Bucket: 'lists', Key }))
      const der = Buffer.from(await Body!.transformToByteArray())
      return openssl({ crl: der }, 'crl', '-inform', 'DER', '-in', 'crl', '-noout', '-text')
    }
    expect(await list()).toContain('No Revoked Certificates')
    const issued = await issue(arn, request('/CN=a.test'))
    const serial = new X509Certificate(issued.pem).serialNumber
    await root('RevokeCertificate', {
      CertificateAuthorityArn: arn,
      CertificateSerial: serial,
      RevocationReason: 'SUPERSEDED',
    })
    await it.jobs.runDue()
    const first = await list()
    expect(first).toContain(`Serial Number: ${serial}`)
    await it.pass(25 * 60 * 60_000)
    expect(await list()).not.toBe(first)
    const written = (await results()).length
    await root('UpdateCertificateAuthority', {
      CertificateAuthorityArn: arn,
      RevocationConfiguration: { CrlConfiguration: { Enabled: false } },
    })
    await it.pass(50 * 60 * 60_000)
    expect(await results()).toHaveLength(written)
  })

  test('reports what it issued to a bucket whose policy lets it in', async () => {
    const { arn } = await activeRoot()
    await issue(arn, request('/CN=a.test'))
    const s3 = it.client(S3Client)
    await s3.send(new CreateBucketCommand({ Bucket: 'reports' }))
    const input = { CertificateAuthorityArn: arn, S3BucketName: 'reports', AuditReportResponseFormat: 'JSON' }
    const report = async () => {
      const { AuditReportId, S3Key } = await root('CreateCertificateAuthorityAuditReport', input)
      await it.jobs.runDue()
      const told = await root('DescribeCertificateAuthorityAuditReport', {
        CertificateAuthorityArn: arn,
        AuditReportId,
      })
      return { status: told['AuditReportStatus'], key: S3Key as string }
    }
    expect((await report()).status).toBe('FAILED')
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'acm-pca.amazonaws.com' },
          Action: 's3:PutObject',
          Resource: 'arn:aws:s3:::reports/*',
          Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } },
        },
      ],
    })
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'reports', Policy }))
    const { status: told, key } = await report()
    expect(told).toBe('SUCCESS')
    const body = await (await s3.send(new GetObjectCommand({ Bucket: 'reports', Key: key }))).Body!.transformToString()
    expect(JSON.parse(body).map((entry: Answer) => entry['subject'])).toEqual(expect.arrayContaining(['CN=a.test']))
  })
})

describe('The callers that may use an authority', () => {
  test('is decided by templates, and for other accounts by its policy', async () => {
    const { arn } = await activeRoot()
    const Condition = { StringEquals: { 'acm-pca:TemplateArn': template('EndEntityCertificate') } }
    const ann = caller(
      await it.user(
        'ann',
        allowing(
          { Action: 'acm-pca:*', Resource: arn, Condition },
          { Action: 'acm-pca:GetCertificate', Resource: '*' },
        ),
      ),
    )
    await issue(arn, request('/CN=a'), {}, ann)
    const sub = { TemplateArn: template('SubordinateCACertificate_PathLen0') }
    await expect(issue(arn, request('/CN=a'), sub, ann)).rejects.toMatchObject({ code: 'AccessDeniedException' })

    const stranger = caller(await it.account())
    await expect(issue(arn, request('/CN=a'), {}, stranger)).rejects.toMatchObject({ code: 'AccessDeniedException' })
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: OTHER_ACCOUNT },
          Action: ['acm-pca:IssueCertificate', 'acm-pca:GetCertificate'],
          Resource: arn,
        },
      ],
    })
    await root('PutPolicy', { ResourceArn: arn, Policy })
    await issue(arn, request('/CN=a'), {}, stranger)
    expect(JSON.parse((await root('GetPolicy', { ResourceArn: arn }))['Policy'])).toMatchObject({
      Version: '2012-10-17',
    })
    await root('DeletePolicy', { ResourceArn: arn })
    await expect(issue(arn, request('/CN=a'), {}, stranger)).rejects.toMatchObject({ code: 'AccessDeniedException' })
  })

  test('for ACM: private certificates at once, their renewal only with a permission', async () => {
    const { arn } = await activeRoot()
    const acm = it.client(ACMClient)
    const ask = { DomainName: 'int.corp.test', CertificateAuthorityArn: arn, KeyAlgorithm: 'EC_prime256v1' as const }
    const { CertificateArn } = await acm.send(new RequestCertificateCommand(ask))
    const shown = async () =>
      (await it.client(ACMClient).send(new DescribeCertificateCommand({ CertificateArn }))).Certificate!

    const first = await shown()
    expect(first).toMatchObject({ Status: 'ISSUED', Type: 'PRIVATE', CertificateAuthorityArn: arn })
    expect((await acm.send(new GetCertificateCommand({ CertificateArn }))).CertificateChain).toContain(
      'BEGIN CERTIFICATE',
    )
    const Passphrase = Buffer.from('passphrase')
    await acm.send(new ExportCertificateCommand({ CertificateArn, Passphrase }))
    await acm.send(new RenewCertificateCommand({ CertificateArn }))
    await it.pass(1_000)
    expect((await shown()).RenewalSummary).toMatchObject({
      RenewalStatus: 'FAILED',
      RenewalStatusReason: 'PCA_ACCESS_DENIED',
    })

    const permission = {
      CertificateAuthorityArn: arn,
      Principal: 'acm.amazonaws.com',
      Actions: ['IssueCertificate', 'GetCertificate', 'ListPermissions'],
    }
    await root('CreatePermission', permission)
    await expect(root('CreatePermission', permission)).rejects.toMatchObject({
      code: 'PermissionAlreadyExistsException',
    })
    expect((await root('ListPermissions', { CertificateAuthorityArn: arn }))['Permissions']).toHaveLength(1)
    await it.pass(3_600_000)
    const renewed = await shown()
    expect(renewed).toMatchObject({ Status: 'ISSUED', RenewalSummary: { RenewalStatus: 'SUCCESS' } })
    expect(renewed.Serial).not.toBe(first.Serial)
    await root('DeletePermission', { CertificateAuthorityArn: arn, Principal: 'acm.amazonaws.com' })

    const missing = arn.replace(/[^/]+$/, '00000000-0000-4000-8000-000000000000')
    const later = it.client(ACMClient)
    const failed = await later.send(new RequestCertificateCommand({ ...ask, CertificateAuthorityArn: missing }))
    const { Certificate } = await later.send(new DescribeCertificateCommand({ CertificateArn: failed.CertificateArn }))
    expect(Certificate).toMatchObject({ Status: 'FAILED', FailureReason: 'PCA_RESOURCE_NOT_FOUND' })
  })

  test('tags', async () => {
    const arn = await create('ROOT', { Tags: [{ Key: 'team', Value: 'a' }] })
    await root('TagCertificateAuthority', { CertificateAuthorityArn: arn, Tags: [{ Key: 'stage', Value: 'b' }] })
    await root('UntagCertificateAuthority', { CertificateAuthorityArn: arn, Tags: [{ Key: 'team', Value: 'a' }] })
    expect((await root('ListTags', { CertificateAuthorityArn: arn }))['Tags']).toEqual([{ Key: 'stage', Value: 'b' }])
    const reserved = { CertificateAuthorityArn: arn, Tags: [{ Key: 'aws:x', Value: 'b' }] }
    await expect(root('TagCertificateAuthority', reserved)).rejects.toMatchObject({ code: 'InvalidTagException' })
  })
})

test('The key of an authority is the one that is on customers’ disks', () => {
  expect(authority.key({ account: ACCOUNT, region: 'us-east-1' }, { CertificateAuthorityId: 'a' })).toBe(
    `acm-pca/authority/${ACCOUNT}/us-east-1/a`,
  )
})
