/**
 * The metadata of SAML providers: of an identity provider its name, the certificates that it signs with, its endpoints and
 * its end; of a service provider its name, where it receives responses, and the certificates that it signs requests with.
 * Source: https://docs.oasis-open.org/security/saml/v2.0/saml-metadata-2.0-os.pdf
 */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { childrenOf, parseXml, type XmlElement, XmlError } from '../xml/xml.ts'
import { BINDING, METADATA, SIGNATURE } from './names.ts'

export interface SamlMetadata {
  readonly entityId: string
  /** DER, base64, in the document's order. */
  readonly signingCertificates: readonly string[]
  /** Epoch milliseconds. */
  readonly validUntil?: number
  /** Where sign-ins and sign-outs are requested by redirect; where sign-ins are requested by form. */
  readonly signOnByRedirect?: string
  readonly signOnByForm?: string
  readonly signOutByRedirect?: string
}

export interface ServiceProviderMetadata {
  readonly entityId: string
  /** Of the form binding, the default first. At least one. */
  readonly acs: readonly { readonly url: string; readonly index: number }[]
  /** DER, base64. */
  readonly signingCertificates: readonly string[]
  readonly isRequestSigned: boolean
}

/** Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const CERTIFICATES_MAX = 10
const RSA_BITS_MIN = 1_024

/** Why a document is no usable metadata. */
export class MetadataError extends Error {
  override readonly name = 'MetadataError'
}

export function parseSamlMetadata(document: string): SamlMetadata {
  const { root, entityId } = entityOf(document)
  const provider = childrenOf(root, METADATA, 'IDPSSODescriptor')
  if (provider.length === 0) throw new MetadataError('no IDPSSODescriptor')
  const signingCertificates = certificatesOf(provider)
  if (signingCertificates.length === 0) throw new MetadataError('no signing certificate')
  const endpoint = (service: string, binding: string) =>
    provider
      .flatMap((descriptor) => childrenOf(descriptor, METADATA, service))
      .find(({ attributes }) => attributes.get('Binding') === binding)
      ?.attributes.get('Location')
  const [byRedirect, byForm] = [
    endpoint('SingleSignOnService', BINDING.redirect),
    endpoint('SingleSignOnService', BINDING.post),
  ]
  const signOut = endpoint('SingleLogoutService', BINDING.redirect)
  const validUntil = validUntilOf(root)
  return {
    entityId,
    signingCertificates,
    ...(validUntil !== undefined && { validUntil }),
    ...(byRedirect !== undefined && { signOnByRedirect: byRedirect }),
    ...(byForm !== undefined && { signOnByForm: byForm }),
    ...(signOut !== undefined && { signOutByRedirect: signOut }),
  }
}

/** Throws a {@link MetadataError}. */
export function parseServiceProviderMetadata(document: string): ServiceProviderMetadata {
  const { root, entityId } = entityOf(document)
  const [provider, ...more] = childrenOf(root, METADATA, 'SPSSODescriptor')
  if (!provider || more.length > 0) throw new MetadataError('not exactly one SPSSODescriptor')
  const acs = childrenOf(provider, METADATA, 'AssertionConsumerService')
    .filter(({ attributes }) => attributes.get('Binding') === BINDING.post)
    .map(({ attributes }) => ({
      url: attributes.get('Location') ?? '',
      index: Number(attributes.get('index') ?? 0),
      isDefault: attributes.get('isDefault') === 'true' || attributes.get('isDefault') === '1',
    }))
    .sort((a, b) => Number(b.isDefault) - Number(a.isDefault) || a.index - b.index)
  if (acs.length === 0) throw new MetadataError('no AssertionConsumerService of the binding HTTP-POST')
  return {
    entityId,
    acs: acs.map(({ url, index }) => ({ url, index })),
    signingCertificates: certificatesOf([provider]),
    isRequestSigned: ['true', '1'].includes(provider.attributes.get('AuthnRequestsSigned') ?? ''),
  }
}

function entityOf(document: string): { readonly root: XmlElement; readonly entityId: string } {
  const root = read(document)
  if (root.namespace !== METADATA || root.name !== 'EntityDescriptor') throw new MetadataError('no EntityDescriptor')
  const entityId = root.attributes.get('entityID')
  if (!entityId) throw new MetadataError('no entityID')
  return { root, entityId }
}

function certificatesOf(descriptors: readonly XmlElement[]): readonly string[] {
  const certificates = descriptors
    .flatMap((descriptor) => childrenOf(descriptor, METADATA, 'KeyDescriptor'))
    .filter((key) => (key.attributes.get('use') ?? 'signing') === 'signing')
    .flatMap((key) => childrenOf(key, SIGNATURE, 'KeyInfo'))
    .flatMap((info) => childrenOf(info, SIGNATURE, 'X509Data'))
    .flatMap((data) => childrenOf(data, SIGNATURE, 'X509Certificate'))
    .map((certificate) => derOf(certificate.text))
  if (certificates.length > CERTIFICATES_MAX)
    throw new MetadataError(`more than ${CERTIFICATES_MAX} signing certificates`)
  return certificates
}

function validUntilOf(root: XmlElement): number | undefined {
  const text = root.attributes.get('validUntil')
  if (text === undefined) return undefined
  const at = Date.parse(text)
  if (Number.isNaN(at)) throw new MetadataError('validUntil is no date')
  return at
}

/** A certificate as it is written in a document or a PEM file, checked: DER, base64. */
export function derOf(text: string): string {
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

/** Metadata of an identity provider that takes requests by redirect. Throws a {@link MetadataError}. */
export function parseRedirectProviderMetadata(document: string): SamlMetadata {
  const metadata = parseSamlMetadata(document)
  const { signOnByRedirect: endpoint } = metadata
  if (endpoint === undefined || !URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    throw new MetadataError('no SingleSignOnService of the binding HTTP-Redirect')
  return metadata
}
