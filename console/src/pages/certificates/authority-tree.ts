/** Certificate authorities as a tree: below each the ones whose certificates it has issued. */
import type { Client } from '../../api/client.ts'
import { inParallel } from '../../api/in-parallel.ts'
import type { Output } from '../../api/sdk.ts'

export type Authority = NonNullable<Output<'acm-pca', 'ListCertificateAuthorities'>['CertificateAuthorities']>[number]

export interface AuthorityNode {
  readonly authority: Authority
  readonly children: readonly AuthorityNode[]
  /** A subordinate whose issuer is no authority of this account and Region. */
  readonly isIssuedElsewhere: boolean
}

/** PEM texts; `chain` begins with the certificate of the issuer. */
export interface Issued {
  readonly authority: Authority
  readonly certificate?: string | undefined
  readonly chain?: string | undefined
}

const HAS_CERTIFICATE = new Set<string | undefined>(['ACTIVE', 'DISABLED', 'EXPIRED'])

export async function loadAuthorities(client: Client): Promise<readonly AuthorityNode[]> {
  const authorities = await client.list('acm-pca', 'ListCertificateAuthorities', {}, 'CertificateAuthorities')
  const issued = await inParallel(authorities, async (authority): Promise<Issued> => {
    if (!HAS_CERTIFICATE.has(authority.Status)) return { authority }
    const { Certificate: certificate, CertificateChain: chain } = await client.call(
      'acm-pca',
      'GetCertificateAuthorityCertificate',
      { CertificateAuthorityArn: authority.Arn! },
    )
    return { authority, certificate, chain }
  })
  return treeOf(issued)
}

export function treeOf(all: readonly Issued[]): readonly AuthorityNode[] {
  const byCertificate = new Map(all.map((each) => [firstOf(each.certificate), each]))
  const parentOf = ({ chain }: Issued): Issued | undefined =>
    chain === undefined ? undefined : byCertificate.get(firstOf(chain))
  const nodeOf = (each: Issued): AuthorityNode => ({
    authority: each.authority,
    children: all.filter((other) => other !== each && parentOf(other) === each).map(nodeOf),
    isIssuedElsewhere: each.chain !== undefined && parentOf(each) === undefined,
  })
  return all.filter((each) => parentOf(each) === undefined).map(nodeOf)
}

/** The content of the first certificate of a PEM text, without line breaks. */
function firstOf(pem: string | undefined): string | undefined {
  const [, body] = /-----BEGIN CERTIFICATE-----([^-]+)-----END/.exec(pem ?? '') ?? []
  return body?.replace(/\s/g, '')
}

export const nameOf = ({ CertificateAuthorityConfiguration, Arn }: Authority): string =>
  CertificateAuthorityConfiguration?.Subject?.CommonName ?? Arn!.split('/').at(-1)!
