/** Certificates that authorities issue: by templates, within the authority's own time and names; read and revoked. */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import type * as PrivateCa from '../../../models/schemas/acm-pca.types.ts'
import {
  buildCertificate,
  certificateParts,
  derOf,
  parseSigningRequest,
  pem,
  type SigningRequest,
} from '../../engines/x509/certificate-builder.ts'
import {
  authorityInfoAccess,
  authorityKeyId,
  basicConstraints,
  certificatePolicies,
  crlDistributionPoint,
  extendedKeyUsage,
  extendedKeyUsages,
  extension,
  extensionOids,
  keyIdOfSpki,
  keyUsage,
  keyUsages,
  subjectAltName,
  subjectKeyId,
} from '../../engines/x509/extensions.ts'
import { pathCertificate } from '../../engines/x509/path-certificate.ts'
import { pemBlocks } from '../../engines/x509/pem.ts'
import type { RevocationReason } from '../../engines/x509/revocation.ts'
import { newSerial } from '../../kernel/certificate-serial.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { putExpiring } from '../../kernel/jobs/expiring-rows.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import { key } from '../../store/store.ts'
import { Fault } from '../../wire/fault.ts'
import type { Strict } from '../../wire/typed.ts'
import { assertFits, signWith } from './algorithms.ts'
import { planCrl } from './crl-delivery.ts'
import { forbiddenName } from './name-constraints.ts'
import {
  type AuthorityRow,
  authority,
  type IssuedRow,
  issuedKey,
  notImplemented,
  pca,
  revokedKey,
  statusOf,
  wrongState,
} from './resources.ts'
import { subjectOf } from './subjects.ts'
import { type Template, templateOf } from './templates.ts'

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
const SHORT_LIVED_MS = 7 * DAY_MS
const TOKEN_MS = 5 * 60 * 1000
const RSA_BITS_MIN = 2048
const CSR_BYTES_MAX = 32_768

const malformed = (message: string) => pca.fail('MalformedCSRException', message)
const invalid = (message: string) => pca.fail('InvalidArgsException', message)
const outOfTime = (message: string) => new Fault('ValidationException', message, { status: 400 })

interface TokenRow {
  readonly arn: string
  readonly hash: string
  readonly expiresAt: number
}

export const issueCertificate = pca
  .operation('IssueCertificate')
  .on(authority.named('CertificateAuthorityArn'))
  .run(async (call, input, { row, arn }) => {
    const template = templateOf(input.TemplateArn)
    const isOwnRoot = template.isRoot && row.type === 'ROOT' && row.status === 'PENDING_CERTIFICATE'
    if (!isOwnRoot && statusOf(row, call.now) !== 'ACTIVE') throw wrongState(row, call.now)
    if (input.ApiPassthrough && !template.passesApi)
      throw invalid('ApiPassthrough needs a template whose name ends with APIPassthrough.')
    const { SigningAlgorithm } = input
    assertFits(row.configuration.KeyAlgorithm, SigningAlgorithm)
    const tokenAt = input.IdempotencyToken && key('acm-pca', 'issue-token', row.id, input.IdempotencyToken)
    const hash = createHash('sha256').update(input.Csr).digest('hex')
    const before = tokenAt ? await call.unit.get<TokenRow>(tokenAt) : undefined
    if (before && before.expiresAt > call.now && before.hash === hash) return { CertificateArn: before.arn }

    const request = await readRequest(input.Csr)
    if (template.isRoot && !request.publicKey.equals(Buffer.from(row.publicKey, 'base64')))
      throw invalid('The template of roots is for the certificate of the authority itself.')
    const { notBefore, notAfter } = timesOf(row, template, input, call.now)
    const issuer =
      row.certificate === undefined ? undefined : certificateParts(new X509Certificate(row.certificate).raw)
    if (!issuer && !template.isRoot) throw wrongState(row, call.now)
    if (template.isAuthority && !template.isRoot) assertPathLength(row, template)
    const subject = input.ApiPassthrough?.Subject ? subjectOf(input.ApiPassthrough.Subject) : request.subject
    const extensions = extensionsOf(call, row, template, request, input.ApiPassthrough, issuer?.publicKey)
    const forbidden = template.isRoot ? undefined : forbiddenName(row, subject, extensions)
    if (forbidden !== undefined) throw invalid(`The name constraints of the authority forbid ${forbidden}.`)

    const serial = newSerial()
    const der = await buildCertificate(
      {
        serial,
        issuer: template.isRoot ? subject : issuer!.subject,
        subject,
        publicKey: request.publicKey,
        notBefore: new Date(notBefore),
        notAfter: new Date(notAfter),
        algorithm: SigningAlgorithm,
        extensions,
      },
      signWith(call.vault, row.held, SigningAlgorithm),
    )
    const serialHex = serial.toString('hex').replace(/^0+/, '')
    const issued: IssuedRow = {
      serial: serialHex,
      pem: pem('CERTIFICATE', der).trimEnd(),
      subject: new X509Certificate(der).subject.split('\n').join(', '),
      notBefore,
      notAfter,
      issuedAt: call.now,
      template: input.TemplateArn ?? 'arn:aws:acm-pca:::template/EndEntityCertificate/V1',
      requestedBy: callerOf(call),
    }
    call.unit.put(issuedKey(row.id, serialHex), issued)
    const CertificateArn = `${arn}/certificate/${BigInt(`0x${serialHex}`)}`
    if (tokenAt) {
      const row: TokenRow = { arn: CertificateArn, hash, expiresAt: call.now + TOKEN_MS }
      putExpiring(call.unit, 'acm-pca.forget', tokenAt, row)
    }
    return { CertificateArn }
  })

