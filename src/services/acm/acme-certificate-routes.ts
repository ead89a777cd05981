/** Certificates of ACME clients after they are issued: revoked, and when to renew them (RFC 9773). */
import { X509Certificate } from 'node:crypto'
import { crlReasons, type RevocationReason } from '../../engines/x509/revocation.ts'
import { route } from '../../kernel/web/site.ts'
import { Fault } from '../../wire/fault.ts'
import { problem } from './acme-jws.ts'
import { issuedById } from './acme-replacements.ts'
import { endpointAt, headersOf, payloadOf, signedRoute } from './acme-requests.ts'
import { readIssuingAuthority } from './authorities.ts'
import { type IssuedRow, issuance, issuedKey, putRevoked, validityMs } from './issuance.ts'
import { renewsAt } from './renewal-rules.ts'
import { type CertificateRow, certificate } from './resources.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** By the account that ordered it. */
export const revoke = signedRoute('/revoke-cert', 'RevokeAcmeCertificate', async (signed) => {
  const { call, row, account, jws } = signed
  const { certificate: der = '', reason = 0 } = payloadOf<{ certificate: string; reason: number }>(jws)
  let serial: string
  try {
    serial = new X509Certificate(Buffer.from(der, 'base64url')).serialNumber
  } catch {
    throw problem('malformed', 'The certificate is not valid.')
  }
  const name = (Object.keys(crlReasons) as RevocationReason[]).find((each) => crlReasons[each] === reason)
  if (!name) throw problem('badRevocationReason', `${reason} is not a reason of RFC 5280.`)
  const authority = (await readIssuingAuthority(call.unit, row.account, row.region))!
  const at = issuedKey(authority.id, serial)
  const issued = await call.unit.get<IssuedRow>(at)
  const place = issued && certificate.key(row, { CertificateId: issued.arn.slice(issued.arn.lastIndexOf('/') + 1) })
  const found = place && (await call.unit.get<CertificateRow>(place))
  if (!found || found.acme?.accountId !== account.id)
    throw problem('unauthorized', 'The account did not order this certificate.')
  if (issued.revokedAt !== undefined) throw problem('alreadyRevoked', 'The certificate is revoked already.')
  putRevoked(call.unit, authority.id, { ...issued, revokedAt: call.now, reason: name })
  issuance.leave(call.unit, place, found)
  issuance.enter(call.unit, place, { ...found, revokedAt: call.now, revocationReason: name }, 'REVOKED', call.now)
  return { json: {}, status: 200, headers: headersOf(signed) }
})

export const renewalInfo = route({
  method: 'GET',
  path: '/:endpoint/renewal-info/:certificate',
  event: 'GetAcmeRenewalInfo',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path }) => {
    const row = await endpointAt(call, path['endpoint']!)
    const issued = await issuedById(call, row, path['certificate']!)
    if (!issued) throw new Fault('malformed', 'There is no such certificate.', { status: 404 })
    const { revokedAt, notAfter } = issued
    // A window that has passed: clients renew at once, where they would choose a time within one that has not (§4.2).
    const start =
      revokedAt === undefined ? renewsAt({ notBefore: notAfter - validityMs(), notAfter }) : revokedAt - DAY_MS
    const window = { start: new Date(start).toISOString(), end: new Date(start + DAY_MS).toISOString() }
    return { json: { suggestedWindow: window }, headers: { 'retry-after': '21600' } }
  },
})
