/**
 * Certificates and signing requests, signed by a key that is elsewhere: what is to be signed goes out, a signature comes back.
 * Pure but for the signer; times and serial numbers come from the caller.
 *
 * @example
 * const der = await buildCertificate({ serial, issuer, subject, publicKey, notBefore, notAfter, extensions, algorithm }, sign)
 */
import { bits, context, integer, objectId, sequence, set, time } from './der.ts'
import { elements, expectTag, only, readObjectId, readOctets } from './der-read.ts'
import { extensionOids } from './extensions.ts'
import {
  algorithmIdentifier,
  type SignatureAlgorithm,
  signatureAlgorithmOf,
  verifySignature,
} from './signature-algorithms.ts'

/** Signs with the algorithm that was named. */
export type Sign = (message: Buffer) => Promise<Uint8Array>

export interface CertificateContents {
  /** Positive, big-endian: at most 20 bytes. */
  readonly serial: Uint8Array
  /** Names in DER. */
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly notBefore: Date
  readonly notAfter: Date
  /** DER SPKI. */
  readonly publicKey: Buffer
  readonly extensions: readonly Buffer[]
  readonly algorithm: SignatureAlgorithm
}

/** A signed structure: its contents, the algorithm, the signature. */
export async function signed(contents: Buffer, algorithm: SignatureAlgorithm, sign: Sign): Promise<Buffer> {
  return sequence(contents, algorithmIdentifier(algorithm), bits(await sign(contents)))
}

/** DER of the certificate. */
export function buildCertificate(contents: CertificateContents, sign: Sign): Promise<Buffer> {
  const { serial, issuer, subject, notBefore, notAfter, publicKey, extensions, algorithm } = contents
  const toSign = sequence(
    context(0, true, integer(Buffer.from([2]))),
    integer(serial),
    algorithmIdentifier(algorithm),
    issuer,
    sequence(time(notBefore), time(notAfter)),
    subject,
    publicKey,
    context(3, true, sequence(...extensions)),
  )
  return signed(toSign, algorithm, sign)
}

const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'

/** PKCS #10 (RFC 2986), DER. */
export function buildSigningRequest(
  {
    subject,
    publicKey,
    extensions,
    algorithm,
  }: Pick<CertificateContents, 'subject' | 'publicKey' | 'extensions' | 'algorithm'>,
  sign: Sign,
): Promise<Buffer> {
  const attributes =
    extensions.length === 0 ? [] : [sequence(objectId(EXTENSION_REQUEST), set(sequence(...extensions)))]
  const toSign = sequence(integer(Buffer.from([0])), subject, publicKey, context(0, true, ...attributes))
  return signed(toSign, algorithm, sign)
}

export interface SigningRequest {
  /** DER of the name. */
  readonly subject: Buffer
  /** DER SPKI. */
  readonly publicKey: Buffer
  /** Requested extensions: OID → DER of the whole extension. */
  readonly extensions: ReadonlyMap<string, Buffer>
}

/** Throws `DerError` for what is no request, or is not signed by the key that it names. */
export async function parseSigningRequest(der: Buffer): Promise<SigningRequest> {
  const [contents, algorithm, signature] = elements(only(der, 0x30).content, 4)
  const name = signatureAlgorithmOf(readObjectId(elements(expectTag(algorithm, 0x30).content)[0]!))
  const [, subject, publicKey, attributes] = elements(expectTag(contents, 0x30).content, 5)
  const key = Buffer.from(expectTag(publicKey, 0x30).whole)
  const bytes = readOctets(signature)
  if (!name || !(await verifySignature(name, key, contents!.whole, bytes)))
    throw new Error('The request is not signed by its own key, or by an algorithm that is not supported.')
  const requested = attributes?.tag === 0xa0 ? elements(attributes.content, 64) : []
  const extensions = new Map<string, Buffer>()
  for (const attribute of requested) {
    const [type, values] = elements(attribute.content, 3)
    if (!type || readObjectId(type) !== EXTENSION_REQUEST) continue
    for (const each of elements(only(expectTag(values, 0x31).content, 0x30).content, 64))
      extensions.set(readObjectId(elements(each.content, 4)[0]!), Buffer.from(each.whole))
  }
  return { subject: Buffer.from(expectTag(subject, 0x30).whole), publicKey: key, extensions }
}

/** The names of a request's subject alternative names: DNS names as written; other kinds are returned in `others`. */
export function alternativeNamesIn({ extensions }: SigningRequest): {
  readonly dns: readonly string[]
  readonly others: number
} {
  const whole = extensions.get(extensionOids.subjectAltName)
  if (!whole) return { dns: [], others: 0 }
  const value = elements(only(whole, 0x30).content).at(-1)!
  const names = elements(only(expectTag(value, 0x04).content, 0x30).content)
  const dns = names.filter(({ tag }) => tag === 0x82).map(({ content }) => content.toString('latin1'))
  return { dns, others: names.length - dns.length }
}

/** Parts of a certificate in DER that Node does not show. */
export function certificateParts(der: Buffer): {
  readonly serial: Buffer
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly publicKey: Buffer
  readonly signatureOid: string
  readonly signedBytes: Buffer
  readonly signature: Buffer
  readonly extensions: ReadonlyMap<string, { readonly critical: boolean; readonly value: Buffer }>
} {
  const [contents, algorithm, signature] = elements(only(der, 0x30).content, 4)
  const all = elements(expectTag(contents, 0x30).content, 12)
  const from = all[0]!.tag === 0xa0 ? 1 : 0
  const [serial, , issuer, , subject, publicKey, ...rest] = all.slice(from)
  const extensions = new Map<string, { readonly critical: boolean; readonly value: Buffer }>()
  const last = rest.find(({ tag }) => tag === 0xa3)
  for (const each of last ? elements(only(last.content, 0x30).content) : []) {
    const parts = elements(each.content, 4)
    const critical = parts.length === 3 && parts[1]!.content[0] !== 0
    extensions.set(readObjectId(parts[0]!), { critical, value: parts.at(-1)!.content })
  }
  return {
    serial: expectTag(serial, 0x02).content,
    issuer: expectTag(issuer, 0x30).whole,
    subject: expectTag(subject, 0x30).whole,
    publicKey: expectTag(publicKey, 0x30).whole,
    signatureOid: readObjectId(elements(expectTag(algorithm, 0x30).content)[0]!),
    signedBytes: contents!.whole,
    signature: readOctets(signature),
    extensions,
  }
}

export function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** The DER of one PEM block. */
export const derOf = (text: string): Buffer => Buffer.from(text.replace(/-----[^-]+-----|\s/g, ''), 'base64')
