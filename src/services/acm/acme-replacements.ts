/** Certificates as ACME's renewal information names them (RFC 9773 §4.1), and orders that replace one (§5). */
import { certificateParts, derOf } from '../../engines/x509/certificate-builder.ts'
import { keyIdOfSpki } from '../../engines/x509/extensions.ts'
import type { WebCall } from '../../kernel/web/site.ts'
import type { Key } from '../../store/store.ts'
import { problem } from './acme-jws.ts'
import type { AccountRow, EndpointRow } from './acme-resources.ts'
import { readIssuingAuthority } from './authorities.ts'
import { type IssuedRow, issuance, issuedKey } from './issuance.ts'
import { type CertificateRow, certificate } from './resources.ts'

/** `base64url(authority key ID).base64url(serial)`: the serial is DER's, so it may begin with a zero byte. */
export async function issuedById(
  call: Pick<WebCall, 'unit'>,
  row: EndpointRow,
  id: string,
): Promise<IssuedRow | undefined> {
  const [, keyId = '', serial = ''] = /^([\w-]{1,64})\.([\w-]{1,64})$/.exec(id) ?? []
  const authority = await readIssuingAuthority(call.unit, row.account, row.region)
  if (!authority || serial === '') return undefined
  const { publicKey } = certificateParts(derOf(authority.pem))
  if (!keyIdOfSpki(publicKey).equals(Buffer.from(keyId, 'base64url'))) return undefined
  const hex = Buffer.from(serial, 'base64url').toString('hex')
  const withoutZeros = hex.replace(/^(00)+(?=.)/, '')
  return call.unit.get<IssuedRow>(issuedKey(authority.id, withoutZeros))
}

const placeOf = (row: EndpointRow, { arn }: IssuedRow): Key =>
  certificate.key(row, { CertificateId: arn.slice(arn.lastIndexOf('/') + 1) })

/** The certificate of the account that an order replaces. Throws a problem unless there is one, not replaced so far. */
export async function replacedCertificate(
  call: Pick<WebCall, 'unit'>,
  row: EndpointRow,
  account: AccountRow,
  names: readonly string[],
  id: unknown,
): Promise<Key> {
  const issued = typeof id === 'string' ? await issuedById(call, row, id) : undefined
  const at = issued && placeOf(row, issued)
  const found = at && (await call.unit.get<CertificateRow>(at))
  if (!found || found.acme?.accountId !== account.id || !found.names.some((name) => names.includes(name)))
    throw problem('malformed', 'The account has no certificate for these names that the order could replace.')
  if (found.acme.isReplaced) throw problem('alreadyReplaced', 'Another order has replaced the certificate.')
  return at
}

/** When the order that replaces it is issued. Throws a problem when another order was first. */
export async function markReplaced(call: Pick<WebCall, 'unit' | 'now'>, at: Key): Promise<void> {
  const found = await call.unit.get<CertificateRow>(at)
  if (!found?.acme) return
  if (found.acme.isReplaced) throw problem('alreadyReplaced', 'Another order has replaced the certificate.')
  const changed: CertificateRow = { ...found, acme: { ...found.acme, isReplaced: true } }
  if (found.progress.job) issuance.hurry(call.unit, at, changed, call.now)
  else call.unit.put(at, changed)
}
