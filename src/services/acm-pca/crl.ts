/** The revocation list of an authority, signed by its key in the vault. */
import { X509Certificate } from 'node:crypto'
import { certificateParts } from '../../engines/x509/certificate-builder.ts'
import { buildCrl, type Issuer, type Revocation } from '../../engines/x509/revocation.ts'
import type { SignatureAlgorithm } from '../../engines/x509/signature-algorithms.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import type { Vault } from '../../vault/vault.ts'
import { signWith } from './algorithms.ts'
import { type AuthorityRow, type IssuedRow, revokedBy } from './resources.ts'

const DAY_MS = 24 * 60 * 60 * 1000

export function issuerOf(row: AuthorityRow): Issuer {
  const { subject, publicKey } = certificateParts(new X509Certificate(row.certificate!).raw)
  const algorithm = row.configuration.SigningAlgorithm as SignatureAlgorithm
  return { name: Buffer.from(subject), publicKey: Buffer.from(publicKey), algorithm }
}

export const revocationOf = ({ serial, revokedAt, reason = 'UNSPECIFIED' }: IssuedRow): Revocation | undefined =>
  revokedAt === undefined ? undefined : { serial, revokedAt, reason }

/** DER. Without certificates that have expired (RFC 5280 §3.3). */
export async function crlOf(
  { reader, vault, now }: { readonly reader: Pick<Reader, 'range'>; readonly vault: Vault; readonly now: number },
  row: AuthorityRow,
): Promise<Buffer> {
  const revoked = await reader.range<IssuedRow>(revokedBy(row.id))
  const revocations = revoked.flatMap(({ document }) => (document.notAfter > now ? (revocationOf(document) ?? []) : []))
  const nextUpdate = new Date(now + (row.revocation.CrlConfiguration?.ExpirationInDays ?? 1) * DAY_MS)
  const sign = signWith(vault, row.held, row.configuration.SigningAlgorithm as SignatureAlgorithm)
  return buildCrl(issuerOf(row), revocations, { number: now, thisUpdate: new Date(now), nextUpdate }, sign)
}