function callerOf({ caller: { principal } }: Call): string {
  return 'arn' in principal && typeof principal.arn === 'string'
    ? principal.arn
    : 'name' in principal && typeof principal.name === 'string'
      ? principal.name
      : principal.kind
}

/** PEM; its key has signed it, and is strong enough. */
async function readRequest(bytes: Uint8Array): Promise<SigningRequest> {
  const text = Buffer.from(bytes).toString('latin1')
  if (text.length > CSR_BYTES_MAX) throw malformed('The certificate signing request is too long.')
  const [block] = [...pemBlocks(text, 'CERTIFICATE REQUEST'), ...pemBlocks(text, 'NEW CERTIFICATE REQUEST')]
  if (!block) throw malformed('The certificate signing request is not PEM.')
  let request: SigningRequest
  try {
    request = await parseSigningRequest(derOf(block))
  } catch (error) {
    throw malformed(`The certificate signing request is not valid: ${(error as Error).message}`)
  }
  assertStrong(request.publicKey)
  return request
}

function assertStrong(publicKey: Buffer): void {
  let bits: { modulusLength?: number | undefined; publicExponent?: bigint | undefined } | undefined
  try {
    bits = createPublicKey({ key: publicKey, format: 'der', type: 'spki' }).asymmetricKeyDetails
  } catch {
    // A key of a kind that Node does not know: ML-DSA.
    return
  }
  const { modulusLength, publicExponent } = bits ?? {}
  if (modulusLength !== undefined && modulusLength < RSA_BITS_MIN)
    throw malformed(`The key of the request has ${modulusLength} bits; RSA keys need ${RSA_BITS_MIN}.`)
  // CA/Browser Forum BR 6.1.6.
  if (publicExponent !== undefined && (publicExponent <= 65_536n || publicExponent % 2n === 0n))
    throw malformed('The public exponent of the request is not odd and above 65,536.')
}

function timesOf(
  row: AuthorityRow,
  { isRoot }: Template,
  { Validity, ValidityNotBefore }: Pick<Strict<PrivateCa.IssueCertificateRequest>, 'Validity' | 'ValidityNotBefore'>,
  now: number,
): { readonly notBefore: number; readonly notAfter: number } {
  const notBefore = ValidityNotBefore ? timeOf(ValidityNotBefore, now) : now - HOUR_MS
  const notAfter = timeOf(Validity, now)
  if (notAfter <= now || notAfter <= notBefore) throw outOfTime('The certificate would end before it begins.')
  if (row.usageMode === 'SHORT_LIVED_CERTIFICATE' && !isRoot && notAfter - now > SHORT_LIVED_MS)
    throw outOfTime('An authority for short-lived certificates issues for seven days at most.')
  if (!isRoot && row.notAfter !== undefined && notAfter > row.notAfter)
    throw outOfTime('The certificate would outlive the certificate of its authority.')
  return { notBefore, notAfter }
}

