/** Name constraints (RFC 5280 §4.2.1.10) of an authority and of those above it: what it issues has to keep to them. */
import { derOf } from '../../engines/x509/certificate-builder.ts'
import { DerError, elements, expectTag, only, readObjectId } from '../../engines/x509/der-read.ts'
import { extensionOids } from '../../engines/x509/extensions.ts'
import { type GeneralName, generalNames } from '../../engines/x509/general-names.ts'
import { ComparisonsError, isAllowed } from '../../engines/x509/name-constraints.ts'
import { comparableName } from '../../engines/x509/names.ts'
import { pathCertificate } from '../../engines/x509/path-certificate.ts'
import { pathBudget } from '../../engines/x509/path-validation.ts'
import { pemBlocks } from '../../engines/x509/pem.ts'
import { type AuthorityRow, pca } from './resources.ts'

/**
 * The first name that is forbidden. `subject`, `extensions`: of the certificate that is to be issued, DER. Faults for alternative names
 * that cannot be read, or that cost too much to compare.
 */
export function forbiddenName(
  { certificate = '', chain = '' }: Pick<AuthorityRow, 'certificate' | 'chain'>,
  subject: Buffer,
  extensions: readonly Buffer[],
): string | undefined {
  try {
    const above = pemBlocks(`${certificate}\n${chain}`, 'CERTIFICATE').map((pem) => pathCertificate(derOf(pem)))
    const limits = above.flatMap(({ nameConstraints }) => nameConstraints ?? [])
    if (limits.length === 0) return undefined
    const budget = pathBudget()
    const forbidden = namesIn(subject, extensions).find((name) =>
      limits.some((limit) => !isAllowed(limit, name, budget)),
    )
    return forbidden && printed(forbidden)
  } catch (error) {
    if (error instanceof ComparisonsError) throw pca.fail('InvalidArgsException', error.message)
    if (!(error instanceof DerError)) throw error
    throw pca.fail('MalformedCSRException', `The names of the request cannot be read: ${error.message}.`)
  }
}

function namesIn(subject: Buffer, extensions: readonly Buffer[]): readonly GeneralName[] {
  const parts = comparableName(subject)
  const alternatives = extensions.flatMap((extension) => {
    const [oid, ...rest] = elements(only(extension, 0x30).content, 3)
    const isNames = readObjectId(oid!) === extensionOids.subjectAltName
    return isNames ? generalNames(expectTag(rest.at(-1), 0x04).content) : []
  })
  return [...(parts.length > 0 ? [{ kind: 'directory', parts } as const] : []), ...alternatives]
}

function printed(name: GeneralName): string {
  switch (name.kind) {
    case 'address':
      return name.bytes.length === 4 ? name.bytes.join('.') : name.bytes.toString('hex').replace(/.{4}(?!$)/g, '$&:')
    case 'directory':
      return 'the subject'
    case 'other':
      return 'a name of a kind that is not supported'
    default:
      return name.text
  }
}
