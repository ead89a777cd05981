/** A real OpenID provider (`oidc-provider`) behind TLS, and a person who signs in there with a browser's means. */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

export interface OidcPeer {
  readonly port: number
  /** By authorization code with PKCE, through the provider's own pages. Returns the ID token. */
  signIn(person: string): Promise<string>
  /** The way of a browser from an authorization request to the address of the answer, through the provider's own pages. */
  authorize(address: string, person: string): Promise<string>
  close(): void
}

interface Peer {
  readonly host: string
  readonly key: Buffer
  readonly cert: Buffer
  readonly clientId: string
  /** Of a web app with this secret, in place of a native app's. */
  readonly web?: { readonly redirect: string; readonly secret: string }
}

export async function oidcPeer({ host, key, cert, clientId, web }: Peer): Promise<OidcPeer> {
  const redirect = web?.redirect ?? `https://${host}/callback`
  const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
  const provider = new Provider(`https://${host}`, {
    clients: [
      {
        client_id: clientId,
        redirect_uris: [redirect],
        ...(web
          ? { client_secret: web.secret, token_endpoint_auth_method: 'client_secret_basic', application_type: 'web' }
          : { token_endpoint_auth_method: 'none', application_type: 'native' }),
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [{ ...signing, kid: 'peer', alg: 'RS256', use: 'sig' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    claims: { openid: ['sub'], email: ['email'] },
    // Without it, claims of scopes are at the userinfo endpoint alone.
    conformIdTokenClaims: false,
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@corp.test` }),
    }),
  })
  const server = createServer({ key, cert }, provider.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const signIn = async (person: string): Promise<string> => {
    const browse = browser({ host, port, ca: cert })
    const verifier = randomBytes(32).toString('base64url')
    const asked = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      scope: 'openid',
      redirect_uri: redirect,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })
    await browse(`/auth?${asked}`)
    await browse(undefined, { prompt: 'login', login: person, password: 'any' })
    const { location } = await browse(undefined, { prompt: 'consent' })
    const code = new URL(location).searchParams.get('code')
    if (!code) throw new Error(`the provider gave no code: ${location}`)
    const token = { grant_type: 'authorization_code', code, redirect_uri: redirect, client_id: clientId }
    const { body } = await browse('/token', { ...token, code_verifier: verifier })
    return (JSON.parse(body) as { id_token: string }).id_token
  }
  const authorize = async (address: string, person: string): Promise<string> => {
    const browse = browser({ host, port, ca: cert })
    const { pathname, search } = new URL(address)
    await browse(`${pathname}${search}`)
    await browse(undefined, { prompt: 'login', login: person, password: 'any' })
    return (await browse(undefined, { prompt: 'consent' })).location
  }
  return {
    port,
    signIn,
    authorize,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

interface Page {
  readonly location: string
  readonly body: string
}

/** Keeps cookies and follows redirects, but not away to the client. Without a path it stays on the page. */
function browser({ host, port, ca }: { readonly host: string; readonly port: number; readonly ca: Buffer }) {
  const cookies = new Map<string, string>()
  let at = '/'
  return async function browse(path?: string, form?: Readonly<Record<string, string>>): Promise<Page> {
    at = path ?? at
    let body = form && new URLSearchParams(form).toString()
    for (;;) {
      const asked = request({
        host: '127.0.0.1',
        servername: host,
        port,
        ca,
        path: at,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          host,
          cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        },
      }).end(body)
      const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
      for (const cookie of answer.headers['set-cookie'] ?? []) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
        if (name !== undefined) cookies.set(name, value ?? '')
      }
      let text = ''
      for await (const chunk of answer) text += chunk
      const { location } = answer.headers
      if (location === undefined) return { location: at, body: text }
      const to = new URL(location, `https://${host}`)
      if (to.pathname === '/callback' || to.host !== host) return { location: to.href, body: text }
      at = to.pathname + to.search
      body = undefined
    }
  }
}
