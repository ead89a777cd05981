/**
 * Puzzles that people solve for a token: a picture of digits or, without sight, groups of tones to count. Each puzzle is valid for one
 * answer; a network that answers wrongly too often waits.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { isIPv6 } from 'node:net'
import { RateLimiter } from '../../engines/waf/rate-limiter.ts'
import { networkOf } from '../gate/unauthenticated-refusals.ts'
import { puzzleImage } from './captcha-image.ts'
import { captchaPage } from './captcha-page.ts'
import { puzzleSound } from './captcha-sound.ts'
import { type Header, headerOf, type TokenAnswer, type TokenRequest } from './request.ts'
import type { SealedCookies } from './sealed-cookies.ts'

/** On the protected host, so that the cookie is the host's. */
export const CAPTCHA_PATH = '/.well-known/merlon-captcha'
export const SOUND_PATH = `${CAPTCHA_PATH}/sound`

const VALID_MS = 5 * 60_000
const USED_MAX = 100_000
const WINDOW_S = 300
/** Wrong answers of an IPv4 address, or of a network of IPv6 (48 bits), within the window. */
const FAILURES_MAX = 10
const NETWORKS_MAX = 100_000
/** Pictures and sounds that a network gets within the window: each costs milliseconds. */
const MADE_MAX = 100
/** As many guesses in 15,625 are right: a guess of the tones must not be much better than one of the digits. */
const TONE_GROUPS = 6
/** Longer addresses lead to the beginning of the site. */
const RETURN_BYTES_MAX = 700
const HTML = 'text/html; charset=UTF-8'

interface Puzzle {
  readonly id: string
  readonly issuedAt: number
  readonly client: string
  readonly digits: string
  readonly tones: string
  /** Where the client wanted to go. */
  readonly path: string
}

const digitsOf = (count: number, from: number, to: number): string =>
  Array.from({ length: count }, () => randomInt(from, to + 1)).join('')

/** A client with one address of IPv6 has very many. */
const sourceOf = (client: string): string => (isIPv6(client) ? networkOf(client) : client)

const textAnswer = (status: number, body: string): TokenAnswer => ({
  status,
  headers: [
    ['Content-Type', 'text/plain'],
    ['Cache-Control', 'no-store'],
  ],
  body,
})

export interface Answered {
  /** False for an answer that is wrong, late, of another client, or to a puzzle that was answered before. */
  readonly isRight: boolean
  /** Where the client wanted to go. */
  readonly path: string
}

export class Captcha {
  readonly #cookies: () => SealedCookies
  readonly #clientOf: (request: TokenRequest) => string
  readonly #used = new Set<string>()
  readonly #failures = new RateLimiter(NETWORKS_MAX)
  readonly #made = new RateLimiter(NETWORKS_MAX)

  constructor(cookies: () => SealedCookies, clientOf: (request: TokenRequest) => string) {
    this.#cookies = cookies
    this.#clientOf = clientOf
  }

  /** The page of a new puzzle; the bare status for clients that do not show pages, or that had too many. */
  respond(
    request: TokenRequest,
    status: number,
    headers: readonly Header[],
    now: number,
    isRetry = false,
    path?: string,
  ): TokenAnswer {
    const isPage = request.method === 'GET' || isRetry
    const isShown = isPage && (headerOf(request.headers, 'accept') ?? '').toLowerCase().includes('text/html')
    if (!isShown || !this.#mayMake(request, now))
      return { status, headers: [['Content-Type', HTML], ...headers], body: '' }
    const wanted = path ?? (request.query === undefined ? request.path : `${request.path}?${request.query}`)
    const puzzle: Puzzle = {
      id: randomBytes(12).toString('base64url'),
      issuedAt: now,
      client: this.#clientOf(request),
      digits: digitsOf(6, 0, 9),
      tones: digitsOf(TONE_GROUPS, 1, 5),
      path: wanted.length > RETURN_BYTES_MAX || /^\/[/\\]/.test(wanted) ? '/' : wanted,
    }
    const nonce = randomBytes(16).toString('base64url')
    const body = captchaPage({
      image: puzzleImage(puzzle.digits).toString('base64'),
      puzzle: this.#cookies().seal('puzzle', puzzle),
      path: CAPTCHA_PATH,
      soundPath: SOUND_PATH,
      isRetry,
      nonce,
    })
    const policy = `default-src 'none'; img-src data:; media-src 'self'; style-src 'nonce-${nonce}'; form-action 'self'; frame-ancestors 'none'`
    return {
      status,
      headers: [
        ['Content-Type', HTML],
        ...headers,
        ['Content-Security-Policy', policy],
        ['X-Content-Type-Options', 'nosniff'],
        ['Referrer-Policy', 'no-referrer'],
      ],
      body,
    }
  }

  /** The sound of a puzzle that was issued to this client. */
  respondSound(request: TokenRequest, now: number): TokenAnswer {
    const puzzle = this.#open(new URLSearchParams(request.query).get('puzzle') ?? '', request, now)
    if (!puzzle) return textAnswer(404, 'The puzzle is over. Load the page again.\n')
    if (!this.#mayMake(request, now)) return textAnswer(429, 'Too many puzzles. Try again in some minutes.\n')
    return {
      status: 200,
      headers: [
        ['Content-Type', 'audio/wav'],
        ['Cache-Control', 'no-store'],
        ['X-Content-Type-Options', 'nosniff'],
      ],
      body: puzzleSound(puzzle.tones),
    }
  }

  #mayMake({ client }: TokenRequest, now: number): boolean {
    const network = sourceOf(client)
    if (this.#made.count(network, WINDOW_S, now) >= MADE_MAX) return false
    this.#made.hit(network, WINDOW_S, now)
    return true
  }

  /** Whether a network answered wrongly so often that it has to wait. */
  isTired({ client }: TokenRequest, now: number): boolean {
    return this.#failures.count(sourceOf(client), WINDOW_S, now) >= FAILURES_MAX
  }

  /** Takes the answer of a page, as a form. A puzzle is over with its first answer. */
  solve(request: TokenRequest, body: string, now: number): Answered {
    const form = new URLSearchParams(body)
    const puzzle = this.#open(form.get('puzzle') ?? '', request, now)
    const answer = (form.get('answer') ?? '').replace(/[^0-9]/g, '')
    if (puzzle) {
      this.#used.add(puzzle.id)
      if (this.#used.size > USED_MAX) this.#used.delete(this.#used.values().next().value!)
      if (answer === puzzle.digits || answer === puzzle.tones) return { isRight: true, path: puzzle.path }
    }
    this.#failures.hit(sourceOf(request.client), WINDOW_S, now)
    return { isRight: false, path: puzzle?.path ?? '/' }
  }

  #open(text: string, request: TokenRequest, now: number): Puzzle | undefined {
    const puzzle = this.#cookies().open('puzzle', text) as Puzzle | undefined
    const isValid =
      puzzle !== undefined &&
      puzzle.client === this.#clientOf(request) &&
      now - puzzle.issuedAt < VALID_MS &&
      !this.#used.has(puzzle.id)
    return isValid ? puzzle : undefined
  }
}
