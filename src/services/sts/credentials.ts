/** Temporary credentials: how long they live, and how an answer shows them. */
import type { Credentials } from '@aws-sdk/client-sts'
import type { Call } from '../../kernel/gate/call.ts'
import { issueSession, type Session } from '../../kernel/gate/session.ts'

const SECOND_MS = 1000
const HOUR_S = 3600

/** AWS: GetSessionToken and GetFederationToken last twelve hours by default; for the root user at most one hour. */
export function tokenSeconds(call: Call, wanted: number | undefined): number {
  if (call.caller.subject.kind === 'root') return Math.min(wanted ?? HOUR_S, HOUR_S)
  return wanted ?? 12 * HOUR_S
}

/** Both times are whole seconds, because that is how clients, policies and the audit trail see them. */
export function issue(call: Call, seconds: number, session: Omit<Session, 'issuedAt' | 'expiresAt'>): Credentials {
  const issuedAt = Math.floor(call.now / SECOND_MS) * SECOND_MS
  const expiresAt = issuedAt + seconds * SECOND_MS
  const { accessKeyId, secretAccessKey, sessionToken } = issueSession(call.vault, { ...session, issuedAt, expiresAt })
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: new Date(expiresAt),
  }
}
