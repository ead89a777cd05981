/**
 * Challenges: a page that makes the browser work for a token, and the token. A token is bound to the client that earned it, by its
 * user agent and the fingerprint of its TLS: another client that sends it is challenged again.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-how-it-works.html
 */
import { createHash, randomBytes } from 'node:crypto'
import type { TokenOutcome, TokenResponse } from '../../engines/waf/log-record.ts'
import type { PublishedWebAcl } from '../../engines/waf/published.ts'
import { Captcha } from './captcha.ts'
import { challengePage } from './challenge-page.ts'
import { type GatewayRequest, type Header, headerOf, hostOf } from './request.ts'
import { respondText } from './responses.ts'
import { cookieOf, type SealedCookies } from './sealed-cookies.ts'

export const TOKEN_COOKIE = 'aws-waf-token'
/** Where the page sends its solution; on the protected host, so that the cookie is the host's. */
export const SOLUTION_PATH = '/.well-known/merlon-challenge'
export const SOLUTION_BYTES_MAX = 4_096

/** Leading zero bits of the digest: 65,536 attempts on average, a fraction of a second in a browser. */
const DIFFICULTY_BITS = 16
const CHALLENGE_VALID_MS = 5 * 60_000
/** The longest immunity that a rule can have. */
const TOKEN_VALID_S = 259_200
const SOLVED_MAX = 100_000

interface Token {
  /** Epoch milliseconds. */
  readonly challengedAt: number
  /** When a puzzle was solved; absent: none was. */
  readonly solvedAt?: number | undefined
  readonly domain: string
  readonly client: string
}

interface Challenge {
  readonly id: string
  readonly issuedAt: number
  readonly client: string
}

export interface TokenFacts {
  readonly challengedAt?: number | undefined
  readonly solvedAt?: number | undefined
  /** Why there is no valid token; undefined with one. */
  readonly failure?: TokenResponse['failureReason']
}

function clientOf({ headers, connection }: GatewayRequest): string {
  const agent = headerOf(headers, 'user-agent') ?? ''
  return createHash('sha256')
    .update(`${agent}\n${connection.ja4 ?? ''}`)
    .digest('base64url')
}

export class Challenges {
  readonly #cookies: () => SealedCookies
  /** Challenges that were solved: each gives one token. */
  readonly #solved = new Set<string>()
  readonly captcha: Captcha

  constructor(cookies: () => SealedCookies) {
    this.#cookies = cookies
    this.captcha = new Captcha(cookies, clientOf)
  }

  /** What the token of a request proves. */
  token(request: GatewayRequest, acl: PublishedWebAcl): TokenFacts {
    const text = headerOf(request.headers, `x-${TOKEN_COOKIE}`) ?? cookieOf(request.headers, TOKEN_COOKIE)
    if (text === undefined) return { failure: 'TOKEN_MISSING' }
    const token = this.#cookies().open('token', text) as Token | undefined
    if (!token || token.client !== clientOf(request)) return { failure: 'TOKEN_INVALID' }
    if (!isDomain(hostOf(request.authority) ?? '', [token.domain, ...acl.tokenDomains]))
      return { failure: 'TOKEN_DOMAIN_MISMATCH' }
    return { challengedAt: token.challengedAt, ...(token.solvedAt !== undefined && { solvedAt: token.solvedAt }) }
  }

  /** The answer to a request that needs a token: a page for browsers, the bare status for others. */
  respond(request: GatewayRequest, action: 'CHALLENGE' | 'CAPTCHA', now: number): number {
    const status = action === 'CHALLENGE' ? 202 : 405
    const headers: readonly Header[] = [
      ['x-amzn-waf-action', action.toLowerCase()],
      ['Cache-Control', 'no-store, max-age=0'],
      ['Access-Control-Expose-Headers', 'x-amzn-waf-action'],
    ]
    if (action === 'CAPTCHA') {
      this.captcha.respond(request, status, headers, now)
      return status
    }
    const wantsPage =
      request.method === 'GET' && (headerOf(request.headers, 'accept') ?? '').toLowerCase().includes('text/html')
    if (!wantsPage) {
      respondText(request, status, 'text/html; charset=UTF-8', '', headers)
      return status
    }
    const challenge: Challenge = { id: randomBytes(12).toString('base64url'), issuedAt: now, client: clientOf(request) }
    const nonce = randomBytes(16).toString('base64url')
    const page = challengePage({
      challenge: this.#cookies().seal('challenge', challenge),
      bits: DIFFICULTY_BITS,
      path: SOLUTION_PATH,
      nonce,
    })
    respondText(request, status, 'text/html; charset=UTF-8', page, [
      ...headers,
      ['Content-Security-Policy', `default-src 'none'; script-src 'nonce-${nonce}'; connect-src 'self'`],
      ['X-Content-Type-Options', 'nosniff'],
      ['Referrer-Policy', 'no-referrer'],
    ])
    return status
  }

