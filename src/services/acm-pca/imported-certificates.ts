/** The certificate of an authority as it is imported: for its own key, and with a chain that is valid (RFC 5280 §6). */
import type { X509Certificate } from 'node:crypto'
import { parseCertificate, parseCertificates, X509Error } from '../../engines/x509/certificate.ts'
import { DerError } from '../../engines/x509/der-read.ts'
import { pathCertificate } from '../../engines/x509/path-certificate.ts'
import { authorityProblem, type PathProblem, validatePath } from '../../engines/x509/path-validation.ts'
import { type AuthorityRow, pca } from './resources.ts'

const mismatch = (message: string) => pca.fail('CertificateMismatchException', message)
const malformed = (message: string) => pca.fail('MalformedCertificateException', message)

interface Imported {
  readonly certificate: X509Certificate
  /** PEM; undefined for a root. */
  readonly chain: string | undefined
}

export async function readImport(
  row: Pick<AuthorityRow, 'publicKey' | 'type'>,
  text: string,
  chainText: string | undefined,
  now: number,
): Promise<Imported> {
  try {
    const certificate = parseCertificate(text)
    const own = pathCertificate(certificate.raw)
    if (!own.publicKey.equals(Buffer.from(row.publicKey, 'base64')))
      throw mismatch('The certificate is not for the key of this authority.')
    const unfit = authorityProblem(own)
    if (unfit) throw malformed(`The certificate ${PROBLEMS[unfit]}.`)
    if (row.type === 'ROOT') {
      if (chainText) throw mismatch('The certificate of a root has no chain.')
      if (!own.isSelfIssued) throw mismatch('The certificate of a root is self-signed.')
      await assertValid([certificate, certificate], now)
      return { certificate, chain: undefined }
    }
    if (!chainText) throw mismatch('The certificate of a subordinate needs its chain.')
    const chain = parseCertificates(chainText)
    await assertValid([certificate, ...chain], now)
    const printed = chain.map((each: X509Certificate) => each.toString()).join('')
    return { certificate, chain: printed.trimEnd() }
  } catch (error) {
    if (error instanceof DerError) throw malformed(`The certificate cannot be read: ${error.message}.`)
    if (error instanceof X509Error) throw malformed(error.message)
    throw error
  }
}

const PROBLEMS: Readonly<Partial<Record<PathProblem, string>>> = {
  'not-yet-valid': 'is not valid yet',
  expired: 'has expired',
  'critical-extension': 'has a critical extension that is not supported',
  'not-an-authority': 'is not one of an authority',
  'key-usage': 'may not sign certificates',
  'path-length': 'does not allow so many authorities below it',
  'name-constraints': 'has a name that an authority above it forbids',
  policy: 'has none of the policies that an authority above it demands',
  algorithm: 'is signed by an algorithm that is not supported',
}

/** `chain`: the authority's certificate, then those above it; the last one is trusted, since the caller brought it. */
async function assertValid(chain: readonly X509Certificate[], now: number): Promise<void> {
  const path = chain.map(({ raw }) => pathCertificate(raw))
  const result = await validatePath(path.slice(0, -1), path.at(-1)!, { now })
  if (result.isValid) return
  const which = result.at === 0 ? 'The certificate' : `Certificate ${result.at - 1} of the chain`
  const what = PROBLEMS[result.problem]
  throw what ? malformed(`${which} ${what}.`) : mismatch(`${which} is not signed by the certificate above it.`)
}
