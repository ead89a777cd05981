/** Name constraints of an authority (RFC 5280 §4.2.1.10), for DNS names: what it issues has to keep to them. */
import { X509Certificate } from 'node:crypto'
import { certificateParts } from '../../engines/x509/certificate-builder.ts'
import { elements, only } from '../../engines/x509/der-read.ts'
import { extensionOids } from '../../engines/x509/extensions.ts'

const DNS_NAME = 0x82

function subtrees(list: Buffer | undefined): readonly string[] {
  const all = list ? elements(list) : []
  return all.flatMap(({ content }) => {
    const [base] = elements(content, 3)
    return base?.tag === DNS_NAME ? [base.content.toString('latin1').toLowerCase()] : []
  })
}

const isBelow = (name: string, base: string): boolean =>
  base === '' || name === base || name.endsWith(base.startsWith('.') ? base : `.${base}`)

/** The first DNS name that the authority's certificate forbids. */
export function forbiddenName(authorityPem: string, names: readonly string[]): string | undefined {
  const { extensions } = certificateParts(new X509Certificate(authorityPem).raw)
  const value = extensions.get(extensionOids.nameConstraints)?.value
  if (!value) return undefined
  const lists = elements(only(value, 0x30).content, 4)
  const permitted = subtrees(lists.find(({ tag }) => tag === 0xa0)?.content)
  const excluded = subtrees(lists.find(({ tag }) => tag === 0xa1)?.content)
  return names.find((each) => {
    const name = each.toLowerCase().replace(/^\*\./, '')
    return (
      (permitted.length > 0 && !permitted.some((base) => isBelow(name, base))) ||
      excluded.some((base) => isBelow(name, base))
    )
  })
}
