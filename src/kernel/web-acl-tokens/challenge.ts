/**
 * Challenges: a page that makes the browser work for a token, and the token. A token is bound to the client that earned it, by its
 * user agent and the fingerprint of its TLS: another client that sends it is challenged again.
 *
 * @example
 * const challenges = new Challenges(() => cookies)
 * const token = challenges.token(request, acl) // for the evaluation
 * const answer = challenges.respond(request, 'CHALLENGE', Date.now()) // where a rule wants one
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-captcha-and-challenge-how-it-works.html
 */
import { createHash, randomBytes } from 'node:crypto'
import type { TokenOutcome, TokenResponse } from '../../engines/waf/log-record.ts'
import type { PublishedWebAcl } from '../../engines/waf/published.ts'
import { CAPTCHA_PATH, Captcha, SOUND_PATH } from './captcha.ts'
import { challengePage } from './challenge-page.ts'
import { type Header, headerOf, hostOf, type TokenAnswer, type TokenRequest } from './request.ts'
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
const HTML = 'text/html; charset=UTF-8'

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

/** What of a web ACL tokens depend on. */
export type TokenRules = Pick<PublishedWebAcl, 'tokenDomains'>

function clientOf({ headers, connection }: TokenRequest): string {
  const agent = headerOf(headers, 'user-agent') ?? ''
  return createHash('sha256')
    .update(`${agent}\n${connection.ja4 ?? ''}`)
    .digest('base64url')
}

export class Challenges {
  readonly #cookies: () => SealedCookies
  /** Challenges that were solved: each gives one token. */
  readonly #solved = new Set<string>()
  readonly #captcha: Captcha

  constructor(cookies: () => SealedCookies) {
    this.#cookies = cookies
    this.#captcha = new Captcha(cookies, clientOf)
  }

  /** What the token of a request proves. */
  token(request: TokenRequest, { tokenDomains }: TokenRules): TokenFacts {
    const text = headerOf(request.headers, `x-${TOKEN_COOKIE}`) ?? cookieOf(request.headers, TOKEN_COOKIE)
    if (text === undefined) return { failure: 'TOKEN_MISSING' }
    const token = this.#cookies().open('token', text) as Token | undefined
    if (!token || token.client !== clientOf(request)) return { failure: 'TOKEN_INVALID' }
    const host = hostOf(request.authority) ?? ''
    if (token.domain !== host && !isBelow(token.domain, tokenDomains)) return { failure: 'TOKEN_DOMAIN_MISMATCH' }
    return { challengedAt: token.challengedAt, ...(token.solvedAt !== undefined && { solvedAt: token.solvedAt }) }
  }

  /** The answer to a request that needs a token: a page for browsers, the bare status for others. */
  respond(request: TokenRequest, action: 'CHALLENGE' | 'CAPTCHA', now: number): TokenAnswer {
    const status = action === 'CHALLENGE' ? 202 : 405
    const headers: readonly Header[] = [
      ['x-amzn-waf-action', action.toLowerCase()],
      ['Cache-Control', 'no-store, max-age=0'],
      ['Access-Control-Expose-Headers', 'x-amzn-waf-action'],
    ]
    if (action === 'CAPTCHA') return this.#captcha.respond(request, status, headers, now)
    const wantsPage =
      request.method === 'GET' && (headerOf(request.headers, 'accept') ?? '').toLowerCase().includes('text/html')
    if (!wantsPage) return { status, headers: [['Content-Type', HTML], ...headers], body: '' }
    const challenge: Challenge = { id: randomBytes(12).toString('base64url'), issuedAt: now, client: clientOf(request) }
    const nonce = randomBytes(16).toString('base64url')
    const body = challengePage({
      challenge: this.#cookies().seal('challenge', challenge),
      bits: DIFFICULTY_BITS,
      path: SOLUTION_PATH,
      nonce,
    })
    return {
      status,
      headers: [
        ['Content-Type', HTML],
        ...headers,
        [
          'Content-Security-Policy',
          `default-src 'none'; script-src 'nonce-${nonce}'; connect-src 'self'; frame-ancestors 'none'`,
        ],
        ['X-Content-Type-Options', 'nosniff'],
        ['Referrer-Policy', 'no-referrer'],
      ],
      body,
    }
  }

