/** Revocation lists and status answers (OCSP) of the installation's own authorities, for anybody. */
import {
  buildCrl,
  buildStatusResponse,
  type CertificateStatus,
  isOfIssuer,
  parseStatusRequest,
  type Revocation,
  statusError,
} from '../../engines/x509/revocation.ts'
import type { Reader } from '../../kernel/ports.ts'
import { route, type WebAnswer, type WebCall, type WebSite } from '../../kernel/web/site.ts'
import { under } from '../../store/store.ts'
import { type AuthorityRow, authorityById, issuerOf, signAs } from './authorities.ts'
import { type IssuedRow, issuedKey } from './issuance.ts'

const HOUR_MS = 60 * 60 * 1000
const NEXT_UPDATE_MS = 24 * HOUR_MS
const CACHE_SECONDS = 60
const LIST_MS = CACHE_SECONDS * 1_000
const REQUEST_BYTES_MAX = 4_096

const NOT_FOUND: WebAnswer = { json: { error: 'NotFound' }, status: 404 }

async function revocationsOf(reader: Reader, issuer: string): Promise<readonly Revocation[]> {
  const rows = await reader.range<IssuedRow>(under('acm', 'issued', issuer))
  return rows.flatMap(({ document: { serial, revokedAt, reason } }) =>
    revokedAt === undefined ? [] : [{ serial, revokedAt, reason: reason as Revocation['reason'] }],
  )
}

/** A signature a minute and authority, however often the list is fetched. By the authority's row, which never changes. */
const lists = new WeakMap<AuthorityRow, { readonly until: number; readonly list: Promise<Buffer> }>()

function currentList(call: WebCall, id: string, authority: AuthorityRow): Promise<Buffer> {
  const { now } = call
  const found = lists.get(authority)
  if (found && now < found.until && now > found.until - LIST_MS) return found.list
  const list = revocationsOf(call.unit, id).then((revocations) =>
    buildCrl(
      issuerOf(authority),
      revocations,
      { number: now, thisUpdate: new Date(now), nextUpdate: new Date(now + NEXT_UPDATE_MS) },
      signAs(call.vault, authority),
    ),
  )
  lists.set(authority, { until: now + LIST_MS, list })
  list.catch(() => lists.delete(authority))
  return list
}

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
  if (!authority) return answered(statusError('unauthorized'))
  const issuer = issuerOf(authority)
  let asked: ReturnType<typeof parseStatusRequest>
  try {
    asked = parseStatusRequest(request)
  } catch {
    return answered(statusError('malformedRequest'))
  }
  const statuses = await Promise.all(
    asked.ids.map(async (each): Promise<{ id: Buffer; status: CertificateStatus }> => {
      const row = isOfIssuer(each, issuer) && (await findIssued(call.unit, id, each.serial))
      if (!row) return { id: each.whole, status: 'unknown' }
      const { serial, revokedAt, reason } = row
      const status = revokedAt === undefined ? 'good' : { serial, revokedAt, reason: reason as Revocation['reason'] }
      return { id: each.whole, status }
    }),
  )
  const producedAt = new Date(call.now)
  const nextUpdate = new Date(call.now + HOUR_MS)
  return answered(
    await buildStatusResponse(
      issuer,
      statuses,
      { producedAt, nextUpdate, nonce: asked.nonce },
      signAs(call.vault, authority),
    ),
  )
}

const findIssued = (reader: Pick<Reader, 'get'>, issuer: string, serial: string) =>
  reader.get<IssuedRow>(issuedKey(issuer, serial))

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
