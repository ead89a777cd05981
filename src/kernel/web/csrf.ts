/**
 * Protection against forged requests from other sites (OWASP, "Cross-Site Request Forgery Prevention"): the request must
 * come from our own origin where the browser says so, and carry a token that is bound to the session or to the browser.
 */
import { timingSafeEqual } from 'node:crypto'
import { lengths } from '../../vault/aead.ts'
import type { Vault } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'
import { type HttpRequest, header } from '../../wire/http.ts'
import type { WebInput, WebSite } from './site.ts'

/** `boundTo` is the session's id, or the browser's before sign-in. */
export const csrfToken = (vault: Pick<Vault, 'mac'>, site: WebSite, boundTo: string): string =>
  vault.mac('web-session', lengths('csrf', site.service, site.base, boundTo)).toString('base64url')

/** Throws a 403 unless the request comes from a page of ours. `origin` is how browsers reach the server. */
export function assertSameOrigin(request: Pick<HttpRequest, 'rawHeaders'>, input: WebInput, origin: string): void {
  const from = header(request, 'origin')
  const fetchSite = header(request, 'sec-fetch-site')
  const isOurs = from === undefined || from === origin
  const isSameSite = fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none'
  const sent = Buffer.from(input.form['csrf'] ?? header(request, 'x-csrf-token') ?? '')
  const expected = Buffer.from(input.csrf)
  if (isOurs && isSameSite && sent.length === expected.length && timingSafeEqual(sent, expected)) return
  throw new Fault('Forbidden', 'The form was not sent from this site, or is out of date. Load the page again.', {
    status: 403,
  })
}
