/** What the streams over HTTP share: one request for a batch, and what counts as taken. */
import { RetryLaterError } from './sink.ts'

const TIMEOUT_MS = 30_000
/** A `Retry-After` is honored up to this. */
const LATER_MS_MAX = 300_000

export interface Post {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Throws unless the answer is a success; redirects are none. */
export async function post({ url, headers, body }: Post, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(url, {
    method: 'POST',
    headers,
    body,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  })
  if (answer.ok) return answer
  await answer.body?.cancel()
  const said = `it answered ${answer.status}`
  const waitMs = laterOf(answer.headers.get('retry-after'))
  throw waitMs === undefined ? new Error(said) : new RetryLaterError(said, waitMs)
}

/** Seconds or a date. RFC 9110 §10.2.3 */
export function laterOf(text: string | null): number | undefined {
  if (text === null) return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), LATER_MS_MAX)
}

/** An address without the user's name and password, and the header that says them. */
export function withoutUser(given: URL): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
  const url = new URL(given)
  const said = [url.username, url.password].map(decodeURIComponent).join(':')
  url.username = ''
  url.password = ''
  const headers = said === ':' ? {} : { authorization: `Basic ${Buffer.from(said).toString('base64')}` }
  return { url: url.href, headers }
}
