/**
 * An imitation of the social identity providers for tests and work offline: each below its own path, with a page to choose
 * a person, and answers of the right shape. It checks what the real ones check. Any client may use it: never expose it.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, importSPKI, jwtVerify, SignJWT } from 'jose'
import { type Connector, type ConnectorId, connectorAt, connectors } from '../../engines/oidc/connectors.ts'

export interface SocialPerson {
  readonly subject: string
  readonly name: string
  readonly email: string
}

export interface SocialIdpOptions {
  readonly port: number
  readonly people?: readonly SocialPerson[]
  /** Facebook's and X's check of clients. */
  readonly clientSecret?: string
  /** Apple's check of client secrets: SPKI, PEM. Without it signatures are not verified. */
  readonly applePublicKey?: string
  /** Names the issuers of the real providers, for clients whose settings cannot name others. */
  readonly hasRealIssuers?: boolean
}

export interface SocialIdp {
  readonly url: string
  close(): Promise<void>
}

interface Grant {
  readonly connector: Connector
  readonly query: URLSearchParams
  readonly person: SocialPerson
}

export const PEOPLE: readonly SocialPerson[] = [
  { subject: '1001', name: 'Ann Example', email: 'ann@example.com' },
  { subject: '1002', name: 'Bob Example', email: 'bob@example.com' },
]
const TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'
const BODY_MAX = 16_384
const GRANTS_MAX = 10_000

class BadRequest extends Error {}

