/** Certificates of private authorities by the rules of linters: every key, template and usage mode, and what AWS's templates leave open. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { cloud } from '../../../test/cloud.ts'
import { derOf } from '../../engines/x509/certificate-builder.ts'
import { brokenRules } from '../../engines/x509/leaf-rules.fixture.ts'
import { type PathCertificate, pathCertificate } from '../../engines/x509/path-certificate.ts'
import { validatePath } from '../../engines/x509/path-validation.ts'
import { Client } from '../../kernel/client/client.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const NAMES = ['www.corp.test', '*.corp.test']

/** Those of the web's authorities, which private ones do not promise. */
const OF_THE_WEB = ['BR 7.1.2.7.9: its policy says that domains were validated']
/** AWS's templates give this usage to keys of every kind. */
const CURVE = 'RFC 5480 3: a key on a curve enciphers no keys'
const SERVER = 'BR 7.1.2.7.10: it is for servers'
/** Names the algorithm of the signature, which is not that of a curve. */
const NULL = 'RFC 5758 3.2: the algorithm of ECDSA has no parameters'
/** Node.js cannot verify ML-DSA; the path is verified besides. */
const SIGNED = 'it is signed by its authority'

/** By template: the rules that its certificates break, with a key on a curve. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  EndEntityCertificate: [CURVE],
  EndEntityCertificate_CSRPassthrough: [CURVE],
  EndEntityCertificate_APIPassthrough: [CURVE],
  EndEntityCertificate_APICSRPassthrough: [CURVE],
  EndEntityServerAuthCertificate: [CURVE],
  EndEntityClientAuthCertificate: [CURVE, SERVER],
  CodeSigningCertificate: [SERVER],
  OCSPSigningCertificate: [SERVER],
}

/** By key of the authority: its signatures, and the rules that these break. */
const KEYS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['RSA_2048', ['SHA256WITHRSA', 'SHA384WITHRSA', 'SHA512WITHRSA'], [NULL]],
  ['RSA_3072', ['SHA256WITHRSA'], [NULL]],
  ['RSA_4096', ['SHA512WITHRSA'], [NULL]],
  ['EC_prime256v1', ['SHA256WITHECDSA'], []],
  ['EC_secp384r1', ['SHA384WITHECDSA'], []],
  ['EC_secp521r1', ['SHA512WITHECDSA'], []],
  ['ML_DSA_44', ['ML_DSA_44'], [SIGNED]],
  ['ML_DSA_65', ['ML_DSA_65'], [SIGNED]],
  ['ML_DSA_87', ['ML_DSA_87'], [SIGNED]],
]

function requestOf(...words: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'merlon-test-'))
  const san = ['-addext', `subjectAltName=${NAMES.map((name) => `DNS:${name}`).join(',')}`]
  const all = ['req', '-new', '-newkey', ...words, '-nodes', '-keyout', 'key', '-subj', `/CN=${NAMES[0]}`, ...san]
  execFileSync('openssl', [...all, '-out', 'request'], { cwd: folder, stdio: 'pipe' })
  return readFileSync(join(folder, 'request'), 'latin1')
}

