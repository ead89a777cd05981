/**
 * The metadata service of one instance of a lab. What it shows is read from the server at each request, so that a change of the
 * instance's options acts at once. Every response ends its connection: the token's packets are recognized by it (lab-metadata-rules).
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { InstanceCredentials, ShownMetadata } from '../../kernel/ports/instance-metadata.ts'
import { MetadataTokens, TTL_HEADER } from '../credentials/metadata-tokens.ts'

export interface MetadataSource {
  shown(): Promise<ShownMetadata | undefined>
  credentials(version: 1 | 2): Promise<InstanceCredentials | undefined>
  /** Applied before the response is sent. */
  setHopLimit(hops: number): void
  readonly now?: () => number
}

interface Answer {
  readonly status: number
  readonly body?: string | Buffer
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

const LATEST = '/latest/'
const CREDENTIALS = 'meta-data/iam/security-credentials/'
const ROOTS = ['dynamic', 'meta-data', 'user-data']
/** SDKs request new credentials five minutes before the old ones expire. */
const RENEWED_MS = 10 * 60_000
const VERSION_PATH = /^\/(?:latest|20\d\d-\d\d-\d\d)\//

export function metadataEndpoint({ shown, credentials, setHopLimit, now = Date.now }: MetadataSource) {
  const tokens = new MetadataTokens(now)
  let pending: Promise<ShownMetadata | undefined> | undefined
  let held: { readonly name: string; readonly credentials: InstanceCredentials } | undefined

  async function answer({ method = '', url = '', headers }: IncomingMessage): Promise<Answer> {
    const metadata = await shownOnce()
    if (!metadata) return { status: 503 }
    if (!metadata.isEnabled) return { status: 403 }
    const path = url.split('?')[0]!.replace(VERSION_PATH, LATEST)
    if (path === `${LATEST}api/token`) {
      if (method !== 'PUT') return { status: 405 }
      // A proxy in front of a program must not be a way to a token.
      if (headers['x-forwarded-for'] !== undefined) return { status: 403 }
      const issued = tokens.issue(headers)
      if (!issued) return { status: 400 }
      setHopLimit(metadata.hopLimit)
      return { status: 200, body: issued.token, headers: { [TTL_HEADER]: issued.ttl } }
    }
    if (method !== 'GET' && method !== 'HEAD') return { status: 405 }
    const token = tokens.check(headers)
    if (token === 'invalid' || (token === 'absent' && metadata.isTokenRequired)) return { status: 401 }
    if (path === '/' || path === '/latest' || path === LATEST)
      return { status: 200, body: path === '/' ? 'latest' : ROOTS.join('\n') }
    return path.startsWith(LATEST)
      ? entry(metadata, decoded(path.slice(LATEST.length)), token === 'absent' ? 1 : 2)
      : { status: 404 }
  }

  /** Requests at a time share one to the server, whose operator uses the same socket. */
  function shownOnce(): Promise<ShownMetadata | undefined> {
    pending ??= shown().finally(() => (pending = undefined))
    return pending
  }

  async function entry(metadata: ShownMetadata, path: string | undefined, version: 1 | 2): Promise<Answer> {
    const { entries, userData, role } = metadata
    if (path === 'user-data')
      return userData === undefined
        ? { status: 404 }
        : { status: 200, body: Buffer.from(userData, 'base64'), type: 'application/octet-stream' }
    if (path === undefined) return { status: 404 }
    if (role !== undefined && path === CREDENTIALS + role) return credentialsOf(role, version)
    const known = Object.hasOwn(entries, path) ? entries[path] : undefined
    if (known !== undefined) return { status: 200, body: known }
    const names = listed([...Object.keys(entries), ...(role === undefined ? [] : [CREDENTIALS + role])], path)
    return names.length > 0 ? { status: 200, body: names.join('\n') } : { status: 404 }
  }

  async function credentialsOf(role: string, version: 1 | 2): Promise<Answer> {
    const name = `${role} ${version}`
    if (held?.name !== name || held.credentials.expiresAt - now() < RENEWED_MS) {
      const found = await credentials(version)
      if (!found) return { status: 404 }
      held = { name, credentials: found }
    }
    const { accessKeyId, secretAccessKey, sessionToken, issuedAt, expiresAt } = held.credentials
    const document = {
      Code: 'Success',
      LastUpdated: isoSeconds(issuedAt),
      Type: 'AWS-HMAC',
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: isoSeconds(expiresAt),
    }
    return { status: 200, body: JSON.stringify(document, undefined, 2) }
  }

  return {
    handle: async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const {
        status,
        body = '',
        type = 'text/plain',
        headers,
      } = await answer(request).catch(() => ({
        status: 503,
        body: undefined,
        type: undefined,
        headers: undefined,
      }))
      response.writeHead(status, { 'content-type': type, connection: 'close', ...headers }).end(body)
      request.resume()
    },
  }
}

const isoSeconds = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** What is below a path, as the service lists it: names with a slash have entries below them. */
function listed(paths: readonly string[], path: string): readonly string[] {
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`
  const names = paths
    .filter((each) => each.startsWith(prefix))
    .map((each) => {
      const [name = '', ...more] = each.slice(prefix.length).split('/')
      return more.length > 0 ? `${name}/` : name
    })
  return [...new Set(names)].sort()
}