  /** Takes the solution of a page. */
  solve(request: GatewayRequest, acl: PublishedWebAcl, body: string, now: number): void {
    const { challenge: text, solution } = parsed(body)
    const challenge =
      text === undefined ? undefined : (this.#cookies().open('challenge', text) as Challenge | undefined)
    const isRight =
      challenge !== undefined &&
      challenge.client === clientOf(request) &&
      now - challenge.issuedAt < CHALLENGE_VALID_MS &&
      !this.#solved.has(challenge.id) &&
      solution !== undefined &&
      zeroBits(createHash('sha256').update(`${text}:${solution}`).digest()) >= DIFFICULTY_BITS
    if (!isRight) {
      respondText(request, 403, 'text/plain', 'The solution is wrong, late, or not of this client.\n')
      return
    }
    this.#solved.add(challenge.id)
    if (this.#solved.size > SOLVED_MAX) this.#solved.delete(this.#solved.values().next().value!)
    const { solvedAt } = this.token(request, acl)
    respondText(request, 200, 'text/plain', '', [
      this.#cookieFor(request, { challengedAt: now, solvedAt }),
      ['Cache-Control', 'no-store'],
    ])
  }

  /** Takes the answer to a puzzle: back to the page that was requested, or another puzzle. */
  solveCaptcha(request: GatewayRequest, body: string, now: number): void {
    if (this.captcha.isTired(request, now)) {
      respondText(request, 429, 'text/plain', 'Too many wrong answers. Try again in some minutes.\n', [
        ['Retry-After', '300'],
        ['Cache-Control', 'no-store'],
      ])
      return
    }
    const answered = this.captcha.solve(request, body, now)
    if (!answered.isRight) {
      const headers: readonly Header[] = [
        ['x-amzn-waf-action', 'captcha'],
        ['Cache-Control', 'no-store, max-age=0'],
      ]
      this.captcha.respond(request, 405, headers, now, true, answered.path)
      return
    }
    respondText(request, 303, 'text/plain', '', [
      ['Location', answered.path],
      this.#cookieFor(request, { challengedAt: now, solvedAt: now }),
      ['Cache-Control', 'no-store'],
    ])
  }

  #cookieFor(request: GatewayRequest, times: Pick<Token, 'challengedAt' | 'solvedAt'>): Header {
    const token: Token = { ...times, domain: hostOf(request.authority) ?? '', client: clientOf(request) }
    const secure = request.connection.tls ? '; Secure' : ''
    const sealed = this.#cookies().seal('token', token)
    return [
      'Set-Cookie',
      `${TOKEN_COOKIE}=${sealed}; Path=/; Max-Age=${TOKEN_VALID_S}; SameSite=Lax; HttpOnly${secure}`,
    ]
  }
}

/** For the log. */
export function tokenOutcome(action: 'CHALLENGE' | 'CAPTCHA', token: TokenFacts, status: number): TokenOutcome {
  const response: TokenResponse = {
    solveTimestamp: Math.floor(((action === 'CAPTCHA' ? token.solvedAt : token.challengedAt) ?? 0) / 1_000),
    responseCode: status,
    failureReason: token.failure ?? 'TOKEN_EXPIRED',
  }
  return action === 'CHALLENGE' ? { challenge: response } : { captcha: response }
}

const isDomain = (host: string, domains: readonly string[]): boolean =>
  domains.some((domain) => host === domain || host.endsWith(`.${domain}`))

function parsed(body: string): { readonly challenge?: string; readonly solution?: string } {
  try {
    const { challenge, solution } = (JSON.parse(body) ?? {}) as Readonly<Record<string, unknown>>
    const isSolution = typeof solution === 'string' && /^\d{1,16}$/.test(solution)
    return typeof challenge === 'string' && isSolution ? { challenge, solution } : {}
  } catch {
    return {}
  }
}

function zeroBits(digest: Buffer): number {
  const first = digest.findIndex((byte) => byte !== 0)
  return first < 0 ? 256 : 8 * first + Math.clz32(digest[first]!) - 24
}
