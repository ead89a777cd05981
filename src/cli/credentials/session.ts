/** Temporary credentials of a role, or of the caller itself: requested from STS, and renewed before they expire. */
import { type Client, element } from '../../kernel/client/client.ts'
import { clientFor, clientOptions } from '../client.ts'
import { UsageError } from '../command.ts'

export const sessionOptions = {
  'role-arn': { type: 'string', value: 'ARN', about: 'whose credentials (default: a session of the caller itself)' },
  'session-name': { type: 'string', value: 'NAME', about: 'how the session is called on the trail (default: merlon)' },
  duration: { type: 'string', value: 'SECONDS', about: 'how long each lives (default 3600)' },
  'external-id': { type: 'string', value: 'ID', about: 'what the role may do, as a session policy' },
  'serial-number': { type: 'string', value: 'ARN', about: 'of an MFA device' },
  'token-code': { type: 'string', value: 'CODE', about: 'that the device shows' },
  ...clientOptions,
} as const

type Given = { readonly [K in keyof typeof sessionOptions]?: string | undefined }

export interface Session {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** ISO 8601. */
  readonly expiration: string
  readonly roleArn: string | undefined
  readonly accountId: string | undefined
}

/** Requests one session. Throws the error of STS. */
export function sessionSource(given: Given): () => Promise<Session> {
  const client = clientFor(given)
  const seconds = given.duration === undefined ? 3600 : Number(given.duration)
  if (!Number.isInteger(seconds) || seconds < 900 || seconds > 129_600) {
    throw new UsageError(`--duration is a number of seconds from 900 to 129600, not '${given.duration}'.`)
  }
  return () => requestSession(client, given, seconds)
}

async function requestSession(client: Client, given: Given, DurationSeconds: number): Promise<Session> {
  const mfa = { SerialNumber: given['serial-number'], TokenCode: given['token-code'] }
  const role = given['role-arn']
  const xml =
    role === undefined
      ? await client.query('sts', 'GetSessionToken', { DurationSeconds, ...mfa })
      : await client.query('sts', 'AssumeRole', {
          RoleArn: role,
          RoleSessionName: given['session-name'] ?? 'merlon',
          ExternalId: given['external-id'],
          DurationSeconds,
          ...mfa,
        })
  return {
    accessKeyId: element(xml, 'AccessKeyId')!,
    secretAccessKey: element(xml, 'SecretAccessKey')!,
    sessionToken: element(xml, 'SessionToken')!,
    expiration: element(xml, 'Expiration')!,
    roleArn: role,
    accountId: role?.split(':')[4],
  }
}

/** SDKs request new credentials five minutes before expiry; so they get credentials that live longer. */
const RENEWED_MS = 10 * 60_000

/** The same session for all callers, until it is about to expire. Concurrent callers share one request. */
export function renewing(request: () => Promise<Session>, now: () => number = Date.now): () => Promise<Session> {
  let held: Session | undefined
  let pending: Promise<Session> | undefined
  return () => {
    if (held && Date.parse(held.expiration) - now() > RENEWED_MS) return Promise.resolve(held)
    pending ??= request()
      .then((session) => (held = session))
      .finally(() => (pending = undefined))
    return pending
  }
}
