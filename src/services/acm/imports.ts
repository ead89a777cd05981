/** Imported certificates: made elsewhere, checked here, and imported again under the same ARN. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import {
  describeCertificate,
  parseCertificate,
  parseChain,
  parsePrivateKey,
  X509Error,
} from '../../engines/x509/certificate.ts'
import { pemBlocks } from '../../engines/x509/pem.ts'
import { issuance } from './issuance.ts'
import { algorithmOf, sealKey } from './private-keys.ts'
import { acm, type CertificateRow, certificate, keyOf, type Material } from './resources.ts'

const KEY_BYTES_MAX = 5_120

const invalid = (message: string) => acm.fail('ValidationException', message)

export const importCertificate = acm
  .operation('ImportCertificate')
  .on(certificate.createdOrReplaced('CertificateArn', (_input, call) => ({ CertificateId: call.newId() })))
  .run(async (call, input, { id, arn, before, tags }) => {
    const { leaf, key, chain } = readImport(input, call.now)
    const keyAlgorithm = algorithmOf(key)
    if (!keyAlgorithm) throw invalid('The key algorithm of the certificate is not supported.')
    const { dnsNames, subject, serialNumber, startsMs, endsMs } = describeCertificate(leaf)
    const domain = dnsNames[0] ?? /(?:^|, )CN=([^,]+)/.exec(subject)?.[1] ?? ''
    const row = { id: id.CertificateId, account: call.account }
    const material: Material = {
      pem: leaf.toString(),
      ...(chain !== undefined && { chain }),
      privateKey: sealKey(call.vault, row, serialNumber, key),
      serial: serialNumber,
      notBefore: startsMs,
      notAfter: endsMs,
    }
    if (before) {
      assertReplaceable(before, input.Tags?.length ?? 0, { keyAlgorithm, names: dnsNames })
      issuance.leave(call.unit, keyOf(before), before)
    } else await assertQuota(call)
    const { progress: _, warnedDay: __, ...kept } = before ?? { progress: undefined, warnedDay: undefined }
    issuance.enter(
      call.unit,
      certificate.key(call, id),
      {
        inUseBy: [],
        createdAt: call.now,
        ...kept,
        ...row,
        region: call.region,
        partition: call.partition,
        type: 'IMPORTED',
        domain,
        names: dnsNames,
        keyAlgorithm,
        proofs: [],
        logsTransparency: false,
        isExportable: false,
        importedAt: call.now,
        material,
        tags: before?.tags ?? tags,
      },
      'ISSUED',
      call.now,
    )
    call.event.resources = [{ arn, type: certificate.spec.type, account: call.account }]
    return { CertificateArn: arn }
  })

async function assertQuota(
  call: Parameters<typeof certificate.list>[1] & {
    readonly unit: Parameters<typeof certificate.list>[0]
    readonly quotas: Readonly<Record<string, number>>
  },
): Promise<void> {
  const quota = call.quotas['acm/ImportedCertificatesPerAccount']!
  const rows = await certificate.list(call.unit, call)
  if (rows.filter(({ document }) => document.type === 'IMPORTED').length >= quota)
    throw acm.fail('LimitExceededException', `The account has ${quota} imported certificates, the most it may have.`)
}

/** Clients of the ARN must keep working: same names, same kind of key. */
function assertReplaceable(
  before: CertificateRow,
  tags: number,
  now: Pick<CertificateRow, 'keyAlgorithm' | 'names'>,
): void {
  if (tags > 0)
    throw acm.fail(
      'InvalidParameterException',
      'Tags cannot be added when a certificate is imported again. Use AddTagsToCertificate.',
    )
  if (before.type !== 'IMPORTED')
    throw invalid('The certificate was not imported. Only imported certificates can be imported again.')
  if (before.keyAlgorithm !== now.keyAlgorithm)
    throw invalid(
      `The key algorithm ${now.keyAlgorithm} is not the one of the certificate before, ${before.keyAlgorithm}.`,
    )
  const missing = before.names.filter((name) => !now.names.includes(name))
  if (missing.length > 0) throw invalid(`The certificate lacks names of the one before: ${missing.join(', ')}.`)
}

interface Imported {
  readonly leaf: X509Certificate
  readonly key: KeyObject
  readonly chain: string | undefined
}

function readImport(
  input: {
    readonly Certificate: Uint8Array
    readonly PrivateKey: Uint8Array
    readonly CertificateChain?: Uint8Array | undefined
  },
  now: number,
): Imported {
  const body = text(input.Certificate)
  if (pemBlocks(body, 'CERTIFICATE').length > 1)
    throw invalid(
      'The certificate field contains more than one certificate. You can specify only one certificate in this field.',
    )
  if (input.PrivateKey.length > KEY_BYTES_MAX) throw invalid(`The private key is longer than ${KEY_BYTES_MAX} bytes.`)
  const keyText = text(input.PrivateKey)
  if (/ENCRYPTED/.test(keyText)) throw invalid('The private key is encrypted. Provide it without a passphrase.')
  try {
    const leaf = parseCertificate(body)
    const key = parsePrivateKey(keyText)
    if (!leaf.checkPrivateKey(key)) throw invalid('The private key does not match the certificate.')
    const { startsMs, endsMs } = describeCertificate(leaf)
    if (now < startsMs) throw invalid('The certificate is not in effect yet.')
    if (now >= endsMs) throw invalid('The certificate has expired.')
    const chainText = input.CertificateChain && text(input.CertificateChain)
    const chain =
      chainText &&
      parseChain(leaf, chainText)
        .map((each) => each.toString())
        .join('')
    return { leaf, key, chain }
  } catch (error) {
    if (!(error instanceof X509Error)) throw error
    throw error.problem === 'issuer'
      ? invalid('Could not validate the certificate with the certificate chain.')
      : invalid(`The ${error.problem} is not valid PEM.`)
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
