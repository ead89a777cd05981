/**
 * What the listener of pages answers: the sites of services, the console's files below `/console/`, and health. The API is
 * not answered here, so that a page's origin is not the API's.
 */
import { webHeaders } from '../../kernel/web/web-answer.ts'
import type { HttpRequest, HttpResponse } from '../../wire/http.ts'
import type { Handler } from '../../wire/node-http.ts'
import type { ConsoleFiles } from './console-files.ts'
import type { Origins } from './origins.ts'

export interface WebHandlerOptions {
  readonly files: ConsoleFiles
  readonly origins: Origins
  readonly version: string
  /** By the site of a service; undefined where none has the path, `sealed` while there is no service. */
  readonly site: (request: HttpRequest) => Promise<HttpResponse | undefined | 'sealed'>
}

export const CONSOLE_PATH = '/console/'
/** Where services put their sign-in pages. */
export const SIGN_IN_PATH = '/signin'
/** The Region that the console shows first. */
const REGION = 'us-east-1'

export function webHandler({ files, origins, version, site }: WebHandlerOptions): Handler {
  const consoleAnswer = async (request: HttpRequest, isSealed: boolean): Promise<HttpResponse | undefined> => {
    const name = request.path.slice(CONSOLE_PATH.length)
    if (name === 'config.json') return json({ apiEndpoint: origins.apiFor(request), region: REGION, version })
    // Paths without a dot are views of the console, which one page shows. While sealed they may be routes of a service.
    const isView = name === '' || (!isSealed && !name.includes('.'))
    return files.read(isView ? 'index.html' : name, request)
  }

  const answer = async (request: HttpRequest): Promise<HttpResponse> => {
    const { path, method } = request
    if (path === '/' || path === '/console') return redirect(CONSOLE_PATH)
    const answered = await site(request)
    if (answered !== undefined && answered !== 'sealed') return answered
    const isSealed = answered === 'sealed'
    const isRead = method === 'GET' || method === 'HEAD'
    const found = path.startsWith(CONSOLE_PATH) && isRead ? await consoleAnswer(request, isSealed) : undefined
    if (found) return found
    if (isSealed) return text(503, 'The server is sealed. An operator must unseal it: merlon unseal')
    return text(404, `Nothing is served at this path. The API is at ${origins.apiFor(request)}`)
  }

  return async (request) => {
    const response = await answer(request)
    if (response.headers['content-security-policy'] !== undefined) return response
    const headers = { ...webHeaders(policyFor(origins.apiFor(request)), request.secure), ...response.headers }
    return { ...response, headers }
  }
}

/** The console calls the API, and nothing else. */
const policyFor = (apiOrigin: string): Readonly<Record<string, string>> => ({
  'script-src': "'self'",
  'connect-src': `'self' ${apiOrigin}`,
})

const json = (value: object): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

const redirect = (location: string): HttpResponse => ({ status: 302, headers: { location }, body: '' })

const text = (status: number, body: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: `${body}\n`,
})
