/**
 * Serves a built console before a running server, with the policy of the page and with keys of the environment instead of a
 * sign-in. For development only: `AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… node console/dev/serve.mjs API_URL PORT`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../dist/console/', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

/** @param {{ api: string, port: number, accessKeyId: string, secretAccessKey: string, sessionToken?: string, principal: object }} options */
export function serveConsole({ api, port, accessKeyId, secretAccessKey, sessionToken = '', principal }) {
  const server = createServer((incoming, answer) => {
    const { pathname } = new URL(incoming.url ?? '/', 'http://console.local')
    const json = (value) => answer.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (pathname === '/console/config.json')
      return json({ apiEndpoint: `http://${incoming.headers.host}`, region: 'us-east-1', version: 'dev' })
    if (pathname === '/console/session') return json({ signedIn: true, principal, csrf: 'dev', mfa: false })
    if (pathname === '/console/credentials') {
      const expiration = new Date(Date.now() + 900_000).toISOString()
      return json({ accessKeyId, secretAccessKey, sessionToken, expiration })
    }
    if (pathname === '/console') return answer.writeHead(302, { location: '/console/' }).end()
    if (pathname.startsWith('/console/')) return sendFile(pathname.slice('/console/'.length), answer)
    const { hostname, port: apiPort } = new URL(api)
    const outgoing = request({
      hostname,
      port: apiPort,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.headers,
    })
    outgoing.on('response', (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers)
      got.pipe(answer)
    })
    outgoing.on('error', () => answer.writeHead(502).end())
    incoming.pipe(outgoing)
  })
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)))
}

function sendFile(path, answer) {
  const file = join(FOLDER, normalize(path || 'index.html'))
  const found = file.startsWith(FOLDER) && existsSync(file) && extname(file) !== '' ? file : join(FOLDER, 'index.html')
  answer
    .writeHead(200, {
      'content-type': TYPES[extname(found)] ?? 'application/octet-stream',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
    })
    .end(readFileSync(found))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , api = 'http://127.0.0.1:4566', port = '4720'] = process.argv
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, MERLON_CONSOLE_ARN } = process.env
  if (!accessKeyId || !secretAccessKey) throw new Error('Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.')
  const arn = MERLON_CONSOLE_ARN ?? 'arn:aws:iam::000000000000:root'
  const [, , , , account = '', resource = ''] = arn.split(':')
  const principal =
    resource === 'root'
      ? { kind: 'root', arn, account }
      : { kind: 'user', arn, account, userName: resource.split('/').at(-1) }
  await serveConsole({ api, port: Number(port), accessKeyId, secretAccessKey, principal })
  console.log(`http://127.0.0.1:${port}/console/`)
}
