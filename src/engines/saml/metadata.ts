/**
 * The metadata of a SAML identity provider: its name, the certificates that it signs with, its end.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf
 */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { childrenOf, parseXml, type XmlElement, XmlError } from '../xml/xml.ts'
import { SIGNATURE } from './names.ts'

export interface SamlMetadata {
  readonly entityId: string
  /** DER, base64, in the document's order. */
  readonly signingCertificates: readonly string[]
  /** Epoch milliseconds. */
  readonly validUntil?: number
}

const METADATA = 'urn:oasis:names:tc:SAML:2.0:metadata'
/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const CERTIFICATES_MAX = 10
const RSA_BITS_MIN = 1_024

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
  if (signingCertificates.length > CERTIFICATES_MAX)
    throw new MetadataError(`more than ${CERTIFICATES_MAX} signing certificates`)

  const validUntil = root.attributes.get('validUntil')
  if (validUntil === undefined) return { entityId, signingCertificates }
  const at = Date.parse(validUntil)
  if (Number.isNaN(at)) throw new MetadataError('validUntil is no date')
  return { entityId, signingCertificates, validUntil: at }
}

function derOf(text: string): string {
  const der = text.replace(/\s/g, '')
  const key = publicKeyOf(der)
  const bits = key.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && bits < RSA_BITS_MIN) throw new MetadataError(`an RSA key of less than ${RSA_BITS_MIN} bits`)
  return der
}

function publicKeyOf(der: string): KeyObject {
  try {
    return new X509Certificate(Buffer.from(der, 'base64')).publicKey
  } catch {
    throw new MetadataError('a certificate cannot be read')
  }
}

function read(document: string): XmlElement {
  try {
    return parseXml(document)
  } catch (error) {
    if (!(error instanceof XmlError)) throw error
    throw new MetadataError(error.message)
  }
}
