/** Certificates that authorities issue: by templates, within the authority's own time and names. */
import { createHash, X509Certificate } from 'node:crypto'
import { buildCertificate, certificateParts, derOf, pem } from '../../engines/x509/certificate-builder.ts'
import { pathCertificate } from '../../engines/x509/path-certificate.ts'
import { newSerial } from '../../kernel/certificate-serial.ts'
import type { Call } from '../../kernel/gate/call.ts'
import { putExpiring } from '../../kernel/jobs/expiring-rows.ts'
import { key } from '../../store/store.ts'
import { assertFits, signWith } from './algorithms.ts'
import { readRequest } from './certificate-requests.ts'
import { extensionsOf } from './issued-extensions.ts'
import { forbiddenName } from './name-constraints.ts'
import { type AuthorityRow, authority, type IssuedRow, issuedKey, pca, statusOf, wrongState } from './resources.ts'
import { subjectOf } from './subjects.ts'
import { type Template, templateOf } from './templates.ts'
import { timesOf } from './validity.ts'

const TOKEN_MS = 5 * 60 * 1000

const invalid = (message: string) => pca.fail('InvalidArgsException', message)

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

/** An authority may not allow longer paths below it than it has left itself. */
function assertPathLength({ certificate }: AuthorityRow, { pathLength = 0 }: Template): void {
  const left = pathCertificate(derOf(certificate!)).pathLength
  if (left !== undefined && pathLength >= left)
    throw invalid(`The authority allows paths of length ${left}: it cannot issue one of length ${pathLength}.`)
}
