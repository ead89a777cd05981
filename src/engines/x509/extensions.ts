/** Extensions of certificates (RFC 5280 §4.2), built as DER. */
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { bits, boolean, context, integer, objectId, octets, sequence } from './der.ts'
import { elements, only, readBits } from './der-read.ts'
import { addressOf } from './issue.ts'

export const extensionOids = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  crlReason: '2.5.29.21',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
} as const

export const extension = (oid: string, critical: boolean, value: Uint8Array): Buffer =>
  sequence(objectId(oid), ...(critical ? [boolean(true)] : []), octets(value))

/** In the order of their bits. */
export const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const
export type KeyUsage = (typeof keyUsages)[number]

export const extendedKeyUsages = {
  SERVER_AUTH: '1.3.6.1.5.5.7.3.1',
  CLIENT_AUTH: '1.3.6.1.5.5.7.3.2',
  CODE_SIGNING: '1.3.6.1.5.5.7.3.3',
  EMAIL_PROTECTION: '1.3.6.1.5.5.7.3.4',
  TIME_STAMPING: '1.3.6.1.5.5.7.3.8',
  OCSP_SIGNING: '1.3.6.1.5.5.7.3.9',
  SMART_CARD_LOGIN: '1.3.6.1.4.1.311.20.2.2',
  DOCUMENT_SIGNING: '1.3.6.1.5.5.7.3.36',
  CERTIFICATE_TRANSPARENCY: '1.3.6.1.4.1.11129.2.4.4',
} as const

/** SHA-1 over the bits of a public key (RFC 5280 §4.2.1.2, method 1). `publicKey` is DER SPKI. */
export function keyIdOfSpki(publicKey: Buffer): Buffer {
  const [, key] = elements(only(publicKey, 0x30).content)
  return createHash('sha1').update(readBits(key!)).digest()
}

/** `pathLength`: how many authorities may follow below; undefined: any number. */
export const basicConstraints = (isAuthority: boolean, pathLength?: number): Buffer =>
  extension(
    extensionOids.basicConstraints,
    true,
    isAuthority
      ? sequence(boolean(true), ...(pathLength === undefined ? [] : [integer(Buffer.from([pathLength]))]))
      : sequence(),
  )

export function keyUsage(...usages: readonly KeyUsage[]): Buffer {
  const positions = usages.map((usage) => keyUsages.indexOf(usage))
  const last = Math.max(...positions)
  const bytes = Buffer.alloc(Math.floor(last / 8) + 1)
  for (const position of positions) bytes[position >> 3]! |= 0x80 >> (position & 7)
  return extension(extensionOids.keyUsage, true, bits(bytes, 7 - (last % 8)))
}

export const extendedKeyUsage = (...oids: readonly string[]): Buffer =>
  extension(extensionOids.extendedKeyUsage, false, sequence(...oids.map(objectId)))

export const subjectKeyId = (publicKey: Buffer): Buffer =>
  extension(extensionOids.subjectKeyId, false, octets(keyIdOfSpki(publicKey)))

export const authorityKeyId = (keyId: Uint8Array): Buffer =>
  extension(extensionOids.authorityKeyId, false, sequence(context(0, false, keyId)))

/** DNS names and IP addresses. Critical where the subject is empty (RFC 5280 §4.2.1.6). */
export const subjectAltName = (names: readonly string[], critical = false): Buffer =>
  extension(extensionOids.subjectAltName, critical, sequence(...names.map(generalName)))

const generalName = (name: string): Buffer =>
  isIP(name) ? context(7, false, addressOf(name)) : context(2, false, Buffer.from(name, 'ascii'))

const uri = (text: string): Buffer => context(6, false, Buffer.from(text, 'ascii'))

export const crlDistributionPoint = (url: string): Buffer =>
  extension(
    extensionOids.crlDistributionPoints,
    false,
    sequence(sequence(context(0, true, context(0, true, uri(url))))),
  )

/** Where the status of a certificate is served, and where its issuer's certificate is. */
export const authorityInfoAccess = (urls: { readonly ocsp?: string; readonly issuer?: string }): Buffer =>
  extension(
    extensionOids.authorityInfoAccess,
    false,
    sequence(
      ...(urls.ocsp ? [sequence(objectId('1.3.6.1.5.5.7.48.1'), uri(urls.ocsp))] : []),
      ...(urls.issuer ? [sequence(objectId('1.3.6.1.5.5.7.48.2'), uri(urls.issuer))] : []),
    ),
  )

/** `2.23.140.1.2.1`: the domain is validated. */
export const certificatePolicies = (...oids: readonly string[]): Buffer =>
  extension(extensionOids.certificatePolicies, false, sequence(...oids.map((oid) => sequence(objectId(oid)))))
