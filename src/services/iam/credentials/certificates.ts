/** Uploaded certificates and keys, with IAM's faults for what is wrong with them. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { parseCertificate, parseChain, parsePrivateKey, X509Error } from '../../../engines/x509/certificate.ts'
import { iam } from '../words.ts'

export const uploadedCertificate = (pem: string): X509Certificate => orFault(() => parseCertificate(pem))

export const uploadedPrivateKey = (pem: string): KeyObject => orFault(() => parsePrivateKey(pem))

export const checkUploadedChain = (leaf: X509Certificate, pem: string): void =>
  void orFault(() => parseChain(leaf, pem))

function orFault<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof X509Error)) throw error
    throw iam.fail('MalformedCertificateException', messageOf(error))
  }
}

const messageOf = ({ problem, index }: X509Error): string =>
  problem === 'issuer'
    ? 'Unable to validate certificate chain. The certificate chain must start with the immediate signing ' +
      'certificate, followed by any intermediaries in order. The index within the chain of the invalid ' +
      `certificate is: ${index}`
    : `Unable to parse ${problem}. Please ensure the ${problem} is in PEM format.`
