/** Signed calls of the test library itself. */
import { sign } from '../wire/sigv4/index.ts'
import type { Credentials } from './connect.ts'

/** Resolves with the answer's text; throws with the server's message when it refuses. */
export type SignedFetch = (
  service: string,
  method: 'GET' | 'POST',
  target: string,
  body: string,
  contentType?: string,
) => Promise<string>

export function signedFetch(server: {
  readonly endpoint: string
  readonly region: string
  readonly credentials: Credentials
}): SignedFetch {
  const { endpoint, region, credentials } = server
  const credential = { accessKeyId: credentials.accessKeyId, secret: credentials.secretAccessKey }
  return async (service, method, target, body, contentType = 'application/json') => {
    const [path = '', query = ''] = target.split('?')
    const request = sign(
      {
        method,
        path,
        query,
        rawHeaders: ['Host', new URL(endpoint).host, 'Content-Type', contentType],
        body: Buffer.from(body),
        remoteAddress: '',
        secure: false,
      },
      credential,
      { region, service, nowMs: Date.now() },
    )
    const headers: [string, string][] = []
    for (let n = 0; n < request.rawHeaders.length; n += 2)
      if (request.rawHeaders[n] !== 'Host') headers.push([request.rawHeaders[n]!, request.rawHeaders[n + 1]!])
    const answer = await fetch(endpoint + target, { method, headers, ...(method === 'POST' && { body }) })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${target}: ${/<Message>([^<]*)/.exec(text)?.[1] ?? messageIn(text)}`)
    return text
  }
}

function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text
  } catch {
    return text
  }
}
