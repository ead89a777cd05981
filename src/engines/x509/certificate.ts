/**
 * X.509 certificates (RFC 5280) in PEM: parsed, checked against their chain, described as plain values. Pure: no clock, so
 * validity in time is the caller's check.
 *
 * @example
 * const certificate = parseCertificate(pem)
 * parseChain(certificate, chainPem)
 * describeCertificate(certificate).dnsNames // ['www.example.com']
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { pemBlocks } from './pem.ts'

export type X509Problem = 'certificate' | 'certificate chain' | 'private key' | 'issuer'

/** A text that is not what it should be. Services map it to their own faults. */
export class X509Error extends Error {
  override readonly name = 'X509Error'
  /** What could not be parsed; `issuer` for a chain whose certificates did not sign each other. */
  readonly problem: X509Problem
  /** With `issuer`: the position in the chain, from zero. */
  readonly index: number | undefined

  constructor(problem: X509Problem, index?: number) {
    super(
      problem === 'issuer'
        ? `Certificate ${index} of the chain did not sign the certificate before it.`
        : `The ${problem} is not PEM.`,
    )
    this.problem = problem
    this.index = index
  }
}

/** Longer chains are refused: each certificate costs a signature check. The same bound as OpenSSL's. */
export const CHAIN_LENGTH_MAX = 100

/** Exactly one certificate, with nothing around it but white space. Throws an {@link X509Error}. */
export function parseCertificate(pem: string): X509Certificate {
  const blocks = pemBlocks(pem, 'CERTIFICATE')
  if (blocks.length !== 1) throw new X509Error('certificate')
  return parsed(blocks[0]!)
}

/** One certificate after the other, whether or not they belong to each other. Throws an {@link X509Error}. */
export function parseCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pemBlocks(pem, 'CERTIFICATE')
  if (blocks.length === 0 || blocks.length > CHAIN_LENGTH_MAX) throw new X509Error('certificate chain')
  return blocks.map(parsed)
}

/**
 * The issuers of a certificate, nearest first: each must have signed the one before. The root may be absent, as in TLS.
 * Throws an {@link X509Error}.
 */
export function parseChain(leaf: X509Certificate, pem: string): readonly X509Certificate[] {
  const chain = parseCertificates(pem)
  let below = leaf
  for (const [index, issuer] of chain.entries()) {
    if (!below.checkIssued(issuer) || !below.verify(issuer.publicKey)) throw new X509Error('issuer', index)
    below = issuer
  }
  return chain
}

/** A private key in PEM, not encrypted. Throws an {@link X509Error}. */
export function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new X509Error('private key')
  }
}

export interface CertificateDescription {
  /** Distinguished names as RFC 2253 escapes them, in the certificate's order: `C=DE, O=Example, CN=Example CA`. */
  readonly subject: string
  readonly issuer: string
  /** Upper-case hexadecimal. */
  readonly serialNumber: string
  /** Epoch milliseconds. */
  readonly startsMs: number
  readonly endsMs: number
  /** The DNS names among the subject's alternative names; wildcards as written. */
  readonly dnsNames: readonly string[]
  /** OpenSSL's names: `rsa`, `ec`, `ed25519`. */
  readonly keyType: string
  /** Of RSA keys. */
  readonly keyBits: number | undefined
  /** Of keys on elliptic curves: `prime256v1`. */
  readonly curve: string | undefined
  /** Basic constraints allow it to issue certificates. */
  readonly isAuthority: boolean
  /** SHA-256 of the certificate itself (DER): equal for the same certificate in different PEM. */
  readonly fingerprint: string
}

export function describeCertificate(certificate: X509Certificate): CertificateDescription {
  const { asymmetricKeyType = 'unknown', asymmetricKeyDetails } = certificate.publicKey
  return {
    subject: nameText(certificate.subject),
    issuer: nameText(certificate.issuer),
    serialNumber: certificate.serialNumber,
    startsMs: Date.parse(certificate.validFrom),
    endsMs: Date.parse(certificate.validTo),
    dnsNames: dnsNamesIn(certificate.subjectAltName ?? ''),
    keyType: asymmetricKeyType,
    keyBits: asymmetricKeyDetails?.modulusLength,
    curve: asymmetricKeyDetails?.namedCurve,
    isAuthority: certificate.ca,
    fingerprint: certificate.fingerprint256,
  }
}

function parsed(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw new X509Error('certificate')
  }
}

/** Node prints one attribute a line; line ends inside a value are escaped. Undefined for a name without attributes. */
const nameText = (lines: string | undefined): string => (lines ?? '').split('\n').join(', ')

/**
 * Node prints `DNS:a.example, IP Address:10.0.0.1` and quotes values that contain a comma or a quotation mark, so that no
 * value can look like two.
 */
function dnsNamesIn(text: string): readonly string[] {
  const entry = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y
  const names: string[] = []
  for (let match = entry.exec(text); match; match = entry.exec(text)) {
    const [, type, value = ''] = match
    if (type === 'DNS') names.push(value.startsWith('"') ? (JSON.parse(value) as string) : value)
  }
  return names
}
