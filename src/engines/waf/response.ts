/**
 * The response to a request that a web ACL does not allow.
 *
 * Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-custom-request-response.html
 */
import type { Verdict } from './web-acl.ts'

export interface FilterResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** The rule has no response of its own. */
  readonly isDefault?: boolean
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  TEXT_PLAIN: 'text/plain; charset=utf-8',
  TEXT_HTML: 'text/html; charset=utf-8',
  APPLICATION_JSON: 'application/json',
}

const FORBIDDEN = '<!doctype html>\n<title>403 Forbidden</title>\n<h1>403 Forbidden</h1>\n'

/** undefined for a request that is allowed. What answers CAPTCHA and challenge has pages of its own. */
export function responseTo({ action, response, responseBody }: Verdict): FilterResponse | undefined {
  if (action === 'ALLOW') return undefined
  if (!response)
    return { status: 403, headers: { 'content-type': 'text/html; charset=utf-8' }, body: FORBIDDEN, isDefault: true }
  const headers = (response.ResponseHeaders ?? []).map(({ Name, Value }) => [Name!.toLowerCase(), Value ?? ''] as const)
  return {
    status: Number(response.ResponseCode),
    headers: {
      ...Object.fromEntries(headers),
      ...(responseBody && { 'content-type': CONTENT_TYPES[responseBody.type] ?? 'text/plain; charset=utf-8' }),
    },
    body: responseBody?.content ?? '',
  }
}
