/**
 * What IAM needs of a SAML identity provider's metadata: who it is, which certificates sign for it, how long it holds.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf
 */
import { X509Certificate } from 'node:crypto'
import { childrenOf, parseXml, type XmlElement, XmlError } from '../../kernel/xml.ts'

export interface SamlMetadata {
  readonly entityId: string
  /** DER, base64, in the document's order. */
  readonly signingCertificates: readonly string[]
  /** Epoch milliseconds. */
  readonly validUntil?: number
}

const METADATA = 'urn:oasis:names:tc:SAML:2.0:metadata'
const SIGNATURE = 'http://www.w3.org/2000/09/xmldsig#'

/** Why a document is no usable metadata. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError'
}

export function parseSamlMetadata(document: string): SamlMetadata {
  const root = read(document)
  if (root.namespace !== METADATA || root.name !== 'EntityDescriptor') throw new MetadataError('no EntityDescriptor')
  const entityId = root.attributes.get('entityID')
  if (!entityId) throw new MetadataError('no entityID')
  const provider = childrenOf(root, METADATA, 'IDPSSODescriptor')
  if (provider.length === 0) throw new MetadataError('no IDPSSODescriptor')

  const signingCertificates = provider
    .flatMap((descriptor) => childrenOf(descriptor, METADATA, 'KeyDescriptor'))
    .filter((key) => (key.attributes.get('use') ?? 'signing') === 'signing')
    .flatMap((key) => childrenOf(key, SIGNATURE, 'KeyInfo'))
    .flatMap((info) => childrenOf(info, SIGNATURE, 'X509Data'))
    .flatMap((data) => childrenOf(data, SIGNATURE, 'X509Certificate'))
    .map((certificate) => derOf(certificate.text))
  if (signingCertificates.length === 0) throw new MetadataError('no signing certificate')

  const validUntil = root.attributes.get('validUntil')
  if (validUntil === undefined) return { entityId, signingCertificates }
  const at = Date.parse(validUntil)
  if (Number.isNaN(at)) throw new MetadataError('validUntil is no date')
  return { entityId, signingCertificates, validUntil: at }
}

function derOf(text: string): string {
  const der = text.replace(/\s/g, '')
  try {
    new X509Certificate(Buffer.from(der, 'base64'))
  } catch {
    throw new MetadataError('a certificate cannot be read')
  }
  return der
}

function read(document: string): XmlElement {
  try {
    return parseXml(document)
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new MetadataError(error.message)
  }
}
