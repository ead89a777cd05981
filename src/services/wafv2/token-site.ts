/** Where the pages of challenges and CAPTCHAs send their solutions, for resources that the server answers itself. No web ACL filters it. */
import { planeSecrets } from '../../kernel/planes/sealed-secrets.ts'
import type { Use } from '../../kernel/ports/port.ts'
import { requestFilter } from '../../kernel/ports/request-filter.ts'
import { route, type WebCall, type WebInput, type WebRoute, type WebSite } from '../../kernel/web/site.ts'
import { CAPTCHA_PATH, SOUND_PATH } from '../../kernel/web-acl-tokens/captcha.ts'
import { Challenges, SOLUTION_BYTES_MAX, SOLUTION_PATH } from '../../kernel/web-acl-tokens/challenge.ts'
import type { Header, TokenRequest } from '../../kernel/web-acl-tokens/request.ts'
import { SealedCookies } from '../../kernel/web-acl-tokens/sealed-cookies.ts'
import { type HttpRequest, header } from '../../wire/http.ts'

/** Tokens of load balancers are under another key: what a client proved there does not count here. */
const TOKENS = 'web ACL tokens of the server 1'

/** One for a server, with what was solved there. */
export function openChallenges(use: Use): Challenges {
  let cookies: SealedCookies | undefined
  return new Challenges(() => (cookies ??= new SealedCookies(use(planeSecrets).derive('server', TOKENS))))
}

export function tokenRequestOf(request: HttpRequest): TokenRequest {
  const headers: Header[] = []
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2)
    headers.push([request.rawHeaders[i]!, request.rawHeaders[i + 1]!])
  return {
    method: request.method,
    path: request.path,
    query: request.query === '' ? undefined : request.query,
    authority: header(request, 'host') ?? '',
    headers,
    client: request.remoteAddress,
    connection: { tls: request.secure ? {} : undefined },
  }
}

/** The headers that say who the client is, what it shows, and what it has. */
const READ = ['user-agent', 'accept', 'cookie', 'x-aws-waf-token']
const BASE = '/.well-known'

const answered = (method: 'GET' | 'POST', path: string, event: string): WebRoute =>
  route({
    method,
    path: path.slice(BASE.length),
    event,
    authentication: 'document',
    body: method === 'POST' ? 'bytes' : 'none',
    bodyBytesMax: method === 'POST' ? SOLUTION_BYTES_MAX : 0,
    shown: [],
    run: (call: WebCall, { rawQuery, bytes }: WebInput) => {
      const request: TokenRequest = {
        method,
        path,
        query: rawQuery,
        authority: call.header('host') ?? '',
        headers: READ.flatMap((name) => {
          const value = call.header(name)
          return value === undefined ? [] : [[name, value] as const]
        }),
        client: call.remoteAddress,
        connection: { tls: call.isSecure ? {} : undefined },
      }
      const answer = call.use(requestFilter).tokenAnswer(request, bytes.toString('utf8'), call.now)
      const headers = Object.fromEntries(answer.headers.map(([name, value]) => [name.toLowerCase(), value]))
      return {
        file: answer.body,
        contentType: headers['content-type'] ?? 'text/plain',
        cacheSeconds: 0,
        status: answer.status,
        headers,
      }
    },
  })

const routes = [
  answered('POST', SOLUTION_PATH, 'SolveChallenge'),
  answered('POST', CAPTCHA_PATH, 'SolveCaptcha'),
  answered('GET', SOUND_PATH, 'GetCaptchaSound'),
]

/** On both listeners: pages and the API may have addresses of their own. */
export const tokenSites: readonly WebSite[] = (['web', 'api'] as const).map((listener) => ({
  service: 'wafv2',
  base: BASE,
  listener,
  routes,
}))