export async function socialIdp(options: SocialIdpOptions): Promise<SocialIdp> {
  const people = options.people ?? PEOPLE
  const secret = options.clientSecret ?? 'secret'
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'social-1', alg: 'RS256', use: 'sig' }
  const codes = new Map<string, Grant>()
  const tokens = new Map<string, Grant>()
  const namesShown = new Set<string>()
  let url = ''

  const issuerOf = ({ id, oidc }: Connector): string | undefined =>
    (options.hasRealIssuers ? connectors[id as ConnectorId].oidc : oidc)?.issuer

  const remember = (into: Map<string, Grant>, grant: Grant): string => {
    if (into.size >= GRANTS_MAX) into.clear()
    const id = randomBytes(24).toString('base64url')
    into.set(id, grant)
    return id
  }

  /** The page to choose a person; `person` in the query is the choice. */
  function authorize(connector: Connector, query: URLSearchParams, response: ServerResponse): void {
    const redirect = query.get('redirect_uri') ?? ''
    if (query.get('response_type') !== 'code' || !query.get('client_id') || !URL.canParse(redirect))
      throw new BadRequest('response_type=code, client_id and redirect_uri are required')
    if (connector.hasPkce && query.get('code_challenge_method') !== 'S256') throw new BadRequest('PKCE is required')
    if (connector.responseMode && query.get('response_mode') !== connector.responseMode)
      throw new BadRequest(`response_mode=${connector.responseMode} is required`)
    const person = people.find(({ subject }) => subject === query.get('person'))
    if (!person) {
      page(response, connector, query)
      return
    }
    const state = query.get('state') ?? ''
    const answer: Record<string, string> = { state, code: remember(codes, { connector, query, person }) }
    if (connector.responseMode !== 'form_post') {
      const to = new URL(redirect)
      for (const [name, value] of Object.entries(answer)) to.searchParams.set(name, value)
      return void response.writeHead(302, { location: to.href }).end()
    }
    if (!namesShown.has(person.subject)) {
      const [firstName, lastName] = person.name.split(' ')
      answer['user'] = JSON.stringify({ name: { firstName, lastName }, email: person.email })
      namesShown.add(person.subject)
    }
    const fields = Object.entries(answer).map(
      ([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`,
    )
    html(
      response,
      `<form method="post" action="${escaped(redirect)}">${fields.join('')}<button>Continue</button></form>`,
    )
  }

  function page(response: ServerResponse, { label }: Connector, query: URLSearchParams): void {
    const links = people.map(({ subject, name, email }) => {
      const choice = new URLSearchParams(query)
      choice.set('person', subject)
      return `<li><a href="?${escaped(choice.toString())}">${escaped(name)} (${escaped(email)})</a></li>`
    })
    html(response, `<h1>${label} (imitation)</h1><p>Sign in as:</p><ul>${links.join('')}</ul>`)
  }

  async function token(connector: Connector, form: URLSearchParams, authorization: string | undefined) {
    const code = form.get('code') ?? ''
    const grant = codes.get(code)
    codes.delete(code)
    if (!grant || grant.connector.id !== connector.id || form.get('grant_type') !== 'authorization_code')
      throw new BadRequest('invalid_grant')
    const { query, person } = grant
    if (form.get('redirect_uri') !== query.get('redirect_uri')) throw new BadRequest('invalid_grant')
    if (connector.hasPkce) {
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url')
      if (challenge !== query.get('code_challenge')) throw new BadRequest('invalid_grant')
    }
    await checkClient(connector, query.get('client_id')!, form, authorization)
    const accessToken = remember(tokens, grant)
    const nonce = connector.oidc?.hasNonce ? query.get('nonce') : null
    const issuer = issuerOf(connector)?.replace('{tid}', TENANT)
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 3600,
      ...(issuer !== undefined && {
        id_token: await new SignJWT({
          email: person.email,
          email_verified: connector.id === 'apple' ? 'true' : true,
          ...(connector.id !== 'apple' && { name: person.name }),
          ...(connector.id === 'microsoft' && { tid: TENANT }),
          ...(nonce !== null && { nonce }),
        })
          .setProtectedHeader({ alg: 'RS256', kid: jwk.kid })
          .setIssuer(issuer)
          .setSubject(person.subject)
          .setAudience(query.get('client_id')!)
          .setIssuedAt()
          .setExpirationTime('1h')
          .sign(privateKey),
      }),
    }
  }

  async function checkClient(connector: Connector, clientId: string, form: URLSearchParams, authorization = '') {
    if (connector.clientAuthentication === 'apple') {
      const presented = form.get('client_secret') ?? ''
      const expected = { audience: issuerOf(connector)!, subject: clientId, algorithms: ['ES256'] }
      if (options.applePublicKey === undefined) return
      const key = await importSPKI(options.applePublicKey, 'ES256')
      await jwtVerify(presented, key, expected).catch(() => {
        throw new BadRequest('invalid_client')
      })
      return
    }
    const basic = `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`
    const isKnown =
      connector.clientAuthentication === 'basic'
        ? authorization === basic
        : form.get('client_id') === clientId && form.get('client_secret') === secret
    if (!isKnown) throw new BadRequest('invalid_client')
  }

  function profile(connector: Connector, query: URLSearchParams, authorization = ''): object {
    const accessToken = authorization.replace(/^Bearer /, '')
    const grant = tokens.get(accessToken)
    if (!grant || grant.connector.id !== connector.id) throw new BadRequest('invalid_token')
    const { subject, name, email } = grant.person
    if (connector.hasAppSecretProof) {
      const proof = createHmac('sha256', secret).update(accessToken).digest('hex')
      if (query.get('appsecret_proof') !== proof)
        throw new BadRequest('Invalid appsecret_proof provided in the API argument')
    }
    if (connector.id === 'x') return { data: { id: subject, name, username: name.split(' ')[0] } }
    return connector.id === 'amazon'
      ? { user_id: `amzn1.account.${subject}`, name, email }
      : { id: subject, name, email }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = new URL(request.url ?? '/', url)
    const [, id = '', action] = at.pathname.split('/')
    if (!Object.hasOwn(connectors, id)) return void response.writeHead(404).end('Unknown provider')
    const connector = connectorAt(connectors[id as ConnectorId], url)
    const { authorization } = request.headers
    if (action === 'authorize') return authorize(connector, at.searchParams, response)
    if (action === 'token') return json(response, await token(connector, await formOf(request), authorization))
    if (action === 'profile') return json(response, profile(connector, at.searchParams, authorization))
    if (action === 'keys') return json(response, { keys: [jwk] })
    response.writeHead(404).end('Unknown path')
  }

  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!(error instanceof BadRequest)) return void response.writeHead(500).end('Internal error')
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error: error.message }))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve)
  })
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > BODY_MAX) throw new BadRequest('The form is too large')
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}

const json = (response: ServerResponse, body: object): void =>
  void response
    .writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body))

const html = (response: ServerResponse, body: string): void =>
  void response
    .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': "default-src 'none'" })
    .end(`<!doctype html><html lang="en"><title>Social sign-in</title><main>${body}</main></html>`)

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
