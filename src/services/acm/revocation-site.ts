/** Revocation lists and status answers (OCSP) of the installation's own authorities, readable without credentials. */
import {
  buildCrl,
  type Revocation,
  RevocationLists,
  StatusResponder,
  statusError,
} from '../../engines/x509/revocation.ts'
import { statusAnswers } from '../../kernel/ports/status-answers.ts'
import type { Reader } from '../../kernel/state/reader.ts'
import { route, type WebAnswer, type WebCall, type WebSite } from '../../kernel/web/site.ts'
import { type AuthorityRow, authorityById, issuerOf, signAs } from './authorities.ts'
import { type IssuedRow, issuedKey, revokedBy } from './issuance.ts'

const HOUR_MS = 60 * 60 * 1000
const NEXT_UPDATE_MS = 24 * HOUR_MS
const CACHE_SECONDS = 60
const LIST_MS = CACHE_SECONDS * 1_000
const REQUEST_BYTES_MAX = 4_096

const NOT_FOUND: WebAnswer = { json: { error: 'NotFound' }, status: 404 }

/** Without those that have expired (RFC 5280 §3.3). */
async function revocationsOf(reader: Reader, issuer: string, now: number): Promise<readonly Revocation[]> {
  const rows = await reader.range<IssuedRow>(revokedBy(issuer))
  return rows.flatMap(({ document }) => (document.notAfter > now ? (revocationOf(document) ?? []) : []))
}

const revocationOf = ({ serial, revokedAt, reason }: IssuedRow): Revocation | undefined =>
  revokedAt === undefined ? undefined : { serial, revokedAt, reason: reason as Revocation['reason'] }

const responder = new StatusResponder(HOUR_MS)
const lists = new RevocationLists<AuthorityRow>(LIST_MS)

const currentList = (call: WebCall, id: string, authority: AuthorityRow): Promise<Buffer> =>
  lists.get(authority, call.now, async () =>
    buildCrl(
      issuerOf(authority),
      await revocationsOf(call.unit, id, call.now),
      { number: call.now, thisUpdate: new Date(call.now), nextUpdate: new Date(call.now + NEXT_UPDATE_MS) },
      signAs(call.vault, authority),
    ),
  )

const crl = route({
  method: 'GET',
  path: '/crl/:file',
  event: 'GetRevocationList',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path }) => {
    const [, id = ''] = /^([0-9a-f]{32})\.crl$/.exec(path['file']!) ?? []
    const authority = await call.unit.get<AuthorityRow>(authorityById(id))
    if (!authority) return NOT_FOUND
    return {
      file: await currentList(call, id, authority),
      contentType: 'application/pkix-crl',
      cacheSeconds: CACHE_SECONDS,
    }
  },
})

async function statusAnswer(call: WebCall, id: string, request: Buffer): Promise<WebAnswer> {
  const answered = (file: Buffer): WebAnswer => ({ file, contentType: 'application/ocsp-response', cacheSeconds: 0 })
  const authority = /^[0-9a-f]{32}$/.test(id) ? await call.unit.get<AuthorityRow>(authorityById(id)) : undefined
  if (!authority) {
    call.use(statusAnswers).count('acm', 'unauthorized')
    return answered(statusError('unauthorized'))
  }
  const find = async (serial: string) => {
    const row = await call.unit.get<IssuedRow>(issuedKey(id, serial))
    return row && { revocation: revocationOf(row) }
  }
  const sign = signAs(call.vault, authority)
  const { answer, result } = await responder.answer(issuerOf(authority), request, find, { now: call.now, sign })
  call.use(statusAnswers).count('acm', result)
  return answered(answer)
}

const ocspPost = route({
  method: 'POST',
  path: '/ocsp/:id',
  event: 'GetCertificateStatus',
  authentication: 'document',
  body: 'bytes',
  bodyBytesMax: REQUEST_BYTES_MAX,
  shown: [],
  run: (call, { path, bytes }) => statusAnswer(call, path['id']!, bytes),
})

const ocspGet = route({
  method: 'GET',
  path: '/ocsp/:id/:request',
  event: 'GetCertificateStatus',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: (call, { path }) => statusAnswer(call, path['id']!, Buffer.from(path['request']!, 'base64')),
})

export const revocationSite: WebSite = { service: 'acm', base: '/acm', routes: [crl, ocspPost, ocspGet] }