function timeOf({ Type, Value }: Strict<PrivateCa.Validity>, now: number): number {
  const date = new Date(now)
  switch (Type) {
    case 'ABSOLUTE':
      return Value * 1_000
    case 'DAYS':
      return now + Value * DAY_MS
    case 'MONTHS':
      return date.setUTCMonth(date.getUTCMonth() + Value)
    case 'YEARS':
      return date.setUTCFullYear(date.getUTCFullYear() + Value)
    case 'END_DATE':
      return endDate(String(Value))
  }
}

/** `YYMMDDHHMMSS` (UTCTime, RFC 5280 §4.1.2.5.1) or `YYYYMMDDHHMMSS`. */
function endDate(text: string): number {
  const digits = text.padStart(12, '0')
  const whole = digits.length === 12 ? `${Number(digits.slice(0, 2)) < 50 ? '20' : '19'}${digits}` : digits
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(whole) ?? []
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(at)) throw outOfTime(`The end date ${text} is not valid.`)
  return at
}

/** An authority may not allow longer paths below it than it has left itself. */
function assertPathLength({ certificate }: AuthorityRow, { pathLength = 0 }: Template): void {
  const left = pathCertificate(derOf(certificate!)).pathLength
  if (left !== undefined && pathLength >= left)
    throw invalid(`The authority allows paths of length ${left}: it cannot issue one of length ${pathLength}.`)
}

function apiNames(passthrough: Strict<PrivateCa.ApiPassthrough> | undefined): readonly string[] {
  return (passthrough?.Extensions?.SubjectAlternativeNames ?? []).map((name) => {
    const text = name.DnsName ?? name.IpAddress
    if (text === undefined) throw notImplemented('subject alternative names other than DNS names and addresses')
    return text
  })
}

function extensionsOf(
  call: Call,
  row: AuthorityRow,
  template: Template,
  request: SigningRequest,
  passthrough: Strict<PrivateCa.ApiPassthrough> | undefined,
  issuerKey: Buffer | undefined,
): readonly Buffer[] {
  const all = new Map<string, Buffer>()
  if (template.basicConstraints === 'critical')
    all.set(extensionOids.basicConstraints, basicConstraints(template.isAuthority, template.pathLength))
  all.set(extensionOids.subjectKeyId, subjectKeyId(request.publicKey))
  all.set(extensionOids.authorityKeyId, authorityKeyId(keyIdOfSpki(issuerKey ?? request.publicKey)))
  if (template.keyUsages.length > 0) all.set(extensionOids.keyUsage, keyUsage(...template.keyUsages))
  if (template.extendedKeyUsages.length > 0)
    all.set(extensionOids.extendedKeyUsage, extendedKeyUsage(...template.extendedKeyUsages))
  const san = request.extensions.get(extensionOids.subjectAltName)
  if (san && !template.isAuthority) all.set(extensionOids.subjectAltName, san)
  for (const [oid, each] of revocationPointers(call, row, template)) all.set(oid, each)
  // The template's own values stay: the call overrides the request, and neither overrides the template.
  for (const [oid, each] of apiExtensions(passthrough))
    if (!all.has(oid) || oid === extensionOids.subjectAltName) all.set(oid, each)
  if (template.passesCsr) for (const [oid, each] of request.extensions) if (!all.has(oid)) all.set(oid, each)
  return [...all.values()]
}

function apiExtensions(
  passthrough: Strict<PrivateCa.ApiPassthrough> | undefined,
): readonly (readonly [string, Buffer])[] {
  const { CertificatePolicies, ExtendedKeyUsage, KeyUsage, CustomExtensions } = passthrough?.Extensions ?? {}
  const names = apiNames(passthrough)
  const usages = keyUsages.filter(
    (usage) => KeyUsage?.[(usage[0]!.toUpperCase() + usage.slice(1)) as keyof typeof KeyUsage],
  )
  const extended = (ExtendedKeyUsage ?? []).map(
    ({ ExtendedKeyUsageType: type, ExtendedKeyUsageObjectIdentifier: oid }) => (type ? extendedKeyUsages[type] : oid!),
  )
  if (CertificatePolicies?.some(({ PolicyQualifiers }) => PolicyQualifiers?.length))
    throw notImplemented('qualifiers of certificate policies')
  return [
    ...(names.length > 0 ? [[extensionOids.subjectAltName, subjectAltName(names)] as const] : []),
    ...(usages.length > 0 ? [[extensionOids.keyUsage, keyUsage(...usages)] as const] : []),
    ...(extended.length > 0 ? [[extensionOids.extendedKeyUsage, extendedKeyUsage(...extended)] as const] : []),
    ...(CertificatePolicies?.length
      ? [
          [
            extensionOids.certificatePolicies,
            certificatePolicies(...CertificatePolicies.map(({ CertPolicyId }) => CertPolicyId)),
          ] as const,
        ]
      : []),
    ...(CustomExtensions ?? []).map(
      ({ ObjectIdentifier, Value, Critical = false }) =>
        [ObjectIdentifier, extension(ObjectIdentifier, Critical, Buffer.from(Value, 'base64'))] as const,
    ),
  ]
}

