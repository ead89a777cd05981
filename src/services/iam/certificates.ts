/** X.509 certificates as IAM takes them: PEM in, checked, dates out. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { iam } from './resources.ts'

/** One certificate; throws AWS's words for anything else. */
export function parseCertificate(pem: string): X509Certificate {
  const blocks = pemBlocks(pem, 'CERTIFICATE')
  if (blocks.length !== 1) throw malformed('certificate')
  return parsed(blocks[0]!)
}

/** The issuers behind a certificate, nearest first: each must have signed the one before. */
export function parseChain(leaf: X509Certificate, pem: string): readonly X509Certificate[] {
  const chain = pemBlocks(pem, 'CERTIFICATE').map(parsed)
  if (chain.length === 0) throw malformed('certificate chain')
  let below = leaf
  for (const [index, issuer] of chain.entries()) {
    if (!below.checkIssued(issuer) || !below.verify(issuer.publicKey)) {
      throw iam.fail(
        'MalformedCertificateException',
        'Unable to validate certificate chain. The certificate chain must start with the immediate signing ' +
          'certificate, followed by any intermediaries in order. The index within the chain of the invalid ' +
          `certificate is: ${index}`,
      )
    }
    below = issuer
  }
  return chain
}

/** A private key in PEM, not encrypted. */
export function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw malformed('private key')
  }
}

export const startsMs = (certificate: X509Certificate): number => Date.parse(certificate.validFrom)
export const endsMs = (certificate: X509Certificate): number => Date.parse(certificate.validTo)

function parsed(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw malformed('certificate')
  }
}

/** The blocks of a text that holds nothing else. */
function pemBlocks(text: string, label: string): readonly string[] {
  const block = new RegExp(`-----BEGIN ${label}-----[A-Za-z0-9+/=\\s]+?-----END ${label}-----`, 'g')
  return text.replace(block, '').trim() === '' ? (text.match(block) ?? []) : []
}

function malformed(what: string) {
  return iam.fail(
    'MalformedCertificateException',
    `Unable to parse ${what}. Please ensure the ${what} is in PEM format.`,
  )
}
