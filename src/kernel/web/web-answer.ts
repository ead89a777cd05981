/** Answers of routes as HTTP, with the headers that browsers need. No route can leave them out. */
import type { HttpResponse } from '../../wire/http.ts'
import { html } from './html.ts'
import type { WebAnswer, WebSite } from './site.ts'

/** No script, no frame, nothing from elsewhere. */
const CONTENT_SECURITY_POLICY: Readonly<Record<string, string>> = {
  'default-src': "'none'",
  'style-src': "'self'",
  'img-src': "'self' data:",
  'font-src': "'self'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
  'base-uri': "'none'",
}

const ALWAYS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Not 'no-referrer': browsers would send 'Origin: null' with the forms of our own pages.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
}

/** The headers of every response to a browser. `directives` replace those of the default content security policy. */
export function webHeaders(
  directives: WebSite['contentSecurityPolicy'],
  secure: boolean,
): Readonly<Record<string, string>> {
  const policy = Object.entries({ ...CONTENT_SECURITY_POLICY, ...directives })
  return {
    ...ALWAYS,
    'content-security-policy': policy.map(([directive, sources]) => `${directive} ${sources}`).join('; '),
    'cache-control': 'no-store',
    ...(secure && { 'strict-transport-security': 'max-age=31536000' }),
  }
}

export function printAnswer(
  answer: WebAnswer,
  site: WebSite,
  cookie: string | undefined,
  secure: boolean,
): HttpResponse {
  const headers: Record<string, string> = {
    ...webHeaders(site.contentSecurityPolicy, secure),
    ...(cookie !== undefined && { 'set-cookie': cookie }),
  }
  if ('redirect' in answer) return { status: 303, headers: { ...headers, location: answer.redirect }, body: '' }
  if ('page' in answer)
    return {
      status: answer.status ?? 200,
      headers: { ...headers, 'content-type': 'text/html; charset=utf-8' },
      body: `<!doctype html>\n${answer.page.text}`,
    }
  if ('file' in answer)
    return {
      status: answer.status ?? 200,
      headers: {
        ...headers,
        ...answer.headers,
        'content-type': answer.contentType,
        ...(answer.cacheSeconds > 0 && { 'cache-control': `public, max-age=${answer.cacheSeconds}` }),
      },
      body: answer.file,
    }
  return {
    status: answer.status ?? 200,
    headers: { ...headers, ...answer.headers, 'content-type': answer.contentType ?? 'application/json' },
    body: JSON.stringify(answer.json),
  }
}

/** Where a site has no pages of its own for faults. */
export function faultAnswer(
  { code, message, status }: { readonly code: string; readonly message: string; readonly status: number },
  asJson: boolean,
): WebAnswer {
  if (asJson) return { json: { error: code, message }, status }
  return {
    page: html`<html lang="en"><head><meta charset="utf-8"><title>${code}</title></head><body><h1>${code}</h1><p>${message}</p></body></html>`,
    status,
  }
}