export const CRL_PATH = '/acm-pca/crl'
export const OCSP_PATH = '/acm-pca/ocsp'

function revocationPointers(
  call: Call,
  { id, revocation }: AuthorityRow,
  { isRoot }: Template,
): readonly (readonly [string, Buffer])[] {
  if (isRoot) return []
  const { CrlConfiguration: crl, OcspConfiguration: ocsp } = revocation
  const origin = call.use(webOrigin).origin()
  const list = crl?.CustomCname ? `http://${crl.CustomCname}/crl/${id}.crl` : origin && `${origin}${CRL_PATH}/${id}.crl`
  const status = ocsp?.OcspCustomCname ? `http://${ocsp.OcspCustomCname}` : origin && `${origin}${OCSP_PATH}/${id}`
  const isOmitted = crl?.CrlDistributionPointExtensionConfiguration?.OmitExtension
  return [
    ...(crl?.Enabled && list && !isOmitted
      ? [[extensionOids.crlDistributionPoints, crlDistributionPoint(list)] as const]
      : []),
    ...(ocsp?.Enabled && status
      ? [[extensionOids.authorityInfoAccess, authorityInfoAccess({ ocsp: status })] as const]
      : []),
  ]
}

export const getCertificate = pca
  .operation('GetCertificate')
  .on(authority.named('CertificateAuthorityArn'))
  .run(async (call, { CertificateArn }, { row, arn }) => {
    if (row.status === 'DELETED') throw wrongState(row, call.now)
    const decimal = CertificateArn.startsWith(`${arn}/certificate/`) ? CertificateArn.slice(arn.length + 13) : ''
    if (!/^\d{1,60}$/.test(decimal)) throw pca.fail('InvalidArnException', `Invalid arn ${CertificateArn}`)
    const issued = await call.unit.get<IssuedRow>(issuedKey(row.id, BigInt(decimal).toString(16)))
    if (!issued) throw pca.fail('ResourceNotFoundException', `Could not find certificate ${CertificateArn}.`)
    // A root's own certificate has nothing above it.
    const isOwnRoot = templateOf(issued.template).isRoot
    const chain = isOwnRoot ? '' : [row.certificate, row.chain].filter((each) => each !== undefined).join('\n')
    return { Certificate: issued.pem, ...(chain !== '' && { CertificateChain: chain }) }
  })

export const revokeCertificate = pca
  .operation('RevokeCertificate')
  .on(authority.named('CertificateAuthorityArn'))
  .run(async (call, { CertificateSerial, RevocationReason: reason }, { row, arn }) => {
    if (statusOf(row, call.now) === 'DELETED' || row.certificate === undefined) throw wrongState(row, call.now)
    const serial = CertificateSerial.replace(/:/g, '').toLowerCase().replace(/^0+/, '')
    const at = issuedKey(row.id, serial)
    const issued = /^[0-9a-f]{1,40}$/.test(serial) ? await call.unit.get<IssuedRow>(at) : undefined
    if (!issued)
      throw pca.fail('ResourceNotFoundException', `${arn} issued no certificate with serial ${CertificateSerial}.`)
    if (issued.revokedAt !== undefined)
      throw pca.fail('RequestAlreadyProcessedException', `The certificate ${CertificateSerial} is revoked already.`)
    if (row.serial?.toLowerCase().replace(/^0+/, '') === serial)
      throw pca.fail('InvalidRequestException', 'Self-signed certificate can not be revoked')
    const revoked: IssuedRow = { ...issued, revokedAt: call.now, reason: reason as RevocationReason }
    call.unit.put(at, revoked)
    call.unit.put(revokedKey(row.id, serial), revoked)
    planCrl(call.unit, row, call.newId(), call.now)
    return {}
  })
