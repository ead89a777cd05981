/**
 * Cookies of web sessions, and of browsers before they sign in. A session cookie is sealed and bound to its site; reading
 * one costs no store access. The cookie before sign-in only ties the CSRF tokens of anonymous forms to one browser.
 */
import { randomBytes } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Vault } from '../../vault/vault.ts'
import { Fault } from '../../wire/fault.ts'
import type { HttpRequest } from '../../wire/http.ts'
import type { SessionScheme, WebSite } from './site.ts'

type Tokens = Pick<Vault, 'issue' | 'redeem'>

interface Carried {
  readonly claims: object
  /** Distinguishes sessions: CSRF tokens are bound to it. */
  readonly id: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export interface BrowserSession {
  readonly claims: object
  readonly id: string
}

const COOKIES_MAX = 64
/** Browsers take 4,096 bytes with the name and the attributes: RFC 6265, section 6.1. */
const COOKIE_LENGTH_MAX = 3_900
const CLAIMS_BYTES_MAX = 256 * 1024
const BROWSER_ID = /^[\w-]{22}$/

// biome-ignore lint/suspicious/noExplicitAny: claims of every scheme.
type Scheme = Pick<SessionScheme<any>, 'cookie' | 'lifetimeMs' | 'sharedAs'>

const bindingOf = (site: WebSite, scheme: Scheme): string =>
  `${site.service} ${scheme.sharedAs ?? site.base} ${scheme.cookie}`

/** `__Host-` keeps other hosts of the domain, and plain HTTP, from setting the cookie. */
const nameOf = (scheme: Scheme, secure: boolean): string => (secure ? `__Host-${scheme.cookie}` : scheme.cookie)

const printed = (name: string, value: string, maxAgeSeconds: number, secure: boolean): string =>
  `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure ? '; Secure' : ''}`

export function sessionCookie(
  vault: Tokens,
  site: WebSite,
  scheme: Scheme,
  { claims, now, secure }: { readonly claims: object; readonly now: number; readonly secure: boolean },
): string {
  const carried: Carried = { claims, id: randomBytes(16).toString('base64url'), expiresAt: now + scheme.lifetimeMs }
  const token = vault.issue('web-session', bindingOf(site, scheme), deflateRawSync(JSON.stringify(carried)))
  if (token.length > COOKIE_LENGTH_MAX)
    throw new Fault('SessionTooLarge', 'The session has too many attributes for a cookie. Send fewer of them.')
  return printed(nameOf(scheme, secure), token, Math.floor(scheme.lifetimeMs / 1000), secure)
}

export const endedSessionCookie = (scheme: Scheme, secure: boolean): string =>
  printed(nameOf(scheme, secure), '', 0, secure)

/** undefined without a cookie, and for one that is forged, of another site, or expired. */
export function readSession(
  request: Pick<HttpRequest, 'rawHeaders' | 'secure'>,
  vault: Tokens,
  site: WebSite,
  scheme: Scheme,
  now: number,
): BrowserSession | undefined {
  const token = cookieOf(request, nameOf(scheme, request.secure))
  const opened = token ? vault.redeem('web-session', bindingOf(site, scheme), token) : undefined
  if (!opened) return undefined
  const { claims, id, expiresAt } = JSON.parse(
    inflateRawSync(opened, { maxOutputLength: CLAIMS_BYTES_MAX }).toString('utf8'),
  ) as Carried
  return expiresAt > now ? { claims, id } : undefined
}

/** The browser's id before sign-in, and the cookie to set when it has none yet. */
export function browserOf(
  request: Pick<HttpRequest, 'rawHeaders' | 'secure'>,
  site: WebSite,
): { readonly id: string; readonly cookie: string | undefined } {
  const name = nameOf(
    { cookie: `${site.session?.cookie ?? `merlon-${site.service}`}-browser`, lifetimeMs: 0 },
    request.secure,
  )
  const known = cookieOf(request, name)
  if (known && BROWSER_ID.test(known)) return { id: known, cookie: undefined }
  const id = randomBytes(16).toString('base64url')
  return { id, cookie: printed(name, id, 24 * 60 * 60, request.secure) }
}

/** HTTP/2 sends a header field for each cookie: RFC 9113, section 8.2.3. */
function cookieOf({ rawHeaders }: Pick<HttpRequest, 'rawHeaders'>, name: string): string | undefined {
  let left = COOKIES_MAX
  for (let i = 0; i + 1 < rawHeaders.length && left > 0; i += 2) {
    if (rawHeaders[i]!.toLowerCase() !== 'cookie') continue
    const pairs = rawHeaders[i + 1]!.split(';', left)
    left -= pairs.length
    for (const pair of pairs) {
      const at = pair.indexOf('=')
      if (pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
    }
  }
  return undefined
}
