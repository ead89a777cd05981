/** Certificates that the issuing authorities of accounts sign. */
import { buildCertificate, pem } from '../../engines/x509/certificate-builder.ts'
import {
  authorityInfoAccess,
  authorityKeyId,
  basicConstraints,
  certificatePolicies,
  crlDistributionPoint,
  extendedKeyUsage,
  extendedKeyUsages,
  keyIdOfSpki,
  keyUsage,
  subjectAltName,
  subjectKeyId,
} from '../../engines/x509/extensions.ts'
import { attributeOids, distinguishedName } from '../../engines/x509/names.ts'
import { newSerial } from '../../kernel/certificate-serial.ts'
import type { Vault } from '../../vault/vault.ts'
import { ALGORITHM, type AuthorityRow, issuerOf, signAs } from './authorities.ts'

export interface LeafRequest {
  readonly names: readonly string[]
  /** DER SPKI. */
  readonly publicKey: Buffer
  readonly isRsa: boolean
  /** Epoch milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
  /** Of pages, where revocation lists are; undefined while pages are not served. */
  readonly origin: string | undefined
}

export interface Leaf {
  readonly pem: string
  readonly chain: string
  /** Upper-case hexadecimal. */
  readonly serial: string
  readonly issuer: string
}

export async function issueLeaf(vault: Vault, authority: AuthorityRow, request: LeafRequest): Promise<Leaf> {
  const { names, publicKey, origin } = request
  const issuer = issuerOf(authority)
  const serial = newSerial()
  const [commonName = ''] = names
  const der = await buildCertificate(
    {
      serial,
      issuer: issuer.name,
      subject: distinguishedName([{ oid: attributeOids.CommonName, value: commonName }]),
      publicKey,
      notBefore: new Date(request.notBefore),
      notAfter: new Date(request.notAfter),
      algorithm: ALGORITHM,
      extensions: [
        basicConstraints(false),
        keyUsage('digitalSignature', ...(request.isRsa ? (['keyEncipherment'] as const) : [])),
        extendedKeyUsage(extendedKeyUsages.SERVER_AUTH, extendedKeyUsages.CLIENT_AUTH),
        certificatePolicies('2.23.140.1.2.1'),
        subjectAltName(names),
        subjectKeyId(publicKey),
        authorityKeyId(keyIdOfSpki(issuer.publicKey)),
        ...(origin
          ? [
              crlDistributionPoint(`${origin}${CRL_PATH}/${authority.id}.crl`),
              authorityInfoAccess({ ocsp: `${origin}${OCSP_PATH}/${authority.id}` }),
            ]
          : []),
      ],
    },
    signAs(vault, authority),
  )
  return {
    pem: pem('CERTIFICATE', der),
    chain: `${authority.pem}${authority.parent ?? ''}`,
    serial: serial.toString('hex').toUpperCase(),
    issuer: authority.id,
  }
}

export const CRL_PATH = '/acm/crl'
export const OCSP_PATH = '/acm/ocsp'
