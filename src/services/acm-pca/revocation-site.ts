/** Revocation lists and status answers (OCSP) of private authorities, readable without credentials. */
import { RevocationLists, StatusResponder, statusError } from '../../engines/x509/revocation.ts'
import type { SignatureAlgorithm } from '../../engines/x509/signature-algorithms.ts'
import { statusAnswers } from '../../kernel/ports/status-answers.ts'
import { route, type WebAnswer, type WebCall, type WebSite } from '../../kernel/web/site.ts'
import type { Key } from '../../store/store.ts'
import { signWith } from './algorithms.ts'
import { crlOf, issuerOf, revocationOf } from './crl.ts'
import { type AuthorityRow, authorityPlaceKey, type IssuedRow, issuedKey } from './resources.ts'

const HOUR_MS = 60 * 60 * 1000
const CACHE_SECONDS = 60
const REQUEST_BYTES_MAX = 4_096
const ID = /^[0-9a-f-]{36}$/

const NOT_FOUND: WebAnswer = { json: { error: 'NotFound' }, status: 404 }

/** An authority that has a certificate; a disabled one still publishes what it revoked. */
async function authorityOf(call: WebCall, id: string): Promise<AuthorityRow | undefined> {
  const place = ID.test(id) ? await call.unit.get<{ readonly at: Key }>(authorityPlaceKey(id)) : undefined
  const row = place && (await call.unit.get<AuthorityRow>(place.at))
  return row?.certificate === undefined || row.status === 'DELETED' ? undefined : row
}

const signerOf = (call: WebCall, row: AuthorityRow) =>
  signWith(call.vault, row.held, row.configuration.SigningAlgorithm as SignatureAlgorithm)

const responder = new StatusResponder(HOUR_MS)
const lists = new RevocationLists<AuthorityRow>(CACHE_SECONDS * 1_000)

const crl = route({
  method: 'GET',
  path: '/crl/:file',
  event: 'GetRevocationList',
  authentication: 'document',
  body: 'none',
  bodyBytesMax: 0,
  shown: [],
  run: async (call, { path }) => {
    const row = await authorityOf(call, path['file']!.replace(/\.crl$/, ''))
    if (!row?.revocation.CrlConfiguration?.Enabled) return NOT_FOUND
    const { now, vault, unit: reader } = call
    const file = await lists.get(row, now, () => crlOf({ reader, vault, now }, row))
    return { file, contentType: 'application/pkix-crl', cacheSeconds: CACHE_SECONDS }
  },
})

async function statusAnswer(call: WebCall, id: string, request: Buffer): Promise<WebAnswer> {
  const row = await authorityOf(call, id)
  const find = async (serial: string) => {
    const issued = await call.unit.get<IssuedRow>(issuedKey(id, serial))
    return issued && { revocation: revocationOf(issued) }
  }
  const { answer: file, result } = row?.revocation.OcspConfiguration?.Enabled
    ? await responder.answer(issuerOf(row), request, find, { now: call.now, sign: signerOf(call, row) })
    : { answer: statusError('unauthorized'), result: 'unauthorized' as const }
  call.use(statusAnswers).count('acm-pca', result)
  return { file, contentType: 'application/ocsp-response', cacheSeconds: 0 }
}

const status = { event: 'GetCertificateStatus', authentication: 'document', shown: [] } as const

const ocspPost = route({
  ...status,
  method: 'POST',
  path: '/ocsp/:id',
  body: 'bytes',
  bodyBytesMax: REQUEST_BYTES_MAX,
  run: (call, { path, bytes }) => statusAnswer(call, path['id']!, bytes),
})

const ocspGet = route({
  ...status,
  method: 'GET',
  path: '/ocsp/:id/:request',
  body: 'none',
  bodyBytesMax: 0,
  run: (call, { path }) => statusAnswer(call, path['id']!, Buffer.from(path['request']!, 'base64')),
})

export const revocationSite: WebSite = { service: 'acm-pca', base: '/acm-pca', routes: [crl, ocspPost, ocspGet] }
