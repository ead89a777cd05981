/** The certificate that another authority sent for an order: it is used only when it is the one that was ordered, and clients accept it. */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { derOf, pem as printPem } from '../../../engines/x509/certificate-builder.ts'
import { buildPath } from '../../../engines/x509/path-building.ts'
import { nameKey, type PathCertificate, pathCertificate } from '../../../engines/x509/path-certificate.ts'
import { pemBlocks } from '../../../engines/x509/pem.ts'
import type { CertificateRow, Material } from '../resources.ts'
import { AcmeProblemError } from './answers.ts'

const CHAIN_MAX = 10

export type ReceivedMaterial = Omit<Material, 'privateKey' | 'upstream'>

const wrong = (why: string): AcmeProblemError => new AcmeProblemError('malformed', `the certificate it sent ${why}`)

/** `text`: PEM, the leaf first. Throws an {@link AcmeProblemError} for what is not the certificate that was ordered. */
export async function readReceived(
  text: string,
  { names }: Pick<CertificateRow, 'names'>,
  privateKey: KeyObject,
  now: number,
): Promise<ReceivedMaterial> {
  const [pem, ...above] = pemBlocks(text, 'CERTIFICATE')
  if (!pem || above.length === 0 || above.length > CHAIN_MAX) throw wrong('has no chain, or too long a one')
  let leaf: PathCertificate
  let chain: readonly PathCertificate[]
  let isOurs: boolean
  try {
    leaf = pathCertificate(derOf(pem))
    chain = above.map((each) => pathCertificate(derOf(each)))
    isOurs = createPublicKey(privateKey).equals(new X509Certificate(leaf.der).publicKey)
  } catch {
    throw wrong('cannot be read')
  }
  if (!isOurs) throw wrong('is for another key')
  const missing = names.find((name) => !leaf.names.some((each) => each.kind === 'dns' && each.text === name))
  if (missing !== undefined) throw wrong(`does not name ${missing}`)
  // Which roots clients trust is theirs to decide: here those that no other one issued are taken for some. Clients get the path in its
  // order (RFC 8446 §4.4.2), though the authority sent another order, or certificates that do not belong to it.
  const tops = chain.filter(
    (each) => !chain.some((other) => other.fingerprint !== each.fingerprint && isNamed(each, other)),
  )
  const anchors = tops.length > 0 ? tops : chain.slice(-1)
  const result = await buildPath(leaf, { anchors, intermediates: chain, now, purpose: 'server' })
  if (!result.isValid) throw wrong(`is not valid with its chain: ${result.problem}`)
  const [, ...issuers] = result.path
  return {
    pem: `${pem.trim()}\n`,
    chain: issuers.map(({ der }) => printPem('CERTIFICATE', der)).join(''),
    serial: new X509Certificate(leaf.der).serialNumber,
    notBefore: leaf.startsMs,
    notAfter: leaf.endsMs,
  }
}

/** By name alone: whether the other one may have issued it. */
const isNamed = ({ issuer }: PathCertificate, { subject }: PathCertificate): boolean =>
  nameKey(issuer) === nameKey(subject)
