/** Extensions of an issued certificate: those of its template, of the call, and of its request, in this order of precedence. */
import type * as PrivateCa from '../../../models/schemas/acm-pca.types.ts'
import type { SigningRequest } from '../../engines/x509/certificate-builder.ts'
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
import type { Call } from '../../kernel/gate/call.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import type { Strict } from '../../wire/typed.ts'
import { type AuthorityRow, notImplemented } from './resources.ts'
import type { Template } from './templates.ts'

function apiNames(passthrough: Strict<PrivateCa.ApiPassthrough> | undefined): readonly string[] {
  return (passthrough?.Extensions?.SubjectAlternativeNames ?? []).map((name) => {
    const text = name.DnsName ?? name.IpAddress
    if (text === undefined) throw notImplemented('subject alternative names other than DNS names and addresses')
    return text
  })
}

export function extensionsOf(
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