describe('A certificate of a private authority', () => {
  let it: Awaited<ReturnType<typeof cloud>>
  let call: (operation: string, input: object) => Promise<Record<string, string>>
  beforeAll(async () => {
    it = await cloud()
    const client = new Client({
      credential: { ...it.root, secret: it.root.secretAccessKey },
      now: () => it.clock.now(),
      transport: { host: 'localhost', send: (request) => it.handle(request) },
    })
    call = (operation, input) => client.json('acm-pca', `ACMPrivateCA.${operation}`, input)
  })
  const curve = requestOf('ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1')
  const rsa = requestOf('rsa:2048')

  async function issued(
    CertificateAuthorityArn: string,
    csr: string,
    SigningAlgorithm: string,
    template: string,
    to: number,
  ) {
    const { CertificateArn } = await call('IssueCertificate', {
      ...{ CertificateAuthorityArn, SigningAlgorithm, TemplateArn: `arn:aws:acm-pca:::template/${template}/V1` },
      Csr: Buffer.from(csr).toString('base64'),
      ValidityNotBefore: { Type: 'ABSOLUTE', Value: fromSeconds() },
      Validity: { Type: 'ABSOLUTE', Value: fromSeconds() + to / 1_000 },
    })
    const { Certificate } = await call('GetCertificate', { CertificateAuthorityArn, CertificateArn })
    return Certificate!
  }
  const fromSeconds = () => Math.floor(it.clock.now() / 1_000 / 3_600) * 3_600 - 3_600

  async function authority(KeyAlgorithm: string, SigningAlgorithm: string, UsageMode = 'GENERAL_PURPOSE') {
    const { CertificateAuthorityArn: arn = '' } = await call('CreateCertificateAuthority', {
      CertificateAuthorityType: 'ROOT',
      UsageMode,
      CertificateAuthorityConfiguration: { KeyAlgorithm, SigningAlgorithm, Subject: { CommonName: KeyAlgorithm } },
      RevocationConfiguration: {
        CrlConfiguration: {
          Enabled: UsageMode === 'GENERAL_PURPOSE',
          ExpirationInDays: 7,
          CustomCname: 'crl.corp.test',
        },
        OcspConfiguration: { Enabled: UsageMode === 'GENERAL_PURPOSE', OcspCustomCname: 'ocsp.corp.test' },
      },
    })
    const { Csr } = await call('GetCertificateAuthorityCsr', { CertificateAuthorityArn: arn })
    const own = await issued(arn, Csr!, SigningAlgorithm, 'RootCACertificate', 1_000 * DAY_MS)
    const Certificate = Buffer.from(own).toString('base64')
    await call('ImportCertificateAuthorityCertificate', { CertificateAuthorityArn: arn, Certificate })
    return { arn, issuer: pathCertificate(derOf(own)) }
  }

  async function check(
    text: string,
    issuer: PathCertificate,
    isRsa: boolean,
    days: number,
    excepted: readonly string[],
  ) {
    const der = derOf(text)
    const notBefore = fromSeconds() * 1_000
    const expected = { names: NAMES, issuer, notBefore, notAfter: notBefore + days * DAY_MS, isRsa }
    expect(brokenRules(der, expected).toSorted()).toEqual(excepted.toSorted())
    expect(await validatePath([pathCertificate(der)], issuer, { now: it.clock.now() })).toEqual({ isValid: true })
  }

  test.each(KEYS)(
    'with a key %s breaks the rules that its template leaves open, and no others',
    async (key, signings, ofKey) => {
      const { arn, issuer } = await authority(key, signings[0]!)
      for (const signing of signings)
        for (const [template, ofTemplate] of Object.entries(TEMPLATES))
          for (const isRsa of [false, true]) {
            const text = await issued(arn, isRsa ? rsa : curve, signing, template, 30 * DAY_MS)
            const excepted = [...OF_THE_WEB, ...ofKey, ...ofTemplate.filter((rule) => !isRsa || rule !== CURVE)]
            await check(text, issuer, isRsa, 30, excepted)
          }
    },
  )

  test('for short-lived ones has no revocation to point at, and keeps to the other rules', async () => {
    const { arn, issuer } = await authority('EC_prime256v1', 'SHA256WITHECDSA', 'SHORT_LIVED_CERTIFICATE')
    const text = await issued(arn, rsa, 'SHA256WITHECDSA', 'EndEntityServerAuthCertificate', 6 * DAY_MS)
    await check(text, issuer, true, 6, [
      ...OF_THE_WEB,
      'BR 7.1.2.11.2: its revocation list is at an http address, and not critical',
      'BR 7.1.2.7.7: its status is at an http address, and not critical',
    ])
  })
})
