/**
 * Where workloads on this machine fetch their credentials: the container endpoint, and the instance metadata service in
 * its second version. Requests must come from loopback, by a loopback name: a web page that rebinds its name gets
 * nothing.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { ApiError } from '../../kernel/client/client.ts'
import { isSame, MetadataTokens, TTL_HEADER } from './metadata-tokens.ts'
import type { Session } from './session.ts'

export interface EndpointOptions {
  readonly session: () => Promise<Session>
  readonly region: string
  /** Whether the metadata service answers, which any process of the machine may query. */
  readonly imds: boolean
  readonly now?: () => number
}

export interface Endpoint {
  /** The part of the address that only the workload knows, and the token it must show. */
  readonly path: string
  readonly token: string
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly type?: 'application/json' | 'text/plain'
  readonly headers?: Readonly<Record<string, string>>
}

const METADATA = '/latest/meta-data/'
const CREDENTIALS = `${METADATA}iam/security-credentials/`

const refusal = (status: number, code: string, message: string): Answer => ({
  status,
  body: JSON.stringify({ code, message }),
})
const text = (body: string): Answer => ({ status: 200, body, type: 'text/plain' })

export function credentialEndpoint({ session, region, imds, now = Date.now }: EndpointOptions): Endpoint {
  const path = `/v2/credentials/${randomBytes(16).toString('hex')}`
  const token = randomBytes(32).toString('base64url')
  const tokens = new MetadataTokens(now)

  async function answer(request: IncomingMessage): Promise<Answer> {
    const { method = '', url = '', headers } = request
    if (!isLoopbackName(headers.host)) return refusal(403, 'Forbidden', 'Use a loopback address.')
    if (headers['x-forwarded-for'] !== undefined) return refusal(403, 'Forbidden', 'Nothing is forwarded here.')
    const [target = ''] = url.split('?')
    if (target === path && method === 'GET') {
      if (!isSame(headers.authorization ?? '', token)) return refusal(401, 'Unauthorized', 'The token is wrong.')
      return forContainer(await session())
    }
    if (!imds) return refusal(404, 'NotFound', 'There is nothing here.')
    if (target === '/latest/api/token') return issued(method, headers)
    if (method !== 'GET') return refusal(405, 'MethodNotAllowed', 'Metadata can only be read.')
    if (tokens.check(headers) !== 'valid') return { status: 401, body: '' }
    return metadata(target)
  }

  function issued(method: string, headers: IncomingHttpHeaders): Answer {
    if (method !== 'PUT') return refusal(405, 'MethodNotAllowed', 'Tokens are PUT.')
    const made = tokens.issue(headers)
    return made ? { ...text(made.token), headers: { [TTL_HEADER]: made.ttl } } : { status: 400, body: '' }
  }

  async function metadata(target: string): Promise<Answer> {
    if (target === `${METADATA}placement/region`) return text(region)
    if (target === `${METADATA}placement/availability-zone`) return text(`${region}a`)
    const held = await session()
    const role = held.roleArn?.split('/').at(-1) ?? 'merlon'
    switch (target) {
      case CREDENTIALS:
      case CREDENTIALS.slice(0, -1):
        return text(role)
      case CREDENTIALS + role:
        return forInstance(held, now())
      case `${METADATA}iam/info`: {
        const InstanceProfileArn = held.roleArn?.replace(/:role\//, ':instance-profile/')
        return { status: 200, body: JSON.stringify({ Code: 'Success', LastUpdated: iso(now()), InstanceProfileArn }) }
      }
      default:
        return { status: 404, body: '' }
    }
  }

  return {
    path,
    token,
    handle: async (request, response) => {
      const { status, body, type = 'application/json', headers } = await answer(request).catch(failed)
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...headers }).end(body)
    },
  }
}

/** Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html */
const forContainer = ({
  roleArn,
  accessKeyId,
  secretAccessKey,
  sessionToken,
  expiration,
  accountId,
}: Session): Answer => ({
  status: 200,
  body: JSON.stringify({
    RoleArn: roleArn,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: expiration,
    AccountId: accountId,
  }),
})

/** Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html */
const forInstance = ({ accessKeyId, secretAccessKey, sessionToken, expiration }: Session, now: number): Answer => ({
  status: 200,
  body: JSON.stringify({
    Code: 'Success',
    LastUpdated: iso(now),
    Type: 'AWS-HMAC',
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: expiration,
  }),
})

const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** An error of STS or of the connection: the workload learns that there are no credentials, and why. */
function failed(error: unknown): Answer {
  if (error instanceof ApiError) return refusal(400, error.code, error.message)
  return refusal(503, 'ServiceUnavailable', 'The server could not be reached.')
}

function isLoopbackName(host: string | undefined): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i.test(host ?? '')
}