  /** Whether a request is one of the pages that give tokens: no web ACL filters it. Its body has at most `SOLUTION_BYTES_MAX`. */
  static isAboutToken({ method, path }: Pick<TokenRequest, 'method' | 'path'>): boolean {
    return method === 'POST' ? path === SOLUTION_PATH || path === CAPTCHA_PATH : method === 'GET' && path === SOUND_PATH
  }

  /** Answers a request of {@link isAboutToken}. */
  answer(request: TokenRequest, rules: TokenRules, body: string, now: number): TokenAnswer {
    if (request.path === SOUND_PATH) return this.#captcha.respondSound(request, now)
    return request.path === CAPTCHA_PATH
      ? this.#solveCaptcha(request, rules, body, now)
      : this.#solve(request, rules, body, now)
  }

  /** Takes the solution of a page. */
  #solve(request: TokenRequest, rules: TokenRules, body: string, now: number): TokenAnswer {
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
    if (!isRight)
      return {
        status: 403,
        headers: [['Content-Type', 'text/plain']],
        body: 'The solution is wrong, late, or not of this client.\n',
      }
    this.#solved.add(challenge.id)
    if (this.#solved.size > SOLVED_MAX) this.#solved.delete(this.#solved.values().next().value!)
    const { solvedAt } = this.token(request, rules)
    return {
      status: 200,
      headers: [
        ['Content-Type', 'text/plain'],
        this.#cookieFor(request, rules, { challengedAt: now, solvedAt }),
        ['Cache-Control', 'no-store'],
      ],
      body: '',
    }
  }

  /** Takes the answer to a puzzle: back to the page that was requested, or another puzzle. */
  #solveCaptcha(request: TokenRequest, rules: TokenRules, body: string, now: number): TokenAnswer {
    if (this.#captcha.isTired(request, now))
      return {
        status: 429,
        headers: [
          ['Content-Type', 'text/plain'],
          ['Retry-After', '300'],
          ['Cache-Control', 'no-store'],
        ],
        body: 'Too many wrong answers. Try again in some minutes.\n',
      }
    const answered = this.#captcha.solve(request, body, now)
    if (!answered.isRight) {
      const headers: readonly Header[] = [
        ['x-amzn-waf-action', 'captcha'],
        ['Cache-Control', 'no-store, max-age=0'],
      ]
      return this.#captcha.respond(request, 405, headers, now, true, answered.path)
    }
    return {
      status: 303,
      headers: [
        ['Content-Type', 'text/plain'],
        ['Location', answered.path],
        this.#cookieFor(request, rules, { challengedAt: now, solvedAt: now }),
        ['Cache-Control', 'no-store'],
      ],
      body: '',
    }
  }

  /** For the host, or for the token domain that the host is below. */
  #cookieFor(
    request: TokenRequest,
    { tokenDomains }: TokenRules,
    times: Pick<Token, 'challengedAt' | 'solvedAt'>,
  ): Header {
    const host = hostOf(request.authority) ?? ''
    const token: Token = { ...times, domain: host, client: clientOf(request) }
    const shared = tokenDomains.find((domain) => isBelow(host, [domain]))
    const sealed = this.#cookies().seal('token', token)
    const attributes = [
      'Path=/',
      `Max-Age=${TOKEN_VALID_S}`,
      'SameSite=Lax',
      'HttpOnly',
      ...(shared === undefined ? [] : [`Domain=${shared}`]),
      ...(request.connection.tls ? ['Secure'] : []),
    ]
    return ['Set-Cookie', `${TOKEN_COOKIE}=${sealed}; ${attributes.join('; ')}`]
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

const isBelow = (host: string, domains: readonly string[]): boolean =>
  domains.some((each) => {
    const domain = each.toLowerCase()
    return host === domain || host.endsWith(`.${domain}`)
  })

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
